/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef SIM_DEVICES_H
#define SIM_DEVICES_H

#include "../device.h"

extern const struct sim_device sim_edu;
extern const struct sim_device sim_htex;
extern const struct sim_device sim_nvme;

#endif /* SIM_DEVICES_H */

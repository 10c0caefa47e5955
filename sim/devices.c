// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include "device.h"
#include "devices/devices.h"

const struct sim_device *const sim_devices[] = {
	&sim_edu,
	&sim_htex,
	&sim_nvme,
	NULL
};

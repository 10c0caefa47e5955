/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef FAILNTH_GROUPS_H
#define FAILNTH_GROUPS_H

#include "scene.h"

/* Each is in the file of its name. */
extern const struct group module_group;
extern const struct group control_group;
extern const struct group buffer_group;
extern const struct group mapping_group;
extern const struct group interrupt_group;
extern const struct group storm_group;
extern const struct group register_group;
extern const struct group quiesce_group;
extern const struct group event_group;
extern const struct group isolation_group;
extern const struct group end_group;
extern const struct group fork_group;
extern const struct group driver_group;
extern const struct group revoke_group;
extern const struct group life_group;
extern const struct group space_group;

#endif /* FAILNTH_GROUPS_H */

// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */
/* Where the sites begin: linked before all others. */

#include "sites.h"

struct usrpci_fault_site *const usrpci_fault_first[0] __section("usrpci_fault_sites");

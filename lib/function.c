// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <usrpci.h>
#include "function.h"
#include "public.h"
#include "sysfs.h"

int usrpci_function_driver(const char *root, const char *address, char *name, size_t len)
{
	char bdf[USRPCI_BDF_LEN];
	int ret = usrpci_parse_bdf(address, bdf);

	if (ret)
		return ret;
	if (!name || !len)
		return -EINVAL;
	if (!usrpci_sysfs_exists(USRPCI_SYS_FUNCTION, root, bdf))
		return -ENOENT;
	ret = usrpci_sysfs_link(name, len, USRPCI_SYS_FUNCTION "/driver", root, bdf);
	if (ret == -ENOENT) {
		*name = '\0';
		ret = 0;
	}
	return ret;
}

USRPCI_PUBLIC int usrpci_driver(const char *address, char *name, size_t len)
{
	return usrpci_function_driver("", address, name, len);
}

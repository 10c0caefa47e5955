/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_FUNCTION_H
#define LIB_FUNCTION_H

#include <stddef.h>

#define USRPCI_DRIVER		"usrpci"
#define USRPCI_VFIO_DRIVER	"vfio-pci"
#define USRPCI_DRIVER_LEN	256	/* bytes that hold any driver's name */

/* As usrpci_driver(), below @root. */
int usrpci_function_driver(const char *root, const char *address, char *name, size_t len);

#endif /* LIB_FUNCTION_H */

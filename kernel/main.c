// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/module.h>
#include <linux/pci.h>

#include "debugfs.h"
#include "function.h"
#include "mapping.h"
#include "pin.h"
#include "tlb/server.h"

static int __init usrpci_init(void)
{
	int err;

	err = usrpci_pin_init();
	if (err)
		return err;
	err = usrpci_mapping_init();
	if (err)
		goto pin;
	err = usrpci_server_init();
	if (err)
		goto mapping;
	err = usrpci_function_init();
	if (err)
		goto server;
	usrpci_debugfs_init();
	err = pci_register_driver(&usrpci_driver);
	if (err)
		goto function;
	return 0;

function:
	usrpci_debugfs_exit();
	usrpci_function_exit();
server:
	usrpci_server_exit();
mapping:
	usrpci_mapping_exit();
pin:
	usrpci_pin_exit();
	return err;
}

static void __exit usrpci_exit(void)
{
	pci_unregister_driver(&usrpci_driver);
	usrpci_debugfs_exit();
	usrpci_function_exit();
	usrpci_server_exit();
	usrpci_mapping_exit();
	usrpci_pin_exit();
}

module_init(usrpci_init);
module_exit(usrpci_exit);

MODULE_DESCRIPTION("PCI device drivers as ordinary programs");
MODULE_AUTHOR("The usrpci authors");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_RECORD_H
#define LIB_RECORD_H

#include "function.h"
#include "group.h"

/**
 * struct usrpci_record - What a function had before it was bound to usrpci or vfio-pci.
 * @driver: empty: none
 * @override: its driver_override, empty: none
 * @type: its IOMMU group's type, empty: that wasn't changed
 *
 * Kept in /run/usrpci/DDDD:BB:DD.F, which is gone after a boot, as is the binding.
 */
struct usrpci_record {
	char driver[USRPCI_DRIVER_LEN];
	char override[USRPCI_DRIVER_LEN];
	char type[USRPCI_TYPE_LEN];
};

/*
 * Keeps other processes from binding and unbinding. Return: a descriptor whose
 * close(2) lets them, or a negative errno.
 */
int usrpci_records_lock(const char *root);

int usrpci_record_write(const char *root, const char *bdf, const struct usrpci_record *record);

/* Return: 0; -ENOENT if there is none; other negative errno. */
int usrpci_record_read(const char *root, const char *bdf, struct usrpci_record *record);

void usrpci_record_remove(const char *root, const char *bdf);

#endif /* LIB_RECORD_H */

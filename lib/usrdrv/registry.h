/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_USRDRV_REGISTRY_H
#define LIB_USRDRV_REGISTRY_H

#include <pthread.h>
#include <sys/stat.h>
#include <usrpci.h>
#include <usrdrv.h>

/**
 * struct usrdrv_record - What belongs to a descriptor of usr_pci_open().
 * @dev: borrows the descriptor, which is the program's to close
 * @fd: the descriptor
 * @file: what it was when it was opened: programs close descriptors and get the
 *	same number for something else
 * @users: the registry and calls that are under way; under the registry's lock
 * @lock: guards @mappings
 * @mappings: what usr_pci_mmap() mapped: a tree of tsearch(3)
 */
struct usrdrv_record {
	struct usrpci_device *dev;
	int fd;
	struct stat file;
	unsigned int users;
	pthread_mutex_t lock;
	void *mappings;
};

/*
 * Keeps a new descriptor, and @dev with it unless it fails; what the registry knew
 * by that number is stale and goes. Return: 0 or a negative errno.
 */
int usrdrv_record_add(int fd, struct usrpci_device *dev);

/* The record of a descriptor, till usrdrv_record_put(); NULL if it isn't ours. */
struct usrdrv_record *usrdrv_record_get(int fd);
void usrdrv_record_put(struct usrdrv_record *record);

#endif /* LIB_USRDRV_REGISTRY_H */

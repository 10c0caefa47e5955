// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * The one global of the project: the 2005 interface knows a function by its
 * descriptor alone, so something in the process must lead from the number to
 * what was mapped. <usrpci.h> has no such thing.
 */
#include <errno.h>
#include <stdlib.h>
#include "mappings.h"
#include "registry.h"

static struct {
	pthread_mutex_t lock;
	struct usrdrv_record **records;	/* by descriptor */
	size_t nr;
} registry = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void record_free(struct usrdrv_record *record)
{
	usrdrv_mappings_free(&record->mappings);
	pthread_mutex_destroy(&record->lock);
	usrpci_close(record->dev);
	free(record);
}

/* Under the registry's lock. */
static bool is_last_user(struct usrdrv_record *record)
{
	return record && !--record->users;
}

/* Under the registry's lock. */
static int make_room(size_t fd)
{
	size_t nr = registry.nr ? registry.nr : 16;
	struct usrdrv_record **records;

	if (fd < registry.nr)
		return 0;
	while (nr <= fd)
		nr *= 2;
	records = realloc(registry.records, nr * sizeof(*records));
	if (!records)
		return -ENOMEM;
	while (registry.nr < nr)
		records[registry.nr++] = NULL;
	registry.records = records;
	return 0;
}

static struct usrdrv_record *record_make(int fd, struct usrpci_device *dev)
{
	struct usrdrv_record *record = calloc(1, sizeof(*record));

	if (!record)
		return NULL;
	if (fstat(fd, &record->file)) {
		free(record);
		return NULL;
	}
	pthread_mutex_init(&record->lock, NULL);
	record->dev = dev;
	record->fd = fd;
	record->users = 1;
	return record;
}

/* Puts @record (or NULL) in its place; what was there before goes. */
static int replace(int fd, struct usrdrv_record *record)
{
	struct usrdrv_record *stale = NULL;
	bool last = false;
	int ret;

	pthread_mutex_lock(&registry.lock);
	ret = make_room((size_t)fd);
	if (!ret) {
		stale = registry.records[fd];
		last = is_last_user(stale);
		registry.records[fd] = record;
	}
	pthread_mutex_unlock(&registry.lock);
	if (last)
		record_free(stale);
	return ret;
}

int usrdrv_record_add(int fd, struct usrpci_device *dev)
{
	struct usrdrv_record *record = record_make(fd, dev);
	int ret;

	if (!record)
		return -ENOMEM;
	ret = replace(fd, record);
	if (ret) {
		pthread_mutex_destroy(&record->lock);
		free(record);
	}
	return ret;
}

/* Whether the number still stands for what it was given for. */
static bool is_current(struct usrdrv_record *record)
{
	struct usrpci_info info;
	struct stat file;
	int ret;

	if (fstat(record->fd, &file) || file.st_dev != record->file.st_dev ||
	    file.st_ino != record->file.st_ino || file.st_rdev != record->file.st_rdev)
		return false;
	ret = usrpci_info(record->dev, &info);
	/* A function that was removed is still the one. */
	return !ret || ret == -ENODEV;
}

/* The caller's use of a record ends, and the table's too if it still stands there. */
static void forget(struct usrdrv_record *record)
{
	bool last;

	pthread_mutex_lock(&registry.lock);
	if (registry.records[record->fd] == record) {
		registry.records[record->fd] = NULL;
		record->users--;
	}
	last = is_last_user(record);
	pthread_mutex_unlock(&registry.lock);
	if (last)
		record_free(record);
}

struct usrdrv_record *usrdrv_record_get(int fd)
{
	struct usrdrv_record *record = NULL;

	pthread_mutex_lock(&registry.lock);
	if (fd >= 0 && (size_t)fd < registry.nr)
		record = registry.records[fd];
	if (record)
		record->users++;
	pthread_mutex_unlock(&registry.lock);
	if (!record || is_current(record))
		return record;
	forget(record);
	return NULL;
}

void usrdrv_record_put(struct usrdrv_record *record)
{
	bool last;

	pthread_mutex_lock(&registry.lock);
	last = is_last_user(record);
	pthread_mutex_unlock(&registry.lock);
	if (last)
		record_free(record);
}

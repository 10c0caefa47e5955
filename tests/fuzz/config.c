// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Configuration space is whatever the device makes of it: its lists end, and writes are few. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include "fuzz.h"
#include "vfio/vfio.h"

/* As many as it takes to walk lists that are as long as they can be. */
#define MOST_READS	2000

struct space {
	struct usrpci_vfio_device dev;
	uint8_t data[USRPCI_CONFIG_SIZE];
	unsigned int nr_reads;
};

static struct space space;

static int read_space(struct usrpci_vfio_device *dev, unsigned int region, uint64_t offset,
		      void *buf, size_t len)
{
	must(region == VFIO_PCI_CONFIG_REGION_INDEX && offset + len <= sizeof(space.data),
	     "where configuration space is read");
	must(space.nr_reads++ < MOST_READS, "lists that end");
	memcpy(buf, space.data + offset, len);
	return 0;
}

static int write_space(struct usrpci_vfio_device *dev, unsigned int region, uint64_t offset,
		       const void *buf, size_t len)
{
	must(region == VFIO_PCI_CONFIG_REGION_INDEX && offset + len <= sizeof(space.data),
	     "where configuration space is written");
	memcpy(space.data + offset, buf, len);
	return 0;
}

static const struct usrpci_vfio_ops ops = { .read = read_space, .write = write_space };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { data, len };
	const size_t lens[] = { 64, 256, 1024, 4096 };
	unsigned int seed = input_u8(&in), offset = seed * 16, width = 1U << (seed % 3);
	const uint8_t *bytes;
	uint32_t value = 0;

	memset(&space, 0, sizeof(space));
	space.dev.ops = &ops;
	space.dev.regions[VFIO_PCI_CONFIG_REGION_INDEX].len = lens[seed % 4];
	pthread_mutex_init(&space.dev.config_lock, NULL);
	len = sizeof(space.data);
	bytes = input_bytes(&in, &len);
	if (len)
		memcpy(space.data, bytes, len);
	if (usrpci_vfio_learn_config(&space.dev))
		return 0;
	space.nr_reads = 0;
	if (!usrpci_vfio_config_read(&space.dev.base, offset, width, &value))
		usrpci_vfio_config_write(&space.dev.base, offset, width, ~value);
	must(usrpci_vfio_config_write(&space.dev.base, 0, 4, ~value) == -EPERM ||
	     !memcmp(space.data, &(uint32_t){ ~value }, 4), "that ids aren't written");
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef UNIT_FAKE_H
#define UNIT_FAKE_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "backend.h"

/**
 * struct fake - A device of a made-up backend, which counts what it has given out.
 * @base: what the core knows
 * @fail: what the next calls return instead of doing something; 0: they work
 * @missing: and tell as missing
 * @calls: that reached the backend
 * @bars: BAR maps
 * @maps: coherent buffers as the process has them mapped
 * @handles: coherent buffers as the device has them
 * @closed: times
 * @at_close: @bars, @maps and @handles together when it was closed
 */
struct fake {
	struct usrpci_device base;
	int fail;
	uint64_t missing;
	int calls;
	int bars;
	int maps;
	int handles;
	int closed;
	int at_close;
};

static struct fake *fake_of(const struct usrpci_device *dev)
{
	return usrpci_container_of(dev, struct fake, base);
}

static void fake_count(int *counter, int step)
{
	__atomic_add_fetch(counter, step, __ATOMIC_RELAXED);
}

/* Counts a call; what it is to return. */
static int fake_fails(struct usrpci_device *dev)
{
	fake_count(&fake_of(dev)->calls, 1);
	return fake_of(dev)->fail;
}

static void fake_init(struct fake *fake, const struct usrpci_backend *backend)
{
	*fake = (struct fake){ 0 };
	usrpci_device_init(&fake->base, backend);
	strcpy(fake->base.bdf, "0000:00:04.0");
}

static bool fake_serves(const char *root, const char *address)
{
	return !strncmp(address, "fake:", 5);
}

static int fake_open(struct usrpci_device **devp, const char *address);

/* It stays for the test to look at. */
static void fake_close(struct usrpci_device *dev)
{
	struct fake *fake = fake_of(dev);

	fake->closed++;
	fake->at_close = fake->bars + fake->maps + fake->handles;
	usrpci_device_destroy(dev);
}

static int fake_fd(const struct usrpci_device *dev)
{
	return 77;
}

static int fake_info(struct usrpci_device *dev, struct usrpci_info *info)
{
	info->nr_msi = 4;
	return fake_fails(dev);
}

static int fake_set_master(struct usrpci_device *dev, bool on)
{
	return fake_fails(dev);
}

static int fake_reset(struct usrpci_device *dev)
{
	return fake_fails(dev);
}

static int fake_config_read(struct usrpci_device *dev, unsigned int offset,
			    unsigned int width, uint32_t *value)
{
	*value = 0xc0 + width;
	return fake_fails(dev);
}

static int fake_config_write(struct usrpci_device *dev, unsigned int offset,
			     unsigned int width, uint32_t value)
{
	return fake_fails(dev);
}

/* With a hole for an MSI-X table at 0x2000. */
static const struct usrpci_bar fake_bar_0 = {
	.type = USRPCI_MEMORY_BAR,
	.flags = USRPCI_MAPPABLE,
	.len = 0x4000,
	.nr_windows = 2,
	.windows = { { 0, 0x2000 }, { 0x3000, 0x1000 } },
};

static const struct usrpci_bar fake_bar_2 = {
	.type = USRPCI_MEMORY_BAR,
	.flags = USRPCI_MAPPABLE | USRPCI_PREFETCHABLE,
	.len = 0x10000,
	.nr_windows = 1,
	.windows = { { 0, 0x10000 } },
};

static const struct usrpci_bar fake_bar_4 = {
	.type = USRPCI_PORT_BAR,
	.len = 0x20,
};

static int fake_bar_info(struct usrpci_device *dev, unsigned int bar, struct usrpci_bar *info)
{
	if (bar == 0)
		*info = fake_bar_0;
	else if (bar == 2)
		*info = fake_bar_2;
	else if (bar == 4)
		*info = fake_bar_4;
	return 0;
}

static void *fake_pages(size_t len)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int fake_bar_map(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
			size_t len, unsigned int flags, void **addr)
{
	int ret = fake_fails(dev);

	if (ret)
		return ret;
	*addr = fake_pages(len);
	fake_count(&fake_of(dev)->bars, 1);
	return 0;
}

static void fake_bar_unmap(struct usrpci_device *dev, void *addr, size_t len)
{
	munmap(addr, len);
	fake_count(&fake_of(dev)->bars, -1);
}

static int fake_bar_read(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
			 unsigned int width, uint64_t *value)
{
	*value = offset;
	return fake_fails(dev);
}

static int fake_bar_write(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
			  unsigned int width, uint64_t value)
{
	return fake_fails(dev);
}

static int fake_set_dma_mask(struct usrpci_device *dev, uint64_t streaming, uint64_t coherent)
{
	return fake_fails(dev);
}

static int fake_coherent_alloc(struct usrpci_device *dev, size_t len,
			       struct usrpci_coherent *buf, uint64_t *missing)
{
	struct fake *fake = fake_of(dev);
	int ret = fake_fails(dev);

	*missing = fake->missing;
	if (ret)
		return ret;
	*buf = (struct usrpci_coherent){ .addr = fake_pages(len), .len = len, .handle = 5 };
	fake_count(&fake->handles, 1);
	fake_count(&fake->maps, 1);
	return 0;
}

static int fake_coherent_release(struct usrpci_device *dev, uint32_t handle)
{
	int ret = fake_fails(dev);

	if (!ret && handle == 5)
		fake_count(&fake_of(dev)->handles, -1);
	return ret;
}

static void fake_coherent_unmap(struct usrpci_device *dev, void *addr, size_t len)
{
	munmap(addr, len);
	fake_count(&fake_of(dev)->maps, -1);
}

static int fake_map(struct usrpci_device *dev, struct usrpci_mapping *maps, unsigned int nr,
		    uint64_t *missing)
{
	unsigned int i;
	int ret = fake_fails(dev);

	*missing = fake_of(dev)->missing;
	for (i = 0; i < nr && !ret; i++)
		maps[i].handle = 100 + i;
	return ret;
}

static int fake_unmap(struct usrpci_device *dev, const uint32_t *handles, unsigned int nr)
{
	return fake_fails(dev);
}

static int fake_sync(struct usrpci_device *dev, uint32_t handle, uint64_t offset,
		     uint64_t len, bool for_cpu)
{
	return fake_fails(dev);
}

static int fake_irq_setup(struct usrpci_device *dev, enum usrpci_irq type, unsigned int nr)
{
	return fake_fails(dev);
}

static int fake_irq_wire(struct usrpci_device *dev, unsigned int first, unsigned int nr,
			 const int *eventfds)
{
	return fake_fails(dev);
}

static int fake_irq_unmask(struct usrpci_device *dev, unsigned int vector)
{
	return fake_fails(dev);
}

static int fake_quiesce(struct usrpci_device *dev, const struct usrpci_step *steps,
			unsigned int nr)
{
	return fake_fails(dev);
}

static int fake_event(struct usrpci_device *dev, struct usrpci_event *event)
{
	return fake_fails(dev);
}

/* What a backend without descriptor, BAR maps and detaching can do. */
#define FAKE_OPS					\
	.serves = fake_serves,				\
	.open = fake_open,				\
	.close = fake_close,				\
	.info = fake_info,				\
	.set_master = fake_set_master,			\
	.reset = fake_reset,				\
	.config_read = fake_config_read,		\
	.config_write = fake_config_write,		\
	.bar_info = fake_bar_info,			\
	.bar_read = fake_bar_read,			\
	.bar_write = fake_bar_write,			\
	.set_dma_mask = fake_set_dma_mask,		\
	.coherent_alloc = fake_coherent_alloc,		\
	.coherent_release = fake_coherent_release,	\
	.coherent_unmap = fake_coherent_unmap,		\
	.map = fake_map,				\
	.unmap = fake_unmap,				\
	.sync = fake_sync,				\
	.irq_setup = fake_irq_setup,			\
	.irq_wire = fake_irq_wire,			\
	.irq_unmask = fake_irq_unmask,			\
	.quiesce = fake_quiesce

static const struct usrpci_backend fake_backend = {
	.name = "fake",
	FAKE_OPS,
	.fd = fake_fd,
	.bar_map = fake_bar_map,
	.bar_unmap = fake_bar_unmap,
	.event = fake_event,
	.coherent_detach = fake_coherent_release,
};

/* "fake:EIO" gives an error. */
static int fake_open(struct usrpci_device **devp, const char *address)
{
	struct fake *fake;

	if (!strcmp(address, "fake:EIO"))
		return -EIO;
	fake = malloc(sizeof(*fake));
	if (!fake)
		return -ENOMEM;
	fake_init(fake, &fake_backend);
	*devp = &fake->base;
	return 0;
}

#endif /* UNIT_FAKE_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/**
 * DOC: VFIO's model of a device
 *
 * Regions, interrupt indices, and bus addresses that the program chooses: so it
 * is with the kernel's VFIO and with the vfio-user protocol. What follows from the
 * model is here, once; a backend adds how it says it to its peer.
 */
#ifndef LIB_VFIO_VFIO_H
#define LIB_VFIO_VFIO_H

#include <linux/vfio.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "backend.h"
#include "iova.h"

#define USRPCI_CONFIG_SIZE	4096U

/**
 * struct usrpci_dma - Memory that the device has been given.
 * @iova: where the device sees it, whole pages
 * @addr: where the program sees it, its first byte
 * @len: bytes from there
 * @direction: who writes it
 * @fd: what it is a map of; -1: nothing that could be shared
 * @fd_offset: bytes in @fd of the page that @addr lies in
 * @coherent: from usrpci_coherent_alloc(); @fd is the device's own
 * @leaving: named by the call that unmaps, or not mapped yet: no other call may unmap it
 * @handle: what the program calls it
 */
struct usrpci_dma {
	struct usrpci_iova iova;
	void *addr;
	size_t len;
	enum usrpci_dma_direction direction;
	int fd;
	uint64_t fd_offset;
	bool coherent;
	bool leaving;
	uint32_t handle;
};

/**
 * struct usrpci_dmas - All of them.
 * @lock: guards the rest
 * @iovas: by bus address
 * @slots: by handle
 * @nr_slots: how many there are
 * @free: the first that is empty
 * @nr_live: how many aren't
 * @mask: of mappings
 * @coherent_mask: of coherent buffers
 */
struct usrpci_dmas {
	pthread_mutex_t lock;
	struct usrpci_iovas iovas;
	struct usrpci_dma_slot *slots;
	uint32_t nr_slots;
	uint32_t free;
	uint32_t nr_live;
	uint64_t mask;
	uint64_t coherent_mask;
};

/**
 * struct usrpci_vectors - Interrupt vectors.
 * @lock: guards the rest
 * @type: of those that are set up
 * @nr: how many
 * @own: an eventfd of each, for what fires while the program has given none
 */
struct usrpci_vectors {
	pthread_mutex_t lock;
	enum usrpci_irq type;
	unsigned int nr;
	int *own;
};

/**
 * struct usrpci_region - One of the device's regions.
 * @flags: VFIO_REGION_INFO_FLAG_*
 * @len: bytes
 * @ports: a BAR of ports
 * @offset: for mmap, and for whatever the backend does
 * @fd: to map; -1 where it can't be
 * @nr_windows: parts that can be mapped
 * @windows: in bytes from the region's start
 */
struct usrpci_region {
	uint32_t flags;
	uint64_t len;
	bool ports;
	uint64_t offset;
	int fd;
	unsigned int nr_windows;
	struct {
		uint64_t offset;
		uint64_t len;
	} windows[2];
};

struct usrpci_vfio_device;

/**
 * struct usrpci_vfio_ops - How a backend says it. All return 0 or a negative errno.
 * @read: of a region, @len bytes that lie in it
 * @write: the same
 * @set_irqs: VFIO_DEVICE_SET_IRQS: @set without its data; @nr eventfds, or -1
 * @reset: the device
 * @map: hand memory to the device; -ENOMEM may set @missing
 * @unmap: take it back; the device can't reach it any more
 * @alive: -ENODEV once the device has gone; NULL where that can't happen while it's open
 */
struct usrpci_vfio_ops {
	int (*read)(struct usrpci_vfio_device *dev, unsigned int region, uint64_t offset,
		    void *buf, size_t len);
	int (*write)(struct usrpci_vfio_device *dev, unsigned int region, uint64_t offset,
		     const void *buf, size_t len);
	int (*set_irqs)(struct usrpci_vfio_device *dev, const struct vfio_irq_set *set,
			const int *eventfds, unsigned int nr);
	int (*reset)(struct usrpci_vfio_device *dev);
	int (*map)(struct usrpci_vfio_device *dev, const struct usrpci_dma *dma,
		   uint64_t *missing);
	int (*unmap)(struct usrpci_vfio_device *dev, const struct usrpci_dma *dma);
	int (*alive)(const struct usrpci_vfio_device *dev);
};

/**
 * struct usrpci_vfio_device - What the devices of these backends start from.
 * @base: what the core knows
 * @ops: the backend's
 * @owner: the process that opened it
 * @flags: VFIO_DEVICE_FLAGS_*
 * @regions: the first of them, by VFIO_PCI_*_REGION_INDEX
 * @nr_irqs: vectors, by VFIO_PCI_*_IRQ_INDEX
 * @command: PCI_COMMAND, as it was last written
 * @power: where configuration space has the state of power, 0 without
 * @asleep: that is D3hot, in which no BAR is decoded
 * @config_lock: one write to configuration space at a time
 * @writable: bits of configuration space that keep what the program writes
 * @clearable: bits that are cleared by writing 1
 * @dmas: memory that the device has been given
 * @vectors: interrupts
 */
struct usrpci_vfio_device {
	struct usrpci_device base;
	const struct usrpci_vfio_ops *ops;
	pid_t owner;
	uint32_t flags;
	struct usrpci_region regions[VFIO_PCI_NUM_REGIONS];
	unsigned int nr_irqs[VFIO_PCI_NUM_IRQS];
	uint16_t command;
	unsigned int power;
	bool asleep;
	pthread_mutex_t config_lock;
	uint8_t writable[USRPCI_CONFIG_SIZE];
	uint8_t clearable[USRPCI_CONFIG_SIZE];
	struct usrpci_dmas dmas;
	struct usrpci_vectors vectors;
};

static inline struct usrpci_vfio_device *usrpci_vfio(const struct usrpci_device *dev)
{
	return usrpci_container_of(dev, struct usrpci_vfio_device, base);
}

/* device.c: on a zeroed device; destroying it leaves closing the peer to the backend. */
void usrpci_vfio_init(struct usrpci_vfio_device *dev, const struct usrpci_backend *backend,
		      const struct usrpci_vfio_ops *ops);
void usrpci_vfio_destroy(struct usrpci_vfio_device *dev);

/*
 * What a device says of itself: how many regions and kinds of interrupts are cut to what is known.
 * -ENOTSUP if it is none of PCI.
 */
int usrpci_vfio_note_device(struct usrpci_vfio_device *dev, uint32_t flags,
			    unsigned int *nr_regions, unsigned int *nr_irqs);
void usrpci_vfio_note_irqs(struct usrpci_vfio_device *dev, const struct vfio_irq_info *info,
			   unsigned int index);

/* Once regions and interrupts are known: reads configuration space, stops DMA, resets. */
int usrpci_vfio_start(struct usrpci_vfio_device *dev);

/*
 * Before the peer is closed: nothing of the program's is the device's any more. A child made by
 * fork leaves the device alone, which is its parent's, and so are threads and locks.
 */
void usrpci_vfio_stop(struct usrpci_vfio_device *dev);

/* Whether this is the process that opened it. */
bool usrpci_vfio_is_owner(const struct usrpci_vfio_device *dev);

/* What a call gives that asks nobody: -ENODEV once the device has gone, else @err. */
int usrpci_vfio_answer(const struct usrpci_vfio_device *dev, int err);

int usrpci_vfio_info(struct usrpci_device *dev, struct usrpci_info *info);
int usrpci_vfio_reset(struct usrpci_device *dev);

/* config.c */
int usrpci_vfio_learn_config(struct usrpci_vfio_device *dev);
int usrpci_vfio_enable(struct usrpci_vfio_device *dev);
int usrpci_vfio_set_master(struct usrpci_device *dev, bool on);

/* After a reset, which may have changed it. */
int usrpci_vfio_learn_power(struct usrpci_vfio_device *dev);

/* Of a peer whose reset doesn't leave the command register as it was. */
int usrpci_vfio_restore_command(struct usrpci_vfio_device *dev);
int usrpci_vfio_config_read(struct usrpci_device *dev, unsigned int offset,
			    unsigned int width, uint32_t *value);
int usrpci_vfio_config_write(struct usrpci_device *dev, unsigned int offset,
			     unsigned int width, uint32_t value);

/* bar.c */
int usrpci_vfio_bar_info(struct usrpci_device *dev, unsigned int bar, struct usrpci_bar *info);
int usrpci_vfio_bar_map(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
			size_t len, unsigned int flags, void **addr);
int usrpci_vfio_bar_read(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
			 unsigned int width, uint64_t *value);
int usrpci_vfio_bar_write(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
			  unsigned int width, uint64_t value);

/* Undoes both kinds of mmap. */
void usrpci_vfio_munmap(struct usrpci_device *dev, void *addr, size_t len);

/* region.c: what VFIO_DEVICE_GET_REGION_INFO says, @argsz bytes of it. */
int usrpci_vfio_parse_region(struct usrpci_region *region, const struct vfio_region_info *info,
			     size_t argsz);

/* dma.c */
void usrpci_dmas_init(struct usrpci_dmas *dmas);
void usrpci_dmas_destroy(struct usrpci_dmas *dmas);
int usrpci_vfio_set_dma_mask(struct usrpci_device *dev, uint64_t streaming, uint64_t coherent);
int usrpci_vfio_map(struct usrpci_device *dev, struct usrpci_mapping *maps, unsigned int nr,
		    uint64_t *missing);
int usrpci_vfio_unmap(struct usrpci_device *dev, const uint32_t *handles, unsigned int nr);
int usrpci_vfio_sync(struct usrpci_device *dev, uint32_t handle, uint64_t offset,
		     uint64_t len, bool for_cpu);
void usrpci_vfio_unmap_all(struct usrpci_vfio_device *dev);

/* Frees what a child has of them, whatever locks its parent's threads held. */
void usrpci_vfio_drop_all(struct usrpci_vfio_device *dev);

/* coherent.c */
int usrpci_vfio_coherent_alloc(struct usrpci_device *dev, size_t len,
			       struct usrpci_coherent *buf, uint64_t *missing);
int usrpci_vfio_coherent_release(struct usrpci_device *dev, uint32_t handle);

/* handle.c: under the lock of @dmas. Slots are counted from 1. */
int usrpci_dmas_add(struct usrpci_dmas *dmas, struct usrpci_dma *dma);
struct usrpci_dma *usrpci_dmas_get(const struct usrpci_dmas *dmas, uint32_t handle);
struct usrpci_dma *usrpci_dmas_in(const struct usrpci_dmas *dmas, uint32_t slot);
void usrpci_dmas_remove(struct usrpci_dmas *dmas, struct usrpci_dma *dma);

/* vectors.c */
void usrpci_vectors_init(struct usrpci_vectors *vectors);
void usrpci_vectors_destroy(struct usrpci_vectors *vectors);
int usrpci_vfio_irq_setup(struct usrpci_device *dev, enum usrpci_irq type, unsigned int nr);
int usrpci_vfio_irq_wire(struct usrpci_device *dev, unsigned int first, unsigned int nr,
			 const int *eventfds);
int usrpci_vfio_irq_unmask(struct usrpci_device *dev, unsigned int vector);

#endif /* LIB_VFIO_VFIO_H */

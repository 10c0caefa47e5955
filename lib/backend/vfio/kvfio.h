/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_BACKEND_VFIO_H
#define LIB_BACKEND_VFIO_H

#include "vfio/vfio.h"

struct usrpci_kvfio_device;

/**
 * struct usrpci_kvfio_memory - One of the two ways to a function, and its memory.
 * @accounted: the line of a process's status that has what it locked
 * @by_user: the limit is for all of the user's processes, and not for each
 * @unsafe: the parameter that allows interrupts that aren't remapped
 * @attach: opens the function and puts it behind page tables of its own; -ENOTSUP if
 *	that way isn't there, -EACCES if it isn't for this program
 * @reserve: keeps the bus addresses that can't be had from the allocator
 * @map: gives memory to the device; -EMFILE: not so many times
 * @unmap: takes all of it back
 */
struct usrpci_kvfio_memory {
	const char *accounted;
	bool by_user;
	const char *unsafe;
	int (*attach)(struct usrpci_kvfio_device *dev, const char *root);
	int (*reserve)(struct usrpci_kvfio_device *dev);
	int (*map)(struct usrpci_kvfio_device *dev, const struct usrpci_dma *dma);
	int (*unmap)(struct usrpci_kvfio_device *dev, const struct usrpci_dma *dma);
};

/** enum usrpci_kvfio_told - What the kernel tells by an eventfd. */
enum usrpci_kvfio_told {
	USRPCI_KVFIO_REMOVAL,	/* it wants the function back */
	USRPCI_KVFIO_ERROR,	/* PCI Express met one */
	USRPCI_KVFIO_NR_TOLD,
};

/**
 * struct usrpci_kvfio_device - A function that the kernel's VFIO serves.
 * @vfio: what it has in common with others of VFIO's model
 * @memory: how memory is handed to it
 * @device: descriptor of the function
 * @group: of its IOMMU group; -1 with iommufd
 * @space: of what holds the page tables: a container, or /dev/iommu
 * @ioas: which of iommufd's they are
 * @told: an eventfd of each; -1: it isn't told
 * @poll: readable when one of them is
 * @reserved: bus addresses that no memory can have
 * @iommu_group: its number
 * @numa_node: nearest, -1 when unknown
 * @remaps: no interrupt can be forged
 */
struct usrpci_kvfio_device {
	struct usrpci_vfio_device vfio;
	const struct usrpci_kvfio_memory *memory;
	int device;
	int group;
	int space;
	uint32_t ioas;
	int told[USRPCI_KVFIO_NR_TOLD];
	int poll;
	struct usrpci_iova *reserved;
	int iommu_group;
	int numa_node;
	bool remaps;
};

static inline struct usrpci_kvfio_device *usrpci_kvfio(const struct usrpci_vfio_device *dev)
{
	return usrpci_container_of(dev, struct usrpci_kvfio_device, vfio);
}

/** struct usrpci_kvfio_range - Bus addresses, @first to @last; as in iommufd's array. */
struct usrpci_kvfio_range {
	uint64_t first;
	uint64_t last;
};

/* file.c: a descriptor, or -errno. */
int usrpci_kvfio_open_file(const char *root, const char *path);

/* What an ioctl() returns, or -errno. */
int usrpci_kvfio_ioctl(int fd, unsigned long request, const void *arg);

/*
 * Asks with @ask, which starts with its argsz and @len bytes, for a structure that may be
 * larger. *@answer is the caller's to free, and argsz the bytes there.
 */
int usrpci_kvfio_get(int fd, unsigned long request, const void *ask, uint32_t len, void **answer);

/* iommufd.c: the function's own file, without @root; -ENOTSUP: it has none. */
#define USRPCI_KVFIO_FILE_LEN	64
int usrpci_kvfio_name_file(const char *root, const char *bdf, char *name);

/* type1.c, iommufd.c */
extern const struct usrpci_kvfio_memory usrpci_kvfio_type1;
extern const struct usrpci_kvfio_memory usrpci_kvfio_iommufd;

/* reserve.c: takes all addresses but those in @ranges, which are in order. */
int usrpci_kvfio_reserve_others(struct usrpci_kvfio_device *dev,
				const struct usrpci_kvfio_range *ranges, unsigned int nr);

/*
 * locked.c: by how many bytes the limit of locked memory is too low for @len more, as @memory
 * counts it. 0: it isn't the limit.
 */
uint64_t usrpci_kvfio_missing(const struct usrpci_kvfio_memory *memory, uint64_t len);

/* learn.c: regions and interrupts. */
int usrpci_kvfio_learn(struct usrpci_kvfio_device *dev);

/* ops.c */
extern const struct usrpci_vfio_ops usrpci_kvfio_ops;

/* event.c */
int usrpci_kvfio_listen(struct usrpci_kvfio_device *dev);
void usrpci_kvfio_deafen(struct usrpci_kvfio_device *dev);
int usrpci_kvfio_fd(const struct usrpci_device *dev);
int usrpci_kvfio_event(struct usrpci_device *dev, struct usrpci_event *event);

/* open.c */
bool usrpci_kvfio_serves(const char *root, const char *address);
int usrpci_kvfio_open_at(struct usrpci_device **devp, const char *root, const char *address);
int usrpci_kvfio_open(struct usrpci_device **devp, const char *address);
void usrpci_kvfio_close(struct usrpci_device *dev);

/* explain.c */
int usrpci_kvfio_explain_open(const char *root, const char *address, int err,
			      char *buf, size_t len);

/* vfio.c */
int usrpci_kvfio_info(struct usrpci_device *dev, struct usrpci_info *info);

#endif /* LIB_BACKEND_VFIO_H */

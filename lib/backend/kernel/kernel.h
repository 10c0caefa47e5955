/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_BACKEND_KERNEL_H
#define LIB_BACKEND_KERNEL_H

#include <linux/usrpci.h>
#include "backend.h"

/**
 * struct usrpci_kernel_device - A function served by usrpci.ko.
 * @base: what the core knows
 * @fd: /dev/usrpci/DDDD:BB:DD.F; the caller's if the device is borrowed
 * @config_offset: file offset of configuration space
 * @bar_offsets: file offset of each BAR
 */
struct usrpci_kernel_device {
	struct usrpci_device base;
	int fd;
	uint64_t config_offset;
	uint64_t bar_offsets[USRPCI_BARS];
};

static inline struct usrpci_kernel_device *usrpci_kernel(const struct usrpci_device *dev)
{
	return usrpci_container_of(dev, struct usrpci_kernel_device, base);
}

/* ioctl(2) that returns 0 or a negative errno. */
int usrpci_kernel_ioctl(int fd, unsigned long command, void *arg);

/* open.c */
bool usrpci_kernel_serves(const char *root, const char *address);
int usrpci_kernel_open(struct usrpci_device **devp, const char *address);
int usrpci_kernel_open_fd(struct usrpci_device **devp, int fd);
void usrpci_kernel_close(struct usrpci_device *dev);

/* explain.c */
int usrpci_kernel_explain_open(const char *root, const char *address, int err,
			       char *buf, size_t len);

/* info.c */
int usrpci_kernel_read_info(int fd, struct usrpci_ioc_info *info);
int usrpci_kernel_info(struct usrpci_device *dev, struct usrpci_info *info);

/* control.c */
int usrpci_kernel_fd(const struct usrpci_device *dev);
int usrpci_kernel_set_master(struct usrpci_device *dev, bool on);
int usrpci_kernel_reset(struct usrpci_device *dev);
int usrpci_kernel_set_dma_mask(struct usrpci_device *dev, uint64_t streaming,
			       uint64_t coherent);

/* access.c */
int usrpci_kernel_config_read(struct usrpci_device *dev, unsigned int offset,
			      unsigned int width, uint32_t *value);
int usrpci_kernel_config_write(struct usrpci_device *dev, unsigned int offset,
			       unsigned int width, uint32_t value);
int usrpci_kernel_bar_read(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
			   unsigned int width, uint64_t *value);
int usrpci_kernel_bar_write(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
			    unsigned int width, uint64_t value);

/* bar.c */
int usrpci_kernel_read_bar(int fd, unsigned int bar, struct usrpci_ioc_bar *arg);
int usrpci_kernel_bar_info(struct usrpci_device *dev, unsigned int bar, struct usrpci_bar *info);
int usrpci_kernel_bar_map(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
			  size_t len, unsigned int flags, void **addr);

/* coherent.c */
int usrpci_kernel_coherent_alloc(struct usrpci_device *dev, size_t len,
				 struct usrpci_coherent *buf, uint64_t *missing);
int usrpci_kernel_release(struct usrpci_device *dev, uint32_t handle);

/* Undoes both kinds of mmap. */
void usrpci_kernel_munmap(struct usrpci_device *dev, void *addr, size_t len);

/* map.c */
int usrpci_kernel_map(struct usrpci_device *dev, struct usrpci_mapping *maps, unsigned int nr,
		      uint64_t *missing);
int usrpci_kernel_unmap(struct usrpci_device *dev, const uint32_t *handles, unsigned int nr);
int usrpci_kernel_sync(struct usrpci_device *dev, uint32_t handle, uint64_t offset,
		       uint64_t len, bool for_cpu);

/* irq.c */
int usrpci_kernel_irq_setup(struct usrpci_device *dev, enum usrpci_irq type, unsigned int nr);
int usrpci_kernel_irq_wire(struct usrpci_device *dev, unsigned int first, unsigned int nr,
			   const int *eventfds);
int usrpci_kernel_irq_unmask(struct usrpci_device *dev, unsigned int vector);
int usrpci_kernel_quiesce(struct usrpci_device *dev, const struct usrpci_step *steps,
			  unsigned int nr);
int usrpci_kernel_event(struct usrpci_device *dev, struct usrpci_event *event);

/* space.c */
int usrpci_kernel_tlb_describe(struct usrpci_device *dev, const struct usrpci_tlb *tlb,
			       unsigned int *fault);
bool usrpci_kernel_can_mirror(int fd);
int usrpci_kernel_space_bind(struct usrpci_device *dev,
			     const struct usrpci_space_options *options,
			     struct usrpci_space **spacep);

#endif /* LIB_BACKEND_KERNEL_H */

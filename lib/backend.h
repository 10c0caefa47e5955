/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/**
 * DOC: backends
 *
 * A backend is one folder of lib/backend/ and one line of backends.c. The core
 * checks what is the same everywhere and keeps the books of what a process has
 * mapped; a backend talks to its kernel or peer and knows nothing of the core
 * but this header.
 *
 * Every operation returns 0 or a negative errno, and leaves everything as it
 * was when it fails. Operations of one device may run at the same time.
 */
#ifndef LIB_BACKEND_H
#define LIB_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <usrpci.h>
#include "failure.h"
#include "ranges.h"
#include "spaces.h"
#include "wires.h"

/* Most regions, handles or vectors in one call. */
#define USRPCI_BATCH_MAX	4096U

/**
 * struct usrpci_backend - What a backend can do.
 * @name: as in struct usrpci_info
 * @serves: whether it is the one for @address; @root goes before /sys and /dev
 * @open: open what it serves
 * @open_fd: use a descriptor that stays the caller's; -EINVAL if it is none of
 *	this backend's; NULL where a descriptor doesn't tell
 * @explain_open: say why @open failed, as usrpci_explain_open(); 0 if there is
 *	nothing to add to what the core knows; may be NULL
 * @close: stop the device, give its memory back, free it. The process's maps
 *	are gone by then
 * @fd: the descriptor; NULL where there is none
 * @info: fill in all but the name of the backend
 * @set_master: see usrpci_set_master()
 * @reset: see usrpci_reset()
 * @config_read: @width and @offset's alignment are checked, its range isn't
 * @config_write: the same
 * @bar_info: @bar is in range
 * @bar_map: map whole pages inside a window; NULL if BARs can't be mapped
 * @bar_unmap: undo @bar_map; works after removal too
 * @bar_read: @width and @offset's alignment are checked, its range isn't
 * @bar_write: the same
 * @set_dma_mask: see usrpci_set_dma_mask()
 * @coherent_alloc: allocate and map whole pages; on -ENOMEM @missing may be set
 *	to the bytes by which the limit of locked memory is too low
 * @coherent_release: give the device's side back; the process keeps its map
 * @coherent_unmap: give the process's map back; the device keeps the memory
 * @coherent_detach: as @coherent_release, but the memory is the device's till
 *	it is munmapped; NULL where the backend can't see that
 * @map: @missing as in @coherent_alloc; on -ENOSPC sets @nr_sg
 * @unmap: see usrpci_unmap()
 * @sync: hand a part of a mapping to the CPU or to the device
 * @irq_setup: see usrpci_irq_setup()
 * @irq_wire: see usrpci_irq_wire()
 * @irq_unmask: see usrpci_irq_unmask()
 * @quiesce: see usrpci_quiesce(); @steps are checked but for what the BARs have; NULL where
 *	nothing runs once the program has died
 * @event: see usrpci_event(); NULL where nothing is told
 * @tlb_describe: see usrpci_tlb_describe(); @fault is set to enum usrpci_tlb_fault with -EINVAL.
 *	-EOPNOTSUPP, or NULL: misses are the library's to serve
 * @space_bind: see usrpci_space_bind(), of a TLB that @tlb_describe took; NULL beside it
 */
struct usrpci_backend {
	const char *name;

	bool (*serves)(const char *root, const char *address);
	int (*open)(struct usrpci_device **devp, const char *address);
	int (*open_fd)(struct usrpci_device **devp, int fd);
	int (*explain_open)(const char *root, const char *address, int err,
			    char *buf, size_t len);
	void (*close)(struct usrpci_device *dev);
	int (*fd)(const struct usrpci_device *dev);

	int (*info)(struct usrpci_device *dev, struct usrpci_info *info);
	int (*set_master)(struct usrpci_device *dev, bool on);
	int (*reset)(struct usrpci_device *dev);
	int (*config_read)(struct usrpci_device *dev, unsigned int offset,
			   unsigned int width, uint32_t *value);
	int (*config_write)(struct usrpci_device *dev, unsigned int offset,
			    unsigned int width, uint32_t value);

	int (*bar_info)(struct usrpci_device *dev, unsigned int bar, struct usrpci_bar *info);
	int (*bar_map)(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
		       size_t len, unsigned int flags, void **addr);
	void (*bar_unmap)(struct usrpci_device *dev, void *addr, size_t len);
	int (*bar_read)(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
			unsigned int width, uint64_t *value);
	int (*bar_write)(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
			 unsigned int width, uint64_t value);

	int (*set_dma_mask)(struct usrpci_device *dev, uint64_t streaming, uint64_t coherent);
	int (*coherent_alloc)(struct usrpci_device *dev, size_t len,
			      struct usrpci_coherent *buf, uint64_t *missing);
	int (*coherent_release)(struct usrpci_device *dev, uint32_t handle);
	void (*coherent_unmap)(struct usrpci_device *dev, void *addr, size_t len);
	int (*coherent_detach)(struct usrpci_device *dev, uint32_t handle);

	int (*map)(struct usrpci_device *dev, struct usrpci_mapping *maps, unsigned int nr,
		   uint64_t *missing);
	int (*unmap)(struct usrpci_device *dev, const uint32_t *handles, unsigned int nr);
	int (*sync)(struct usrpci_device *dev, uint32_t handle, uint64_t offset,
		    uint64_t len, bool for_cpu);

	int (*irq_setup)(struct usrpci_device *dev, enum usrpci_irq type, unsigned int nr);
	int (*irq_wire)(struct usrpci_device *dev, unsigned int first, unsigned int nr,
			const int *eventfds);
	int (*irq_unmask)(struct usrpci_device *dev, unsigned int vector);

	int (*quiesce)(struct usrpci_device *dev, const struct usrpci_step *steps,
		       unsigned int nr);
	int (*event)(struct usrpci_device *dev, struct usrpci_event *event);

	int (*tlb_describe)(struct usrpci_device *dev, const struct usrpci_tlb *tlb,
			    unsigned int *fault);
	int (*space_bind)(struct usrpci_device *dev, const struct usrpci_space_options *options,
			  struct usrpci_space **spacep);
};

/**
 * struct usrpci_device - What every backend's device starts from; it embeds this.
 * @backend: serves the device
 * @bdf: its name, for sentences after it is gone; where it's no machine's, its address
 * @borrowed: from usrpci_open_fd(): others may go on using the function after
 *	this device was closed
 * @bars: BAR maps of this process
 * @coherents: coherent buffers of this process
 * @wires: what the program's vectors signal
 * @spaces: of this process, and who serves them
 * @failure: details of the last failure
 */
struct usrpci_device {
	const struct usrpci_backend *backend;
	char bdf[USRPCI_ADDRESS_LEN];
	bool borrowed;
	struct usrpci_ranges bars;
	struct usrpci_ranges coherents;
	struct usrpci_wires wires;
	struct usrpci_spaces spaces;
	struct usrpci_failures failure;
};

/* Called by a backend on a zeroed device when it opens and when it frees it. */
void usrpci_device_init(struct usrpci_device *dev, const struct usrpci_backend *backend);
void usrpci_device_destroy(struct usrpci_device *dev);

/* All backends; the last entry is NULL. */
extern const struct usrpci_backend *const usrpci_backends[];

extern const struct usrpci_backend usrpci_backend_kernel;
extern const struct usrpci_backend usrpci_backend_vfio;
extern const struct usrpci_backend usrpci_backend_vfio_user;

#define usrpci_container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#endif /* LIB_BACKEND_H */

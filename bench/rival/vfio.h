/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * VFIO with type 1, by nothing but its own calls: what it costs somebody who does no more than
 * he must. Functions end the program when they fail.
 */
#ifndef BENCH_RIVAL_VFIO_H
#define BENCH_RIVAL_VFIO_H

#include <stddef.h>
#include <stdint.h>

/* Why VFIO can't have a function here; NULL: it can. */
const char *vfio_lacks(const char *address);

/**
 * struct vfio - A function that VFIO has.
 * @address: the function
 * @container: its page tables
 * @group: of the function
 * @device: the function's own descriptor
 * @regs: BAR 0, if it's mapped: VFIO doesn't let go of a function before that is
 * @len: bytes of that
 */
struct vfio {
	const char *address;
	int container;
	int group;
	int device;
	volatile void *regs;
	size_t len;
};

/* It's bound to vfio-pci first. */
void vfio_open(struct vfio *vfio, const char *address);
void vfio_close(struct vfio *vfio);

void vfio_map(const struct vfio *vfio, void *addr, size_t len, uint64_t iova);
void vfio_unmap(const struct vfio *vfio, size_t len, uint64_t iova);

/* BAR 0, once. */
volatile void *vfio_map_bar(struct vfio *vfio, size_t len);

/* Interrupt 0 of VFIO_PCI_INTX_IRQ_INDEX or the like signals an eventfd. */
void vfio_wire(const struct vfio *vfio, unsigned int index, int eventfd);
void vfio_unmask(const struct vfio *vfio, unsigned int index);
void vfio_set_master(const struct vfio *vfio);

#endif /* BENCH_RIVAL_VFIO_H */

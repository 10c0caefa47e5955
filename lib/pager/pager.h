/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/**
 * DOC: the pager
 *
 * A thread of the library that answers a device's misses, where no kernel does. It maps what is
 * missing as usrpci_map() would, through whatever backend there is.
 */
#ifndef LIB_PAGER_PAGER_H
#define LIB_PAGER_PAGER_H

#include <stdbool.h>
#include <stdint.h>
#include <usrpci.h>

struct usrpci_pager;

/*
 * Under the lock of @dev's wires. @fault: with -EINVAL, enum usrpci_tlb_fault. From then on the
 * vector signals the pager, who passes it on.
 */
int usrpci_pager_start(struct usrpci_device *dev, const struct usrpci_tlb *tlb,
		       unsigned int *fault, struct usrpci_pager **pagerp);

/* No space translates any more, the vector signals what the program said, and the thread ends. */
void usrpci_pager_stop(struct usrpci_pager *pager);

/* All are detached. */
void usrpci_pager_free(struct usrpci_pager *pager);

int usrpci_pager_bind(struct usrpci_pager *pager, const struct usrpci_space_options *options,
		      struct usrpci_space **spacep);

/* The vector that signals the pager, and by what. */
unsigned int usrpci_pager_vector(const struct usrpci_pager *pager);
int usrpci_pager_eventfd(const struct usrpci_pager *pager);

/*
 * What the vector is to signal beside: a copy of the program's descriptor, -1: nothing. It's the
 * pager's then, who looks at the device once, since an interrupt may have been lost.
 */
int usrpci_pager_copy(const struct usrpci_pager *pager, int eventfd, int *copy);
void usrpci_pager_pass_on(struct usrpci_pager *pager, int copy);

/* Around a reset: the device has no entry, and is told nothing meanwhile. */
void usrpci_pager_hold(struct usrpci_pager *pager);
void usrpci_pager_release(struct usrpci_pager *pager);

/* It didn't do what it was told to: no DMA for it. */
bool usrpci_pager_is_broken(struct usrpci_pager *pager);

/* The coherent buffer that its ring is in. */
bool usrpci_pager_keeps(const struct usrpci_pager *pager, uint32_t handle);

/* The oldest thing that the pager has noted; -EAGAIN. */
int usrpci_pager_event(struct usrpci_pager *pager, struct usrpci_event *event);

#endif /* LIB_PAGER_PAGER_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_FAILURE_H
#define LIB_FAILURE_H

#include <pthread.h>

/** enum usrpci_call - What a device was asked for. */
enum usrpci_call {
	USRPCI_CALL_OTHER,
	USRPCI_CALL_RESET,
	USRPCI_CALL_CONFIG,
	USRPCI_CALL_REGS,
	USRPCI_CALL_BAR_MAP,
	USRPCI_CALL_BAR_ACCESS,
	USRPCI_CALL_DMA_MASK,
	USRPCI_CALL_COHERENT,
	USRPCI_CALL_MAP,
	USRPCI_CALL_UNMAP,
	USRPCI_CALL_SYNC,
	USRPCI_CALL_IRQ_SETUP,
	USRPCI_CALL_IRQ_WIRE,
	USRPCI_CALL_IRQ_UNMASK,
	USRPCI_CALL_QUIESCE,
	USRPCI_CALL_TLB,
	USRPCI_CALL_BIND,
	USRPCI_CALL_FORGET,
	USRPCI_CALL_SPACE,
};

/**
 * struct usrpci_failure - Details of a failed call, for usrpci_explain().
 * @call: what failed
 * @err: what it returned
 * @missing: bytes by which the limit of locked memory is too low; 0 unknown
 * @what: the register's BAR, interrupt type, first vector, or what is wrong with a TLB
 * @where: the offset, address, or mask
 * @len: bytes, or vectors
 */
struct usrpci_failure {
	enum usrpci_call call;
	int err;
	unsigned long long missing;
	unsigned int what;
	unsigned long long where;
	unsigned long long len;
};

/** struct usrpci_failures - Holds the last failure; the lock guards it. */
struct usrpci_failures {
	pthread_mutex_t lock;
	struct usrpci_failure last;
};

struct usrpci_device;

/* Remembers a failure and returns its err. */
int usrpci_fail(struct usrpci_device *dev, const struct usrpci_failure *failure);

/* The last failure of the device if it gave err, else one of USRPCI_CALL_OTHER. */
struct usrpci_failure usrpci_last_failure(struct usrpci_device *dev, int err);

#endif /* LIB_FAILURE_H */

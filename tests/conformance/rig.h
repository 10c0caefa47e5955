/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * The device on which the API's promises are tried: an edu at $USRPCI_EDU, whatever backend
 * serves it. A test knows no more than <usrpci.h> says.
 */
#ifndef CONFORMANCE_RIG_H
#define CONFORMANCE_RIG_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <edu/registers.h>
#include <usrpci.h>

#define PAGE		4096UL
#define ARRAY_SIZE(_a)	(sizeof(_a) / sizeof((_a)[0]))

/* Of the device's buffer; the last byte of the 4 KiB is out of QEMU's reach. */
#define EDU_BUFFER_LEN	4095UL

/* How long something may take that comes; how long is waited for what must not come. */
#define SOON_MS		10000
#define NEVER_MS	150

/* What is promised, in words for a table; tried on an open device, or on none. */
#define PROMISE(_words, _test) { _words, _test, rig_open, rig_close, NULL }
#define PROMISE_CLOSED(_words, _test) { _words, _test, NULL, NULL, NULL }

/* Open while a PROMISE() is tried. A test that closes @dev calls rig_close(). */
extern struct usrpci_device *dev;
extern struct usrpci_regs regs;

int rig_open(void **state);
int rig_close(void **state);

/* Tries them all; what main() returns. */
int rig_run(const char *noun, const struct CMUnitTest *promises, size_t nr);
#define RIG_RUN(_noun, _promises) rig_run(_noun, _promises, ARRAY_SIZE(_promises))

/* Leaves the test: the backend can't, and says so. */
void rig_skip(const char *reason);
void rig_need(uint32_t cap, const char *reason);

const char *rig_address(void);

/* Each open makes a device of its own: nobody else can have it. */
bool rig_is_private(void);

/* $USRPCI_KEEPS: a reset leaves its registers, as it does those of QEMU's edu. */
bool rig_keeps_registers(void);

struct usrpci_info rig_info(void);
struct usrpci_bar rig_bar(void);

/* Reads of configuration space that can't fail. */
uint32_t rig_config(unsigned int offset, unsigned int width);
unsigned int rig_capability(unsigned int id);

/* The device takes @len bytes at @bus into its buffer, @at bytes from its start; gives them. */
void rig_take(uint64_t bus, size_t len, size_t at);
void rig_give(uint64_t bus, size_t len, size_t at);
void rig_dma_start(uint64_t source, uint64_t destination, size_t len, uint32_t command);
void rig_dma_wait(void);

/* Masks of 28 bits, as edu has, and bus mastering. */
void rig_start(void);

/* After rig_start(): pages in a row that the device can reach, zeroed; freed at the end. */
unsigned char *rig_pages(size_t nr);

/* Of one region; asserts. @sg has room for all of it. */
struct usrpci_mapping rig_map(void *addr, size_t len, enum usrpci_dma_direction direction,
			      struct usrpci_sg *sg);
void rig_unmap(uint32_t handle);

/* A mapping goes through the device's buffer, run by run. */
void rig_take_all(const struct usrpci_mapping *map);
void rig_give_all(const struct usrpci_mapping *map);

/* Else the mask couldn't be set. */
void rig_assert_nothing_mapped(void);

void rig_fill(unsigned char *buf, size_t len, unsigned int seed);

/* An eventfd for vector 0, of one vector of that kind. */
int rig_irq(enum usrpci_irq kind);
void rig_raise(uint32_t bits);
void rig_ack(uint32_t bits);

/* Descriptors that this process has open. */
unsigned int rig_descriptors(void);

/* Takes the device away, and brings it back once it's closed. */
void rig_remove(void);
void rig_restore(void);

/* Waits till a child has ended; its status. */
int rig_reap(pid_t child);

#endif /* CONFORMANCE_RIG_H */

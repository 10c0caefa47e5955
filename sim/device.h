/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/**
 * DOC: a device model
 *
 * A file of sim/devices/, a line of devices/devices.h and one of devices.c: what the device is, as
 * a const table, and functions that its registers and its clock call. It runs in one thread;
 * nothing it calls waits for anybody but the program's memory. docs/simulator.md goes through it.
 */
#ifndef SIM_DEVICE_H
#define SIM_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_BARS	6

struct sim;

/**
 * struct sim_bar - A BAR.
 * @len: bytes, a power of two from 16; 0: none
 * @wide: 64 bits; the next one is its upper half
 * @prefetchable: reads change nothing
 */
struct sim_bar {
	uint64_t len;
	bool wide;
	bool prefetchable;
};

/**
 * struct sim_option - Something that can be chosen when the device is made.
 * @name: before the "="
 * @help: a line
 */
struct sim_option {
	const char *name;
	const char *help;
};

/**
 * struct sim_device - A kind of device.
 * @name: what it's called
 * @summary: a line
 * @vendor: PCI vendor id; the subsystem's, too
 * @device: PCI device id; the subsystem's, too
 * @class_code: 24 bits
 * @revision: revision id
 * @bars: its BARs
 * @intx: has a pin
 * @nr_msi: MSI vectors, a power of two up to 32
 * @nr_msix: MSI-X vectors
 * @msix_bar: of their table, and after it their pending bits
 * @msix_offset: of the table
 * @express: is a PCI Express device, which can be reset alone
 * @options: ends with one that has no name; may be NULL
 * @create: a device as after power-on; NULL and @why when it can't be
 * @destroy: frees it; may be NULL
 * @reset: as after power-on
 * @read: a register of @width bytes, 1, 2, 4 or 8, at @offset of @bar, a multiple of @width, and
 *	all of it in the BAR: its value, in the host's byte order; all ones where there is none.
 *	Maybe amid a DMA, of which it starts none
 * @write: a register, as with @read
 * @tick: it's time; see sim_wake(); may be NULL where that isn't called
 */
struct sim_device {
	const char *name;
	const char *summary;
	uint16_t vendor;
	uint16_t device;
	uint32_t class_code;
	uint8_t revision;
	struct sim_bar bars[SIM_BARS];
	bool intx;
	unsigned int nr_msi;
	unsigned int nr_msix;
	unsigned int msix_bar;
	uint32_t msix_offset;
	bool express;
	const struct sim_option *options;
	void *(*create)(struct sim *sim, const char **why);
	void (*destroy)(void *self);
	void (*reset)(void *self);
	uint64_t (*read)(void *self, unsigned int bar, uint64_t offset, unsigned int width);
	void (*write)(void *self, unsigned int bar, uint64_t offset, unsigned int width,
		      uint64_t value);
	void (*tick)(void *self);
};

/* Why a model's table can't be played, or NULL. */
const char *sim_device_check(const struct sim_device *device);

/* All of them; the last entry is NULL. */
extern const struct sim_device *const sim_devices[];

/* What was given for an option, or NULL. */
const char *sim_option(const struct sim *sim, const char *name);

/*
 * DMA: -EPERM bus mastering is off; -EFAULT not all of it was mapped for that; the bytes that
 * were read are then all ones. 0 or a negative errno.
 */
int sim_dma_read(struct sim *sim, uint64_t address, void *buf, size_t len);
int sim_dma_write(struct sim *sim, uint64_t address, const void *buf, size_t len);

/* As sim_dma_write(), of what @fd holds from @offset on; -EIO where it can't be read. */
int sim_dma_write_file(struct sim *sim, uint64_t address, int fd, uint64_t offset, size_t len);

/* The kind of interrupts that the program chose. */
bool sim_has_messages(const struct sim *sim);

/* Sends a message; without messages, pulls the pin. */
void sim_raise(struct sim *sim, unsigned int vector);

/* Lets go of the pin. */
void sim_lower(struct sim *sim);

/** enum sim_fate - What a command comes to, by the knobs. */
enum sim_fate {
	SIM_DONE,
	SIM_HELD,	/* not done till it's aborted */
	SIM_LOST,	/* never done, whatever is asked for */
};

/* Of a device's next command. */
enum sim_fate sim_draw_fate(struct sim *sim);

/* Calls @tick once, that many microseconds from now; 0: not at all. */
void sim_wake(struct sim *sim, uint64_t microseconds);

/* A clock that only goes forward. */
uint64_t sim_now_ns(void);

#endif /* SIM_DEVICE_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * An NVMe controller with one namespace. Sources: NVMe base 1.4 (what VS says; sections are
 * named after base 2.0), NVM command set 1.0, NVMe over PCIe transport 1.0.
 *
 * Commands are carried out when a doorbell is written: at most a ring full of them, each of
 * which moves at most what MDTS says.
 */
#ifndef SIM_NVME_CONTROLLER_H
#define SIM_NVME_CONTROLLER_H

#include <endian.h>
#include <nvme/registers.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "device.h"

/* The admin queues, and those for I/O. */
#define NR_IO_QUEUES	8U
#define NR_QUEUES	(NR_IO_QUEUES + 1)
#define NR_VECTORS	NR_QUEUES
#define MAX_ENTRIES	2048U

#define NSID		1U
#define NVME_VERSION	0x00010400U
#define SERIAL_LEN	20
#define FIRMWARE	"1"

/* Asynchronous event requests, and commands to abort, at once. */
#define MAX_REQUESTS	4U
#define MAX_FEATURES	12U
/* Commands that are held, by a knob. */
#define MAX_HELD	1024U

/* Status field without phase: type and code. */
#define GENERIC(code)	((uint16_t)(NVME_SCT_GENERIC << NVME_SCT_SHIFT | NVME_SC_##code))
#define SPECIFIC(code)	((uint16_t)(NVME_SCT_CMD_SPECIFIC << NVME_SCT_SHIFT | NVME_SC_##code))
#define MEDIA(code)	((uint16_t)(NVME_SCT_MEDIA << NVME_SCT_SHIFT | NVME_SC_##code))

/**
 * struct nvme_sq - A submission queue.
 * @live: it exists
 * @base: bus address
 * @entries: of which one stays empty
 * @head: next to be read
 * @tail: where the program writes next
 * @cq: its completion queue
 */
struct nvme_sq {
	bool live;
	uint64_t base;
	unsigned int entries;
	unsigned int head;
	unsigned int tail;
	unsigned int cq;
};

/**
 * struct nvme_cq - A completion queue.
 * @live: it exists
 * @base: bus address
 * @entries: of which one stays empty
 * @head: next that the program reads
 * @tail: next to be written
 * @phase: of what is written
 * @irq: it interrupts
 * @fresh: something was written since
 * @vector: with which
 */
struct nvme_cq {
	bool live;
	uint64_t base;
	unsigned int entries;
	unsigned int head;
	unsigned int tail;
	unsigned int phase;
	bool irq;
	bool fresh;
	unsigned int vector;
};

/** struct nvme_held - A command that isn't done: by its queue, where 0 is none, and its id. */
struct nvme_held {
	unsigned int sq;
	__le16 cid;
};

/**
 * struct nvme_store - What the blocks are kept in.
 * @fd: a file
 * @shift: log2 of a block's bytes
 * @blocks: how many
 * @punches: parts of it can be given back, and are zero then
 */
struct nvme_store {
	int fd;
	unsigned int shift;
	uint64_t blocks;
	bool punches;
};

/** enum nvme_event_state - Of asynchronous events of type error. */
enum nvme_event_state {
	EVENT_NONE,
	EVENT_DUE,
	EVENT_TOLD,	/* no other one till the log page was read */
};

/**
 * struct nvme_controller - All of it.
 * @sim: the function
 * @store: namespace 1
 * @serial: its number
 * @mdts: log2 of the most pages that a command moves
 * @has_shadow: it can do with doorbells in memory
 * @shadow: whether it does; bus addresses of what the program writes, and of what it has seen
 * @cc: register CC, and so on
 * @csts: CSTS
 * @intms: INTMS
 * @aqa: AQA
 * @asq: ASQ
 * @acq: ACQ
 * @pin: so is it
 * @sqs: 0 is admin's
 * @cqs: 0 is admin's
 * @features: values by identifier
 * @requests: command ids of the asynchronous event requests that are held
 * @nr_requests: how many
 * @held: commands that can be aborted; when there's no more room they are as good as lost
 * @event: whether there's one to be told
 * @event_info: which
 * @error: last entry of the error log
 * @counts: for the SMART log
 * @data: what a command moves
 * @data_len: bytes
 */
struct nvme_controller {
	struct sim *sim;
	struct nvme_store store;
	char serial[SERIAL_LEN + 1];
	unsigned int mdts;
	bool has_shadow;
	struct {
		bool on;
		uint64_t values;
		uint64_t events;
	} shadow;
	uint32_t cc;
	uint32_t csts;
	uint32_t intms;
	uint32_t aqa;
	uint64_t asq;
	uint64_t acq;
	bool pin;
	struct nvme_sq sqs[NR_QUEUES];
	struct nvme_cq cqs[NR_QUEUES];
	uint32_t features[MAX_FEATURES];
	uint16_t requests[MAX_REQUESTS];
	unsigned int nr_requests;
	struct nvme_held held[MAX_HELD];
	enum nvme_event_state event;
	unsigned int event_info;
	struct nvme_error_log_page error;
	struct {
		uint64_t reads;
		uint64_t writes;
		uint64_t blocks_read;
		uint64_t blocks_written;
		uint64_t errors;
	} counts;
	unsigned char *data;
	size_t data_len;
};

/**
 * struct nvme_answer - What a completion says.
 * @result: its first dword
 * @status: type and code
 * @held: there's none yet
 */
struct nvme_answer {
	uint32_t result;
	uint16_t status;
	bool held;
};

/* Something after which only a reset helps: NVMe base 2.0 §9.5. */
void sim_nvme_fail(struct nvme_controller *nvme);

/* queue.c */
/* Carries commands out while there are any, and room to say so. */
void sim_nvme_run(struct nvme_controller *nvme, struct nvme_sq *sq);
/* A doorbell: the @index-th dword. */
void sim_nvme_doorbell(struct nvme_controller *nvme, unsigned int index, uint32_t value);
/* Completes an asynchronous event request, if there's one, with an event, if that's due. */
void sim_nvme_tell_event(struct nvme_controller *nvme);
/* Completes the @index-th asynchronous event request. */
void sim_nvme_give_request(struct nvme_controller *nvme, unsigned int index,
			   const struct nvme_answer *answer);
/* Completes a command that is held as aborted; false if it isn't, or there's no room to say so. */
bool sim_nvme_abort_held(struct nvme_controller *nvme, unsigned int sq, uint16_t cid);
/* Those of a queue that is deleted. */
void sim_nvme_forget_held(struct nvme_controller *nvme, unsigned int sq);
void sim_nvme_interrupt(struct nvme_controller *nvme);

/* shadow.c: an admin command's status; a doorbell in memory, false if that isn't there. */
uint16_t sim_nvme_set_shadow(struct nvme_controller *nvme, const struct nvme_sqe *sqe);
bool sim_nvme_shadow_read(struct nvme_controller *nvme, unsigned int index, uint32_t *value);
/* Says that it was seen up to @value. */
bool sim_nvme_shadow_seen(struct nvme_controller *nvme, unsigned int index, uint32_t value);

/* prp.c: @len bytes of @nvme->data, from or to where a command says. A status. */
uint16_t sim_nvme_fetch(struct nvme_controller *nvme, const struct nvme_sqe *sqe, size_t len);
uint16_t sim_nvme_give(struct nvme_controller *nvme, const struct nvme_sqe *sqe, size_t len);

/* The same of what the disk holds from @block on. */
uint16_t sim_nvme_give_stored(struct nvme_controller *nvme, const struct nvme_sqe *sqe,
			      uint64_t block, size_t len);

/* admin.c, io.c: a status. */
uint16_t sim_nvme_admin(struct nvme_controller *nvme, const struct nvme_sqe *sqe,
			struct nvme_answer *answer);
uint16_t sim_nvme_io(struct nvme_controller *nvme, const struct nvme_sqe *sqe);

/* identify.c, log.c, feature.c: admin commands. */
uint16_t sim_nvme_identify(struct nvme_controller *nvme, const struct nvme_sqe *sqe);
uint16_t sim_nvme_get_log(struct nvme_controller *nvme, const struct nvme_sqe *sqe);
void sim_nvme_log_error(struct nvme_controller *nvme, const struct nvme_sqe *sqe,
			unsigned int sq, uint16_t status);
void sim_nvme_reset_features(struct nvme_controller *nvme);
uint16_t sim_nvme_set_feature(struct nvme_controller *nvme, const struct nvme_sqe *sqe,
			      uint32_t *result);
uint16_t sim_nvme_get_feature(struct nvme_controller *nvme, const struct nvme_sqe *sqe,
			      uint32_t *result);

/* store.c: blocks that exist. 0 or a negative errno. */
int sim_nvme_store_open(struct nvme_store *store, const struct sim *sim, const char **why);
void sim_nvme_store_close(struct nvme_store *store);
int sim_nvme_store_read(const struct nvme_store *store, uint64_t block, void *buf, size_t len);
int sim_nvme_store_write(const struct nvme_store *store, uint64_t block, const void *buf,
			 size_t len);
int sim_nvme_store_clear(const struct nvme_store *store, uint64_t block, uint64_t nr);
int sim_nvme_store_flush(const struct nvme_store *store);
/* A number with K, M or G after it; 0 if it's none. */
uint64_t sim_nvme_parse_size(const char *text);

#endif /* SIM_NVME_CONTROLLER_H */

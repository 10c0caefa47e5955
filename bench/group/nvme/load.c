// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <err.h>
#include <liburing.h>
#include <nvme/nvme.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "../../meter.h"
#include "load.h"

#define REAP	32
#define LARGE	(2UL << 20)

static void must(int got, const char *what)
{
	if (got < 0)
		errx(1, "%s: %s", what, strerror(-got));
}

uint64_t load_place(const struct load *load, uint64_t *seed, unsigned int i)
{
	const uint64_t places = LOAD_SPAN / load->size;

	if (!load->random)
		return i % places * load->size;
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed % places * load->size;
}

/* So that they can be large pages, for the processor and for an IOMMU. */
static char *buffers_get(const struct load *load)
{
	const size_t len = (load->depth * load->size + LARGE - 1) & ~(LARGE - 1);
	char *buffers = aligned_alloc(LARGE, len);

	if (!buffers || madvise(buffers, len, MADV_POPULATE_WRITE))
		err(1, "memory");
	return buffers;
}

/* --- usrpci's driver: it looks for completions; to look in vain is no work that's counted --- */

/** struct user - A load under way. */
struct user {
	struct nvme_queue *queue;
	const struct load *load;
	struct usrpci_mapping map;
	uint32_t block;
	uint64_t seed;
	unsigned int begun;
};

static void user_start(struct user *user, uint64_t slot)
{
	const struct load *load = user->load;
	const struct nvme_command command = {
		.op = load->write ? NVME_WRITE : NVME_READ,
		.lba = load_place(load, &user->seed, user->begun++) / user->block,
		.blocks = (uint32_t)load->size / user->block,
		.map = &user->map,
		.offset = slot * load->size,
		.cookie = slot,
	};

	must(nvme_stage(user->queue, &command), "stage");
}

/* Returns how many are done. */
static unsigned int user_turn(struct user *user)
{
	struct nvme_completion done[REAP];
	int got = nvme_poll(user->queue, done, REAP), i;

	must(got, "poll");
	for (i = 0; i < got; i++) {
		must(done[i].error, "command");
		if (user->begun < user->load->nr)
			user_start(user, done[i].cookie);
	}
	/* nvme_poll() would do that, too, in a turn that may find nothing and isn't counted. */
	nvme_ring(user->queue);
	return (unsigned int)got;
}

static double user_run(struct user *user)
{
	double start = meter_now(), begun = start, busy = 0;
	const bool counts = meter_counts();
	unsigned int done = 0, got;

	while (user->begun < user->load->depth)
		user_start(user, user->begun);
	nvme_ring(user->queue);
	busy = meter_now() - start;
	while (done < user->load->nr) {
		if (counts)
			start = meter_now();
		got = user_turn(user);
		if (counts && got)
			busy += meter_now() - start;
		done += got;
	}
	return counts ? busy : meter_now() - begun;
}

double load_usrpci(struct nvme *nvme, const struct load *load)
{
	struct user user = {
		.queue = nvme_queue(nvme, 0), .load = load, .seed = 1,
		.block = nvme_info(nvme)->block_size,
	};
	double took;

	user.map.len = load->depth * load->size;
	user.map.addr = buffers_get(load);
	user.map.nr_sg = usrpci_sg_room(user.map.len);
	user.map.sg = calloc(user.map.nr_sg, sizeof(*user.map.sg));
	if (!user.map.sg)
		err(1, "memory");
	must(usrpci_map(nvme_device(nvme), &user.map, 1), "map");
	took = user_run(&user);
	must(usrpci_unmap(nvme_device(nvme), &user.map.handle, 1), "unmap");
	free(user.map.addr);
	free(user.map.sg);
	return took;
}

/* --- the kernel's, by io_uring --- */

/** struct ring - A load under way. */
struct ring {
	struct io_uring uring;
	int fd;
	const struct load *load;
	char *buffers;
	uint64_t seed;
	unsigned int begun;
};

static void ring_start(struct ring *ring, uint64_t slot)
{
	const struct load *load = ring->load;
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
	const uint64_t at = load_place(load, &ring->seed, ring->begun++);
	char *buffer = ring->buffers + slot * load->size;

	if (load->write)
		io_uring_prep_write(sqe, ring->fd, buffer, (unsigned int)load->size, at);
	else
		io_uring_prep_read(sqe, ring->fd, buffer, (unsigned int)load->size, at);
	sqe->user_data = slot;
}

static unsigned int ring_turn(struct ring *ring)
{
	struct io_uring_cqe *done[REAP];
	unsigned int got, i;

	must(io_uring_submit_and_wait(&ring->uring, 1), "io_uring");
	got = io_uring_peek_batch_cqe(&ring->uring, done, REAP);
	for (i = 0; i < got; i++) {
		if (done[i]->res != (int)ring->load->size)
			errx(1, "io_uring: %s", strerror(-done[i]->res));
		if (ring->begun < ring->load->nr)
			ring_start(ring, done[i]->user_data);
	}
	io_uring_cq_advance(&ring->uring, got);
	return got;
}

double load_uring(int fd, const struct load *load)
{
	struct ring ring = { .fd = fd, .load = load, .seed = 1, .buffers = buffers_get(load) };
	double start, idle, took;
	unsigned int done = 0;

	must(io_uring_queue_init(MAX_DEPTH, &ring.uring, 0), "io_uring");
	idle_start();
	idle = idle_so_far();
	start = meter_now();
	while (ring.begun < load->depth)
		ring_start(&ring, ring.begun);
	while (done < load->nr)
		done += ring_turn(&ring);
	took = meter_now() - start - (idle_so_far() - idle);
	idle_stop();
	io_uring_queue_exit(&ring.uring);
	free(ring.buffers);
	return took;
}

/* --- and by read(2) or write(2) --- */

double load_calls(int fd, const struct load *load)
{
	char *buffer = buffers_get(load);
	double start, idle, took;
	uint64_t seed = 1, at;
	unsigned int i;
	ssize_t got;

	idle_start();
	idle = idle_so_far();
	start = meter_now();
	for (i = 0; i < load->nr; i++) {
		at = load_place(load, &seed, i);
		got = load->write ? pwrite(fd, buffer, load->size, (off_t)at) :
				    pread(fd, buffer, load->size, (off_t)at);
		if (got != (ssize_t)load->size)
			err(1, "read or write");
	}
	took = meter_now() - start - (idle_so_far() - idle);
	idle_stop();
	free(buffer);
	return took;
}

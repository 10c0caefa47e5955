// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* The NVMe driver on a real (emulated) disk, $USRPCI_NVME, whose data is lost; exit 77 without. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/capability.h>
#include <nvme/nvme.h>
#include <nvme/registers.h>

#include "function.h"
#include "memory.h"

/* The part of the disk that is written; the memory image of it is compared. */
#define AREA	(12UL << 20)
#define MARGIN	64

static const char *address;

/* Each test is run with each kind of interrupt. */
static struct nvme_options options;
static struct nvme *disk;
static struct nvme_queue *queue;
/* What the disk holds, once it's there. */
static unsigned char *image;
static unsigned char *scratch;
static uint64_t seed;

/* Of simulated ones each opener has its own; it's empty unless it's a file. */
static bool is_own(void)
{
	return !strncmp(address, "sim:", 4);
}

static bool is_forgotten(void)
{
	return is_own() && !strstr(address, ",file=");
}

static int open_disk(void **state)
{
	int err = nvme_open(&disk, address, &options);

	if (err)
		return err;
	queue = nvme_queue(disk, 0);
	return is_forgotten() && image ? nvme_write(queue, 0, image, AREA, 0) : 0;
}

static struct usrpci_info info_of(struct nvme *nvme)
{
	struct usrpci_info info;

	assert_int_equal(usrpci_info(nvme_device(nvme), &info), 0);
	return info;
}

/* Behind a socket memory is nobody's but the program's: none is pinned, none charged. */
static bool is_charged(void)
{
	return strcmp(info_of(disk).backend, "vfio-user");
}

static int close_disk(void **state)
{
	nvme_close(disk);
	disk = NULL;
	return 0;
}

static uint64_t pick(uint64_t below)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % below;
}

static void fill(unsigned char *buf, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = (unsigned char)pick(256);
}

static unsigned char *memory(size_t len)
{
	void *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(mem, MAP_FAILED);
	return mem;
}

static uint64_t disk_size(void)
{
	return nvme_info(disk)->blocks * nvme_info(disk)->block_size;
}

/* assert_memory_equal() prints each byte that differs; the first will do. */
static void same(const unsigned char *got, const unsigned char *expected, size_t len)
{
	size_t i;

	if (!memcmp(got, expected, len))
		return;
	for (i = 0; got[i] == expected[i]; i++)
		;
	fail_msg("byte %zu of %zu is %#x, not %#x", i, len, got[i], expected[i]);
}

/* The disk and its image get the same random bytes. */
static void write_both(uint64_t offset, size_t len, size_t at)
{
	fill(image + offset, len);
	memcpy(scratch + at, image + offset, len);
	assert_int_equal(nvme_write(queue, offset, scratch + at, len, 0), 0);
}

/* Nothing around what was read may change either. */
static void read_and_compare(uint64_t offset, size_t len, size_t at)
{
	unsigned char *buf = scratch + MARGIN + at;
	size_t i;

	memset(buf - MARGIN, 0x5a, len + 2 * MARGIN);
	assert_int_equal(nvme_read(queue, offset, buf, len), 0);
	same(buf, image + offset, len);
	for (i = 0; i < MARGIN; i++) {
		assert_int_equal(buf[-1 - (long)i], 0x5a);
		assert_int_equal(buf[len + i], 0x5a);
	}
}

static int fill_disk(void **state)
{
	int err;

	seed = 42 + options.irq;
	err = open_disk(state);
	if (err)
		return err;
	if (disk_size() < AREA)
		return -ENOSPC;
	image = memory(AREA);
	scratch = memory(AREA + PAGE);
	write_both(0, AREA, 0);
	return close_disk(state);
}

static int free_image(void **state)
{
	munmap(image, AREA);
	munmap(scratch, AREA + PAGE);
	image = NULL;
	return 0;
}

static void test_identify(void **state)
{
	const struct nvme_info *info = nvme_info(disk);

	assert_true(info->blocks > 0);
	assert_true(info->block_size >= 512);
	assert_int_equal(info->block_size & (info->block_size - 1), 0);
	assert_true(strlen(info->serial) > 0);
	assert_true(strlen(info->model) > 0);
	assert_int_equal(info->nsid, 1);
	assert_true(info->version >> 16 >= 1);
	assert_true(info->depth >= 1 && info->depth <= 64);
	assert_true(info->max_transfer >= info->block_size);
	assert_int_equal(info->max_transfer % info->block_size, 0);
	assert_int_equal(info->irq, options.irq);
}

static void test_read_whole_area(void **state)
{
	read_and_compare(0, AREA - 2 * MARGIN, 0);
	read_and_compare(0, AREA - PAGE, 1);
}

static void test_single_bytes(void **state)
{
	static const uint64_t at[] = { 0, 1, 511, 512, 513, 4095, 4096, AREA - 1 };
	unsigned int i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		write_both(at[i], 1, i);
		read_and_compare(at[i], 1, i);
	}
	read_and_compare(0, 3 * PAGE, 0);
}

/* Around the most that a command moves, at each alignment of memory and disk. */
static void test_split_commands(void **state)
{
	const uint64_t most = nvme_info(disk)->max_transfer;
	const size_t around[] = { most - 512, most - 1, most, most + 1, most + 512, 3 * most + 5 };
	unsigned int i;

	for (i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
		if (around[i] > AREA - PAGE)
			continue;
		write_both(i * 512, around[i], 4 * i);
		read_and_compare(i * 512, around[i], 4 * i);
		read_and_compare(i * 512, around[i], i);
		write_both(77 + i, around[i], 4 * i + 1);
		read_and_compare(77 + i, around[i], 4 * i);
	}
	read_and_compare(0, AREA - PAGE, 0);
}

static size_t random_length(void)
{
	static const size_t below[] = { 16, 1024, 20000, 300000, 2500000 };

	return 1 + pick(below[pick(5)]);
}

static void test_random_ranges(void **state)
{
	unsigned int i;
	uint64_t offset;
	size_t len;

	for (i = 0; i < 200; i++) {
		len = random_length();
		offset = pick(AREA - len);
		if (pick(2))
			offset &= ~511ULL;
		if (pick(2))
			write_both(offset, len, pick(1024));
		else
			read_and_compare(offset, len, pick(1024));
	}
	read_and_compare(0, AREA - PAGE, 0);
}

static void test_kept_after_close(void **state)
{
	if (is_forgotten())
		skip();
	write_both(5000, 100000, 3);
	assert_int_equal(nvme_flush(queue), 0);
	close_disk(state);
	assert_int_equal(open_disk(state), 0);
	read_and_compare(0, AREA - PAGE, 0);
}

static void test_end_of_disk(void **state)
{
	const uint64_t size = disk_size();
	unsigned char last[3];

	assert_int_equal(nvme_read(queue, size - 3, last, 3), 0);
	assert_int_equal(nvme_write(queue, size - 3, last, 3, 0), 0);
	assert_int_equal(nvme_read(queue, size, last, 0), 0);
}

static void test_out_of_range(void **state)
{
	const uint64_t size = disk_size();
	long pinned = pages_held();

	assert_int_equal(nvme_read(queue, size, scratch, 1), -EINVAL);
	assert_int_equal(nvme_read(queue, size - 1, scratch, 2), -EINVAL);
	assert_int_equal(nvme_read(queue, UINT64_MAX, scratch, 1), -EINVAL);
	assert_int_equal(nvme_read(queue, UINT64_MAX - 511, scratch, 512), -EINVAL);
	assert_int_equal(nvme_write(queue, size - 512, scratch, 1024, 0), -EINVAL);
	assert_int_equal(nvme_write(queue, 1, scratch, SIZE_MAX, 0), -EINVAL);
	assert_int_equal(pages_held(), pinned);
	read_and_compare(0, PAGE, 0);
}

static void test_bad_memory(void **state)
{
	unsigned char *mem = memory(4 * PAGE);
	long pinned = pages_held();

	assert_int_equal(mprotect(mem + PAGE, PAGE, PROT_READ), 0);
	assert_int_equal(nvme_read(queue, 0, mem, 4 * PAGE), -EFAULT);
	munmap(mem + 2 * PAGE, PAGE);
	assert_int_equal(nvme_write(queue, 0, mem, 4 * PAGE, 0), -EFAULT);
	assert_int_equal(pages_held(), pinned);
	munmap(mem, 4 * PAGE);
	read_and_compare(0, AREA - PAGE, 0);
}

/* Memory that nobody can pin; NULL where the kernel has none. */
static unsigned char *secret_memory(size_t len)
{
	int file = (int)syscall(447 /* memfd_secret */, 0);
	void *mem = MAP_FAILED;

	if (file < 0)
		return NULL;
	if (!ftruncate(file, (off_t)len))
		mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	return mem == MAP_FAILED ? NULL : mem;
}

/* It could be neither read nor written if it had to be mapped, as what isn't small has. */
static void copy_of_secret(void)
{
	unsigned char *mem = secret_memory(3 * PAGE);

	if (!mem)
		return;
	fill(mem, 2 * PAGE);
	memcpy(image + PAGE, mem, 2 * PAGE);
	assert_int_equal(nvme_write(queue, PAGE, mem, 2 * PAGE, NVME_FUA), 0);
	memset(mem, 0, 3 * PAGE);
	assert_int_equal(nvme_read(queue, PAGE, mem, 2 * PAGE), 0);
	same(mem, image + PAGE, 2 * PAGE);
	if (is_charged())
		assert_int_equal(nvme_read(queue, PAGE, mem, 3 * PAGE), -EFAULT);
	munmap(mem, 3 * PAGE);
}

static void test_copied(void **state)
{
	static const size_t copies[] = { 1, 2 * PAGE, 32 * PAGE, SIZE_MAX };
	static const size_t skips[] = { 0, 1, 511, 4095 };
	unsigned int i, k;
	size_t len;

	for (i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
		close_disk(state);
		options.copy = copies[i];
		assert_int_equal(open_disk(state), 0);
		len = copies[i] < 32 * PAGE ? copies[i] : 32 * PAGE;
		for (k = 0; k < 16; k++) {
			write_both(k * PAGE + skips[k % 4], len + k / 4, k);
			read_and_compare(k * PAGE + skips[k % 4], len - 1 + k / 4, k);
		}
		if (copies[i] == 2 * PAGE)
			copy_of_secret();
		read_and_compare(0, AREA - PAGE, 0);
	}
}

static int copy_nothing(void **state)
{
	options.copy = 0;
	return close_disk(state);
}

static int submit(enum nvme_op op, uint64_t lba, uint32_t blocks,
		  const struct usrpci_mapping *map, uint64_t offset, uint64_t cookie)
{
	const struct nvme_command command = {
		.op = op, .lba = lba, .blocks = blocks, .map = map, .offset = offset,
		.cookie = cookie,
	};

	return nvme_submit(queue, &command);
}

/**
 * struct flight - Commands of a page each, all at once.
 * @map: a page for each
 * @seen: how often each was done
 * @nr: how many
 */
struct flight {
	struct usrpci_mapping map;
	unsigned int *seen;
	unsigned int nr;
};

static void begin_flight(struct flight *flight, enum usrpci_dma_direction direction)
{
	flight->nr = nvme_info(disk)->depth;
	flight->seen = calloc(flight->nr, sizeof(*flight->seen));
	flight->map = (struct usrpci_mapping){
		.len = flight->nr * PAGE,
		.direction = direction,
		.nr_sg = usrpci_sg_room(flight->nr * PAGE),
	};
	flight->map.addr = memory(flight->map.len);
	flight->map.sg = calloc(flight->map.nr_sg, sizeof(*flight->map.sg));
	assert_non_null(flight->seen);
	assert_non_null(flight->map.sg);
	if (direction == USRPCI_DMA_TO_DEVICE)
		fill(flight->map.addr, flight->map.len);
	assert_int_equal(usrpci_map(nvme_device(disk), &flight->map, 1), 0);
}

static void end_flight(struct flight *flight)
{
	munmap(flight->map.addr, flight->map.len);
	free(flight->map.sg);
	free(flight->seen);
}

/* The blocks in an order unlike memory's. */
static uint64_t lba_of(const struct flight *flight, unsigned int i)
{
	uint32_t blocks = (uint32_t)PAGE / nvme_info(disk)->block_size;

	return (uint64_t)(flight->nr - 1 - i) * blocks;
}

static void submit_all(struct flight *flight, enum nvme_op op)
{
	uint32_t blocks = (uint32_t)PAGE / nvme_info(disk)->block_size;
	unsigned int i;

	for (i = 0; i < flight->nr; i++)
		assert_int_equal(submit(op, lba_of(flight, i), blocks, &flight->map, i * PAGE, i),
				 0);
	assert_int_equal(submit(op, 0, blocks, &flight->map, 0, 0), -EAGAIN);
}

/* Takes what is done till @left are. */
static void wait_for(struct flight *flight, unsigned int left)
{
	struct nvme_completion done[7];
	int got, i;

	while (left) {
		got = nvme_wait(queue, done, 7, 30000);
		assert_in_range(got, 1, 7);
		for (i = 0; i < got; i++) {
			assert_int_equal(done[i].error, 0);
			assert_true(done[i].cookie < flight->nr);
			assert_int_equal(flight->seen[done[i].cookie]++, 0);
		}
		left -= (unsigned int)got;
	}
	assert_int_equal(nvme_poll(queue, done, 7), 0);
}

static void wait_all(struct flight *flight)
{
	wait_for(flight, flight->nr);
}

static void test_many_writes_at_once(void **state)
{
	uint32_t block = nvme_info(disk)->block_size;
	struct flight flight;
	unsigned int i;

	begin_flight(&flight, USRPCI_DMA_TO_DEVICE);
	submit_all(&flight, NVME_WRITE);
	assert_int_equal(nvme_read(queue, 0, scratch, 512), -EBUSY);
	assert_int_equal(nvme_flush(queue), -EBUSY);
	wait_all(&flight);
	assert_int_equal(usrpci_unmap(nvme_device(disk), &flight.map.handle, 1), 0);
	for (i = 0; i < flight.nr; i++)
		memcpy(image + lba_of(&flight, i) * block,
		       (unsigned char *)flight.map.addr + i * PAGE, PAGE);
	end_flight(&flight);
	read_and_compare(0, AREA - PAGE, 0);
}

static void test_many_reads_at_once(void **state)
{
	uint32_t block = nvme_info(disk)->block_size;
	struct flight flight;
	unsigned int i, turn;

	begin_flight(&flight, USRPCI_DMA_FROM_DEVICE);
	/* Often enough for the queues to wrap. */
	for (turn = 0; turn < 5; turn++) {
		memset(flight.seen, 0, flight.nr * sizeof(*flight.seen));
		submit_all(&flight, NVME_READ);
		wait_all(&flight);
	}
	assert_int_equal(usrpci_sync_for_cpu(nvme_device(disk), flight.map.handle, 0,
					     flight.map.len), 0);
	for (i = 0; i < flight.nr; i++)
		same((unsigned char *)flight.map.addr + i * PAGE,
		     image + lba_of(&flight, i) * block, PAGE);
	assert_int_equal(usrpci_unmap(nvme_device(disk), &flight.map.handle, 1), 0);
	end_flight(&flight);
}

/* Reads of all but the last, of which the disk isn't told; its memory says that it isn't. */
static void stage_all_but_one(struct flight *flight)
{
	struct nvme_command command = {
		.op = NVME_READ, .blocks = (uint32_t)PAGE / nvme_info(disk)->block_size,
		.map = &flight->map,
	};
	unsigned char *const first = flight->map.addr;

	memset(flight->seen, 0, flight->nr * sizeof(*flight->seen));
	memset(first, (unsigned char)~image[lba_of(flight, 0) * nvme_info(disk)->block_size], PAGE);
	for (; command.cookie < flight->nr - 1; command.cookie++) {
		command.lba = lba_of(flight, (unsigned int)command.cookie);
		command.offset = command.cookie * PAGE;
		assert_int_equal(nvme_stage(queue, &command), 0);
	}
	usleep(5000);
	assert_int_not_equal(*first, image[lba_of(flight, 0) * nvme_info(disk)->block_size]);
}

/* Without asking the queue, which would tell the disk itself. */
static void wait_for_memory(struct flight *flight)
{
	const unsigned char *wanted = image + lba_of(flight, 0) * nvme_info(disk)->block_size;
	const int fd = nvme_queue_eventfd(queue);
	struct pollfd done = { .fd = fd, .events = POLLIN };
	unsigned int ms;

	if (fd >= 0)
		assert_int_equal(poll(&done, 1, 30000), 1);
	for (ms = 0; ms < 30000; ms++) {
		assert_int_equal(usrpci_sync_for_cpu(nvme_device(disk), flight->map.handle, 0,
						     PAGE), 0);
		if (!memcmp(flight->map.addr, wanted, PAGE))
			return;
		usleep(1000);
	}
	fail_msg("the disk did nothing");
}

static void submit_last(struct flight *flight)
{
	const unsigned int last = flight->nr - 1;

	assert_int_equal(submit(NVME_READ, lba_of(flight, last),
				(uint32_t)PAGE / nvme_info(disk)->block_size, &flight->map,
				last * PAGE, last), 0);
}

/* The disk is told by each of the calls that say so, and by nothing else. */
static void test_staged(void **state)
{
	const struct nvme_command no_block = { .op = NVME_READ };
	struct nvme_completion done;
	struct flight flight;
	int got;

	assert_int_equal(nvme_stage(queue, &no_block), -EINVAL);
	begin_flight(&flight, USRPCI_DMA_FROM_DEVICE);
	stage_all_but_one(&flight);
	submit_last(&flight);
	assert_int_equal(submit(NVME_READ, 0, 1, &flight.map, 0, 0), -EAGAIN);
	wait_all(&flight);
	stage_all_but_one(&flight);
	nvme_ring(queue);
	wait_for_memory(&flight);
	wait_for(&flight, flight.nr - 1);
	stage_all_but_one(&flight);
	wait_for(&flight, flight.nr - 1);
	stage_all_but_one(&flight);
	got = nvme_poll(queue, &done, 1);
	assert_in_range(got, 0, 1);
	wait_for_memory(&flight);
	wait_for(&flight, flight.nr - 1 - (unsigned int)got);
	nvme_ring(queue);
	assert_int_equal(nvme_poll(queue, &done, 1), 0);
	assert_int_equal(usrpci_unmap(nvme_device(disk), &flight.map.handle, 1), 0);
	end_flight(&flight);
}

static void test_submit_refusals(void **state)
{
	const struct nvme_info *info = nvme_info(disk);
	uint32_t too_many = (uint32_t)(info->max_transfer / info->block_size) + 1;
	struct nvme_completion done;
	struct flight flight;

	begin_flight(&flight, USRPCI_DMA_FROM_DEVICE);
	assert_int_equal(submit(NVME_READ, 0, 0, &flight.map, 0, 0), -EINVAL);
	assert_int_equal(submit(NVME_READ, info->blocks, 1, &flight.map, 0, 0), -EINVAL);
	assert_int_equal(submit(NVME_READ, UINT64_MAX, 1, &flight.map, 0, 0), -EINVAL);
	assert_int_equal(submit(NVME_READ, info->blocks - 1, 2, &flight.map, 0, 0), -EINVAL);
	assert_int_equal(submit(NVME_READ, 0, too_many, &flight.map, 0, 0), -EINVAL);
	assert_int_equal(submit(NVME_READ, 0, 1, &flight.map, 2, 0), -EINVAL);
	assert_int_equal(submit(NVME_READ, 0, 1, &flight.map, flight.map.len, 0), -EINVAL);
	assert_int_equal(submit(NVME_READ, 0, 2, &flight.map, flight.map.len - info->block_size, 0),
			 -EINVAL);
	assert_int_equal(nvme_wait(queue, &done, 1, 20), -ETIMEDOUT);
	assert_int_equal(usrpci_unmap(nvme_device(disk), &flight.map.handle, 1), 0);
	end_flight(&flight);
	read_and_compare(0, PAGE, 0);
}

/* Blocks of the disk and of its image, all of the same byte. */
static void fill_both(uint64_t offset, size_t len, int what, unsigned int flags)
{
	memset(image + offset, what, len);
	assert_int_equal(nvme_write(queue, offset, image + offset, len, flags), 0);
}

static void test_write_through(void **state)
{
	fill_both(PAGE, 5 * PAGE, 0x11, NVME_FUA);
	read_and_compare(0, 10 * PAGE, 0);
	assert_int_equal(nvme_write(queue, 0, scratch, PAGE, NVME_MAY_DISCARD), -EINVAL);
	assert_int_equal(nvme_write(queue, 0, scratch, PAGE, 1U << 7), -EINVAL);
	read_and_compare(0, PAGE, 0);
}

/* More than a command sets to zero. */
static void test_zero(void **state)
{
	const uint64_t len = nvme_info(disk)->max_zero * 2 + PAGE;
	const size_t most = len < AREA - PAGE ? len : AREA - PAGE;

	if (!(nvme_info(disk)->caps & NVME_CAN_ZERO)) {
		assert_int_equal(nvme_zero(queue, 0, PAGE, 0), -EOPNOTSUPP);
		skip();
	}
	fill_both(0, AREA, 0x22, 0);
	assert_int_equal(nvme_zero(queue, PAGE, most, 0), 0);
	memset(image + PAGE, 0, most);
	read_and_compare(0, AREA - PAGE, 0);
	fill_both(0, AREA, 0x33, 0);
	assert_int_equal(nvme_zero(queue, 0, PAGE, NVME_FUA), 0);
	assert_int_equal(nvme_zero(queue, 5 * PAGE, PAGE, NVME_MAY_DISCARD | NVME_FUA), 0);
	memset(image, 0, PAGE);
	memset(image + 5 * PAGE, 0, PAGE);
	read_and_compare(0, AREA - PAGE, 0);
}

/* What is discarded may be anything then; the rest stays. */
static void test_discard(void **state)
{
	if (!(nvme_info(disk)->caps & NVME_CAN_DISCARD)) {
		assert_int_equal(nvme_discard(queue, 0, PAGE), -EOPNOTSUPP);
		skip();
	}
	fill_both(0, AREA, 0x44, 0);
	assert_int_equal(nvme_discard(queue, 2 * PAGE, AREA / 2), 0);
	read_and_compare(0, 2 * PAGE, 0);
	read_and_compare(2 * PAGE + AREA / 2, AREA / 2 - 3 * PAGE, 0);
	fill_both(0, AREA, 0x55, 0);
	read_and_compare(0, AREA - PAGE, 0);
}

static void test_range_refusals(void **state)
{
	const uint64_t size = disk_size(), block = nvme_info(disk)->block_size;

	assert_int_equal(nvme_zero(queue, 1, block, 0), -EINVAL);
	assert_int_equal(nvme_zero(queue, 0, block - 1, 0), -EINVAL);
	assert_int_equal(nvme_zero(queue, size, block, 0), -EINVAL);
	assert_int_equal(nvme_zero(queue, size - block, 2 * block, 0), -EINVAL);
	assert_int_equal(nvme_zero(queue, block, UINT64_MAX - block + 1, 0), -EINVAL);
	assert_int_equal(nvme_zero(queue, 0, block, 1U << 5), -EINVAL);
	assert_int_equal(nvme_discard(queue, size - block, 2 * block), -EINVAL);
	assert_int_equal(nvme_discard(queue, 0, block + 1), -EINVAL);
	assert_int_equal(nvme_zero(queue, size, 0, 0), 0);
	assert_int_equal(nvme_discard(queue, 0, 0), 0);
	assert_int_equal(submit((enum nvme_op)99, 0, 1, NULL, 0, 0), -EINVAL);
	assert_int_equal(submit(NVME_READ, 0, 1, NULL, 0, 0), -EINVAL);
	assert_int_equal(submit(NVME_ZERO, 0, 65537, NULL, 0, 0), -EINVAL);
}

/* Of each kind one, at once. */
static void test_mixed_commands(void **state)
{
	static const enum nvme_op ops[] = { NVME_ZERO, NVME_DISCARD, NVME_FLUSH };
	struct nvme_completion done;
	unsigned int i, seen = 0;

	if (~nvme_info(disk)->caps & (NVME_CAN_ZERO | NVME_CAN_DISCARD))
		skip();
	fill_both(0, AREA, 0x66, 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(submit(ops[i], i, 1, NULL, 0, i), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(nvme_wait(queue, &done, 1, 30000), 1);
		assert_int_equal(done.error, 0);
		seen |= 1U << done.cookie;
	}
	assert_int_equal(seen, 7);
	fill_both(0, 2 * PAGE, 0x77, 0);
}

/**
 * struct writer - A thread, with a queue and a part of the disk of its own.
 * @thread: it
 * @queue: where its commands go
 * @first: of its part
 * @error: the first one; 1: what it read wasn't what it wrote
 */
struct writer {
	pthread_t thread;
	struct nvme_queue *queue;
	uint64_t first;
	int error;
};

#define PART	(512UL << 10)

static void *write_and_read(void *arg)
{
	unsigned char *out = memory(PART), *in = memory(PART);
	struct writer *w = arg;
	unsigned int turn;
	size_t len;

	for (turn = 0; turn < 20 && !w->error; turn++) {
		len = PART - turn * 1000;
		memset(out, (int)(turn + 1 + w->first / PART), len);
		w->error = nvme_write(w->queue, w->first, out, len, 0);
		if (!w->error)
			w->error = nvme_read(w->queue, w->first, in, len);
		if (!w->error)
			w->error = !!memcmp(in, out, len);
	}
	munmap(out, PART);
	munmap(in, PART);
	return NULL;
}

static void test_queues(void **state)
{
	struct writer writers[4] = { { 0 } };
	unsigned int i, nr;

	close_disk(state);
	options.queues = 4;
	assert_int_equal(open_disk(state), 0);
	nr = nvme_info(disk)->queues;
	assert_int_equal(nr, options.irq == NVME_INTX ? 1 : 4);
	for (i = 0; i < nr; i++) {
		writers[i].queue = nvme_queue(disk, i);
		writers[i].first = i * PART;
		assert_int_equal(pthread_create(&writers[i].thread, NULL, write_and_read,
						&writers[i]), 0);
	}
	for (i = 0; i < nr; i++) {
		pthread_join(writers[i].thread, NULL);
		assert_int_equal(writers[i].error, 0);
	}
	fill_both(0, AREA, 0x12, 0);
}

static int one_queue(void **state)
{
	options.queues = 0;
	return close_disk(state);
}

/* Memory that commands still under way would write is left alone from nvme_close() on. */
static void test_close_with_commands_under_way(void **state)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	long pinned;
	struct flight flight;
	size_t i;

	close_disk(state);
	pinned = pages_held();
	assert_int_equal(open_disk(state), 0);
	begin_flight(&flight, USRPCI_DMA_FROM_DEVICE);
	submit_all(&flight, NVME_READ);
	close_disk(state);
	assert_int_equal(pages_held(), pinned);
	memset(flight.map.addr, 0x77, flight.map.len);
	nanosleep(&pause, NULL);
	for (i = 0; i < flight.map.len; i++)
		if (((unsigned char *)flight.map.addr)[i] != 0x77)
			fail_msg("byte %zu was written after the close", i);
	end_flight(&flight);
	assert_int_equal(open_disk(state), 0);
	read_and_compare(0, AREA - PAGE, 0);
}

/* 1: as it is by itself; 0: the kernel can't reset the function. */
static void allow_reset(bool allow)
{
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset_method", address);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(allow ? "default" : "\n", file);
	assert_int_equal(fclose(file), 0);
}

static uint64_t left_in(unsigned int reg)
{
	struct usrpci_device *dev;
	uint64_t value;

	assert_int_equal(usrpci_open(&dev, address), 0);
	assert_int_equal(usrpci_bar_read(dev, 0, reg, 4, &value), 0);
	usrpci_close(dev);
	return value;
}

/* A driver that was killed leaves a disk that was stopped; QEMU forgets that it was shut down. */
static void test_killed(void **state)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (!(info_of(disk).caps & USRPCI_CAN_QUIESCE))
		skip();
	close_disk(state);
	/* A reset would hide what was done before it. */
	allow_reset(false);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		if (!open_disk(state) && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ready[0]);
	assert_int_equal(NVME_CC_EN(left_in(NVME_REG_CC)), 0);
	assert_int_equal(NVME_CSTS_RDY(left_in(NVME_REG_CSTS)), 0);
	allow_reset(true);
	assert_int_equal(open_disk(state), 0);
}

static int calm_down(void **state)
{
	module_parameter("storm_rate", STORM_RATE);
	return close_disk(state);
}

/* Interrupts that come too often are masked: then the disk is slow, but loses nothing. */
static void test_interrupt_storm(void **state)
{
	struct usrpci_event event = { .kind = 0 };
	unsigned char byte;
	unsigned int i;

	if (options.irq != NVME_MSIX || !(info_of(disk).caps & USRPCI_CAN_MASK_STORM))
		skip();
	assert_int_equal(module_parameter("storm_rate", "100"), 0);
	for (i = 0; i < 1000 && usrpci_event(nvme_device(disk), &event) == -EAGAIN; i++)
		assert_int_equal(nvme_read(queue, i * PAGE % AREA, &byte, 1), 0);
	assert_int_equal(event.kind, USRPCI_IRQ_STORM);
	assert_int_equal(usrpci_event(nvme_device(disk), &event), -EAGAIN);
	for (i = 0; i < 3; i++)
		read_and_compare(i * PAGE, PAGE, 0);
	assert_int_equal(module_parameter("storm_rate", STORM_RATE), 0);
	assert_int_equal(usrpci_irq_unmask(nvme_device(disk), event.vector), 0);
	for (i = 0; i < 200; i++)
		read_and_compare(i * PAGE % AREA, 10, 0);
	assert_int_equal(usrpci_event(nvme_device(disk), &event), -EAGAIN);
}

static void test_depths(void **state)
{
	static const unsigned int depths[] = { 1, 2, 1024, 5000 };
	struct flight flight;
	unsigned int i;

	for (i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		close_disk(state);
		options.depth = depths[i];
		assert_int_equal(open_disk(state), 0);
		assert_true(nvme_info(disk)->depth <= (depths[i] < 1024 ? depths[i] : 1024));
		read_and_compare(100, 1500000, 4);
		begin_flight(&flight, USRPCI_DMA_FROM_DEVICE);
		submit_all(&flight, NVME_READ);
		wait_all(&flight);
		assert_int_equal(usrpci_unmap(nvme_device(disk), &flight.map.handle, 1), 0);
		end_flight(&flight);
	}
}

static int default_depth(void **state)
{
	options.depth = 0;
	return close_disk(state);
}

static void test_open_refusals(void **state)
{
	struct nvme_options other = options;
	const char *edu = getenv("USRPCI_EDU");
	struct nvme *second = NULL;

	if (!is_own())
		assert_int_equal(nvme_open(&second, address, &options), -EBUSY);
	assert_int_equal(nvme_open(&second, "0000:00:1c.7", &options), -ENOENT);
	assert_int_equal(nvme_open(&second, "nonsense", &options), -EINVAL);
	if (edu)
		assert_int_equal(nvme_open(&second, edu, &options), -ENOTSUP);
	close_disk(state);
	other.nsid = 77;
	assert_int_equal(nvme_open(&second, address, &other), -ENXIO);
	assert_null(second);
	assert_int_equal(open_disk(state), 0);
}

static void test_nothing_left_after_many_opens(void **state)
{
	long pinned;
	unsigned int i;

	close_disk(state);
	pinned = pages_held();
	for (i = 0; i < 10; i++) {
		assert_int_equal(open_disk(state), 0);
		read_and_compare(i * 1000, 10000, i);
		close_disk(state);
		assert_int_equal(pages_held(), pinned);
	}
	assert_int_equal(open_disk(state), 0);
}

/* Root may lock all it likes; without this capability it's bound by the limit too. */
static void set_lock_capability(bool on)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2];

	assert_int_equal(syscall(SYS_capget, &head, caps), 0);
	if (on)
		caps[0].effective |= 1U << CAP_IPC_LOCK;
	else
		caps[0].effective &= ~(1U << CAP_IPC_LOCK);
	assert_int_equal(syscall(SYS_capset, &head, caps), 0);
}

static bool limited;

static void set_limit(unsigned long bytes)
{
	const struct rlimit limit = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };

	limited = true;
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
}

static int give_limit_back(void **state)
{
	if (limited) {
		set_lock_capability(true);
		set_limit(RLIM_INFINITY);
	}
	limited = false;
	return close_disk(state);
}

/* From plenty, over chunks that are halved, to nothing but the driver's own buffer. */
static void test_memory_limits(void **state)
{
	static const unsigned long more[] = { 16UL << 20, 3UL << 20, 200000, 0 };
	long pinned = pages_held() * PAGE;
	unsigned int i;

	if (!is_charged())
		skip();
	set_lock_capability(false);
	for (i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		set_limit(pinned + more[i]);
		write_both(3 + i, 5000000, 4);
		read_and_compare(0, AREA - PAGE, 0);
		assert_int_equal(pages_held() * PAGE, pinned);
	}
}

static void test_too_little_to_open(void **state)
{
	struct nvme *second = NULL;

	if (!is_charged())
		skip();
	close_disk(state);
	set_lock_capability(false);
	set_limit(8192);
	assert_int_equal(nvme_open(&second, address, &options), -ENOMEM);
	assert_null(second);
	set_lock_capability(true);
	assert_int_equal(open_disk(state), 0);
}

static void test_bench(void **state)
{
	struct nvme_bench bench = { .size = 4096, .seconds = 1, .random = true };
	struct nvme_figures figures;

	assert_int_equal(nvme_bench(disk, &bench, &figures), 0);
	assert_true(figures.commands > 0);
	assert_int_equal(figures.bytes, figures.commands * 4096);
	assert_true(figures.ns >= 1000000000);
	assert_true(figures.latency_min > 0);
	assert_true(figures.latency_min <= figures.latency_p50);
	assert_true(figures.latency_p50 <= figures.latency_p90);
	assert_true(figures.latency_p90 <= figures.latency_p99);
	assert_true(figures.latency_p99 <= figures.latency_p999);
	assert_true(figures.latency_p999 <= figures.latency_max);
	assert_true(figures.latency_avg <= figures.latency_max);
	bench.size = 100;
	assert_int_equal(nvme_bench(disk, &bench, &figures), -EINVAL);
	bench.size = nvme_info(disk)->max_transfer + 512;
	assert_int_equal(nvme_bench(disk, &bench, &figures), -EINVAL);
	bench.size = 4096;
	bench.queues = nvme_info(disk)->queues + 1;
	assert_int_equal(nvme_bench(disk, &bench, &figures), -EINVAL);
	read_and_compare(0, AREA - PAGE, 0);
}

/*
 * Each keeps as many under way as it may, which is what all have waited for by how long that took;
 * half of it would do. None leaves memory mapped.
 */
static void test_bench_queues(void **state)
{
	struct nvme_bench bench = { .size = 4096, .seconds = 1, .depth = 8 };
	struct nvme_figures figures;
	long pinned;

	close_disk(state);
	options.queues = 4;
	assert_int_equal(open_disk(state), 0);
	pinned = pages_held();
	assert_int_equal(nvme_bench(disk, &bench, &figures), 0);
	assert_true(figures.latency_avg * figures.commands >
		    figures.ns * 8 * nvme_info(disk)->queues / 2);
	assert_int_equal(figures.bytes, figures.commands * 4096);
	assert_int_equal(pages_held(), pinned);
	read_and_compare(0, AREA - PAGE, 0);
}

#define TEST(test)	cmocka_unit_test_setup_teardown(test, open_disk, close_disk)

static int run(enum nvme_irq irq, const char *name)
{
	const struct CMUnitTest tests[] = {
		TEST(test_identify),
		TEST(test_read_whole_area),
		TEST(test_single_bytes),
		TEST(test_split_commands),
		TEST(test_random_ranges),
		TEST(test_kept_after_close),
		TEST(test_end_of_disk),
		TEST(test_out_of_range),
		TEST(test_bad_memory),
		cmocka_unit_test_setup_teardown(test_copied, open_disk, copy_nothing),
		TEST(test_many_writes_at_once),
		TEST(test_many_reads_at_once),
		TEST(test_staged),
		TEST(test_submit_refusals),
		TEST(test_write_through),
		TEST(test_zero),
		TEST(test_discard),
		TEST(test_range_refusals),
		TEST(test_mixed_commands),
		cmocka_unit_test_setup_teardown(test_queues, open_disk, one_queue),
		TEST(test_close_with_commands_under_way),
		TEST(test_killed),
		cmocka_unit_test_setup_teardown(test_interrupt_storm, open_disk, calm_down),
		cmocka_unit_test_setup_teardown(test_depths, open_disk, default_depth),
		TEST(test_open_refusals),
		TEST(test_nothing_left_after_many_opens),
		TEST(test_bench),
		cmocka_unit_test_setup_teardown(test_bench_queues, open_disk, one_queue),
		cmocka_unit_test_setup_teardown(test_memory_limits, open_disk, give_limit_back),
		cmocka_unit_test_setup_teardown(test_too_little_to_open, open_disk,
						give_limit_back),
	};

	options.irq = irq;
	return cmocka_run_group_tests_name(name, tests, fill_disk, free_image);
}

/* QEMU's disk has no MSI: then that can't be tried. */
static bool has(enum nvme_irq irq)
{
	const struct nvme_options wanted = { .irq = irq };
	struct nvme *probe;
	int err;

	err = nvme_open(&probe, address, &wanted);
	if (!err)
		nvme_close(probe);
	return err != -ENOTSUP;
}

int main(void)
{
	int status;

	address = getenv("USRPCI_NVME");
	if (!address) {
		fputs("USRPCI_NVME names no disk: skipped\n", stderr);
		return SKIPPED;
	}
	status = run(NVME_MSIX, "nvme, MSI-X") | run(NVME_INTX, "nvme, INTx") |
		 run(NVME_POLLED, "nvme, polled");
	if (has(NVME_MSI))
		status |= run(NVME_MSI, "nvme, MSI");
	return status;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * The pager against a made-up device, whose words are of 4 bytes, and a backend that can fail:
 * what no device of tests/conformance does. And records, against the plainest way to read them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <usrpci.h>
#include <cmocka.h>
#include "fake.h"
#include "memory.h"
#include "tlb/record.h"

#define SOON_MS		10000U
#define PAGE		4096UL
#define NR_ENTRIES	4U
#define NR_MISSES	64U
#define NR_MAPS		4096U

#define FIFO		0x00U
#define GO_ON		0x40U
#define REFUSE		0x44U
#define ENTRIES		0x1000U

#define NO_ANSWER	0xffU

/**
 * struct device - A device with a TLB of words of 4 bytes.
 * @fake: what the core knows
 * @lock: guards the rest
 * @misses: FIFO
 * @first: that wasn't taken
 * @nr: that were put there
 * @words: of entries
 * @order: words of entries in the order in which they were written
 * @nr_written: of them
 * @answers: to misses, by id: GO_ON, REFUSE, NO_ANSWER
 * @wired: what the vector signals
 * @gone: pulled out: reads all ones
 * @removed: every call is -ENODEV
 * @map_err: what mapping gives
 * @map_errs: times
 * @missing: with -ENOMEM
 * @bus: added to bus addresses
 * @last_map: what was mapped last
 * @mapped: handles
 * @nr_mapped: of them
 * @reads: of the FIFO
 * @amid: called while memory is mapped
 */
static struct device {
	struct fake fake;
	pthread_mutex_t lock;
	uint32_t misses[NR_MISSES][3];
	unsigned int first, nr;
	uint32_t words[NR_ENTRIES * 4];
	unsigned int order[256];
	unsigned int nr_written;
	unsigned int answers[16];
	int wired;
	bool gone, removed;
	int map_err;
	unsigned int map_errs;
	uint64_t missing;
	uint64_t bus;
	struct usrpci_mapping last_map;
	bool mapped[NR_MAPS];
	unsigned int nr_mapped;
	unsigned int reads;
	void (*amid)(uint64_t addr);
} device;

static struct usrpci_space *space;
static struct usrpci_backend backend;

/* --- the device --- */

static uint32_t read_fifo(unsigned int word)
{
	const uint32_t *miss = device.misses[device.first % NR_MISSES];

	device.reads++;
	if (device.gone)
		return UINT32_MAX;
	if (!word)
		return device.first < device.nr ? miss[0] : 0;
	if (word == 2)
		device.first++;
	return miss[word];
}

static int bar_read(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
		    unsigned int width, uint64_t *value)
{
	int err = 0;

	pthread_mutex_lock(&device.lock);
	if (device.removed)
		err = -ENODEV;
	else if (offset < GO_ON)
		*value = read_fifo((unsigned int)offset / 4);
	else
		*value = device.words[(offset - ENTRIES) / 4];
	pthread_mutex_unlock(&device.lock);
	return err;
}

static int bar_write(struct usrpci_device *dev, unsigned int bar, uint64_t offset,
		     unsigned int width, uint64_t value)
{
	int err;

	pthread_mutex_lock(&device.lock);
	err = device.removed ? -ENODEV : 0;
	if (offset == GO_ON || offset == REFUSE) {
		device.answers[value & 15] = (unsigned int)offset;
	} else {
		device.words[(offset - ENTRIES) / 4] = (uint32_t)value;
		device.order[device.nr_written++ % 256] = (unsigned int)(offset - ENTRIES) / 4;
	}
	pthread_mutex_unlock(&device.lock);
	return err;
}

static int config_read(struct usrpci_device *dev, unsigned int offset, unsigned int width,
		       uint32_t *value)
{
	int err;

	pthread_mutex_lock(&device.lock);
	err = device.removed ? -ENODEV : 0;
	*value = offset == PCI_COMMAND ? PCI_COMMAND_MEMORY : 0;
	if (device.gone)
		*value = UINT32_MAX >> (32 - 8 * width);
	pthread_mutex_unlock(&device.lock);
	return err;
}

static int irq_wire(struct usrpci_device *dev, unsigned int first, unsigned int nr,
		    const int *eventfds)
{
	if (first)
		return -EINVAL;
	device.wired = eventfds[0];
	return 0;
}

static int map_err(uint64_t *missing)
{
	if (!device.map_errs)
		return 0;
	device.map_errs--;
	*missing = device.missing;
	return device.map_err;
}

static int map_page(struct usrpci_device *dev, struct usrpci_mapping *maps, unsigned int nr,
		    uint64_t *missing)
{
	uint32_t handle = 1;
	int err;

	if (device.amid)
		device.amid((uintptr_t)maps[0].addr);
	pthread_mutex_lock(&device.lock);
	device.last_map = maps[0];
	err = map_err(missing);
	while (!err && device.mapped[handle])
		handle++;
	if (!err) {
		device.mapped[handle] = true;
		device.nr_mapped++;
		maps[0].handle = handle;
		maps[0].sg[0] = (struct usrpci_sg){ handle * PAGE + device.bus, PAGE };
	}
	pthread_mutex_unlock(&device.lock);
	return err;
}

static int unmap_pages(struct usrpci_device *dev, const uint32_t *handles, unsigned int nr)
{
	pthread_mutex_lock(&device.lock);
	while (nr--) {
		assert_true(device.mapped[handles[nr]]);
		device.mapped[handles[nr]] = false;
		device.nr_mapped--;
	}
	pthread_mutex_unlock(&device.lock);
	return 0;
}

/* --- what is told of it --- */

static struct usrpci_tlb description(void)
{
	return (struct usrpci_tlb){
		.tags = 4,
		.page_sizes = USRPCI_PAGE_4K,
		.misses = {
			.reg = { .width = 4, .offset = FIFO },
			.words = 3,
			.word_width = 4,
			.valid = { 0, 1, 0 },
			.write = { 1, 1, 0 },
			.tag = { 2, 2, 0 },
			.id = { 4, 4, 0 },
			/* Across words. */
			.addr = { 12, 52, 12 },
		},
		.entries = {
			.reg = { .width = 4, .offset = ENTRIES },
			.nr = NR_ENTRIES,
			.stride = 16,
			.words = 4,
			/* Not in the last word, which must be written before it. */
			.valid = { 32, 1, 0 },
			.write = { 33, 1, 0 },
			.tag = { 34, 2, 0 },
			.bus = { 0, 32, 12 },
			.addr = { 60, 52, 12 },
		},
		.go_on = { .reg = { .width = 4, .offset = GO_ON }, .arg = { 0, 4, 0 } },
		.refuse = { .reg = { .width = 4, .offset = REFUSE }, .arg = { 0, 4, 0 } },
		.timeout_us = 1000,
	};
}

static void describe(void)
{
	const struct usrpci_tlb tlb = description();

	assert_int_equal(usrpci_tlb_describe(&device.fake.base, &tlb, 0), 0);
	assert_int_equal(usrpci_space_bind(&device.fake.base, NULL, &space), 0);
}

static int setup(void **state)
{
	device = (struct device){ .wired = -1 };
	backend = fake_backend;
	backend.bar_read = bar_read;
	backend.bar_write = bar_write;
	backend.config_read = config_read;
	backend.irq_wire = irq_wire;
	backend.map = map_page;
	backend.unmap = unmap_pages;
	backend.fd = NULL;
	fake_init(&device.fake, &backend);
	pthread_mutex_init(&device.lock, NULL);
	space = NULL;
	return usrpci_irq_setup(&device.fake.base, USRPCI_MSIX, 1);
}

static int teardown(void **state)
{
	usrpci_space_close(space);
	usrpci_close(&device.fake.base);
	assert_int_equal(device.nr_mapped, 0);
	return 0;
}

/* A page that is nobody's: the backend doesn't look. */
static uint64_t page(unsigned int nr)
{
	return 0x7f1234567000 + nr * PAGE;
}

/* Reports a miss, and waits for the answer. */
static unsigned int miss(uint64_t addr, bool write)
{
	const unsigned int tag = usrpci_space_tag(space), id = device.nr % 16;
	const uint64_t end = now_ms() + SOON_MS;
	uint32_t *record = device.misses[device.nr % NR_MISSES];

	pthread_mutex_lock(&device.lock);
	record[0] = 1 | (uint32_t)write << 1 | tag << 2 | id << 4 | (uint32_t)(addr >> 12) << 12;
	record[1] = (uint32_t)(addr >> 32);
	record[2] = 0xabcdef;
	device.answers[id] = NO_ANSWER;
	device.nr++;
	pthread_mutex_unlock(&device.lock);
	eventfd_write(device.wired, 1);
	for (;;) {
		unsigned int answer;

		pthread_mutex_lock(&device.lock);
		answer = device.answers[id];
		pthread_mutex_unlock(&device.lock);
		if (answer != NO_ANSWER)
			return answer;
		assert_true(now_ms() < end);
		usleep(100);
	}
}

static struct usrpci_space_stats stats(void)
{
	struct usrpci_space_stats now;

	assert_int_equal(usrpci_space_stats(space, &now), 0);
	return now;
}

static enum usrpci_refusal_reason reason(void)
{
	struct usrpci_refusal refusal;

	assert_int_equal(usrpci_space_refusal(space, &refusal), 0);
	return refusal.reason;
}

static void fail_map(int err, unsigned int times, uint64_t missing)
{
	pthread_mutex_lock(&device.lock);
	device.map_err = err;
	device.map_errs = times;
	device.missing = missing;
	pthread_mutex_unlock(&device.lock);
}

static void set_flag(bool *flag, bool value)
{
	pthread_mutex_lock(&device.lock);
	*flag = value;
	pthread_mutex_unlock(&device.lock);
}

static unsigned int nr_reads(void)
{
	unsigned int reads;

	pthread_mutex_lock(&device.lock);
	reads = device.reads;
	pthread_mutex_unlock(&device.lock);
	return reads;
}

/* --- tests --- */

static void test_words(void **state)
{
	const uint64_t addr = page(3);

	describe();
	/* The second tag. */
	usrpci_space_close(space);
	assert_int_equal(usrpci_space_bind(&device.fake.base, NULL, &space), 0);
	assert_int_equal(miss(addr + 8, true), GO_ON);
	assert_int_equal(device.last_map.direction, USRPCI_DMA_BOTH);
	assert_int_equal(device.last_map.flags, USRPCI_NO_BOUNCE);
	assert_int_equal((uintptr_t)device.last_map.addr, addr);
	assert_int_equal(device.last_map.len, PAGE);
	/* Bus page 1; valid, may be written, tag 0, and the address's page from bit 60 on. */
	assert_int_equal(device.words[0], 1);
	assert_int_equal(device.words[1], 3 | (uint32_t)(addr >> 12 << 28));
	assert_int_equal(device.words[2], (uint32_t)(addr >> 16));
	assert_int_equal(device.words[3], addr >> 48);
	assert_int_equal(device.nr_written, 4);
	assert_int_equal(device.order[3], 1);
	assert_int_equal(miss(page(4), false), GO_ON);
	assert_int_equal(device.last_map.direction, USRPCI_DMA_TO_DEVICE);
	assert_int_equal(device.words[5] & 0xf, 1);
}

static void test_eviction(void **state)
{
	unsigned int i;

	describe();
	for (i = 0; i <= NR_ENTRIES; i++)
		assert_int_equal(miss(page(i), false), GO_ON);
	assert_int_equal(stats().evictions, 1);
	assert_int_equal(stats().entries, NR_ENTRIES);
	assert_int_equal(device.nr_mapped, NR_ENTRIES);
	/* The one that went was taken back before its place got another. */
	assert_int_equal(device.order[4 * NR_ENTRIES], 1);
	assert_int_equal(stats().invalidations, 1);
	assert_int_equal(device.nr_written, 4 * NR_ENTRIES + 1 + 4);
}

static void test_limit(void **state)
{
	describe();
	fail_map(-ENOMEM, 1, PAGE);
	assert_int_equal(miss(page(0), false), REFUSE);
	assert_int_equal(reason(), USRPCI_REFUSED_LIMIT);
	assert_int_equal(miss(page(1), false), GO_ON);
	assert_int_equal(miss(page(2), false), GO_ON);
	/* Each time one goes for it. */
	fail_map(-ENOMEM, 1, PAGE);
	assert_int_equal(miss(page(3), false), GO_ON);
	assert_int_equal(stats().evictions, 1);
	assert_int_equal(stats().entries, 2);
	fail_map(-EMFILE, 2, 0);
	assert_int_equal(miss(page(4), false), GO_ON);
	assert_int_equal(stats().entries, 1);
	fail_map(-ENOMEM, 2, PAGE);
	assert_int_equal(miss(page(5), false), REFUSE);
	assert_int_equal(reason(), USRPCI_REFUSED_LIMIT);
	assert_int_equal(stats().entries, 0);
}

static void test_reasons(void **state)
{
	static const struct {
		int err;
		enum usrpci_refusal_reason reason;
	} table[] = {
		{ -ERANGE, USRPCI_REFUSED_BEYOND },
		{ -EFAULT, USRPCI_REFUSED_UNMAPPED },
		{ -EPERM, USRPCI_REFUSED_SPECIAL },
		{ -ENOMEM, USRPCI_REFUSED_NO_MEMORY },
		{ -EIO, USRPCI_REFUSED_NO_MEMORY },
		{ -EMFILE, USRPCI_REFUSED_NO_MEMORY },
	};
	unsigned int i;

	describe();
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		fail_map(table[i].err, 1, 0);
		assert_int_equal(miss(8, false), REFUSE);
		assert_int_equal(reason(), table[i].reason);
	}
	/* Memory that is there and that the process may use, but no device. */
	fail_map(-EFAULT, 1, 0);
	assert_int_equal(miss((uintptr_t)&table & ~7UL, false), REFUSE);
	assert_int_equal(reason(), USRPCI_REFUSED_SPECIAL);
	fail_map(-EFAULT, 1, 0);
	assert_int_equal(miss((uintptr_t)&table & ~7UL, true), REFUSE);
	assert_int_equal(reason(), USRPCI_REFUSED_PROTECTED);
	fail_map(-EFAULT, 1, 0);
	assert_int_equal(miss((uintptr_t)&device & ~7UL, true), REFUSE);
	assert_int_equal(reason(), USRPCI_REFUSED_SPECIAL);
	assert_int_equal(stats().entries, 0);
}

static void forget_once(uint64_t addr)
{
	device.amid = NULL;
	assert_int_equal(usrpci_space_forget(space, (void *)(addr + PAGE - 1), 1), 0);
}

static void forget_always(uint64_t addr)
{
	assert_int_equal(usrpci_space_forget(space, (void *)addr, 1), 0);
}

static void forget_neighbours(uint64_t addr)
{
	assert_int_equal(usrpci_space_forget(space, (void *)(addr - 1), 1), 0);
	assert_int_equal(usrpci_space_forget(space, (void *)(addr + PAGE), 1), 0);
}

static void close_space(uint64_t addr)
{
	device.amid = NULL;
	usrpci_space_close(space);
}

/* What was mapped may be another page's by then. */
static void test_forgotten_meanwhile(void **state)
{
	describe();
	device.amid = forget_once;
	assert_int_equal(miss(page(0), false), GO_ON);
	assert_int_equal(stats().retries, 1);
	assert_int_equal(stats().fills, 1);
	assert_int_equal(device.nr_mapped, 1);
	device.amid = forget_neighbours;
	assert_int_equal(miss(page(2), false), GO_ON);
	assert_int_equal(stats().retries, 1);
	device.amid = forget_always;
	assert_int_equal(miss(page(4), false), REFUSE);
	assert_int_equal(reason(), USRPCI_REFUSED_NO_MEMORY);
	assert_int_equal(device.nr_mapped, 2);
}

static void test_closed_meanwhile(void **state)
{
	describe();
	device.amid = close_space;
	assert_int_equal(miss(page(0), false), REFUSE);
	assert_int_equal(device.nr_mapped, 0);
	space = NULL;
}

/* A bus address that the entry's field hasn't room for, or that isn't a page's. */
static void test_bus_addresses(void **state)
{
	describe();
	device.bus = 1ULL << 44;
	assert_int_equal(miss(page(0), false), REFUSE);
	assert_int_equal(reason(), USRPCI_REFUSED_BEYOND);
	device.bus = 512;
	assert_int_equal(miss(page(0), false), REFUSE);
	assert_int_equal(reason(), USRPCI_REFUSED_BEYOND);
	assert_int_equal(device.nr_mapped, 0);
	device.bus = (1ULL << 44) - 2 * PAGE;
	assert_int_equal(miss(page(0), false), GO_ON);
	assert_int_equal(device.words[0], UINT32_MAX);
}

/* What reads all ones has misses for ever, to whoever believes it. */
static void test_pulled_out(void **state)
{
	unsigned int reads;

	describe();
	assert_int_equal(miss(page(0), false), GO_ON);
	set_flag(&device.gone, true);
	reads = nr_reads();
	eventfd_write(device.wired, 1);
	usleep(50000);
	/* Of this round, and maybe of the end of that before. */
	assert_in_range(nr_reads() - reads, 1, 6);
	assert_int_equal(stats().misses, 1);
	set_flag(&device.gone, false);
	assert_int_equal(miss(page(1), false), GO_ON);
}

static void test_removal(void **state)
{
	struct pollfd p = { .events = POLLIN };

	describe();
	p.fd = usrpci_space_fd(space);
	assert_int_equal(miss(page(0), false), GO_ON);
	assert_int_equal(poll(&p, 1, 0), 0);
	set_flag(&device.removed, true);
	eventfd_write(device.wired, 1);
	assert_int_equal(poll(&p, 1, SOON_MS), 1);
	assert_int_equal(p.revents, POLLHUP);
	assert_int_equal(usrpci_space_forget(space, &p, 1), -ENODEV);
	assert_int_equal(stats().entries, 0);
	assert_int_equal(device.nr_mapped, 0);
}

static void test_vector(void **state)
{
	struct usrpci_device *dev = &device.fake.base;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), none = -1, wired;

	assert_int_equal(usrpci_irq_wire(dev, 0, 1, &fd), 0);
	assert_int_equal(device.wired, fd);
	describe();
	wired = device.wired;
	assert_int_not_equal(wired, fd);
	assert_int_equal(miss(page(0), false), GO_ON);
	assert_int_equal(usrpci_irq_wait(fd, (int)SOON_MS), 1);
	/* What comes while there's none is signalled once there is. */
	assert_int_equal(usrpci_irq_wire(dev, 0, 1, &none), 0);
	assert_int_equal(device.wired, wired);
	assert_int_equal(miss(page(1), false), GO_ON);
	usleep(10000);
	assert_int_equal(usrpci_irq_wait(fd, 0), -ETIMEDOUT);
	assert_int_equal(usrpci_irq_wire(dev, 0, 1, &fd), 0);
	assert_int_equal(usrpci_irq_wait(fd, (int)SOON_MS), 1);
	assert_int_equal(usrpci_irq_setup(dev, USRPCI_NO_IRQ, 0), -EBUSY);
	close(fd);
}

/* Whoever goes on using a borrowed device has the vector again. */
static void test_close_gives_the_vector_back(void **state)
{
	int fd = eventfd(0, EFD_CLOEXEC), pagers;

	describe();
	pagers = device.wired;
	assert_int_equal(usrpci_irq_wire(&device.fake.base, 0, 1, &fd), 0);
	assert_int_equal(miss(page(0), false), GO_ON);
	usrpci_close(&device.fake.base);
	assert_int_not_equal(device.wired, -1);
	assert_int_not_equal(device.wired, pagers);
	assert_int_equal(device.nr_mapped, 0);
	assert_int_equal(usrpci_space_forget(space, NULL, 1), -ENODEV);
	usrpci_space_close(space);
	space = NULL;
	fake_init(&device.fake, &backend);
	close(fd);
}

static void test_child(void **state)
{
	struct usrpci_device *dev = &device.fake.base;
	struct usrpci_space_stats now;
	struct usrpci_space *other;
	const int none = -1;
	int status;
	pid_t child;

	describe();
	assert_int_equal(miss(page(0), false), GO_ON);
	child = fork();
	if (!child) {
		bool ok = usrpci_space_bind(dev, NULL, &other) == -EOPNOTSUPP &&
			usrpci_space_stats(space, &now) == -EOPNOTSUPP &&
			usrpci_space_forget(space, NULL, 1) == -EOPNOTSUPP &&
			usrpci_irq_wire(dev, 0, 1, &none) == -EOPNOTSUPP &&
			!usrpci_reset(dev) && !usrpci_set_master(dev, true);

		usrpci_space_close(space);
		usrpci_close(dev);
		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(miss(page(1), false), GO_ON);
	assert_int_equal(stats().entries, 2);
}

static void test_no_such_vector(void **state)
{
	const struct usrpci_tlb tlb = description();

	/* And nothing is left of it. */
	backend.irq_wire = fake_irq_wire;
	device.fake.fail = -EINVAL;
	assert_int_equal(usrpci_tlb_describe(&device.fake.base, &tlb, 0), -EINVAL);
	device.fake.fail = 0;
	backend.irq_wire = irq_wire;
	describe();
	assert_int_equal(miss(page(0), false), GO_ON);
}

/* --- records --- */

/* Bit @nr of a record whose words are of @width bytes. */
static unsigned int bit(const struct usrpci_record *record, unsigned int nr)
{
	return record->bits[nr / 64] >> nr % 64 & 1;
}

static uint64_t random64(void)
{
	return (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();
}

static void random_record(struct usrpci_record *record)
{
	unsigned int i;

	for (i = 0; i < USRPCI_TLB_MAX_WORDS; i++)
		record->bits[i] = random64();
}

static void random_field(struct usrpci_ioc_field *f)
{
	do {
		f->bit = (uint8_t)rand();
		f->width = (uint8_t)(rand() % 65);
		f->shift = (uint8_t)(rand() % 64);
	} while (!f->width || !usrpci_field_valid(f, USRPCI_RECORD_BITS));
}

static void test_fields(void **state)
{
	struct usrpci_record before, after;
	struct usrpci_ioc_field f = { 0 };
	uint64_t value, fits;
	unsigned int i, n;

	for (n = 0; n < 20000; n++) {
		random_record(&before);
		random_field(&f);
		value = 0;
		for (i = 0; i < f.width; i++)
			value |= (uint64_t)bit(&before, f.bit + i) << (i + f.shift);
		assert_true(usrpci_field_get(&before, &f) == value);
		assert_true(usrpci_field_fits(&f, value));
		value = random64();
		after = before;
		usrpci_field_put(&after, &f, value);
		fits = (f.width == 64 ? UINT64_MAX : (1ULL << f.width) - 1) << f.shift;
		assert_true(usrpci_field_get(&after, &f) == (value & fits));
		assert_int_equal(usrpci_field_fits(&f, value), !(value & ~fits));
		for (i = 0; i < USRPCI_RECORD_BITS; i++)
			if (i < f.bit || i >= f.bit + f.width)
				assert_int_equal(bit(&after, i), bit(&before, i));
	}
}

/* A field made ready is the same field. */
static void test_bits(void **state)
{
	struct usrpci_record before, by_field, by_bits;
	struct usrpci_ioc_field f = { 0 };
	struct usrpci_bits bits;
	uint64_t value;
	unsigned int n;

	for (n = 0; n < 20000; n++) {
		random_record(&before);
		random_field(&f);
		bits = usrpci_bits_of(&f);
		value = usrpci_field_get(&before, &f);
		assert_true(usrpci_bits_get(&before, &bits) == value);
		if (f.width == 1)
			assert_int_equal(usrpci_bits_is_set(&before, &bits), !!value);
		assert_true(usrpci_bits_fit(&bits, value));
		value = random64() >> rand() % 64;
		assert_int_equal(usrpci_bits_fit(&bits, value), usrpci_field_fits(&f, value));
		usrpci_field_put(&before, &f, 0);
		by_field = before;
		by_bits = before;
		usrpci_field_put(&by_field, &f, value);
		usrpci_bits_put(&by_bits, &bits, value);
		assert_memory_equal(&by_field, &by_bits, sizeof(by_bits));
	}
}

static void test_no_field(void **state)
{
	const struct usrpci_ioc_field none = { 0 };
	const struct usrpci_bits bits = usrpci_bits_of(&none);
	struct usrpci_record record, before;

	random_record(&record);
	before = record;
	usrpci_field_put(&record, &none, UINT64_MAX);
	usrpci_bits_put(&record, &bits, UINT64_MAX);
	assert_memory_equal(&record, &before, sizeof(record));
	assert_int_equal(usrpci_field_get(&record, &none), 0);
	assert_int_equal(usrpci_bits_get(&record, &bits), 0);
	assert_false(usrpci_field_exists(&none));
}

static void test_record_words(void **state)
{
	struct usrpci_record record, copy;
	unsigned int i;

	random_record(&record);
	random_record(&copy);
	for (i = 0; i < USRPCI_TLB_MAX_WORDS; i++)
		usrpci_record_set_word(&copy, i, 8, usrpci_record_word(&record, i, 8));
	assert_memory_equal(&record, &copy, sizeof(record));
	memset(&copy, 0, sizeof(copy));
	for (i = 0; i < USRPCI_TLB_MAX_WORDS; i++)
		usrpci_record_set_word(&copy, i, 4, usrpci_record_word(&record, i, 4));
	assert_int_equal(copy.bits[1], record.bits[1]);
	assert_int_equal(copy.bits[0], record.bits[0]);
	assert_int_equal(copy.bits[2], 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_words),
		TEST(test_eviction),
		TEST(test_limit),
		TEST(test_reasons),
		TEST(test_forgotten_meanwhile),
		TEST(test_closed_meanwhile),
		TEST(test_bus_addresses),
		TEST(test_pulled_out),
		TEST(test_removal),
		TEST(test_vector),
		TEST(test_close_gives_the_vector_back),
		TEST(test_child),
		TEST(test_no_such_vector),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_no_field),
		cmocka_unit_test(test_record_words),
	};

	return cmocka_run_group_tests_name("pager", tests, NULL, NULL);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * What <usrpci/tlb.h> and <usrpci/space.h> promise, on an htex at $USRPCI_HTEX: docs/htex.md has
 * its registers.
 */
#include <fcntl.h>
#include <htex/registers.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "memory.h"
#include "rig.h"

#define REFUSALS_KEPT	32U
/* More than the TLB of any device that this is tried on. */
#define MANY_PAGES	(2 * nr_entries())
#define TOO_LONG_MS	30000U

/** struct node - As the device reads it. */
struct node {
	struct node *next;
	uint64_t value;
};

static struct usrpci_space *space;
static struct usrpci_coherent ring;

static const char *address(void)
{
	return getenv("USRPCI_HTEX");
}

static bool is_sim(void)
{
	return !strncmp(address(), "sim:", 4);
}

static uint64_t get(uint64_t offset, unsigned int width)
{
	uint64_t value = 0;

	assert_int_equal(usrpci_bar_read(dev, 0, offset, width, &value), 0);
	return value;
}

static void set(uint64_t offset, unsigned int width, uint64_t value)
{
	assert_int_equal(usrpci_bar_write(dev, 0, offset, width, value), 0);
}

/* --- the device --- */

static void open_at(const char *where)
{
	int err = usrpci_open(&dev, where);
	char why[300];

	if (err) {
		usrpci_explain_open(where, err, why, sizeof(why));
		printf("# %s: %s\n", where, why);
	}
	assert_int_equal(err, 0);
	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	assert_int_equal(usrpci_set_master(dev, true), 0);
	assert_int_equal(usrpci_irq_setup(dev, USRPCI_MSIX, 2), 0);
}

static struct usrpci_reg_place reg(uint64_t offset, unsigned int width)
{
	return (struct usrpci_reg_place){ .offset = offset, .width = width };
}

static struct usrpci_tlb_command command(uint64_t offset, unsigned int bits)
{
	return (struct usrpci_tlb_command){
		.reg = reg(offset, 4),
		.arg = { 0, (uint8_t)bits, 0 },
	};
}

/* Misses in the FIFO; the device chooses entries. */
static struct usrpci_tlb description(void)
{
	return (struct usrpci_tlb){
		.vector = HTEX_VECTOR_MISS,
		.tags = HTEX_TAGS,
		.page_sizes = USRPCI_PAGE_4K,
		.misses = {
			.reg = reg(HTEX_MISS, 8),
			.words = HTEX_MISS_WORDS,
			.word_width = 8,
			.valid = { 0, 1, 0 },
			.write = { 1, 1, 0 },
			.tag = { HTEX_MISS_TAG_SHIFT, 4, 0 },
			.id = { HTEX_MISS_ENGINE_SHIFT, 8, 0 },
			.entry = { HTEX_MISS_ENTRY_SHIFT, 32, 0 },
			.addr = { 64, 64, 0 },
		},
		.entries = {
			.reg = { .bar = HTEX_TLB_BAR, .width = 8 },
			.nr = (uint32_t)get(HTEX_ENTRIES, 4),
			.stride = HTEX_ENTRY_LEN,
			.words = 2,
			.valid = { 0, 1, 0 },
			.write = { 1, 1, 0 },
			.large = { 2, 1, 0 },
			.tag = { HTEX_ENTRY_TAG_SHIFT, 4, 0 },
			.bus = { 12, 52, 12 },
			.addr = { 64 + 12, 52, 12 },
		},
		.ack = { .reg = reg(HTEX_IRQ, 4), .value = HTEX_IRQ_MISS },
		.go_on = command(HTEX_GO_ON, 8),
		.refuse = command(HTEX_REFUSE, 8),
		.invalidate = command(HTEX_INVALIDATE, 32),
		.invalidate_tag = command(HTEX_INVALIDATE_TAG, 4),
		.done = reg(HTEX_BUSY, 4),
		.done_mask = 1,
		.timeout_us = USRPCI_TLB_US,
	};
}

static void start_translating(uint32_t control)
{
	set(HTEX_CONTROL, 4, HTEX_TRANSLATE | HTEX_IRQ_AT_MISS | HTEX_IRQ_AT_END | control);
}

static void describe(void)
{
	const struct usrpci_tlb tlb = description();

	assert_int_equal(usrpci_tlb_describe(dev, &tlb, 0), 0);
}

static struct usrpci_space *bind_space(void)
{
	struct usrpci_space *bound;

	assert_int_equal(usrpci_space_bind(dev, NULL, &bound), 0);
	return bound;
}

/* What most need: a device whose misses are served for this process. */
static void begin(void)
{
	describe();
	space = bind_space();
	start_translating(0);
}

/* The device chooses nothing. */
static void begin_choosing(unsigned int around)
{
	const struct usrpci_space_options options = { .around = around };
	struct usrpci_tlb tlb = description();

	tlb.misses.entry = (struct usrpci_field){ 0 };
	assert_int_equal(usrpci_tlb_describe(dev, &tlb, 0), 0);
	assert_int_equal(usrpci_space_bind(dev, &options, &space), 0);
	start_translating(HTEX_DRIVER_CHOOSES);
}

static struct usrpci_space_stats stats(void)
{
	struct usrpci_space_stats now;

	assert_int_equal(usrpci_space_stats(space, &now), 0);
	return now;
}

/* --- jobs --- */

static void start_job(unsigned int engine, uint32_t job, uint64_t source, uint64_t target,
		      uint64_t len)
{
	const uint64_t at = HTEX_ENGINE(engine);

	set(at + HTEX_TAG, 4, usrpci_space_tag(space));
	set(at + HTEX_SOURCE, 8, source);
	set(at + HTEX_TARGET, 8, target);
	set(at + HTEX_LENGTH, 8, len);
	set(at + HTEX_JOB, 4, job);
}

static uint64_t state_of(unsigned int engine)
{
	return get(HTEX_ENGINE(engine) + HTEX_STATE, 4);
}

static uint64_t end_job(unsigned int engine)
{
	const uint64_t end = now_ms() + TOO_LONG_MS;
	uint64_t state;

	while ((state = state_of(engine)) == HTEX_STATE_RUNNING || state == HTEX_STATE_WAITING) {
		assert_true(now_ms() < end);
		usleep(200);
	}
	return state;
}

static uint64_t result_of(unsigned int engine)
{
	return get(HTEX_ENGINE(engine) + HTEX_RESULT, 8);
}

static void copy(const void *from, void *to, size_t len)
{
	start_job(0, HTEX_JOB_COPY, (uintptr_t)from, (uintptr_t)to, len);
	assert_int_equal(end_job(0), HTEX_STATE_DONE);
}

static unsigned char *new_pages(size_t nr, int prot)
{
	void *pages = mmap(NULL, nr * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(pages, MAP_FAILED);
	return pages;
}

static size_t nr_entries(void)
{
	return (size_t)get(HTEX_ENTRIES, 4);
}

/* A node on each page; the last one's next is @end. */
static struct node *new_list(size_t nr, struct node *(*end)(struct node *first))
{
	unsigned char *pages = new_pages(nr, PROT_READ | PROT_WRITE);
	struct node *node = NULL;
	size_t i;

	for (i = 0; i < nr; i++) {
		node = (struct node *)(pages + i * PAGE);
		node->value = i + 1;
		node->next = (struct node *)(pages + (i + 1) * PAGE);
	}
	node->next = end ? end((struct node *)pages) : NULL;
	return (struct node *)pages;
}

static struct node *again(struct node *first)
{
	return first;
}

static uint64_t sum_of(size_t nr)
{
	return (uint64_t)nr * (nr + 1) / 2;
}

static void walk(const struct node *list, size_t nr)
{
	start_job(0, HTEX_JOB_LIST, (uintptr_t)list, 0, 0);
	assert_int_equal(end_job(0), HTEX_STATE_DONE);
	assert_int_equal(result_of(0), sum_of(nr));
}

/* --- describing --- */

static void drop(struct usrpci_field *field)
{
	*field = (struct usrpci_field){ 0 };
}

typedef void change(struct usrpci_tlb *tlb);

#define CHANGE(_name, _how)	static void _name(struct usrpci_tlb *tlb) { _how; }

CHANGE(no_vector, tlb->vector = 2)
CHANGE(no_tags, tlb->tags = 0)
CHANGE(many_tags, tlb->tags = USRPCI_TLB_TAGS + 1)
CHANGE(tags_without_field, drop(&tlb->entries.tag))
CHANGE(no_sizes, tlb->page_sizes = 0)
CHANGE(unknown_size, tlb->page_sizes = 4)
CHANGE(sizes_without_field, tlb->page_sizes = 3; drop(&tlb->entries.large))
CHANGE(no_words, tlb->misses.words = 0)
CHANGE(many_words, tlb->misses.words = USRPCI_TLB_WORDS + 1)
CHANGE(odd_width, tlb->misses.word_width = 2)
CHANGE(misses_without_bar, tlb->misses.reg.bar = 1)
CHANGE(misses_beyond_bars, tlb->misses.reg.bar = 6)
CHANGE(misses_outside, tlb->misses.reg.offset = 1ULL << 40)
CHANGE(misses_at_the_end, tlb->misses.reg.offset = UINT64_MAX - 7)
CHANGE(misses_askew, tlb->misses.reg.offset = 0x24)
CHANGE(no_such_ring, tlb->misses.ring = 12345; tlb->misses.ring_entries = 16)
CHANGE(entries_without_ring, tlb->misses.ring_entries = 16)
CHANGE(field_beyond_record, tlb->misses.addr.bit = 65)
CHANGE(no_address, drop(&tlb->misses.addr))
CHANGE(wide_valid, tlb->misses.valid.width = 2)
CHANGE(nothing_to_answer_by, drop(&tlb->misses.id); drop(&tlb->misses.entry))
CHANGE(no_entries, tlb->entries.nr = 0)
CHANGE(many_entries, tlb->entries.nr = USRPCI_TLB_ENTRIES + 1)
CHANGE(entries_outside, tlb->entries.nr = USRPCI_TLB_ENTRIES)
CHANGE(entries_overlap, tlb->entries.stride = 8)
CHANGE(no_bus_address, drop(&tlb->entries.bus))
CHANGE(entry_field_beyond, tlb->entries.addr.bit = 77)
CHANGE(no_go_on, tlb->go_on = (struct usrpci_tlb_command){ 0 })
CHANGE(no_refuse, tlb->refuse = (struct usrpci_tlb_command){ 0 })
CHANGE(refuse_outside, tlb->refuse.reg.offset = 1 << 20)
CHANGE(small_argument, tlb->invalidate.arg.width = 2)
CHANGE(small_tag_argument, tlb->invalidate_tag.arg.width = 2)
CHANGE(no_time, tlb->timeout_us = 0)
CHANGE(much_time, tlb->timeout_us = USRPCI_TLB_US + 1)
CHANGE(value_beyond_mask, tlb->done_value = 2)
CHANGE(mask_without_register, tlb->done = (struct usrpci_reg_place){ 0 })
CHANGE(odd_register, tlb->go_on.reg.width = 2)
CHANGE(overlong_field, tlb->misses.addr.shift = 12; tlb->misses.addr.width = 64)
CHANGE(coarse_address, tlb->entries.addr.shift = 13; tlb->entries.addr.width = 51)
CHANGE(fields_overlap, tlb->entries.bus.bit = tlb->entries.addr.bit - 1)
CHANGE(odd_stride, tlb->entries.stride = 20)
CHANGE(odd_ring, tlb->misses.ring = 12345; tlb->misses.ring_entries = 3)
CHANGE(shifted_answer, tlb->go_on.arg.width = 28; tlb->go_on.arg.shift = 4)
CHANGE(small_answer, tlb->refuse.arg.width = 4)
CHANGE(large_value, tlb->ack.reg = tlb->go_on.reg; tlb->ack.value = 1ULL << 32)
CHANGE(no_mask, tlb->done_mask = 0; tlb->done_value = 0)

/* And how the sentence about each begins. */
static const struct {
	change *how;
	const char *says;
} changes[] = {
	{ no_vector, "vector 2 isn't set up" },
	{ no_tags, "tags is 0, of 1 to 16" },
	{ many_tags, "tags is 17, of 1 to 16" },
	{ tags_without_field, "entries.tag is missing" },
	{ no_sizes, "page_sizes is 0x0" },
	{ unknown_size, "page_sizes is 0x4" },
	{ sizes_without_field, "entries.large is missing" },
	{ no_words, "misses.words is 0" },
	{ many_words, "misses.words is 5" },
	{ odd_width, "misses.word_width is 2" },
	{ misses_without_bar, "misses.reg.bar is 1, and there is no BAR 1" },
	{ misses_beyond_bars, "misses.reg.bar is 6" },
	{ misses_outside, "misses.reg begins at 0x10000000000" },
	{ misses_at_the_end, "misses.reg begins at 0xfffffffffffffff8" },
	{ misses_askew, "misses.reg.offset is 0x24" },
	{ no_such_ring, "misses.ring is 12345" },
	{ entries_without_ring, "misses.ring is 0" },
	{ field_beyond_record, "misses.addr ends before bit 129" },
	{ no_address, "misses.addr is missing" },
	{ wide_valid, "misses.valid has 2 bits" },
	{ nothing_to_answer_by, "misses.id is missing" },
	{ no_entries, "entries.nr is 0" },
	{ many_entries, "entries.nr is 1048577" },
	{ entries_outside, "entries.reg begins at 0x0" },
	{ entries_overlap, "entries.stride is 8" },
	{ no_bus_address, "entries.bus is missing" },
	{ entry_field_beyond, "entries.addr ends before bit 129" },
	{ no_go_on, "go_on.reg is missing" },
	{ no_refuse, "refuse.reg is missing" },
	{ refuse_outside, "refuse.reg begins at 0x100000" },
	{ small_argument, "invalidate.arg has 2 bits" },
	{ small_tag_argument, "invalidate_tag.arg has 2 bits" },
	{ no_time, "timeout_us is 0" },
	{ much_time, "timeout_us is 10001" },
	{ value_beyond_mask, "done_value has bits" },
	{ mask_without_register, "done_mask is set" },
	{ odd_register, "go_on.reg.width is 2" },
	{ overlong_field, "misses.addr.width and shift are 76" },
	{ coarse_address, "entries.addr.shift is 13" },
	{ fields_overlap, "entries.addr and entries.bus overlap" },
	{ odd_stride, "entries.stride is 20, no multiple" },
	{ odd_ring, "misses.ring_entries is 3" },
	{ shifted_answer, "go_on.arg.shift is 4" },
	{ small_answer, "refuse.arg has 4 bits, misses.id has 8" },
	{ large_value, "ack.value has more" },
	{ no_mask, "done_mask is 0" },
};

/* Each is explained, and leaves the device without a description. */
static void impossible_tlbs_are_einval(unsigned int flags)
{
	const char *is = "can't be as described: ";
	struct usrpci_tlb tlb;
	char why[512];
	const char *at;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		tlb = description();
		changes[i].how(&tlb);
		why[0] = '\0';
		if (usrpci_tlb_describe(dev, &tlb, flags) == -EINVAL)
			usrpci_explain(dev, -EINVAL, why, sizeof(why));
		at = strstr(why, is);
		if (!at || strncmp(at + strlen(is), changes[i].says, strlen(changes[i].says)))
			printf("# not %s, but: %s\n", changes[i].says, why);
		assert_non_null(at);
		assert_memory_equal(at + strlen(is), changes[i].says, strlen(changes[i].says));
	}
	assert_int_equal(usrpci_space_bind(dev, NULL, &space), -EINVAL);
	space = NULL;
	begin();
	walk(new_list(3, NULL), 3);
}

static void impossible_tlbs_of_the_backend(void)
{
	impossible_tlbs_are_einval(0);
}

static void impossible_tlbs_of_the_library(void)
{
	impossible_tlbs_are_einval(USRPCI_TLB_BY_LIBRARY);
}

static void wrong_arguments_are_einval(void)
{
	const struct usrpci_tlb tlb = description();

	assert_int_equal(usrpci_tlb_describe(dev, NULL, 0), -EINVAL);
	assert_int_equal(usrpci_tlb_describe(dev, &tlb, 2), -EINVAL);
	assert_int_equal(usrpci_tlb_describe(dev, &tlb, UINT32_MAX), -EINVAL);
}

static void tlb_is_described_once(void)
{
	const struct usrpci_tlb tlb = description();

	describe();
	assert_int_equal(usrpci_tlb_describe(dev, &tlb, 0), -EBUSY);
	assert_int_equal(usrpci_tlb_describe(dev, &tlb, USRPCI_TLB_BY_LIBRARY), -EBUSY);
}

static void vectors_stay_set_up(void)
{
	describe();
	assert_int_equal(usrpci_irq_setup(dev, USRPCI_NO_IRQ, 0), -EBUSY);
	assert_int_equal(usrpci_irq_setup(dev, USRPCI_MSIX, 2), -EBUSY);
}

static void tlb_needs_a_vector_of_messages(void)
{
	struct usrpci_tlb tlb = description();

	assert_int_equal(usrpci_irq_setup(dev, USRPCI_NO_IRQ, 0), 0);
	assert_int_equal(usrpci_tlb_describe(dev, &tlb, 0), -EINVAL);
	assert_int_equal(usrpci_irq_setup(dev, USRPCI_INTX, 1), 0);
	assert_int_equal(usrpci_tlb_describe(dev, &tlb, 0), -EINVAL);
}

static void registers_of_an_msix_table_are_eperm(void)
{
	struct usrpci_tlb tlb = description();
	struct usrpci_info info;

	assert_int_equal(usrpci_info(dev, &info), 0);
	if (info.caps & USRPCI_CAN_REMAP_IRQ)
		rig_skip("interrupts are remapped: none can be forged");
	tlb.entries.reg.bar = 4;
	tlb.entries.nr = 1;
	assert_int_equal(usrpci_tlb_describe(dev, &tlb, 0), -EPERM);
	assert_int_equal(usrpci_tlb_describe(dev, &tlb, USRPCI_TLB_BY_LIBRARY), -EPERM);
	tlb = description();
	tlb.refuse.reg.bar = 4;
	tlb.refuse.reg.offset = 0;
	assert_int_equal(usrpci_tlb_describe(dev, &tlb, USRPCI_TLB_BY_LIBRARY), -EPERM);
}

/* --- binding --- */

static void binding_needs_a_description(void)
{
	assert_int_equal(usrpci_space_bind(dev, NULL, &space), -EINVAL);
}

static void wrong_options_are_einval(void)
{
	static const struct usrpci_space_options wrong[] = {
		{ .flags = 2 }, { .flags = UINT32_MAX }, { .around = USRPCI_SPACE_AROUND + 1 },
		{ .around = UINT32_MAX },
		/* The device chooses entries. */
		{ .around = 1 },
	};
	size_t i;

	describe();
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(usrpci_space_bind(dev, &wrong[i], &space), -EINVAL);
	assert_int_equal(usrpci_space_bind(dev, NULL, NULL), -EINVAL);
	usrpci_space_close(NULL);
}

static void mirroring_is_as_info_says(void)
{
	const struct usrpci_space_options mirrored = { .flags = USRPCI_SPACE_MIRRORED };
	struct usrpci_info info;
	int err;

	assert_int_equal(usrpci_info(dev, &info), 0);
	describe();
	err = usrpci_space_bind(dev, &mirrored, &space);
	if (!(info.caps & USRPCI_CAN_MIRROR)) {
		assert_int_equal(err, -EOPNOTSUPP);
		return;
	}
	assert_int_equal(err, 0);
	start_translating(0);
	walk(new_list(3, NULL), 3);
	assert_int_equal(stats().pages, 0);
}

static void library_mirrors_nothing(void)
{
	const struct usrpci_space_options mirrored = { .flags = USRPCI_SPACE_MIRRORED };
	const struct usrpci_tlb tlb = description();

	assert_int_equal(usrpci_tlb_describe(dev, &tlb, USRPCI_TLB_BY_LIBRARY), 0);
	assert_int_equal(usrpci_space_bind(dev, &mirrored, &space), -EOPNOTSUPP);
}

static void tags_are_given_out_once(void)
{
	struct usrpci_space *spaces[USRPCI_TLB_TAGS], *more;
	unsigned int i, tags = 0;

	describe();
	for (i = 0; i < USRPCI_TLB_TAGS; i++) {
		spaces[i] = bind_space();
		tags |= 1U << usrpci_space_tag(spaces[i]);
	}
	assert_int_equal(tags, 0xffff);
	assert_int_equal(usrpci_space_bind(dev, NULL, &more), -ENOSPC);
	i = usrpci_space_tag(spaces[7]);
	usrpci_space_close(spaces[7]);
	spaces[7] = bind_space();
	assert_int_equal(usrpci_space_tag(spaces[7]), i);
	for (i = 0; i < USRPCI_TLB_TAGS; i++)
		usrpci_space_close(spaces[i]);
}

/* Whoever has the device from fork: a child of its own memory, or nobody. */
static void child_binds_itself_or_nobody(void)
{
	struct usrpci_space *bound;
	pid_t child;
	int status;

	begin();
	child = fork();
	if (!child)
		_exit(-usrpci_space_bind(dev, NULL, &bound));
	status = rig_reap(child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != EOPNOTSUPP)
		assert_int_equal(WEXITSTATUS(status), 0);
	walk(new_list(3, NULL), 3);
}

/* --- translating --- */

static void device_follows_pointers(void)
{
	begin();
	walk(new_list(20, NULL), 20);
	assert_int_equal(stats().misses, get(HTEX_ENGINE(0) + HTEX_MISSES, 8));
}

static void library_serves_where_it_is_asked_to(void)
{
	const struct usrpci_tlb tlb = description();

	assert_int_equal(usrpci_tlb_describe(dev, &tlb, USRPCI_TLB_BY_LIBRARY), 0);
	space = bind_space();
	start_translating(0);
	walk(new_list(MANY_PAGES, NULL), MANY_PAGES);
	assert_int_equal(usrpci_space_forget(space, NULL, UINT64_MAX), 0);
	assert_int_equal(stats().entries, 0);
}

static void device_writes_what_it_may(void)
{
	unsigned char *from = new_pages(5, PROT_READ | PROT_WRITE);
	unsigned char *to = new_pages(5, PROT_READ | PROT_WRITE);

	begin();
	rig_fill(from, 5 * PAGE, 3);
	copy(from + 100, to + 7, 4 * PAGE);
	assert_memory_equal(from + 100, to + 7, 4 * PAGE);
}

/* It read there first, and has a translation that doesn't do. */
static void page_that_was_read_can_be_written(void)
{
	unsigned char *page = new_pages(1, PROT_READ | PROT_WRITE);

	begin();
	rig_fill(page, 1000, 5);
	copy(page, page + 2000, 1000);
	assert_memory_equal(page, page + 2000, 1000);
	assert_int_equal(stats().entries, 1);
}

static void misses_may_come_in_a_ring(void)
{
	struct usrpci_tlb tlb = description();
	struct node *list = new_list(MANY_PAGES, NULL);

	assert_int_equal(usrpci_coherent_alloc(dev, PAGE, &ring), 0);
	set(HTEX_RING, 8, ring.bus_addr + 256);
	set(HTEX_RING_SIZE, 4, 4);
	tlb.misses.reg = reg(HTEX_RING_TAKEN, 4);
	tlb.misses.ring = ring.handle;
	tlb.misses.ring_entries = 4;
	tlb.misses.ring_offset = 256;
	assert_int_equal(usrpci_tlb_describe(dev, &tlb, 0), 0);
	space = bind_space();
	start_translating(HTEX_TO_RING);
	walk(list, MANY_PAGES);
	/* It's the device's till that is closed. */
	assert_int_equal(usrpci_coherent_free(dev, &ring), 0);
	walk(list, MANY_PAGES);
}

static void ring_lies_in_its_buffer(void)
{
	struct usrpci_tlb tlb = description();

	assert_int_equal(usrpci_coherent_alloc(dev, PAGE, &ring), 0);
	tlb.misses.reg = reg(HTEX_RING_TAKEN, 4);
	tlb.misses.ring = ring.handle;
	tlb.misses.ring_entries = 256;
	tlb.misses.ring_offset = 8;
	assert_int_equal(usrpci_tlb_describe(dev, &tlb, 0), -EINVAL);
	tlb.misses.ring_offset = UINT64_MAX - 7;
	assert_int_equal(usrpci_tlb_describe(dev, &tlb, 0), -EINVAL);
	tlb.misses.ring_entries = 3;
	tlb.misses.ring_offset = 0;
	assert_int_equal(usrpci_tlb_describe(dev, &tlb, 0), -EINVAL);
}

static void driver_may_choose_entries(void)
{
	begin_choosing(0);
	walk(new_list(MANY_PAGES, NULL), MANY_PAGES);
	assert_int_equal(stats().misses, MANY_PAGES);
	assert_true(stats().evictions >= MANY_PAGES - nr_entries());
}

static void neighbours_come_with_a_miss(void)
{
	begin_choosing(8);
	walk(new_list(40, NULL), 40);
	assert_in_range(stats().misses, 1, 20);
}

/* More of them than there are entries: the one that was missed stays. */
static void neighbours_leave_room(void)
{
	char where[200];

	if (!is_sim())
		rig_skip("its TLB can't be made small");
	usrpci_close(dev);
	snprintf(where, sizeof(where), "%s,entries=16", address());
	open_at(where);
	begin_choosing(USRPCI_SPACE_AROUND);
	walk(new_list(200, NULL), 200);
	/* They are of use. */
	assert_in_range(stats().misses, 1, 150);
}

static void small_pages_are_refused_by_a_large_tlb(void)
{
	struct usrpci_tlb tlb = description();
	unsigned char *page = new_pages(1, PROT_READ | PROT_WRITE);
	struct usrpci_refusal refusal;

	madvise(page, PAGE, MADV_NOHUGEPAGE);
	tlb.page_sizes = USRPCI_PAGE_2M;
	assert_int_equal(usrpci_tlb_describe(dev, &tlb, 0), 0);
	space = bind_space();
	start_translating(0);
	start_job(0, HTEX_JOB_LIST, (uintptr_t)page, 0, 1);
	assert_int_equal(end_job(0), HTEX_STATE_UNTRANSLATED);
	assert_int_equal(usrpci_space_refusal(space, &refusal), 0);
	assert_int_equal(refusal.reason, USRPCI_REFUSED_SMALL);
	assert_int_equal(stats().pages, 0);
}

static void entries_make_room_for_others(void)
{
	begin();
	walk(new_list(MANY_PAGES, NULL), MANY_PAGES);
	assert_true(stats().evictions >= MANY_PAGES - nr_entries());
	assert_in_range(stats().entries, 1, nr_entries());
	assert_int_equal(stats().pages, stats().entries);
}

static void spaces_dont_mix(void)
{
	struct usrpci_space *first;

	begin();
	first = space;
	walk(new_list(10, NULL), 10);
	assert_int_equal(stats().misses, 10);
	space = bind_space();
	walk(new_list(5, NULL), 5);
	assert_int_equal(stats().misses, 5);
	usrpci_space_close(space);
	space = first;
	assert_int_equal(stats().misses, 10);
	walk(new_list(5, NULL), 5);
	assert_int_equal(stats().misses, 15);
}

static void engines_miss_at_once(void)
{
	struct node *list = new_list(MANY_PAGES, NULL);
	unsigned int i, nr = (unsigned int)get(HTEX_ENGINES, 4);

	begin();
	for (i = 0; i < nr; i++)
		start_job(i, HTEX_JOB_LIST, (uintptr_t)list, 0, 0);
	for (i = 0; i < nr; i++) {
		assert_int_equal(end_job(i), HTEX_STATE_DONE);
		assert_int_equal(result_of(i), sum_of(MANY_PAGES));
	}
}

/* Pages of 2 MiB where there are any, and of 4 KiB where not. */
static void large_pages_are_used_or_not(void)
{
	const size_t large = 2UL << 20;
	struct usrpci_tlb tlb = description();
	unsigned char *area, *start;
	struct node *list;
	size_t i;

	tlb.page_sizes = USRPCI_PAGE_4K | USRPCI_PAGE_2M;
	assert_int_equal(usrpci_tlb_describe(dev, &tlb, 0), 0);
	space = bind_space();
	start_translating(0);
	area = new_pages(4 * large / PAGE, PROT_READ | PROT_WRITE);
	start = area + (-(uintptr_t)area & (large - 1));
	madvise(start, 2 * large, MADV_HUGEPAGE);
	list = (struct node *)start;
	for (i = 0; i < 2 * large / PAGE; i++) {
		list = (struct node *)(start + i * PAGE);
		list->value = i + 1;
		list->next = (struct node *)(start + (i + 1) * PAGE);
	}
	list->next = NULL;
	walk((struct node *)start, 2 * large / PAGE);
	assert_true(stats().pages >= stats().entries);
	if (stats().pages == stats().entries)
		printf("# no page of 2 MiB was used\n");
	assert_int_equal(usrpci_space_forget(space, start + large, 1), 0);
	walk((struct node *)start, 2 * large / PAGE);
}

/* --- the vector --- */

static void program_hears_of_the_vector_too(bool before)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct node *list = new_list(1, NULL);

	assert_true(fd >= 0);
	assert_int_equal(usrpci_irq_setup(dev, USRPCI_NO_IRQ, 0), 0);
	assert_int_equal(usrpci_irq_setup(dev, USRPCI_MSI, 1), 0);
	if (before)
		assert_int_equal(usrpci_irq_wire(dev, 0, 1, &fd), 0);
	begin();
	if (!before)
		assert_int_equal(usrpci_irq_wire(dev, 0, 1, &fd), 0);
	walk(list, 1);
	/* Of the miss or of the end; then there's no miss any more. */
	assert_true(usrpci_irq_wait(fd, SOON_MS) > 0);
	while (usrpci_irq_wait(fd, NEVER_MS) > 0)
		;
	walk(list, 1);
	assert_int_equal(stats().misses, 1);
	assert_int_equal(usrpci_irq_wait(fd, SOON_MS), 1);
	close(fd);
}

static void eventfd_of_before_is_signalled(void)
{
	program_hears_of_the_vector_too(true);
}

static void eventfd_of_afterwards_is_signalled(void)
{
	program_hears_of_the_vector_too(false);
}

static void eventfds_are_checked(void)
{
	int wrong[] = { STDIN_FILENO, -1 }, none[] = { -1, -1 };

	begin();
	wrong[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_int_equal(usrpci_irq_wire(dev, 0, 2, wrong), -EINVAL);
	close(wrong[0]);
	assert_int_equal(usrpci_irq_wire(dev, 0, 2, wrong), -EBADF);
	assert_int_equal(usrpci_irq_wire(dev, 0, 2, none), 0);
	walk(new_list(3, NULL), 3);
}

/* --- refusing --- */

static short space_polls(void)
{
	struct pollfd p = { .fd = usrpci_space_fd(space), .events = POLLIN };

	assert_true(poll(&p, 1, 0) >= 0);
	return p.revents;
}

static void assert_refused(const void *addr, enum usrpci_refusal_reason reason, bool write)
{
	struct usrpci_refusal refusal;

	assert_int_equal(end_job(0), HTEX_STATE_UNTRANSLATED);
	assert_int_equal(space_polls(), POLLIN);
	assert_int_equal(usrpci_space_refusal(space, &refusal), 0);
	assert_int_equal(refusal.addr & ~(PAGE - 1), (uintptr_t)addr & ~(PAGE - 1));
	assert_int_equal(refusal.reason, reason);
	assert_int_equal(refusal.write, write);
	assert_int_equal(refusal.lost, 0);
	assert_int_equal(usrpci_space_refusal(space, &refusal), -EAGAIN);
	assert_int_equal(space_polls(), 0);
}

static void unmapped_memory_is_refused(void)
{
	unsigned char *pages = new_pages(3, PROT_READ | PROT_WRITE);

	begin();
	munmap(pages + PAGE, PAGE);
	start_job(0, HTEX_JOB_COPY, (uintptr_t)pages, (uintptr_t)pages + 2 * PAGE, 2 * PAGE);
	assert_refused(pages + PAGE, USRPCI_REFUSED_UNMAPPED, false);
	start_job(0, HTEX_JOB_LIST, 8, 0, 0);
	assert_refused((void *)8, USRPCI_REFUSED_UNMAPPED, false);
	start_job(0, HTEX_JOB_LIST, 0xffffffffffff0000, 0, 0);
	assert_refused((void *)0xffffffffffff0000, USRPCI_REFUSED_UNMAPPED, false);
	assert_int_equal(stats().refusals, 3);
	walk(new_list(3, NULL), 3);
}

static void protected_memory_is_refused(void)
{
	unsigned char *pages = new_pages(3, PROT_READ | PROT_WRITE);

	begin();
	memset(pages, 1, 3 * PAGE);
	mprotect(pages, PAGE, PROT_NONE);
	mprotect(pages + PAGE, PAGE, PROT_READ);
	start_job(0, HTEX_JOB_COPY, (uintptr_t)pages, (uintptr_t)pages + 2 * PAGE, 16);
	assert_refused(pages, USRPCI_REFUSED_PROTECTED, false);
	start_job(0, HTEX_JOB_COPY, (uintptr_t)pages + 2 * PAGE, (uintptr_t)pages + PAGE, 16);
	assert_refused(pages + PAGE, USRPCI_REFUSED_PROTECTED, true);
	pages[2 * PAGE] = 9;
	copy(pages + PAGE, pages + 2 * PAGE, 16);
	assert_int_equal(pages[2 * PAGE], 1);
}

/* Else what may only be read could be written, since the entry doesn't say. */
static void read_only_memory_is_refused_where_all_is_writable(void)
{
	struct usrpci_tlb tlb = description();
	unsigned char *page = new_pages(1, PROT_READ);

	tlb.entries.write = (struct usrpci_field){ 0 };
	assert_int_equal(usrpci_tlb_describe(dev, &tlb, 0), 0);
	space = bind_space();
	start_translating(0);
	start_job(0, HTEX_JOB_LIST, (uintptr_t)page, 0, 1);
	assert_int_equal(end_job(0), HTEX_STATE_UNTRANSLATED);
}

static void refusals_are_kept_and_lost_ones_counted(void)
{
	struct usrpci_refusal refusal;
	unsigned int i;

	begin();
	assert_int_equal(usrpci_space_refusal(space, &refusal), -EAGAIN);
	assert_int_equal(usrpci_space_refusal(space, NULL), -EINVAL);
	for (i = 1; i <= REFUSALS_KEPT + 5; i++) {
		start_job(0, HTEX_JOB_LIST, i * 8, 0, 0);
		assert_int_equal(end_job(0), HTEX_STATE_UNTRANSLATED);
	}
	for (i = 1; i <= REFUSALS_KEPT; i++) {
		assert_int_equal(usrpci_space_refusal(space, &refusal), 0);
		assert_int_equal(refusal.addr, i * 8);
		assert_int_equal(refusal.lost, i == 1 ? 5 : 0);
	}
	assert_int_equal(usrpci_space_refusal(space, &refusal), -EAGAIN);
	assert_int_equal(stats().refusals, REFUSALS_KEPT + 5);
}

static void reasons_have_names(void **state)
{
	unsigned int reason, other;

	for (reason = USRPCI_REFUSED_UNMAPPED; reason <= USRPCI_REFUSED_SMALL; reason++)
		for (other = 0; other < reason; other++)
			assert_string_not_equal(usrpci_refusal_name(reason),
						usrpci_refusal_name(other));
	assert_non_null(usrpci_refusal_name((enum usrpci_refusal_reason)1000));
}

static void stranger_is_turned_away_and_told_of(void)
{
	const uint64_t end = now_ms() + SOON_MS;
	struct usrpci_event event = { 0 };
	int err;

	begin();
	set(HTEX_ENGINE(0) + HTEX_TAG, 4, 9);
	set(HTEX_ENGINE(0) + HTEX_SOURCE, 8, 4096);
	set(HTEX_ENGINE(0) + HTEX_JOB, 4, HTEX_JOB_LIST);
	assert_int_equal(end_job(0), HTEX_STATE_UNTRANSLATED);
	assert_int_equal(stats().misses, 0);
	while ((err = usrpci_event(dev, &event)) == -EAGAIN && now_ms() < end)
		usleep(1000);
	assert_int_equal(err, 0);
	assert_int_equal(event.kind, USRPCI_MISS_OF_NOBODY);
	assert_int_equal(event.tag, 9);
	assert_int_equal(event.count, 1);
}

/* --- forgetting --- */

static void forgotten_memory_is_missed_again(void)
{
	const size_t nr = 10;
	struct node *list = new_list(nr, NULL);

	begin();
	walk(list, nr);
	assert_int_equal(stats().entries, nr);
	/* A byte of it is all of its page. */
	assert_int_equal(usrpci_space_forget(space, (char *)list + 3 * PAGE + 5, 1), 0);
	assert_int_equal(stats().entries, nr - 1);
	assert_int_equal(stats().pages, nr - 1);
	assert_int_equal(usrpci_space_forget(space, (char *)list + 5 * PAGE - 1, 2), 0);
	assert_int_equal(stats().entries, nr - 3);
	assert_int_equal(stats().invalidations, 3);
	walk(list, nr);
	assert_int_equal(stats().misses, nr + 3);
	assert_int_equal(usrpci_space_forget(space, list, nr * PAGE), 0);
	assert_int_equal(stats().entries, 0);
	assert_int_equal(stats().pages, 0);
}

static void other_memory_may_take_its_place(void)
{
	struct node *list = new_list(3, NULL), *moved;

	begin();
	walk(list, 3);
	moved = mremap(list, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		       new_pages(3, PROT_NONE));
	assert_ptr_not_equal(moved, MAP_FAILED);
	assert_int_equal(usrpci_space_forget(space, list, 3 * PAGE), 0);
	start_job(0, HTEX_JOB_LIST, (uintptr_t)list, 0, 0);
	assert_refused(list, USRPCI_REFUSED_UNMAPPED, false);
	assert_ptr_equal(mmap(list, PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), list);
	list->value = 1;
	walk(list, 1);
}

static void wrong_memory_is_einval(void)
{
	begin();
	assert_int_equal(usrpci_space_forget(space, NULL, 0), -EINVAL);
	assert_int_equal(usrpci_space_forget(space, (void *)UINTPTR_MAX, 2), -EINVAL);
	assert_int_equal(usrpci_space_forget(space, (void *)PAGE, UINT64_MAX), -EINVAL);
	assert_int_equal(usrpci_space_forget(space, (void *)UINTPTR_MAX, 1), 0);
	assert_int_equal(usrpci_space_forget(space, NULL, UINT64_MAX), 0);
}

struct forgetter {
	struct node *list;
	size_t nr;
	bool stop;
};

static void *forget_often(void *arg)
{
	struct forgetter *f = arg;
	size_t i = 0;

	while (!__atomic_load_n(&f->stop, __ATOMIC_RELAXED)) {
		if (usrpci_space_forget(space, (char *)f->list + i++ % f->nr * PAGE, PAGE))
			return f;
		usleep(50);
	}
	return NULL;
}

static void memory_is_forgotten_while_it_is_used(void)
{
	struct forgetter f = { .nr = nr_entries() / 2 };
	pthread_t thread;
	unsigned int i;
	void *failed;

	f.list = new_list(f.nr, NULL);
	begin();
	assert_int_equal(pthread_create(&thread, NULL, forget_often, &f), 0);
	for (i = 0; i < 20; i++)
		walk(f.list, f.nr);
	__atomic_store_n(&f.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, &failed);
	assert_null(failed);
}

/* --- figures --- */

static void figures_add_up(void)
{
	struct usrpci_space_stats now;
	uint64_t sum = 0;
	unsigned int i;

	begin();
	assert_int_equal(usrpci_space_stats(space, NULL), -EINVAL);
	walk(new_list(MANY_PAGES, NULL), MANY_PAGES);
	start_job(0, HTEX_JOB_LIST, 8, 0, 0);
	end_job(0);
	now = stats();
	assert_int_equal(now.misses, MANY_PAGES + 1);
	assert_int_equal(now.refusals, 1);
	assert_int_equal(now.fills, MANY_PAGES);
	assert_int_equal(now.entries, now.fills - now.evictions - now.invalidations);
	for (i = 0; i < USRPCI_SPACE_BINS; i++)
		sum += now.latency[i];
	assert_int_equal(sum, now.misses);
	assert_int_equal(now.latency[0], 0);
}

static void memory_that_was_not_there_is_counted(void)
{
	unsigned char *pages = new_pages(4, PROT_READ | PROT_WRITE);

	begin();
	memset(pages, 1, 2 * PAGE);
	copy(pages, pages + 2 * PAGE, 2 * PAGE);
	assert_int_equal(stats().faults, 2);
}

/* --- ends --- */

static void close_ends_jobs(void)
{
	struct node *list = new_list(MANY_PAGES, again);

	begin();
	start_job(0, HTEX_JOB_LIST, (uintptr_t)list, 0, 0);
	while (stats().misses < nr_entries())
		usleep(100);
	usrpci_space_close(space);
	space = NULL;
	assert_int_equal(end_job(0), HTEX_STATE_UNTRANSLATED);
	space = bind_space();
	start_job(0, HTEX_JOB_LIST, (uintptr_t)list, 0, 10);
	assert_int_equal(end_job(0), HTEX_STATE_DONE);
}

static void assert_ended(void)
{
	struct usrpci_space_stats now;
	struct usrpci_refusal refusal;
	struct pollfd p = { .fd = usrpci_space_fd(space), .events = POLLIN };

	assert_int_equal(poll(&p, 1, SOON_MS), 1);
	assert_int_equal(p.revents & POLLHUP, POLLHUP);
	assert_int_equal(usrpci_space_forget(space, &p, 1), -ENODEV);
	if (dev)
		return;
	assert_int_equal(usrpci_space_stats(space, &now), -ENODEV);
	assert_int_equal(usrpci_space_refusal(space, &refusal), -ENODEV);
}

static void close_of_the_device_ends_spaces(void)
{
	struct usrpci_space *second;

	begin();
	second = bind_space();
	walk(new_list(3, NULL), 3);
	start_job(0, HTEX_JOB_LIST, (uintptr_t)new_list(MANY_PAGES, again), 0, 0);
	usrpci_close(dev);
	dev = NULL;
	assert_ended();
	usrpci_space_close(second);
	/* Nobody has it any more. */
	open_at(address());
	usrpci_close(dev);
	dev = NULL;
}

static void removal_ends_spaces(void)
{
	struct usrpci_space_stats now;

	if (!is_sim())
		rig_skip("it isn't a simulator's own, which could be ended");
	begin();
	walk(new_list(3, NULL), 3);
	rig_remove();
	assert_ended();
	assert_int_equal(usrpci_space_stats(space, &now), 0);
	assert_int_equal(now.misses, 3);
	assert_int_equal(now.entries, 0);
}

static void reset_forgets_all(void)
{
	struct node *list = new_list(5, NULL);
	int err;

	begin();
	walk(list, 5);
	err = usrpci_reset(dev);
	if (err == -EOPNOTSUPP)
		rig_skip("the function can't be reset alone");
	assert_int_equal(err, 0);
	assert_int_equal(stats().entries, 0);
	start_translating(0);
	walk(list, 5);
	assert_int_equal(stats().misses, 10);
}

static void deaf_device_is_stopped(void)
{
	struct usrpci_event event = { 0 };
	struct usrpci_space *other;
	struct node *list = new_list(5, NULL);
	char where[200];

	if (!is_sim())
		rig_skip("it can't be made deaf");
	usrpci_close(dev);
	snprintf(where, sizeof(where), "%s,deaf=1", address());
	open_at(where);
	begin();
	walk(list, 5);
	assert_int_equal(usrpci_space_forget(space, list, PAGE), -EIO);
	assert_int_equal(usrpci_event(dev, &event), 0);
	assert_int_equal(event.kind, USRPCI_TLB_DEAF);
	assert_int_equal(rig_config(PCI_COMMAND, 2) & PCI_COMMAND_MASTER, 0);
	assert_int_equal(usrpci_set_master(dev, true), -EIO);
	assert_int_equal(stats().pages, 0);
	assert_int_equal(usrpci_space_bind(dev, NULL, &other), -EIO);
	assert_int_equal(usrpci_space_forget(space, list, PAGE), -EIO);
	assert_int_equal(space_polls() & POLLHUP, POLLHUP);
}

static void spaces_leave_nothing_open(void)
{
	unsigned int before, i;

	describe();
	before = rig_descriptors();
	for (i = 0; i < 20; i++)
		usrpci_space_close(bind_space());
	assert_int_equal(rig_descriptors(), before);
	usrpci_close(dev);
	open_at(address());
	before = rig_descriptors();
	usrpci_close(dev);
	open_at(address());
	begin();
	usrpci_space_close(space);
	space = NULL;
	usrpci_close(dev);
	open_at(address());
	assert_int_equal(rig_descriptors(), before);
}

/* --- trying --- */

/** struct promise - What is tried on an open device. */
struct promise {
	void (*test)(void);
};

static void try_promise(void **state)
{
	const struct promise *promise = *state;

	if (!address())
		rig_skip("there is no htex: USRPCI_HTEX=ADDRESS names one");
	open_at(address());
	promise->test();
}

static int end_promise(void **state)
{
	usrpci_space_close(space);
	space = NULL;
	usrpci_close(dev);
	dev = NULL;
	return 0;
}

#define ON_HTEX(_words, _test) \
	{ _words, try_promise, NULL, end_promise, &(struct promise){ _test } }

int main(void)
{
	const struct CMUnitTest promises[] = {
		ON_HTEX("a TLB that can't be is EINVAL, and explained",
			impossible_tlbs_of_the_backend),
		ON_HTEX("so it is where the library serves", impossible_tlbs_of_the_library),
		ON_HTEX("so are wrong arguments", wrong_arguments_are_einval),
		ON_HTEX("a TLB is described once", tlb_is_described_once),
		ON_HTEX("from then on vectors stay set up", vectors_stay_set_up),
		ON_HTEX("it needs a vector of MSI or MSI-X", tlb_needs_a_vector_of_messages),
		ON_HTEX("registers in an MSI-X table are EPERM",
			registers_of_an_msix_table_are_eperm),
		ON_HTEX("a ring lies within its buffer", ring_lies_in_its_buffer),
		ON_HTEX("binding needs a description", binding_needs_a_description),
		ON_HTEX("wrong options are EINVAL", wrong_options_are_einval),
		ON_HTEX("mirroring is as USRPCI_CAN_MIRROR says", mirroring_is_as_info_says),
		ON_HTEX("the library mirrors nothing", library_mirrors_nothing),
		ON_HTEX("tags are given out once, and again", tags_are_given_out_once),
		ON_HTEX("a child binds itself, or gets EOPNOTSUPP", child_binds_itself_or_nobody),
		ON_HTEX("the device follows the program's pointers", device_follows_pointers),
		ON_HTEX("the library serves where it's asked to",
			library_serves_where_it_is_asked_to),
		ON_HTEX("the device writes where the program may", device_writes_what_it_may),
		ON_HTEX("a page that was read can be written",
			page_that_was_read_can_be_written),
		ON_HTEX("misses may come in a ring", misses_may_come_in_a_ring),
		ON_HTEX("the driver may choose entries", driver_may_choose_entries),
		ON_HTEX("neighbours come with a miss", neighbours_come_with_a_miss),
		ON_HTEX("and leave room for it", neighbours_leave_room),
		ON_HTEX("a small page is refused by a TLB of large ones",
			small_pages_are_refused_by_a_large_tlb),
		ON_HTEX("entries make room for others", entries_make_room_for_others),
		ON_HTEX("spaces don't mix", spaces_dont_mix),
		ON_HTEX("all engines may miss at once", engines_miss_at_once),
		ON_HTEX("large pages are used where there are any", large_pages_are_used_or_not),
		ON_HTEX("the vector still signals an eventfd", eventfd_of_before_is_signalled),
		ON_HTEX("and one that is wired afterwards", eventfd_of_afterwards_is_signalled),
		ON_HTEX("what is wired is checked", eventfds_are_checked),
		ON_HTEX("what isn't mapped is refused", unmapped_memory_is_refused),
		ON_HTEX("what is protected is refused", protected_memory_is_refused),
		ON_HTEX("so is what is read-only if entries don't tell",
			read_only_memory_is_refused_where_all_is_writable),
		ON_HTEX("refusals are kept, and those that are lost counted",
			refusals_are_kept_and_lost_ones_counted),
		PROMISE_CLOSED("reasons have names", reasons_have_names),
		ON_HTEX("a tag of nobody is turned away, and told of",
			stranger_is_turned_away_and_told_of),
		ON_HTEX("what was forgotten is missed again", forgotten_memory_is_missed_again),
		ON_HTEX("other memory may take its place", other_memory_may_take_its_place),
		ON_HTEX("no memory is EINVAL", wrong_memory_is_einval),
		ON_HTEX("memory can be forgotten while it's used",
			memory_is_forgotten_while_it_is_used),
		ON_HTEX("figures add up", figures_add_up),
		ON_HTEX("memory that wasn't there is counted",
			memory_that_was_not_there_is_counted),
		ON_HTEX("closing a space ends its jobs", close_ends_jobs),
		ON_HTEX("closing the device ends its spaces", close_of_the_device_ends_spaces),
		ON_HTEX("so does its removal", removal_ends_spaces),
		ON_HTEX("a reset forgets all", reset_forgets_all),
		ON_HTEX("a device that doesn't forget is stopped", deaf_device_is_stopped),
		ON_HTEX("spaces leave nothing open", spaces_leave_nothing_open),
	};

	/* What knows how to take an edu away can do so with this one. */
	if (address() && !rig_address())
		setenv("USRPCI_EDU", address(), 0);
	return cmocka_run_group_tests_name("space", promises, NULL, NULL);
}

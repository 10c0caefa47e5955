// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What <usrpci/dma.h> promises of coherent memory. */
#include <sys/mman.h>

#include "memory.h"
#include "rig.h"

static struct usrpci_coherent alloc(size_t len)
{
	struct usrpci_coherent buf;

	assert_int_equal(usrpci_coherent_alloc(dev, len, &buf), 0);
	return buf;
}

static void give_back(struct usrpci_coherent *buf)
{
	assert_int_equal(usrpci_coherent_free(dev, buf), 0);
}

static bool is_zeroed(const void *addr, size_t len)
{
	const unsigned char *bytes = addr;

	return !bytes[0] && !memcmp(bytes, bytes + 1, len - 1);
}

/* A page, which isn't touched. */
static bool is_mapped(void *page)
{
	unsigned char is_there;

	return !mincore(page, PAGE, &is_there);
}

static void memory_is_zeroed(void **state)
{
	struct usrpci_coherent buf;
	int i;

	for (i = 0; i < 10; i++) {
		buf = alloc(3 * PAGE);
		assert_true(is_zeroed(buf.addr, buf.len));
		memset(buf.addr, 0xff, buf.len);
		give_back(&buf);
	}
}

static void both_sides_see_it(void **state)
{
	struct usrpci_coherent buf;
	unsigned char *mem;

	rig_start();
	buf = alloc(2 * PAGE);
	mem = buf.addr;
	rig_fill(mem, 1000, 1);
	rig_take(buf.bus_addr, 1000, 0);
	rig_give(buf.bus_addr + PAGE + 3, 1000, 0);
	assert_memory_equal(mem + PAGE + 3, mem, 1000);
	assert_int_equal(mem[PAGE + 2], 0);
	assert_int_equal(mem[PAGE + 1003], 0);
	give_back(&buf);
}

static void it_is_one_run(void **state)
{
	const size_t len = 64 * PAGE;
	struct usrpci_coherent buf;
	unsigned char *mem;

	rig_start();
	buf = alloc(len);
	mem = buf.addr;
	memset(mem + len - 20, 0x42, 20);
	rig_take(buf.bus_addr + len - 20, 20, 0);
	rig_give(buf.bus_addr + 31 * PAGE - 10, 20, 0);
	assert_memory_equal(mem + 31 * PAGE - 10, mem + len - 20, 20);
	assert_int_equal(mem[31 * PAGE - 11], 0);
	give_back(&buf);
}

static void lengths_are_whole_pages(void **state)
{
	static const size_t lens[] = { 1, PAGE - 1, PAGE, PAGE + 1, 5 * PAGE + 7 };
	struct usrpci_coherent buf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		buf = alloc(lens[i]);
		assert_int_equal(buf.len, (lens[i] + PAGE - 1) / PAGE * PAGE);
		assert_int_equal((uintptr_t)buf.addr % PAGE, 0);
		assert_int_equal(buf.bus_addr % PAGE, 0);
		memset(buf.addr, 1, buf.len);
		give_back(&buf);
	}
}

static void addresses_are_within_the_mask(void **state)
{
	struct usrpci_coherent bufs[20];
	size_t i;

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, EDU_DMA_MASK), 0);
	for (i = 0; i < ARRAY_SIZE(bufs); i++) {
		bufs[i] = alloc((i + 1) * PAGE);
		assert_true(bufs[i].bus_addr + bufs[i].len - 1 <= EDU_DMA_MASK);
	}
	for (i = 0; i < ARRAY_SIZE(bufs); i++)
		give_back(&bufs[i]);
}

static void buffers_do_not_overlap(void **state)
{
	struct usrpci_coherent bufs[20];
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(bufs); i++) {
		bufs[i] = alloc(2 * PAGE);
		memset(bufs[i].addr, (int)i, bufs[i].len);
	}
	for (i = 0; i < ARRAY_SIZE(bufs); i++) {
		assert_int_equal(*(unsigned char *)bufs[i].addr, i);
		for (j = 0; j < i; j++)
			assert_true(bufs[i].bus_addr >= bufs[j].bus_addr + bufs[j].len ||
				    bufs[j].bus_addr >= bufs[i].bus_addr + bufs[i].len);
	}
	for (i = 0; i < ARRAY_SIZE(bufs); i++)
		give_back(&bufs[i]);
}

static void it_counts_as_mapped(void **state)
{
	struct usrpci_coherent buf = alloc(PAGE);

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), -EBUSY);
	give_back(&buf);
	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
}

static void length_of_0_is_einval(void **state)
{
	struct usrpci_coherent buf = { .handle = 7 };

	assert_int_equal(usrpci_coherent_alloc(dev, 0, &buf), -EINVAL);
	assert_int_equal(buf.handle, 7);
}

static void impossible_lengths_are_enomem(void **state)
{
	static const size_t lens[] = {
		SIZE_MAX, SIZE_MAX - PAGE, SIZE_MAX - PAGE + 1, SIZE_MAX / 2, SIZE_MAX / 2 + 1,
		1ULL << 62, 1ULL << 50, 1ULL << 40, 1ULL << 32,
	};
	struct usrpci_coherent buf = { .handle = 7 };
	unsigned int before = rig_descriptors();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lens); i++)
		assert_int_equal(usrpci_coherent_alloc(dev, lens[i], &buf), -ENOMEM);
	assert_int_equal(buf.handle, 7);
	assert_int_equal(rig_descriptors(), before);
	rig_assert_nothing_mapped();
}

static void freeing_twice_is_einval(void **state)
{
	static const struct usrpci_coherent zeroes;
	struct usrpci_coherent buf = alloc(PAGE), copy = buf;
	int mine;

	give_back(&buf);
	assert_memory_equal(&buf, &zeroes, sizeof(buf));
	assert_int_equal(usrpci_coherent_free(dev, &copy), -EINVAL);
	assert_int_equal(usrpci_coherent_free(dev, &buf), -EINVAL);
	buf = (struct usrpci_coherent){ .addr = &mine, .len = PAGE, .handle = copy.handle };
	assert_int_equal(usrpci_coherent_free(dev, &buf), -EINVAL);
}

static void freed_memory_is_gone(void **state)
{
	struct usrpci_coherent buf = alloc(PAGE), copy = buf;

	assert_int_equal(touch_write(copy.addr, 1), 0);
	give_back(&buf);
	assert_false(is_mapped(copy.addr));
}

static void close_gives_it_back(void **state)
{
	struct usrpci_coherent buf = alloc(4 * PAGE);

	assert_true(is_mapped(buf.addr));
	rig_close(state);
	assert_false(is_mapped(buf.addr));
	assert_int_equal(rig_open(state), 0);
	rig_assert_nothing_mapped();
}

static void freed_memory_is_out_of_reach(void **state)
{
	struct usrpci_coherent buf, other;
	uint64_t bus;

	if (rig_info().isolation != USRPCI_STRICT)
		rig_skip("the isolation isn't strict");
	rig_start();
	other = alloc(PAGE);
	buf = alloc(PAGE);
	bus = buf.bus_addr;
	memset(other.addr, 0x5a, 64);
	rig_take(other.bus_addr, 64, 0);
	memset(buf.addr, 0x66, 64);
	give_back(&buf);
	rig_take(bus, 64, 0);
	rig_give(other.bus_addr, 64, 0);
	assert_null(memchr(other.addr, 0x66, 64));
	give_back(&other);
}

static void detach_is_as_info_says(void **state)
{
	struct usrpci_coherent buf = alloc(PAGE);

	if (rig_info().caps & USRPCI_CAN_DETACH)
		rig_skip("the backend can see a munmap");
	assert_int_equal(usrpci_coherent_detach(dev, &buf), -EOPNOTSUPP);
	give_back(&buf);
}

static void detached_memory_lives_till_munmap(void **state)
{
	struct usrpci_coherent buf;
	unsigned char *mem;

	rig_need(USRPCI_CAN_DETACH, "the backend can't see a munmap");
	rig_start();
	buf = alloc(PAGE);
	mem = buf.addr;
	assert_int_equal(usrpci_coherent_detach(dev, &buf), 0);
	assert_int_equal(usrpci_coherent_free(dev, &buf), -EINVAL);
	rig_fill(mem, 64, 9);
	rig_take(buf.bus_addr, 64, 0);
	rig_give(buf.bus_addr + 64, 64, 0);
	assert_memory_equal(mem, mem + 64, 64);
	assert_int_equal(usrpci_set_dma_mask(dev, EDU_DMA_MASK, EDU_DMA_MASK), -EBUSY);
	munmap(mem, PAGE);
	rig_assert_nothing_mapped();
}

static void streaming_handles_are_not_mixed_up(void **state)
{
	struct usrpci_coherent buf = alloc(PAGE);

	assert_int_equal(usrpci_sync_for_cpu(dev, buf.handle, 0, 1), -EINVAL);
	assert_int_equal(usrpci_sync_for_device(dev, buf.handle, 0, 1), -EINVAL);
	give_back(&buf);
}

int main(void)
{
	static const struct CMUnitTest promises[] = {
		PROMISE("coherent memory is zeroed, used or not", memory_is_zeroed),
		PROMISE("coherent memory is seen by both sides with no sync", both_sides_see_it),
		PROMISE("coherent memory is one run of bus addresses", it_is_one_run),
		PROMISE("coherent memory is whole pages on both sides", lengths_are_whole_pages),
		PROMISE("coherent memory is within its own mask", addresses_are_within_the_mask),
		PROMISE("coherent buffers don't overlap", buffers_do_not_overlap),
		PROMISE("a mask while there is coherent memory is EBUSY", it_counts_as_mapped),
		PROMISE("coherent memory of length 0 is EINVAL", length_of_0_is_einval),
		PROMISE("impossible lengths are ENOMEM and leave nothing",
			impossible_lengths_are_enomem),
		PROMISE("freeing coherent memory twice is EINVAL", freeing_twice_is_einval),
		PROMISE("freed coherent memory has gone from the program", freed_memory_is_gone),
		PROMISE("freed coherent memory is out of the device's reach",
			freed_memory_is_out_of_reach),
		PROMISE("close gives coherent memory back", close_gives_it_back),
		PROMISE("detach is EOPNOTSUPP without USRPCI_CAN_DETACH", detach_is_as_info_says),
		PROMISE("detached memory lives till munmap", detached_memory_lives_till_munmap),
		PROMISE("sync of coherent memory is EINVAL", streaming_handles_are_not_mixed_up),
	};

	return RIG_RUN("coherent", promises);
}

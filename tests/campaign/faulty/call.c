// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <sys/mman.h>
#include <unistd.h>

#include "function.h"
#include "life.h"

#define COMMAND		0x04
#define CAP_PM		0x01
#define PM_CTRL		4

static uint32_t some_handle(struct life *l)
{
	if (!life_below(l, 8))
		return (uint32_t)life_below(l, 1000);
	return l->handles[life_below(l, LIFE_HANDLES)];
}

/* The handle stays, for the next mistake. */
static void unmap_any(struct life *l)
{
	uint32_t handles[3] = { some_handle(l), some_handle(l), some_handle(l) };

	function_unmap(l->fd, handles, 1 + life_below(l, 3));
}

static void unmap_twice(struct life *l)
{
	uint32_t handle = some_handle(l);

	function_unmap_one(l->fd, handle);
	function_unmap_one(l->fd, handle);
}

/* The map of it stays. */
static void free_buffer(struct life *l)
{
	function_unmap_one(l->fd, l->buffer.handle);
}

static void sync_any(struct life *l)
{
	function_sync(l->fd, some_handle(l), 1 + life_below(l, 3), life_below(l, 4) * PAGE,
		      1 + life_below(l, LIFE_PAGES * PAGE));
}

static void map_wrong(struct life *l)
{
	void *places[] = {
		NULL, (void *)l->bar, l->queue, l->memory + (LIFE_PAGES - 1) * PAGE,
		(void *)0x7ffffffff000, (void *)0xffff888000000000, l->memory,
	};
	struct usrpci_ioc_region region =
		function_region(places[life_below(l, ARRAY_SIZE(places))],
				life_below(l, 8 * PAGE), life_below(l, 4));

	if (!function_map(l->fd, &region))
		l->handles[life_below(l, LIFE_HANDLES)] = region.handle;
}

/* Memory that the device may still have. */
static void lose_memory(struct life *l)
{
	unsigned char *at = l->memory + life_below(l, LIFE_PAGES) * PAGE;

	switch (life_below(l, 4)) {
	case 0:
		munmap(at, PAGE);
		break;
	case 1:
		mprotect(at, PAGE, PROT_NONE);
		break;
	case 2:
		madvise(at, PAGE, MADV_DONTNEED);
		break;
	default:
		mremap(at, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	}
}

static void set_irqs(struct life *l)
{
	function_irq_setup(l->fd, life_below(l, 5), life_below(l, 3));
}

static void wire_wrong(struct life *l)
{
	int fds[] = { l->event, -1, l->fd, 999, 0 };

	function_irq_wire(l->fd, life_below(l, 2), 1, &fds[life_below(l, ARRAY_SIZE(fds))]);
}

/* The next to be opened gets its number. */
static void close_event(struct life *l)
{
	close(l->event);
}

static void unmask(struct life *l)
{
	function_irq_unmask(l->fd, life_below(l, 2));
}

static void set_master(struct life *l)
{
	function_master(l->fd, life_below(l, 3));
}

static void reset(struct life *l)
{
	if (!life_below(l, 8))
		function_reset(l->fd);
}

/* Decoding off and on, and what isn't the driver's business. */
static void write_command(struct life *l)
{
	config_write(l->fd, COMMAND, 2, life_below(l, 2) ? 3 : life_below(l, 0x10000));
}

static void write_config(struct life *l)
{
	config_write(l->fd, life_below(l, 64) * 4, 4, life_below(l, 1ULL << 32));
}

static void sleep_deeply(struct life *l)
{
	unsigned int cap;

	if (life_below(l, 4))
		return;
	cap = config_capability(l->fd, CAP_PM);
	if (cap)
		config_write(l->fd, cap + PM_CTRL, 2, life_below(l, 4));
}

static void quiesce_wrong(struct life *l)
{
	struct usrpci_ioc_quiesce_step steps[2] = {
		{ .width = 4, .offset = l->is_nvme ? 0x14 : 0x64, .value = 0, .mask = 0xffffffff },
		{ .kind = USRPCI_QUIESCE_UNTIL, .width = 1U << life_below(l, 4),
		  .offset = 8 * life_below(l, 600), .mask = 1, .value = life_below(l, 3),
		  .timeout_us = life_below(l, 1000) },
	};

	function_quiesce(l->fd, steps, life_below(l, 3));
}

void mistake_call(struct life *l)
{
	static void (* const all[])(struct life *l) = {
		unmap_any, unmap_any, unmap_twice, free_buffer, sync_any, map_wrong, map_wrong,
		lose_memory, set_irqs, wire_wrong, close_event, unmask, set_master, reset,
		write_command, write_config, sleep_deeply, quiesce_wrong,
	};

	all[life_below(l, ARRAY_SIZE(all))](l);
}

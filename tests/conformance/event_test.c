// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What <usrpci/event.h> promises, and <usrpci.h> of a function that has gone. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "memory.h"
#include "rig.h"

static void nothing_is_eagain(void **state)
{
	struct usrpci_event event = { .count = 7 };
	int err = usrpci_event(dev, &event);

	if (err == -EOPNOTSUPP)
		rig_skip("the backend tells of nothing");
	assert_int_equal(err, -EAGAIN);
	assert_int_equal(event.count, 7);
}

static void kinds_have_names(void **state)
{
	unsigned int kind;

	for (kind = USRPCI_REMOVED; kind <= USRPCI_IRQ_STORM; kind++) {
		assert_non_null(usrpci_event_name((enum usrpci_event_kind)kind));
		assert_int_not_equal(strlen(usrpci_event_name((enum usrpci_event_kind)kind)), 0);
	}
	assert_non_null(usrpci_event_name((enum usrpci_event_kind)99));
}

/* --- after a removal --- */

static void removal_hangs_up(void **state)
{
	struct pollfd p = { .fd = usrpci_fd(dev), .events = POLLPRI };

	if (p.fd == -EOPNOTSUPP)
		rig_skip("the backend has no descriptor");
	assert_int_equal(poll(&p, 1, 0), 0);
	rig_remove();
	assert_int_equal(poll(&p, 1, SOON_MS), 1);
	assert_true(p.revents & POLLHUP);
	rig_restore();
}

static void removal_is_told_once(void **state)
{
	struct usrpci_event event;
	int err = usrpci_event(dev, &event);

	if (err == -EOPNOTSUPP)
		rig_skip("the backend tells of nothing");
	rig_remove();
	assert_int_equal(usrpci_event(dev, &event), 0);
	assert_true(event.kind == USRPCI_REMOVED || event.kind == USRPCI_VANISHED);
	assert_true(event.count >= 1);
	assert_int_equal(event.lost, 0);
	assert_int_equal(usrpci_event(dev, &event), -ENODEV);
	assert_int_equal(usrpci_event(dev, &event), -ENODEV);
	rig_restore();
}

static void assert_calls_are_enodev(void *mem, uint32_t handle, int eventfd)
{
	struct usrpci_mapping map = { .addr = mem, .len = PAGE };
	struct usrpci_coherent coherent;
	struct usrpci_info info;
	struct usrpci_bar bar;
	uint32_t config;
	uint64_t value;

	assert_int_equal(usrpci_info(dev, &info), -ENODEV);
	assert_int_equal(usrpci_set_master(dev, true), -ENODEV);
	assert_int_equal(usrpci_reset(dev), -ENODEV);
	assert_int_equal(usrpci_config_read(dev, 0, 4, &config), -ENODEV);
	assert_int_equal(usrpci_config_write(dev, 4, 2, 0), -ENODEV);
	assert_int_equal(usrpci_bar_info(dev, 0, &bar), -ENODEV);
	assert_int_equal(usrpci_bar_read(dev, 0, 0, 4, &value), -ENODEV);
	assert_int_equal(usrpci_bar_write(dev, 0, EDU_LIVENESS, 4, 0), -ENODEV);
	assert_int_equal(usrpci_set_dma_mask(dev, UINT32_MAX, UINT32_MAX), -ENODEV);
	assert_int_equal(usrpci_coherent_alloc(dev, PAGE, &coherent), -ENODEV);
	assert_int_equal(usrpci_map(dev, &map, 1), -ENODEV);
	assert_int_equal(usrpci_sync_for_cpu(dev, handle, 0, 1), -ENODEV);
	assert_int_equal(usrpci_unmap(dev, &handle, 1), -ENODEV);
	assert_int_equal(usrpci_irq_wire(dev, 0, 1, &eventfd), -ENODEV);
	assert_int_equal(usrpci_irq_unmask(dev, 0), -ENODEV);
	assert_int_equal(usrpci_irq_setup(dev, USRPCI_NO_IRQ, 0), -ENODEV);
}

static void calls_after_removal_are_enodev(void **state)
{
	unsigned char *mem = pages_new(1, 1);
	struct usrpci_mapping map;
	int fd = rig_irq(USRPCI_MSI);

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	map = rig_map(mem, PAGE, USRPCI_DMA_BOTH, NULL);
	rig_remove();
	assert_calls_are_enodev(mem, map.handle, fd);
	/* The second time, too. */
	assert_calls_are_enodev(mem, map.handle, fd);
	rig_restore();
	memset(mem, 2, PAGE);
	pages_free(mem, 1);
	close(fd);
}

static void registers_after_removal(void **state)
{
	volatile char *addr = regs.addr;

	rig_remove();
	assert_true(usrpci_regs_call_read(&regs, EDU_ID, 4) == UINT64_MAX);
	usrpci_regs_call_write(&regs, EDU_LIVENESS, 4, 0);
	if (addr)
		assert_int_equal(touch(addr), SIGBUS);
	else
		assert_int_equal(usrpci_regs_read32(&regs, EDU_ID), UINT32_MAX);
	usrpci_regs_close(&regs);
	rig_restore();
}

static void coherent_memory_stays(void **state)
{
	struct usrpci_coherent buf;

	assert_int_equal(usrpci_coherent_alloc(dev, 2 * PAGE, &buf), 0);
	memset(buf.addr, 0x4b, buf.len);
	rig_remove();
	assert_int_equal(touch(buf.addr), 0);
	assert_int_equal(*(unsigned char *)buf.addr, 0x4b);
	assert_memory_equal(buf.addr, (char *)buf.addr + 1, buf.len - 1);
	assert_int_equal(touch_write(buf.addr, 1), 0);
	assert_int_equal(usrpci_coherent_free(dev, &buf), 0);
	assert_null(buf.addr);
	rig_restore();
}

static void failure_after_removal_is_explained(void **state)
{
	struct usrpci_info info;
	char why[300];
	int err;

	rig_remove();
	err = usrpci_info(dev, &info);
	assert_int_equal(err, -ENODEV);
	assert_in_range(usrpci_explain(dev, err, why, sizeof(why)), 20, sizeof(why) - 1);
	rig_restore();
}

static void it_comes_back(void **state)
{
	unsigned int before = rig_descriptors();
	int i;

	for (i = 0; i < 3; i++) {
		rig_remove();
		rig_restore();
		assert_int_equal(rig_open(state), 0);
		assert_int_equal(usrpci_regs_read32(&regs, EDU_ID) & EDU_ID_MASK, EDU_ID_VALUE);
	}
	assert_int_equal(rig_descriptors(), before);
}

static void *call_till_it_has_gone(void *arg)
{
	struct usrpci_mapping map = { .addr = arg, .len = PAGE };
	uint32_t config;
	uint64_t value;
	int err = 0;

	while (!err) {
		err = usrpci_map(dev, &map, 1);
		if (!err)
			err = usrpci_unmap(dev, &map.handle, 1);
		if (!err)
			err = usrpci_config_read(dev, 0, 4, &config);
		if (!err)
			err = usrpci_bar_read(dev, 0, EDU_ID, 4, &value);
	}
	return (void *)(intptr_t)err;
}

static void removal_ends_calls_under_way(void **state)
{
	unsigned char *mem = pages_new(4, 1);
	pthread_t threads[4];
	void *err;
	size_t i;

	assert_int_equal(usrpci_set_dma_mask(dev, UINT64_MAX, UINT64_MAX), 0);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, call_till_it_has_gone,
						mem + i * PAGE), 0);
	usleep(20000);
	rig_remove();
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], &err);
		assert_int_equal((intptr_t)err, -ENODEV);
	}
	rig_restore();
	pages_free(mem, 4);
}

int main(void)
{
	static const struct CMUnitTest promises[] = {
		PROMISE("an event when nothing happened is EAGAIN", nothing_is_eagain),
		PROMISE("each kind of event has a name", kinds_have_names),
		PROMISE("removal hangs usrpci_fd up", removal_hangs_up),
		PROMISE("removal is told by an event, once, and then ENODEV",
			removal_is_told_once),
		PROMISE("calls after removal are ENODEV", calls_after_removal_are_enodev),
		PROMISE("registers after removal read all ones, or a touch is SIGBUS",
			registers_after_removal),
		PROMISE("coherent memory stays the program's after removal",
			coherent_memory_stays),
		PROMISE("a failure after removal is explained",
			failure_after_removal_is_explained),
		PROMISE("it is opened again when it has come back", it_comes_back),
		PROMISE("removal ends calls under way with ENODEV", removal_ends_calls_under_way),
	};

	return RIG_RUN("event", promises);
}

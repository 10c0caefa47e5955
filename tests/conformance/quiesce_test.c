// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What <usrpci/quiesce.h> promises. */
#include <signal.h>
#include <sys/wait.h>

#include "rig.h"

static struct usrpci_step write_step(uint32_t value)
{
	return (struct usrpci_step){
		.width = 4, .offset = EDU_LIVENESS, .value = value, .mask = UINT32_MAX,
	};
}

static void need_quiesce(void)
{
	rig_need(USRPCI_CAN_QUIESCE, "nothing runs once the program has died");
}

/* A reset comes after the list, and hides what it did. */
static void need_trace(void)
{
	need_quiesce();
	if (rig_info().caps & USRPCI_CAN_RESET && !rig_keeps_registers())
		rig_skip("a reset at close hides what was done before");
}

static void assert_written_at_close(uint32_t value)
{
	rig_close(NULL);
	assert_int_equal(rig_open(NULL), 0);
	assert_int_equal(usrpci_regs_read32(&regs, EDU_LIVENESS), ~value);
}

static void quiesce_is_as_info_says(void **state)
{
	const struct usrpci_step step = write_step(1);

	assert_int_equal(usrpci_quiesce(dev, &step, 1),
			 rig_info().caps & USRPCI_CAN_QUIESCE ? 0 : -EOPNOTSUPP);
}

/* A step that can't be, on whatever backend. */
static void impossible_steps_are_einval(void **state)
{
	const struct usrpci_step good = write_step(1);
	struct usrpci_step wrong[10];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		wrong[i] = good;
	wrong[0].bar = 6;
	wrong[1].bar = UINT32_MAX;
	wrong[2].width = 0;
	wrong[3].width = 3;
	wrong[4].width = 16;
	wrong[5].offset = 5;
	wrong[6].mask = 0;
	wrong[7].mask = 1ULL << 32;
	wrong[8].mask = 2;
	wrong[9].timeout_us = 1;
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(usrpci_quiesce(dev, &wrong[i], 1), -EINVAL);
}

static void steps_outside_of_the_bar_are_einval(void **state)
{
	static const struct {
		unsigned int bar;
		unsigned int width;
		uint64_t offset;
	} wrong[] = {
		{ 1, 4, 0 }, { 0, 4, 1 << 20 }, { 0, 4, 1ULL << 32 }, { 0, 4, 1ULL << 63 },
		{ 0, 4, UINT64_MAX - 3 }, { 0, 8, UINT64_MAX - 7 },
	};
	size_t i;

	need_quiesce();
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct usrpci_step step = write_step(1);

		step.bar = wrong[i].bar;
		step.width = wrong[i].width;
		step.offset = wrong[i].offset;
		assert_int_equal(usrpci_quiesce(dev, &step, 1), -EINVAL);
	}
}

static void lists_are_bounded(void **state)
{
	struct usrpci_step steps[USRPCI_QUIESCE_STEPS + 1];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(steps); i++)
		steps[i] = write_step(1);
	assert_int_equal(usrpci_quiesce(dev, steps, USRPCI_QUIESCE_STEPS + 1), -EINVAL);
	assert_int_equal(usrpci_quiesce(dev, steps, UINT32_MAX), -EINVAL);
	assert_int_equal(usrpci_quiesce(dev, NULL, 1), -EINVAL);
	steps[0].until = true;
	steps[0].timeout_us = USRPCI_QUIESCE_US;
	steps[1].until = true;
	steps[1].timeout_us = 1;
	assert_int_equal(usrpci_quiesce(dev, steps, 2), -EINVAL);
	steps[0].timeout_us = UINT32_MAX;
	steps[1].timeout_us = UINT32_MAX;
	assert_int_equal(usrpci_quiesce(dev, steps, 2), -EINVAL);
	need_quiesce();
	steps[0].timeout_us = USRPCI_QUIESCE_US;
	steps[1].timeout_us = 0;
	assert_int_equal(usrpci_quiesce(dev, steps, USRPCI_QUIESCE_STEPS), 0);
	assert_int_equal(usrpci_quiesce(dev, NULL, 0), 0);
}

static void list_is_done_at_close(void **state)
{
	const struct usrpci_step step = write_step(0x600dcafe);

	need_trace();
	assert_int_equal(usrpci_quiesce(dev, &step, 1), 0);
	assert_written_at_close(0x600dcafe);
}

static void list_is_done_in_order(void **state)
{
	struct usrpci_step steps[] = {
		write_step(1), write_step(0xf0), write_step(0x0a), write_step(0x0c),
	};

	need_trace();
	/* Waits for what doesn't come, and goes on. */
	steps[1].until = true;
	steps[1].timeout_us = 1000;
	steps[3].mask = 0x0f;
	assert_int_equal(usrpci_quiesce(dev, steps, 4), 0);
	/* The bits beside the mask are read, inverted here, and written back. */
	assert_written_at_close((~0x0aU & ~0x0fU) | 0x0c);
}

static void list_is_done_when_killed(void **state)
{
	const struct usrpci_step step = write_step(0xdeadc0de);
	pid_t child;

	need_trace();
	rig_close(state);
	child = fork();
	if (!child) {
		if (usrpci_open(&dev, rig_address()) || usrpci_quiesce(dev, &step, 1))
			_exit(1);
		raise(SIGKILL);
	}
	assert_int_equal(WTERMSIG(rig_reap(child)), SIGKILL);
	assert_int_equal(rig_open(state), 0);
	assert_int_equal(usrpci_regs_read32(&regs, EDU_LIVENESS), ~0xdeadc0de);
}

static void new_list_takes_the_place(void **state)
{
	const struct usrpci_step first = write_step(1), second = {
		.width = 4, .offset = EDU_FACTORIAL, .value = 4, .mask = UINT32_MAX,
	};

	need_trace();
	usrpci_regs_write32(&regs, EDU_LIVENESS, 77);
	assert_int_equal(usrpci_quiesce(dev, &first, 1), 0);
	assert_int_equal(usrpci_quiesce(dev, &second, 1), 0);
	assert_written_at_close(77);
	while (usrpci_regs_read32(&regs, EDU_STATUS) & EDU_STATUS_COMPUTING)
		;
	assert_int_equal(usrpci_regs_read32(&regs, EDU_FACTORIAL), 24);
}

static void empty_list_forgets(void **state)
{
	const struct usrpci_step step = write_step(1);

	need_trace();
	usrpci_regs_write32(&regs, EDU_LIVENESS, 78);
	assert_int_equal(usrpci_quiesce(dev, &step, 1), 0);
	assert_int_equal(usrpci_quiesce(dev, NULL, 0), 0);
	assert_written_at_close(78);
}

static void refused_list_leaves_the_old(void **state)
{
	const struct usrpci_step good = write_step(79);
	struct usrpci_step bad = write_step(80);

	need_trace();
	bad.offset = 1 << 20;
	assert_int_equal(usrpci_quiesce(dev, &good, 1), 0);
	assert_int_equal(usrpci_quiesce(dev, &bad, 1), -EINVAL);
	assert_written_at_close(79);
}

int main(void)
{
	static const struct CMUnitTest promises[] = {
		PROMISE("a list is EOPNOTSUPP without USRPCI_CAN_QUIESCE",
			quiesce_is_as_info_says),
		PROMISE("a step that can't be is EINVAL", impossible_steps_are_einval),
		PROMISE("a step outside of the BAR is EINVAL",
			steps_outside_of_the_bar_are_einval),
		PROMISE("too many steps or too much waiting is EINVAL", lists_are_bounded),
		PROMISE("the list is done at close", list_is_done_at_close),
		PROMISE("the list is done in order, whatever came of a wait",
			list_is_done_in_order),
		PROMISE("the list is done when the program is killed", list_is_done_when_killed),
		PROMISE("a new list takes the place of the old one", new_list_takes_the_place),
		PROMISE("a list of 0 steps forgets the old one", empty_list_forgets),
		PROMISE("a refused list leaves the old one", refused_list_leaves_the_old),
	};

	return RIG_RUN("quiesce", promises);
}

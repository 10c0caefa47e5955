// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What <usrpci/irq.h> promises. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include "rig.h"

static int new_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	assert_true(fd >= 0);
	return fd;
}

static void wire(int fd)
{
	assert_int_equal(usrpci_irq_wire(dev, 0, 1, &fd), 0);
}

static void assert_fires(int fd)
{
	assert_int_equal(usrpci_irq_wait(fd, SOON_MS), 1);
}

static void assert_quiet(int fd)
{
	assert_int_equal(usrpci_irq_wait(fd, NEVER_MS), -ETIMEDOUT);
}

/* --- setting up --- */

static void missing_kind_is_eopnotsupp(void **state)
{
	assert_int_equal(rig_info().nr_msix, 0);
	assert_int_equal(usrpci_irq_setup(dev, USRPCI_MSIX, 1), -EOPNOTSUPP);
	assert_int_equal(usrpci_irq_setup(dev, USRPCI_MSIX, 2048), -EOPNOTSUPP);
	assert_int_equal(usrpci_irq_setup(dev, USRPCI_MSI, 1), 0);
}

static void too_many_are_enospc(void **state)
{
	static const unsigned int many[] = { 2, 3, 33, 2049, 1U << 31, UINT32_MAX };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(many); i++)
		assert_int_equal(usrpci_irq_setup(dev, USRPCI_MSI, many[i]), -ENOSPC);
	assert_int_equal(usrpci_irq_setup(dev, USRPCI_MSI, 1), 0);
}

static void setups_are_checked(void **state)
{
	static const struct {
		unsigned int kind;
		unsigned int nr;
	} wrong[] = {
		{ USRPCI_NO_IRQ, 1 }, { USRPCI_INTX, 0 }, { USRPCI_INTX, 2 }, { USRPCI_MSI, 0 },
		{ USRPCI_MSIX, 0 }, { 4, 1 }, { 255, 0 }, { UINT32_MAX, 1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(usrpci_irq_setup(dev, (enum usrpci_irq)wrong[i].kind,
						  wrong[i].nr), -EINVAL);
	assert_int_equal(usrpci_irq_setup(dev, USRPCI_INTX, 1), 0);
}

static void second_setup_is_ebusy(void **state)
{
	static const enum usrpci_irq kinds[] = { USRPCI_INTX, USRPCI_MSI, USRPCI_INTX };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		assert_int_equal(usrpci_irq_setup(dev, kinds[i], 1), 0);
		assert_int_equal(usrpci_irq_setup(dev, USRPCI_MSI, 1), -EBUSY);
		assert_int_equal(usrpci_irq_setup(dev, USRPCI_INTX, 1), -EBUSY);
		assert_int_equal(usrpci_irq_setup(dev, USRPCI_NO_IRQ, 0), 0);
		assert_int_equal(usrpci_irq_setup(dev, USRPCI_NO_IRQ, 0), 0);
	}
}

/* --- firing --- */

static void fires_each_time(enum usrpci_irq kind)
{
	int i, fd = rig_irq(kind);

	assert_quiet(fd);
	for (i = 0; i < 20; i++) {
		rig_raise(1);
		assert_fires(fd);
		assert_int_equal(usrpci_regs_read32(&regs, EDU_IRQ_STATUS), 1);
		rig_ack(1);
		assert_int_equal(usrpci_irq_unmask(dev, 0), 0);
	}
	assert_quiet(fd);
	close(fd);
}

static void msi_reaches_its_eventfd(void **state)
{
	fires_each_time(USRPCI_MSI);
}

static void intx_reaches_its_eventfd(void **state)
{
	fires_each_time(USRPCI_INTX);
}

static void msi_is_counted(void **state)
{
	int64_t got, all = 0;
	int i, fd = rig_irq(USRPCI_MSI);

	for (i = 0; i < 5; i++) {
		rig_raise(1);
		/* Has been sent when this is answered. */
		usrpci_regs_read32(&regs, EDU_IRQ_STATUS);
		usleep(10000);
	}
	while ((got = usrpci_irq_wait(fd, NEVER_MS)) > 0)
		all += got;
	assert_int_equal(all, 5);
	rig_ack(1);
	close(fd);
}

static void intx_masks_itself(void **state)
{
	int fd = rig_irq(USRPCI_INTX);

	rig_raise(1);
	assert_fires(fd);
	/* It still asserts the pin. */
	assert_quiet(fd);
	rig_ack(1);
	rig_raise(2);
	assert_quiet(fd);
	assert_int_equal(usrpci_irq_unmask(dev, 0), 0);
	assert_fires(fd);
	assert_int_equal(usrpci_irq_unmask(dev, 0), 0);
	assert_fires(fd);
	rig_ack(2);
	assert_int_equal(usrpci_irq_unmask(dev, 0), 0);
	assert_quiet(fd);
	close(fd);
}

static void interrupt_comes_after_its_dma(void **state)
{
	struct usrpci_coherent buf;
	unsigned char *mem;
	int i, fd;

	rig_start();
	fd = rig_irq(USRPCI_MSI);
	assert_int_equal(usrpci_coherent_alloc(dev, PAGE, &buf), 0);
	mem = buf.addr;
	for (i = 1; i <= 5; i++) {
		memset(mem, i, 1000);
		rig_take(buf.bus_addr, 1000, 0);
		memset(mem, 0, PAGE);
		rig_dma_start(EDU_BUFFER, buf.bus_addr + 1000, 1000,
			      EDU_DMA_TO_RAM | EDU_DMA_IRQ);
		assert_fires(fd);
		assert_int_equal(mem[1000], i);
		assert_int_equal(mem[1999], i);
		assert_int_equal(usrpci_regs_read32(&regs, EDU_IRQ_STATUS), EDU_IRQ_DMA);
		rig_ack(EDU_IRQ_DMA);
	}
	assert_int_equal(usrpci_coherent_free(dev, &buf), 0);
	close(fd);
}

static void no_message_without_mastering(void **state)
{
	int fd = rig_irq(USRPCI_MSI);

	assert_int_equal(usrpci_set_master(dev, false), 0);
	rig_raise(1);
	assert_quiet(fd);
	rig_ack(1);
	assert_int_equal(usrpci_set_master(dev, true), 0);
	rig_raise(1);
	assert_true(usrpci_irq_wait(fd, SOON_MS) >= 1);
	rig_ack(1);
	close(fd);
}

static void given_back_vectors_are_quiet(void **state)
{
	int fd = rig_irq(USRPCI_MSI);

	rig_raise(1);
	assert_fires(fd);
	rig_ack(1);
	assert_int_equal(usrpci_irq_setup(dev, USRPCI_NO_IRQ, 0), 0);
	rig_raise(1);
	assert_quiet(fd);
	rig_ack(1);
	close(fd);
}

static void kinds_follow_each_other(void **state)
{
	static const enum usrpci_irq kinds[] = {
		USRPCI_MSI, USRPCI_INTX, USRPCI_MSI, USRPCI_MSI, USRPCI_INTX,
	};
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		fd = rig_irq(kinds[i]);
		rig_raise(1);
		assert_fires(fd);
		rig_ack(1);
		assert_int_equal(usrpci_irq_setup(dev, USRPCI_NO_IRQ, 0), 0);
		close(fd);
	}
}

/* --- wiring --- */

static void early_interrupt_is_told(void **state)
{
	int fd = new_eventfd();

	assert_int_equal(usrpci_set_master(dev, true), 0);
	assert_int_equal(usrpci_irq_setup(dev, USRPCI_MSI, 1), 0);
	rig_raise(1);
	rig_ack(1);
	usleep(50000);
	wire(fd);
	assert_fires(fd);
	/* The same once it was unwired. */
	wire(-1);
	rig_raise(1);
	rig_ack(1);
	assert_quiet(fd);
	wire(fd);
	assert_fires(fd);
	assert_quiet(fd);
	close(fd);
}

static void early_pin_is_told(void **state)
{
	int fd = new_eventfd();

	assert_int_equal(usrpci_irq_setup(dev, USRPCI_INTX, 1), 0);
	rig_raise(1);
	usrpci_regs_read32(&regs, EDU_IRQ_STATUS);
	usleep(50000);
	wire(fd);
	assert_true(usrpci_irq_wait(fd, SOON_MS) >= 1);
	rig_ack(1);
	close(fd);
}

static void rewiring_moves_it(void **state)
{
	int old = rig_irq(USRPCI_MSI), new = new_eventfd();

	wire(new);
	rig_raise(1);
	assert_fires(new);
	assert_quiet(old);
	rig_ack(1);
	close(old);
	close(new);
}

static void bad_eventfds_are_refused(void **state)
{
	int fd = rig_irq(USRPCI_MSI), closed, pipes[2], wrong;

	assert_int_equal(pipe(pipes), 0);
	closed = new_eventfd();
	close(closed);
	assert_int_equal(usrpci_irq_wire(dev, 0, 1, &pipes[0]), -EINVAL);
	assert_int_equal(usrpci_irq_wire(dev, 0, 1, &pipes[1]), -EINVAL);
	assert_int_equal(usrpci_irq_wire(dev, 0, 1, &closed), -EBADF);
	wrong = 1000000;
	assert_int_equal(usrpci_irq_wire(dev, 0, 1, &wrong), -EBADF);
	wrong = -2;
	assert_int_equal(usrpci_irq_wire(dev, 0, 1, &wrong), -EBADF);
	wrong = INT32_MIN;
	assert_int_equal(usrpci_irq_wire(dev, 0, 1, &wrong), -EBADF);
	wrong = open("/dev/null", O_RDWR);
	assert_int_equal(usrpci_irq_wire(dev, 0, 1, &wrong), -EINVAL);
	close(wrong);
	/* What was wired before still is. */
	rig_raise(1);
	assert_fires(fd);
	rig_ack(1);
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
}

static void vectors_are_checked(void **state)
{
	static const struct {
		unsigned int first;
		unsigned int nr;
	} wrong[] = {
		{ 0, 0 }, { 0, 2 }, { 1, 1 }, { 1, UINT32_MAX }, { UINT32_MAX, 1 },
		{ UINT32_MAX, 2 }, { 1U << 31, 1U << 31 }, { 0, 4096 }, { 0, 4097 },
	};
	int fds[4097], fd = new_eventfd();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = -1;
	assert_int_equal(usrpci_irq_wire(dev, 0, 1, &fd), -EINVAL);
	assert_int_equal(usrpci_irq_unmask(dev, 0), -EINVAL);
	assert_int_equal(usrpci_irq_setup(dev, USRPCI_MSI, 1), 0);
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(usrpci_irq_wire(dev, wrong[i].first, wrong[i].nr, fds), -EINVAL);
	assert_int_equal(usrpci_irq_unmask(dev, 1), -EINVAL);
	assert_int_equal(usrpci_irq_unmask(dev, UINT32_MAX), -EINVAL);
	close(fd);
}

static void unmasking_what_is_not_masked(void **state)
{
	int i, fd = rig_irq(USRPCI_MSI);

	for (i = 0; i < 10; i++)
		assert_int_equal(usrpci_irq_unmask(dev, 0), 0);
	assert_quiet(fd);
	rig_raise(1);
	assert_fires(fd);
	rig_ack(1);
	close(fd);
}

static void full_eventfd_does_no_harm(void **state)
{
	int fd = rig_irq(USRPCI_MSI);

	assert_int_equal(eventfd_write(fd, UINT64_MAX - 1), 0);
	rig_raise(1);
	rig_raise(1);
	rig_ack(1);
	assert_true(usrpci_irq_wait(fd, SOON_MS) == INT64_MAX);
	while (usrpci_irq_wait(fd, NEVER_MS) > 0)
		;
	rig_raise(1);
	assert_fires(fd);
	rig_ack(1);
	close(fd);
}

static void closed_eventfd_does_no_harm(void **state)
{
	int fd = rig_irq(USRPCI_MSI), other;

	close(fd);
	rig_raise(1);
	rig_ack(1);
	other = new_eventfd();
	wire(other);
	rig_raise(1);
	assert_true(usrpci_irq_wait(other, SOON_MS) >= 1);
	rig_ack(1);
	close(other);
}

static void wait_times_out(void **state)
{
	int fd = rig_irq(USRPCI_MSI);

	assert_int_equal(usrpci_irq_wait(fd, 0), -ETIMEDOUT);
	assert_int_equal(usrpci_irq_wait(fd, 1), -ETIMEDOUT);
	assert_int_equal(usrpci_irq_wait(-1, 0), -EBADF);
	close(fd);
}

struct swapper {
	pthread_t thread;
	int fds[2];
	bool stop;
	int err;
	unsigned int nr;
};

static void *swap(void *arg)
{
	struct swapper *swapper = arg;
	int none = -1;

	while (!__atomic_load_n(&swapper->stop, __ATOMIC_RELAXED) && !swapper->err) {
		const int *fd = swapper->nr % 3 == 2 ? &none : &swapper->fds[swapper->nr % 3];

		swapper->err = usrpci_irq_wire(dev, 0, 1, fd);
		__atomic_add_fetch(&swapper->nr, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* However the eventfds change, none is lost but those that come together. */
static void swapping_loses_none(void **state)
{
	struct swapper swapper = { };
	int i, tries, waiting = 1;

	rig_need(USRPCI_CAN_REWIRE, "an MSI that comes while eventfds are swapped may be lost");
	swapper.fds[0] = rig_irq(USRPCI_MSI);
	swapper.fds[1] = new_eventfd();
	assert_int_equal(pthread_create(&swapper.thread, NULL, swap, &swapper), 0);
	for (i = 0; i < 100 || __atomic_load_n(&swapper.nr, __ATOMIC_RELAXED) < 100; i++) {
		rig_raise(1);
		for (waiting = 1, tries = 0; waiting && tries < SOON_MS; tries++)
			waiting = usrpci_irq_wait(swapper.fds[0], tries > 2) < 0 &&
				  usrpci_irq_wait(swapper.fds[1], 0) < 0;
		if (waiting)
			break;
	}
	__atomic_store_n(&swapper.stop, true, __ATOMIC_RELAXED);
	pthread_join(swapper.thread, NULL);
	assert_false(waiting);
	assert_int_equal(swapper.err, 0);
	rig_ack(1);
	close(swapper.fds[0]);
	close(swapper.fds[1]);
}

int main(void)
{
	static const struct CMUnitTest promises[] = {
		PROMISE("a kind that the function hasn't is EOPNOTSUPP",
			missing_kind_is_eopnotsupp),
		PROMISE("more vectors than there are is ENOSPC", too_many_are_enospc),
		PROMISE("unknown kinds and wrong numbers are EINVAL", setups_are_checked),
		PROMISE("a second setup is EBUSY until the vectors are given back",
			second_setup_is_ebusy),
		PROMISE("an MSI reaches its eventfd", msi_reaches_its_eventfd),
		PROMISE("an INTx reaches its eventfd", intx_reaches_its_eventfd),
		PROMISE("each MSI is counted", msi_is_counted),
		PROMISE("INTx masks itself till it's unmasked", intx_masks_itself),
		PROMISE("an interrupt comes after the DMA that it tells of",
			interrupt_comes_after_its_dma),
		PROMISE("bus mastering off stops MSI", no_message_without_mastering),
		PROMISE("vectors that were given back are quiet", given_back_vectors_are_quiet),
		PROMISE("one kind of interrupt follows another", kinds_follow_each_other),
		PROMISE("what fired while a vector had no eventfd is signalled when it gets one",
			early_interrupt_is_told),
		PROMISE("so is an INTx that fired before", early_pin_is_told),
		PROMISE("another eventfd takes the place of the first", rewiring_moves_it),
		PROMISE("bad eventfds are EINVAL or EBADF, and change nothing",
			bad_eventfds_are_refused),
		PROMISE("vectors that aren't set up or wrap are EINVAL", vectors_are_checked),
		PROMISE("unmasking what isn't masked does nothing", unmasking_what_is_not_masked),
		PROMISE("an eventfd at its maximum does no harm", full_eventfd_does_no_harm),
		PROMISE("a wired eventfd that is closed does no harm",
			closed_eventfd_does_no_harm),
		PROMISE("a wait for what doesn't come is ETIMEDOUT", wait_times_out),
		PROMISE("no interrupt is lost while eventfds are swapped", swapping_loses_none),
	};

	return RIG_RUN("irq", promises);
}

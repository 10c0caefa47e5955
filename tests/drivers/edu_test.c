// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* The edu driver on a real (emulated) device, $USRPCI_EDU; exit 77 without. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>
#include <edu/edu.h>
#include <edu/registers.h>

#include "function.h"
#include "memory.h"

/* Pages among which there's one in the device's reach. */
#define NEAR	50000UL

static const char *address;

/* Each test is run with each kind of interrupt. */
static enum usrpci_irq kind;
static struct edu *edu;

static int open_edu(void **state)
{
	return edu_open(&edu, address, kind);
}

static int close_edu(void **state)
{
	edu_close(edu);
	edu = NULL;
	return 0;
}

static void fill(unsigned char *buf, size_t len, unsigned int seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = (unsigned char)(i * 31 + (i >> 8) * 7 + seed);
}

static uint64_t interrupts_for(uint64_t count)
{
	return kind == USRPCI_NO_IRQ ? 0 : count;
}

static void test_identity(void **state)
{
	assert_int_equal(edu_id(edu) & 0xffff, 0xed);
	assert_int_equal(edu_liveness(edu, 0), 0);
	assert_int_equal(edu_liveness(edu, UINT32_MAX), 0);
	assert_int_equal(edu_liveness(edu, 0xdeadbeef), 0);
	assert_int_equal(edu_interrupts(edu), 0);
}

static void test_factorials(void **state)
{
	uint32_t expected = 1, got = 0;
	uint32_t n;

	for (n = 0; n <= 20; n++) {
		expected *= n ? n : 1;
		assert_int_equal(edu_factorial(edu, n, &got), 0);
		assert_int_equal(got, expected);
		assert_int_equal(edu_interrupts(edu), interrupts_for(n + 1));
	}
}

/* Out to the device and back to other memory; what lies around it stays. */
static void round_trip(unsigned char *out, unsigned char *in, size_t offset, size_t len)
{
	fill(out, len, (unsigned int)(offset + len));
	memset(in - 8, 0xa5, len + 16);
	assert_int_equal(edu_dma_to_device(edu, out, offset, len), 0);
	assert_int_equal(edu_dma_from_device(edu, in, offset, len), 0);
	assert_memory_equal(in, out, len);
	assert_memory_equal(in - 8, "\xa5\xa5\xa5\xa5\xa5\xa5\xa5\xa5", 8);
	assert_memory_equal(in + len, "\xa5\xa5\xa5\xa5\xa5\xa5\xa5\xa5", 8);
}

/* A DMA takes 100 ms: a few of each sort. */
static void test_dma(void **state)
{
	unsigned char *out = pages_new(4, 0), *in = pages_new(4, 0);
	long pinned = pages_held();

	round_trip(out, in + PAGE, 0, EDU_BUFFER_LEN);
	round_trip(out + 17, in + PAGE + 5, 0, 1);
	round_trip(out + 3, in + PAGE - 1, EDU_BUFFER_LEN - 1, 1);
	round_trip(out + PAGE - 100, in + 2 * PAGE - 1, 1000, 777);
	round_trip(out + PAGE / 2, in + PAGE + 9, 7, EDU_BUFFER_LEN - 7);
	/* Memory beyond 28 bits goes through a page that the driver keeps. */
	assert_in_range(pages_held(), pinned, pinned + 1);
	pages_free(out, 4);
	pages_free(in, 4);
}

/* The part of the buffer that wasn't written keeps what it had. */
static void test_dma_is_exact(void **state)
{
	unsigned char *all = pages_new(1, 0), *some = pages_new(1, 0), *back = pages_new(1, 0);

	fill(all, EDU_BUFFER_LEN, 1);
	memset(some, 0xee, PAGE);
	assert_int_equal(edu_dma_to_device(edu, all, 0, EDU_BUFFER_LEN), 0);
	assert_int_equal(edu_dma_to_device(edu, some, 100, 50), 0);
	assert_int_equal(edu_dma_from_device(edu, back, 0, EDU_BUFFER_LEN), 0);
	memset(all + 100, 0xee, 50);
	assert_memory_equal(back, all, EDU_BUFFER_LEN);
	pages_free(all, 1);
	pages_free(some, 1);
	pages_free(back, 1);
}

static void test_interrupts_are_counted(void **state)
{
	unsigned char *mem = pages_new(1, 0);

	assert_int_equal(edu_dma_to_device(edu, mem, 0, 64), 0);
	assert_int_equal(edu_dma_from_device(edu, mem, 0, 64), 0);
	assert_int_equal(edu_interrupts(edu), interrupts_for(2));
	pages_free(mem, 1);
}

/* QEMU would end at most of these. */
static void test_refusals(void **state)
{
	unsigned char *mem = pages_new(2, 0);
	long pinned = pages_held();

	assert_int_equal(edu_dma_to_device(edu, mem, 0, 0), -EINVAL);
	assert_int_equal(edu_dma_to_device(edu, mem, 0, EDU_BUFFER_LEN + 1), -EINVAL);
	assert_int_equal(edu_dma_to_device(edu, mem, 1, EDU_BUFFER_LEN), -EINVAL);
	assert_int_equal(edu_dma_to_device(edu, mem, EDU_BUFFER_LEN, 1), -EINVAL);
	assert_int_equal(edu_dma_to_device(edu, mem, SIZE_MAX, 2), -EINVAL);
	assert_int_equal(edu_dma_to_device(edu, mem, 2, SIZE_MAX), -EINVAL);
	assert_int_equal(edu_dma_from_device(edu, mem, 0, PAGE), -EINVAL);
	assert_int_equal(pages_held(), pinned);
	pages_free(mem, 2);
}

static void test_bad_memory(void **state)
{
	unsigned char *mem = pages_new(1, 0);
	long pinned = pages_held();

	assert_int_equal(mprotect(mem, PAGE, PROT_READ), 0);
	assert_int_equal(edu_dma_from_device(edu, mem, 0, 64), -EFAULT);
	assert_int_equal(mprotect(mem, PAGE, PROT_NONE), 0);
	assert_int_equal(edu_dma_to_device(edu, mem, 0, 64), -EFAULT);
	pages_free(mem, 1);
	assert_int_equal(edu_dma_to_device(edu, mem, 0, 64), -EFAULT);
	assert_int_equal(pages_held(), pinned);
}

/* Half of what is free: in a VM of 512 MB without IOMMU some of it lies beyond 28 bits. */
static size_t many_pages(void)
{
	const size_t most = 160UL << 20;
	struct sysinfo info;
	size_t len;

	assert_int_equal(sysinfo(&info), 0);
	len = info.freeram * info.mem_unit / 2;
	return (len < most ? len : most) / PAGE;
}

static void test_far_memory(void **state)
{
	const size_t nr = many_pages();
	unsigned char *mem = pages_new(nr, 0), *in = pages_new(3, 0);
	size_t i;

	for (i = 0; i < nr; i++)
		mem[i * PAGE] = 1;
	for (i = 0; i < 4; i++)
		round_trip(mem + i * (nr / 4) * PAGE + 32, in + PAGE, 0, 2000);
	pages_free(mem, nr);
	pages_free(in, 3);
}

/* Within the device's own reach: else the driver has a buffer there, and copies when it's done. */
static unsigned char *near_page(unsigned char *pages, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		pages[i * PAGE] = 0;
		if (physical_address(pages + i * PAGE) <= EDU_DMA_MASK)
			return pages + i * PAGE;
	}
	return NULL;
}

static void transfer_and_die(unsigned char *shared)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (edu_open(&edu, address, kind))
			_exit(1);
		shared[PAGE - 1] = 1;
		edu_dma_from_device(edu, shared, 0, 1000);
		pause();
	}
	while (!shared[PAGE - 1] && !waitpid(pid, &status, WNOHANG))
		usleep(100);
	assert_int_equal(shared[PAGE - 1], 1);
	usleep(20000);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static bool can_quiesce(void)
{
	struct usrpci_info info;

	assert_int_equal(usrpci_info(edu_device(edu), &info), 0);
	return info.caps & USRPCI_CAN_QUIESCE;
}

/* A child is killed in the middle of a transfer into memory that it shares. */
static void test_killed_amid_dma(void **state)
{
	unsigned char *many = mmap(NULL, NEAR * PAGE, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned char *data = pages_new(1, 0), *shared;
	int tries;

	if (!can_quiesce())
		skip();
	assert_ptr_not_equal(many, MAP_FAILED);
	shared = near_page(many, NEAR);
	assert_non_null(shared);
	fill(data, PAGE, 7);
	assert_int_equal(edu_dma_to_device(edu, data, 0, 1000), 0);
	close_edu(state);
	/* On a busy machine death may come before the transfer has begun. */
	for (tries = 0; tries < 10 && memcmp(shared, data, 1000); tries++) {
		shared[PAGE - 1] = 0;
		transfer_and_die(shared);
	}
	/* What was under way has come, while the page was pinned. */
	assert_memory_equal(shared, data, 1000);
	pages_free(many, NEAR);
	pages_free(data, 1);
	assert_int_equal(open_edu(state), 0);
}

static void test_open_refusals(void **state)
{
	const char *other = getenv("USRPCI_NVME");
	struct edu *second = NULL;

	/* Of simulated ones each program has its own. */
	if (strncmp(address, "sim:", 4))
		assert_int_equal(edu_open(&second, address, kind), -EBUSY);
	assert_int_equal(edu_open(&second, "0000:00:1c.7", kind), -ENOENT);
	assert_int_equal(edu_open(&second, "nonsense", kind), -EINVAL);
	if (other)
		assert_int_equal(edu_open(&second, other, kind), -ENOTSUP);
	assert_null(second);
	assert_int_equal(edu_liveness(edu, 1), 0);
}

static void test_no_msix(void **state)
{
	struct edu *none = NULL;

	close_edu(state);
	assert_int_equal(edu_open(&none, address, USRPCI_MSIX), -ENOTSUP);
	assert_null(none);
	assert_int_equal(open_edu(state), 0);
}

static int run(enum usrpci_irq irq, const char *name)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_identity, open_edu, close_edu),
		cmocka_unit_test_setup_teardown(test_factorials, open_edu, close_edu),
		cmocka_unit_test_setup_teardown(test_dma, open_edu, close_edu),
		cmocka_unit_test_setup_teardown(test_dma_is_exact, open_edu, close_edu),
		cmocka_unit_test_setup_teardown(test_interrupts_are_counted, open_edu, close_edu),
		cmocka_unit_test_setup_teardown(test_refusals, open_edu, close_edu),
		cmocka_unit_test_setup_teardown(test_bad_memory, open_edu, close_edu),
		cmocka_unit_test_setup_teardown(test_far_memory, open_edu, close_edu),
		cmocka_unit_test_setup_teardown(test_killed_amid_dma, open_edu, close_edu),
		cmocka_unit_test_setup_teardown(test_open_refusals, open_edu, close_edu),
		cmocka_unit_test_setup_teardown(test_no_msix, open_edu, close_edu),
	};

	kind = irq;
	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
	address = getenv("USRPCI_EDU");
	if (!address) {
		fputs("USRPCI_EDU names no device: skipped\n", stderr);
		return SKIPPED;
	}
	return run(USRPCI_MSI, "edu, MSI") | run(USRPCI_INTX, "edu, INTx") |
	       run(USRPCI_NO_IRQ, "edu, polled");
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "function.h"
#include "memory.h"

static long field(const char *path, const char *format)
{
	char line[256];
	long value = -1;
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, format, &value) == 1)
			break;
	fclose(file);
	return value;
}

/* The counters are per CPU till they are asked to be added up. */
long pages_pinned(void)
{
	file_write("/proc/sys/vm/stat_refresh", "1");
	return field("/proc/vmstat", "nr_foll_pin_acquired %ld") -
	       field("/proc/vmstat", "nr_foll_pin_released %ld");
}

long pages_charged(void)
{
	return field("/proc/self/status", "VmPin: %ld") * 1024 / (long)PAGE;
}

long pages_held(void)
{
	return pages_charged() + field("/proc/self/status", "VmLck: %ld") * 1024 / (long)PAGE;
}

unsigned char *pages_new(size_t nr, int fill)
{
	unsigned char *addr = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(addr, MAP_FAILED);
	memset(addr, fill, nr * PAGE);
	return addr;
}

void pages_free(void *addr, size_t nr)
{
	assert_int_equal(munmap(addr, nr * PAGE), 0);
}

static __thread sigjmp_buf touched;

static void on_fault(int sig)
{
	siglongjmp(touched, sig);
}

static int touch_with(volatile uint32_t *addr, bool write, uint32_t value)
{
	struct sigaction action = { .sa_handler = on_fault }, bus, segv;
	int sig;

	sigaction(SIGBUS, &action, &bus);
	sigaction(SIGSEGV, &action, &segv);
	sig = sigsetjmp(touched, 1);
	if (!sig && write)
		*addr = value;
	else if (!sig)
		(void)*addr;
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGSEGV, &segv, NULL);
	return sig;
}

int touch(const volatile void *addr)
{
	return touch_with((volatile uint32_t *)addr, false, 0);
}

int touch_write(volatile void *addr, uint32_t value)
{
	return touch_with(addr, true, value);
}

uint64_t physical_address(const void *addr)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &entry, 8, (uintptr_t)addr / PAGE * 8), 8);
	close(fd);
	return entry >> 63 ? (entry & ((1ULL << 55) - 1)) * PAGE : 0;
}

uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

int log_mark(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	assert_true(fd >= 0);
	lseek(fd, 0, SEEK_END);
	return fd;
}

/* A busy machine is what the kernel's clock complains of, not what is tested. */
static bool is_noise(const char *line, ssize_t len)
{
	return memmem(line, (size_t)len, "hrtimer: interrupt took", 23) ||
	       memmem(line, (size_t)len, "clocksource:", 12);
}

/* The marks of other programs, that write to the log too, don't count. */
bool log_grew(int mark)
{
	char line[1024];
	bool grew = false;
	ssize_t n;

	while ((n = read(mark, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		if (n > 0 && is_noise(line, n))
			continue;
		grew = true;
		if (n > 0)
			print_message("# log: %.*s", (int)n, line);
	}
	close(mark);
	return grew;
}

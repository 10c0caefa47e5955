// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "function.h"
#include "stall.h"

bool stall_new(struct stall *stall)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	stall->fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (stall->fd < 0)
		return false;
	assert_int_equal(ioctl(stall->fd, UFFDIO_API, &api), 0);
	stall->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (uintptr_t)stall->page;
	reg.range.len = PAGE;
	assert_int_equal(ioctl(stall->fd, UFFDIO_REGISTER, &reg), 0);
	return true;
}

bool stall_wait(struct stall *stall)
{
	struct pollfd p = { .fd = stall->fd, .events = POLLIN };
	struct uffd_msg msg;

	return poll(&p, 1, 5000) == 1 && read(stall->fd, &msg, sizeof(msg)) == sizeof(msg);
}

void stall_end(struct stall *stall)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (uintptr_t)stall->page, .len = PAGE },
	};

	assert_int_equal(ioctl(stall->fd, UFFDIO_ZEROPAGE, &zero), 0);
}

void stall_free(struct stall *stall)
{
	close(stall->fd);
	munmap(stall->page, PAGE);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "guard.h"

static __thread sigjmp_buf touched;
static __thread volatile sig_atomic_t touching;

static void on_fault(int sig)
{
	if (touching)
		siglongjmp(touched, sig);
	signal(sig, SIG_DFL);
}

void guard_install(void)
{
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

static int guard(volatile uint32_t *addr, bool write, uint32_t value)
{
	int sig = sigsetjmp(touched, 0);

	if (!sig) {
		touching = 1;
		if (write)
			*addr = value;
		else
			(void)*addr;
	}
	touching = 0;
	return sig;
}

int guard_read(const volatile void *addr)
{
	return guard((volatile uint32_t *)addr, false, 0);
}

int guard_write(volatile void *addr, uint32_t value)
{
	return guard(addr, true, value);
}

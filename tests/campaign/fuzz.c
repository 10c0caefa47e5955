// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * Calls of every kind on the device's file and its maps, with good arguments and bad
 * ones, by two threads at once, while root resets and takes away the function. Nothing
 * may be left of it, and nothing wrong may work.
 *
 *	--inject N	every so many calls an allocation or a copy is made to fail (4; 0:
 *			never), where the kernel can do that
 *	--episode N	the first is the Nth: to repeat one
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "campaign.h"
#include "function.h"
#include "fuzz/admin.h"
#include "fuzz/arena.h"
#include "fuzz/episode.h"
#include "fuzz/injection.h"
#include "fuzz/state.h"
#include "memory.h"
#include "stacks.h"

/* That a thread makes in an episode: at least, and as many more. */
#define CALLS		2000
#define CALLS_SLOW	200	/* of a kernel that checks everything */
#define DMA_FILTER	"/sys/kernel/debug/dma-api/driver_filter"
#define LEAKS		"/sys/kernel/debug/kmemleak"
#define STUCK_MS	120000
/* Unless somebody waits for ever. */
#define SLOW_BIND_MS	(kernel_is_slow() ? 60000 : 5000)

/* In memory that the episodes' processes share. */
struct fuzz {
	struct campaign c;
	struct totals totals;
	struct episode e;
	struct state state[2];
	unsigned int inject;
	uint64_t calls;
	uint64_t counted;
};

static void *shared(size_t len)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static void count(struct fuzz *f)
{
	uint64_t calls = __atomic_load_n(&f->totals.calls, __ATOMIC_RELAXED);

	campaign_step(&f->c, calls - f->counted);
	f->counted = calls;
}

/* Root is about while the calls are made, in every other episode; roughly, in some. */
static void watch(struct fuzz *f, pid_t pid, uint64_t *random)
{
	bool rough = !random_below(random, f->inject ? 2 : 8);
	uint64_t end = now_ms() + STUCK_MS;
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		usleep(1000 + random_below(random, 20000));
		if (f->e.watched)
			admin_act(f->e.bdf, random, rough && !random_below(random, 10));
		if (now_ms() < end)
			continue;
		campaign_fault(&f->c, "episode %llu is stuck", (unsigned long long)f->e.index);
		stacks_tell();
		kill(pid, SIGKILL);
		end = now_ms() + STUCK_MS;
	}
	if (WIFSIGNALED(status) ? WTERMSIG(status) != SIGKILL : WEXITSTATUS(status))
		campaign_fault(&f->c, "episode %llu ended with status %#x",
			       (unsigned long long)f->e.index, status);
	/* Those that its children left behind. */
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* Once all is closed. */
static void check(struct fuzz *f)
{
	uint64_t start = now_ms();
	struct state now;

	if (!admin_restore(f->e.bdf)) {
		campaign_fault(&f->c, "%s can't be bound again", f->e.bdf);
		return;
	}
	if (now_ms() - start > SLOW_BIND_MS)
		campaign_fault(&f->c, "to bind it took %d ms", (int)(now_ms() - start));
	now = state_now(f->e.bdf);
	state_compare(&f->c, &f->state[f->e.device], &now);
	campaign_tally(&f->c, "state checks", 1);
}

static enum episode_user choose_user(uint64_t *random)
{
	uint64_t n = random_below(random, 10);

	return n > 2 ? EPISODE_ROOT : n > 0 ? EPISODE_HANDED : EPISODE_USER;
}

static void episode(struct fuzz *f)
{
	uint64_t random = f->c.seed * 31 + f->e.index;
	enum episode_user user = choose_user(&random);
	enum episode_end end = random_below(&random, 3);
	pid_t pid;

	f->e.device = function_nvme() && !random_below(&random, 5) ? FUZZ_NVME : FUZZ_EDU;
	f->e.bdf = f->e.device == FUZZ_NVME ? function_nvme() : function_edu();
	f->e.budget = f->calls + random_below(&random, f->calls);
	f->e.watched = random_below(&random, 2);
	f->e.inject = f->inject;
	f->e.gone = 0;
	fflush(NULL);
	pid = fork();
	if (!pid)
		episode_run(&f->e, user, end);
	watch(f, pid, &random);
	check(f);
	count(f);
	f->e.index++;
}

static void tell(struct fuzz *f)
{
	const char *name;
	unsigned int i;

	for (i = 0; (name = caller_op_name(i)); i++)
		fprintf(stderr, "fuzz: %-14s %10llu calls, %10llu worked\n", name,
			(unsigned long long)f->totals.tried[i],
			(unsigned long long)f->totals.worked[i]);
	campaign_tally(&f->c, "calls that worked", f->totals.ok);
	campaign_tally(&f->c, "touches of maps", f->totals.touches);
	campaign_tally(&f->c, "of them signals", f->totals.signals);
	campaign_tally(&f->c, "failures injected", f->totals.injected);
	campaign_tally(&f->c, "episodes", f->e.index);
}

static void prepare(struct fuzz *f)
{
	file_write("/proc/sys/vm/nr_hugepages", "4");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	arena_files_open();
	if (f->inject && !injection_prepare())
		f->inject = 0;
	/* The same memory is mapped many times, which this can't follow. */
	file_write(DMA_FILTER, "nobody");
	f->calls = f->inject ? CALLS_SLOW : CALLS;
	admin_start(f->inject);
	admin_restore(function_edu());
	f->state[FUZZ_EDU] = state_now(function_edu());
	if (!function_nvme())
		return;
	admin_restore(function_nvme());
	f->state[FUZZ_NVME] = state_now(function_nvme());
}

int main(int argc, char **argv)
{
	struct fuzz *f = shared(sizeof(*f));

	campaign_start(&f->c, argc, argv, "fuzz", "calls", 10000000);
	function_require();
	f->e.c = &f->c;
	f->e.totals = &f->totals;
	f->e.index = campaign_option(argc, argv, "--episode", 0);
	f->inject = campaign_option(argc, argv, "--inject", 4);
	prepare(f);
	while (!campaign_is_done(&f->c))
		episode(f);
	/* What it finds it tells to the kernel's log; new memory it passes over once. */
	file_write(LEAKS, "scan");
	file_write(LEAKS, "scan");
	tell(f);
	return campaign_end(&f->c);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * Very many lives of drivers that do everything wrong, and die of it or not: after
 * each the function is stopped, and opens again.
 */
#include <linux/pci_regs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "campaign.h"
#include "edu.h"
#include "faulty/life.h"
#include "function.h"
#include "memory.h"

#define WORKERS		8
#define NVME_CC		0x14
#define SLOW_MS		1000
#define STUCK_MS	20000
#define KILL_WITHIN_US	4000

/* In memory that the processes share. */
struct faulty {
	struct campaign c;
	uint64_t begun;
	uint64_t done;
	uint64_t ends[LIFE_ENDS];
	uint64_t slowest_ms;
	uint64_t of_nvme;
};

/**
 * struct worker - Who gives one function to a driver after the other.
 * @f: the campaign
 * @bdf: the function
 * @is_nvme: its kind
 * @random: its random numbers
 */
struct worker {
	struct faulty *f;
	const char *bdf;
	bool is_nvme;
	uint64_t random;
};

static bool is_master(const struct worker *w)
{
	return function_command(w->bdf) & PCI_COMMAND_MASTER;
}

/* It answers, and, where it can be reset, was. */
static void check_registers(const struct worker *w, int fd)
{
	uint32_t value = ~0U;
	off_t offset = (off_t)function_bar(fd, 0).offset;

	if (w->is_nvme)
		offset += NVME_CC;
	if (pread(fd, &value, sizeof(value), offset) != sizeof(value) ||
	    value != (w->is_nvme ? 0 : EDU_IDENTITY))
		campaign_fault(&w->f->c, "%s: a register is %#x after a life", w->bdf, value);
}

static void check_after(struct worker *w)
{
	uint64_t start, took;
	int fd;

	if (is_master(w))
		campaign_fault(&w->f->c, "%s: bus master after a life", w->bdf);
	start = now_ms();
	fd = function_open(w->bdf);
	took = now_ms() - start;
	if (took > w->f->slowest_ms)
		w->f->slowest_ms = took;
	if (took > SLOW_MS)
		campaign_fault(&w->f->c, "%s: to open it took %d ms", w->bdf, (int)took);
	if (fd < 0) {
		campaign_fault(&w->f->c, "%s: doesn't open: %s", w->bdf, strerror(-fd));
		return;
	}
	if (function_nr_held(w->bdf))
		campaign_fault(&w->f->c, "%s: holds something after a life", w->bdf);
	check_registers(w, fd);
	close(fd);
}

static void wait_for(struct worker *w, pid_t pid)
{
	uint64_t end = now_ms() + STUCK_MS;
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		usleep(200);
		if (now_ms() < end)
			continue;
		campaign_fault(&w->f->c, "%s: a driver is stuck", w->bdf);
		kill(pid, SIGKILL);
		end = now_ms() + STUCK_MS;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status))
		campaign_fault(&w->f->c, "%s: a life never began: %d", w->bdf, WEXITSTATUS(status));
}

static void one_life(struct worker *w)
{
	enum life_end end = random_below(&w->random, LIFE_ENDS);
	uint64_t seed = random_next(&w->random);
	pid_t pid = fork();

	if (!pid)
		life_run(w->bdf, w->is_nvme, seed, end);
	if (end == LIFE_KILLED) {
		usleep(random_below(&w->random, KILL_WITHIN_US));
		kill(pid, SIGKILL);
	}
	wait_for(w, pid);
	check_after(w);
	__atomic_add_fetch(&w->f->ends[end], 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&w->f->of_nvme, w->is_nvme, __ATOMIC_RELAXED);
	__atomic_add_fetch(&w->f->done, 1, __ATOMIC_RELAXED);
}

static void work(struct worker *w)
{
	while (__atomic_fetch_add(&w->f->begun, 1, __ATOMIC_RELAXED) < w->f->c.goal)
		one_life(w);
	_exit(0);
}

static unsigned int start(struct faulty *f, const char *list, bool is_nvme, unsigned int nr)
{
	char *all = strdup(list ? list : ""), *bdf;

	for (bdf = strtok(all, " "); bdf && nr < WORKERS; bdf = strtok(NULL, " ")) {
		struct worker w = {
			.f = f, .bdf = bdf, .is_nvme = is_nvme, .random = f->c.seed * WORKERS + nr,
		};

		fflush(NULL);
		if (!fork())
			work(&w);
		nr++;
	}
	return nr;
}

static void watch(struct faulty *f, unsigned int nr)
{
	uint64_t told = 0, now;
	int status;
	pid_t pid;

	while (nr) {
		pid = waitpid(-1, &status, WNOHANG);
		if (pid > 0)
			nr--;
		if (pid > 0 && status)
			campaign_fault(&f->c, "a worker ended with status %#x", status);
		usleep(20000);
		now = __atomic_load_n(&f->done, __ATOMIC_RELAXED);
		campaign_step(&f->c, now - told);
		told = now;
	}
}

int main(int argc, char **argv)
{
	struct faulty *f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int nr;
	long pinned;

	campaign_start(&f->c, argc, argv, "faulty", "lives", 100000);
	function_require();
	pinned = pages_pinned();
	nr = start(f, getenv("USRPCI_EDUS"), false, 0);
	nr = start(f, getenv("USRPCI_NVMES"), true, nr);
	watch(f, nr);
	if (pages_pinned() != pinned)
		campaign_fault(&f->c, "pages pinned: %ld before, %ld after", pinned,
			       pages_pinned());
	campaign_peak(&f->c, "functions", nr);
	campaign_tally(&f->c, "of NVMe", f->of_nvme);
	campaign_tally(&f->c, "exits", f->ends[LIFE_EXIT]);
	campaign_tally(&f->c, "crashes", f->ends[LIFE_CRASH]);
	campaign_tally(&f->c, "aborts", f->ends[LIFE_ABORT]);
	campaign_tally(&f->c, "kills", f->ends[LIFE_KILLED]);
	campaign_peak(&f->c, "ms to open at most", f->slowest_ms);
	return campaign_end(&f->c);
}

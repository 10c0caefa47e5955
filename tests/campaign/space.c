// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * Random programs that change their memory while a device with a TLB computes on it, two at a
 * time on each device. What a job does is right, by what the program knows of its memory; and
 * nothing is left of a program, however it ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "campaign.h"
#include "canary.h"
#include "census.h"
#include "function.h"
#include "htex.h"
#include "memory.h"
#include "space/program.h"

#define PROGRAMS	2U	/* at once */
#define ROUNDS		16U	/* for which a device stays open */
#define DEVICES_MOST	4U
#define PATIENCE_MS	(kernel_is_slow() ? 600000 : 120000)
#define OUTLIVES_MS	(kernel_is_slow() ? 10000U : 1000U)
#define CHUNKS_MOST	40U
#define HUGE_PAGES	"12"

/**
 * struct device - A device, open or not.
 * @bdf: its name
 * @hw: it
 * @entries: its TLB
 * @len: bytes of that
 * @census: what there is while nobody has it
 */
struct device {
	const char *bdf;
	struct htex_hw hw;
	volatile uint64_t *entries;
	size_t len;
	struct census census;
};

/* In memory that is shared with the programs. */
struct shared {
	struct campaign c;
	struct program_report reports[PROGRAMS];
};

/**
 * struct space - The campaign.
 * @shared: its counts
 * @devices: with different TLBs
 * @nr_devices: how many
 * @canary: memory that programs left behind
 */
struct space {
	struct shared *shared;
	struct device devices[DEVICES_MOST];
	unsigned int nr_devices;
	struct canary canary;
};

/** struct life - A program that runs. */
struct life {
	struct program program;
	pid_t pid;
	uint64_t kill_us;
};

/* --- devices --- */

static void open_device(struct space *s, struct device *d, unsigned int how)
{
	uint64_t end = now_ms() + 10000;
	struct usrpci_ioc_bar bar;

	memset(&d->hw, 0, sizeof(d->hw));
	/* The last of those that had it may be dying. */
	while ((d->hw.fd = function_open(d->bdf)) == -EBUSY && now_ms() < end)
		usleep(1000);
	if (d->hw.fd < 0) {
		campaign_fault(&s->shared->c, "%s can't be opened: %d", d->bdf, d->hw.fd);
		exit(campaign_end(&s->shared->c));
	}
	bar = function_bar(d->hw.fd, 0);
	d->hw.len = bar.len;
	d->hw.regs = mmap(NULL, bar.len, PROT_READ | PROT_WRITE, MAP_SHARED, d->hw.fd, bar.offset);
	d->hw.done = -1;
	bar = function_bar(d->hw.fd, HTEX_TLB_BAR);
	d->len = bar.len;
	d->entries = mmap(NULL, bar.len, PROT_READ, MAP_SHARED, d->hw.fd, bar.offset);
	assert_ptr_not_equal(d->hw.regs, MAP_FAILED);
	assert_ptr_not_equal(d->entries, MAP_FAILED);
	htex_hw_start(&d->hw, how);
}

static void close_device(struct space *s, struct device *d)
{
	uint64_t end = now_ms() + 10000;
	struct census now;

	munmap((void *)d->hw.regs, d->hw.len);
	munmap((void *)d->entries, d->len);
	close(d->hw.fd);
	do {
		now = census_take(d->bdf);
	} while (census_differs(&d->census, &now) && now_ms() < end && !usleep(5000));
	if (census_differs(&d->census, &now))
		campaign_fault(&s->shared->c, "%s, closed: %s", d->bdf,
			       census_differs(&d->census, &now));
}

static void check_events(struct space *s, struct device *d)
{
	struct usrpci_ioc_event event;

	while (!function_event(d->hw.fd, &event))
		if (event.type != USRPCI_EVENT_NOBODY)
			campaign_fault(&s->shared->c, "event %u, %u", event.type, event.detail);
}

/* Of anybody, if @tag is -1. */
static bool is_entry_of(uint64_t entry, int tag)
{
	return entry & HTEX_ENTRY_VALID &&
	       (tag < 0 || (int)(entry >> HTEX_ENTRY_TAG_SHIFT & (HTEX_TAGS - 1)) == tag);
}

static bool has_entries(struct device *d, int tag)
{
	uint32_t i, nr = *(volatile uint32_t *)(d->hw.regs + HTEX_ENTRIES);

	for (i = 0; i < nr; i++)
		if (is_entry_of(d->entries[i * HTEX_ENTRY_LEN / 8], tag))
			return true;
	return false;
}

/* The device has nothing of who is bound no more; of nobody, if @tag is -1. */
static void check_entries(struct space *s, struct device *d, int tag, uint64_t number)
{
	uint32_t i, nr = *(volatile uint32_t *)(d->hw.regs + HTEX_ENTRIES);
	uint64_t entry;

	for (i = 0; i < nr; i++) {
		entry = d->entries[i * HTEX_ENTRY_LEN / 8];
		if (is_entry_of(entry, tag))
			campaign_fault(&s->shared->c, "--program %ju: entry %u is %#jx, tag %d",
				       (uintmax_t)number, i, (uintmax_t)entry, tag);
	}
}

/*
 * A process can be dead and its memory not: somebody in the kernel holds that for a moment, and
 * a child of it the descriptor.
 */
static void await_forgotten(struct space *s, struct device *d, int tag, uint64_t number)
{
	uint64_t begun = now_ms();

	if (!has_entries(d, tag))
		return;
	campaign_tally(&s->shared->c, "entries outlived", 1);
	while (has_entries(d, tag) && now_ms() < begun + OUTLIVES_MS)
		usleep(500);
	check_entries(s, d, tag, number);
}

/* --- programs --- */

static void begin(struct space *s, struct device *d, struct life *life, uint64_t number,
		  unsigned int place)
{
	struct campaign *c = &s->shared->c;
	uint64_t random = c->seed + number * 0x10001;
	struct program *p = &life->program;

	*p = (struct program){
		.c = c,
		.report = &s->shared->reports[place],
		.number = number,
		.seed = random_next(&random),
		.end = random_below(&random, PROGRAM_ENDS),
		.mirrored = random_below(&random, 2),
		.first_engine = place * ENGINES,
		.hw = { .fd = d->hw.fd, .len = d->hw.len },
	};
	*p->report = (struct program_report){ .tag = -1 };
	life->kill_us = random_below(&random, kernel_is_slow() ? 2000000 : 200000);
	fflush(NULL);
	life->pid = fork();
	if (!life->pid)
		program_run(p);
}

/* Physical pages of a program's list, if it's there. */
static size_t ring_pages(pid_t pid, uint64_t *physical)
{
	char path[32];
	size_t i, nr = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, physical, RING_PAGES * 8, RING_AT / PAGE * 8) != RING_PAGES * 8)
		nr = RING_PAGES;
	for (i = nr, nr = 0; i < RING_PAGES; i++)
		if (physical[i] >> 63)
			physical[nr++] = (physical[i] & ((1ULL << 55) - 1)) * PAGE;
	if (fd >= 0)
		close(fd);
	return nr;
}

static void wait_for(struct space *s, struct life *life)
{
	struct program_report *report = life->program.report;
	uint64_t end = now_ms() + PATIENCE_MS;
	bool killed = life->program.end == END_KILL || life->program.end == END_KILLED;
	int status;

	while (waitpid(life->pid, &status, WNOHANG) != life->pid) {
		usleep(500);
		if (now_ms() < end)
			continue;
		program_fault(&life->program, "it is stuck");
		kill(life->pid, SIGKILL);
		end = now_ms() + PATIENCE_MS;
	}
	if (killed ? !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL : status != 0)
		program_fault(&life->program, "it ended with status %#x", status);
	if (!report->finished && life->program.end != END_KILLED)
		program_fault(&life->program, "it didn't come to its end");
}

/* Nobody else has its tag by now, or may have. */
static bool owns_tag(const struct space *s, const struct life *life)
{
	const struct program_report *own = life->program.report;
	const struct program_report *other = &s->shared->reports[own == s->shared->reports];

	return own->tag >= 0 && other->tag >= 0 && other->tag != own->tag;
}

/* Jobs that it left have ended, or do. */
static void check_engines(struct space *s, struct device *d, struct life *life)
{
	unsigned int i, at = life->program.first_engine;
	uint64_t end = now_ms() + PATIENCE_MS / 4;
	uint32_t state;

	for (i = at; i < at + ENGINES; i++) {
		for (;;) {
			state = htex_hw_state(&d->hw, i);
			if (state != HTEX_STATE_RUNNING && state != HTEX_STATE_WAITING)
				break;
			if (now_ms() > end) {
				program_fault(&life->program, "engine %u runs on, state %u", i,
					      state);
				return;
			}
		}
		if (state == HTEX_STATE_BUS_ERROR)
			program_fault(&life->program, "engine %u met no memory", i);
	}
}

static void look_after(struct space *s, struct device *d, struct life *life)
{
	struct program_report *report = life->program.report;
	uint64_t physical[RING_PAGES];
	bool owned;
	size_t nr = 0;

	if (life->program.end == END_KILLED) {
		usleep(life->kill_us);
		nr = ring_pages(life->pid, physical);
		kill(life->pid, SIGKILL);
	}
	wait_for(s, life);
	/* The other one has bound itself by now, or may yet get this tag. */
	owned = owns_tag(s, life);
	check_engines(s, d, life);
	if (owned)
		await_forgotten(s, d, report->tag, life->program.number);
	if (nr && s->canary.nr < CHUNKS_MOST)
		canary_catch(&s->canary, physical, nr);
}

static void tell(struct space *s, const struct life *life)
{
	const struct program_report *report = life->program.report;
	struct campaign *c = &s->shared->c;

	campaign_tally(c, "jobs", report->jobs);
	campaign_tally(c, "of them disturbed", report->disturbed);
	campaign_tally(c, "refused", report->refused);
	campaign_tally(c, "forks", report->children);
	campaign_tally(c, "misses", report->misses);
	campaign_tally(c, "invalidations", report->invalidations);
	campaign_tally(c, "retries", report->retries);
	campaign_tally(c, "killed amid", !report->finished);
	campaign_tally(c, "mirrored", life->program.mirrored);
}

static void check_after(struct space *s, long pinned)
{
	uint64_t end = now_ms() + 5000;
	size_t changed = canary_changed(&s->canary);

	while (pages_pinned() != pinned && now_ms() < end)
		usleep(2000);
	if (pages_pinned() != pinned)
		campaign_fault(&s->shared->c, "pages pinned: %ld before, %ld after", pinned,
			       pages_pinned());
	if (changed)
		campaign_fault(&s->shared->c, "%zu bytes of dead programs' memory have changed",
			       changed);
	if (s->canary.nr >= CHUNKS_MOST) {
		campaign_tally(&s->shared->c, "pages caught", s->canary.caught);
		canary_free(&s->canary);
	}
}

/* The one that is to die first is looked after first. */
static void one_round(struct space *s, struct device *d, uint64_t number, unsigned int nr)
{
	static struct life lives[PROGRAMS];
	long pinned = pages_pinned();
	unsigned int i, first;

	for (i = 0; i < nr; i++)
		begin(s, d, &lives[i], number + i, i);
	first = nr > 1 && lives[1].program.end == END_KILLED;
	for (i = 0; i < nr; i++)
		look_after(s, d, &lives[first ^ i]);
	for (i = 0; i < nr; i++)
		tell(s, &lives[i]);
	check_entries(s, d, -1, number);
	check_events(s, d);
	check_after(s, pinned);
	campaign_step(&s->shared->c, nr);
}

/* --- all of it --- */

static void find_devices(struct space *s)
{
	char *all = strdup(getenv("USRPCI_HTEXES") ?: ""), *bdf;

	for (bdf = strtok(all, " "); bdf && s->nr_devices < DEVICES_MOST; bdf = strtok(NULL, " "))
		s->devices[s->nr_devices++].bdf = bdf;
}

/* What isn't there in this kernel is done without. */
static void prepare(void)
{
	file_write("/proc/sys/vm/nr_hugepages", HUGE_PAGES);
	file_write("/sys/kernel/mm/ksm/sleep_millisecs", "20");
	file_write("/sys/kernel/mm/ksm/run", "1");
	file_write("/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs", "100");
}

static uint64_t counter(const char *name)
{
	FILE *file = fopen("/proc/vmstat", "r");
	uint64_t value = 0, n;
	char key[64];

	while (file && fscanf(file, "%63s %ju", key, (uintmax_t *)&n) == 2)
		if (!strcmp(key, name))
			value = n;
	if (file)
		fclose(file);
	return value;
}

static void run(struct space *s, uint64_t first)
{
	static const unsigned int hows[] = {
		0, HTEX_HW_RING, HTEX_HW_CHOOSE, HTEX_HW_RING | HTEX_HW_CHOOSE,
	};
	struct campaign *c = &s->shared->c;
	uint64_t number = first - first % PROGRAMS;
	struct device *d;

	while (!campaign_is_done(c)) {
		d = &s->devices[number / PROGRAMS / ROUNDS % s->nr_devices];
		open_device(s, d, hows[number / PROGRAMS / ROUNDS / s->nr_devices %
				       ARRAY_SIZE(hows)]);
		do {
			one_round(s, d, number, PROGRAMS);
			number += PROGRAMS;
		} while (!campaign_is_done(c) && number / PROGRAMS % ROUNDS);
		close_device(s, d);
	}
	campaign_peak(c, "devices", s->nr_devices);
}

int main(int argc, char **argv)
{
	static struct space s;
	unsigned int i;

	s.shared = mmap(NULL, sizeof(*s.shared), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	campaign_start(&s.shared->c, argc, argv, "space", "programs", 1000);
	function_require();
	find_devices(&s);
	if (!s.nr_devices) {
		campaign_fault(&s.shared->c, "there's no device with a TLB");
		return campaign_end(&s.shared->c);
	}
	prepare();
	for (i = 0; i < s.nr_devices; i++)
		s.devices[i].census = census_take(s.devices[i].bdf);
	run(&s, campaign_option(argc, argv, "--program", 0));
	campaign_tally(&s.shared->c, "pages caught", s.canary.caught);
	campaign_tally(&s.shared->c, "pages swapped out", counter("pswpout"));
	campaign_tally(&s.shared->c, "large pages split", counter("thp_split_pmd"));
	return campaign_end(&s.shared->c);
}

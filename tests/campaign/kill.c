// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * Programs are killed while their devices are at work: at each system call of theirs,
 * and at any time. In rounds: on each function one dies, then all is looked at.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "campaign.h"
#include "function.h"
#include "kill/life.h"
#include "kill/points.h"
#include "kill/slot.h"
#include "memory.h"

#define MAX_SLOTS	16
#define MAX_WORKLOADS	8
/* An edu's transfer takes so long; it's not to be stopped. */
#define TRANSFER_MS	110
#define AFTER_DMA_US	4000
#define PATIENCE_MS	300000

/**
 * struct killing - The campaign.
 * @c: its counts
 * @slots: the functions
 * @nr_slots: how many
 * @canary: pages that were freed in a round
 * @pinned: pages that were pinned before
 * @life_us: of each workload, how long it takes to its second turn
 * @points: of each workload, points till then
 * @next_point: of each workload, counts those that were done
 * @wanted_points: of each workload, how many are to be done
 * @phase: of each workload, which of the points between two that are wanted
 */
struct killing {
	struct campaign c;
	struct slot slots[MAX_SLOTS];
	unsigned int nr_slots;
	struct canary canary;
	long pinned;
	uint64_t life_us[MAX_WORKLOADS];
	unsigned int points[MAX_WORKLOADS];
	unsigned int next_point[MAX_WORKLOADS];
	unsigned int wanted_points[MAX_WORKLOADS];
	unsigned int phase[MAX_WORKLOADS];
};

static struct slot *slot_of(struct killing *k, pid_t pid)
{
	unsigned int i;

	for (i = 0; i < k->nr_slots; i++)
		if (k->slots[i].pid == pid)
			return &k->slots[i];
	return NULL;
}

/* Of all that were begun, and of their children, which are ours once they are orphans. */
static void wait_for_all(struct killing *k)
{
	struct slot *s;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		s = slot_of(k, pid);
		if (s)
			slot_ended(&k->c, s, status, &k->canary);
	}
}

static void check_counters(struct killing *k)
{
	long pinned = pages_pinned(), charged = pages_charged();

	if (pinned != k->pinned)
		campaign_fault(&k->c, "%ld pages are pinned, %ld were before", pinned, k->pinned);
	if (charged)
		campaign_fault(&k->c, "%ld pages are charged", charged);
	k->pinned = pinned;
}

/* Till all transfers would have come that were under way. */
static void wait_for_transfers(struct killing *k)
{
	uint64_t end = 0;
	unsigned int i;

	for (i = 0; i < k->nr_slots; i++)
		if (!k->slots[i].nvme && k->slots[i].ended_ms + TRANSFER_MS > end)
			end = k->slots[i].ended_ms + TRANSFER_MS;
	usleep(5000);
	while (now_ms() < end)
		usleep(1000);
}

static void check_canary(struct killing *k)
{
	size_t changed = canary_changed(&k->canary);

	if (changed)
		campaign_fault(&k->c, "%zu bytes of freed memory have changed", changed);
	campaign_tally(&k->c, "of them caught again", k->canary.caught);
	campaign_tally(&k->c, "beside them caught", k->canary.beside);
	campaign_peak(&k->c, "canary pages", k->canary.nr * CANARY_CHUNK);
	canary_free(&k->canary);
}

static unsigned int end_round(struct killing *k)
{
	unsigned int i, deaths = 0;

	/* Whoever doesn't die ends it all. */
	alarm(PATIENCE_MS / 1000);
	wait_for_all(k);
	alarm(0);
	check_counters(k);
	wait_for_transfers(k);
	for (i = 0; i < k->nr_slots; i++) {
		if (!k->slots[i].work)
			continue;
		slot_check(&k->c, &k->slots[i]);
		deaths++;
	}
	check_canary(k);
	return deaths;
}

/* --- what there is to be killed --- */

static struct slot *slot_for(struct killing *k, const struct workload *w)
{
	unsigned int i;

	for (i = 0; i < k->nr_slots; i++)
		if (k->slots[i].nvme == w->nvme)
			return &k->slots[i];
	return NULL;
}

static uint64_t measure_life(struct killing *k, struct slot *s, const struct workload *w)
{
	uint64_t start = now_ms();

	slot_begin(s, w, LIFE_WAITS, 0, 1);
	while (__atomic_load_n(&s->life.box->turns, __ATOMIC_RELAXED) < 2 &&
	       now_ms() < start + PATIENCE_MS)
		usleep(1000);
	kill(s->pid, SIGKILL);
	start = (now_ms() - start) * 1000;
	end_round(k);
	return start;
}

static void measure(struct killing *k, unsigned int i)
{
	const struct workload *w = &workloads[i];
	struct slot *s = slot_for(k, w);

	if (!s)
		return;
	k->life_us[i] = measure_life(k, s, w);
	slot_begin(s, w, LIFE_TRACED, 0, 1);
	k->points[i] = points_count(s->pid, &s->life);
	end_round(k);
	if (!k->points[i])
		campaign_fault(&k->c, "%s: no points", w->name);
	fprintf(stderr, "kill: %s: %u points in %u ms\n", w->name, k->points[i],
		(unsigned int)(k->life_us[i] / 1000));
}

/* --- chosen points --- */

/* Shares of @total, by how many points each workload has; at most all. Evenly spread. */
static void choose_points(struct killing *k, unsigned int total)
{
	unsigned int i, all = 0;

	for (i = 0; i < nr_workloads; i++)
		all += k->points[i];
	for (i = 0; i < nr_workloads; i++) {
		k->wanted_points[i] =
			total < all ? (k->points[i] * total + all - 1) / all : k->points[i];
		k->phase[i] = campaign_below(&k->c, k->points[i]);
	}
}

/* The workload of this kind that has most to do. */
static int most_left(const struct killing *k, bool nvme)
{
	unsigned int i, left, most = 0;
	int found = -1;

	for (i = 0; i < nr_workloads; i++) {
		left = k->wanted_points[i] - k->next_point[i];
		if (workloads[i].nvme == nvme && left > most) {
			most = left;
			found = i;
		}
	}
	return found;
}

static void kill_at_point(struct killing *k, struct slot *s, unsigned int i)
{
	int status;

	s->point = 1 + (k->next_point[i]++ * k->points[i] + k->phase[i]) / k->wanted_points[i];
	slot_begin(s, &workloads[i], LIFE_TRACED, 0, 1);
	if (points_kill_at(s->pid, s->point))
		return;
	/* It was reaped by the tracer, which waits for it alone. */
	if (waitpid(s->pid, &status, __WALL) < 0)
		slot_ended(&k->c, s, 0, &k->canary);
}

static void point_rounds(struct killing *k)
{
	unsigned int i, deaths;
	int workload;

	do {
		for (i = 0; i < k->nr_slots; i++) {
			workload = most_left(k, k->slots[i].nvme);
			if (workload >= 0)
				kill_at_point(k, &k->slots[i], workload);
		}
		deaths = end_round(k);
		campaign_tally(&k->c, "at chosen points", deaths);
		campaign_step(&k->c, deaths);
	} while (deaths);
}

/* --- random times --- */

static unsigned int random_workload(struct killing *k, bool nvme)
{
	unsigned int i;

	do {
		i = campaign_below(&k->c, nr_workloads);
	} while (workloads[i].nvme != nvme);
	return i;
}

/* Half at any time of its life, half soon after DMA was started. */
static void begin_random(struct killing *k, struct slot *s)
{
	unsigned int i = random_workload(k, s->nvme);
	enum life_end end = campaign_below(&k->c, 2) ? LIFE_TIMED : LIFE_MOVING;
	uint64_t us = end == LIFE_TIMED ? k->life_us[i] : AFTER_DMA_US;

	us = campaign_below(&k->c, us);
	slot_begin(s, &workloads[i], end, us, campaign_random(&k->c));
}

static void random_round(struct killing *k)
{
	unsigned int i, deaths;

	for (i = 0; i < k->nr_slots; i++)
		begin_random(k, &k->slots[i]);
	deaths = end_round(k);
	campaign_tally(&k->c, "at random times", deaths);
	campaign_step(&k->c, deaths);
}

int main(int argc, char **argv)
{
	static struct killing k;
	unsigned int i, points;

	campaign_start(&k.c, argc, argv, "kill", "deaths", 21000);
	function_require();
	k.nr_slots = slots_find(k.slots, MAX_SLOTS);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	k.pinned = pages_pinned();
	for (i = 0; i < nr_workloads; i++)
		measure(&k, i);
	k.c.nr_tallies = 0;
	points = campaign_option(argc, argv, "--points", k.c.goal / 10);
	choose_points(&k, points);
	point_rounds(&k);
	while (!campaign_is_done(&k.c))
		random_round(&k);
	return campaign_end(&k.c);
}

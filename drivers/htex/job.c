// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * Whose job has ended, the device says once for all, in DONE. So of the threads that wait one waits
 * for the interrupt and reads DONE for all of them; when it has what it wants, another does.
 */
#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>
#include "internal.h"

static uint64_t bit_of(unsigned int engine)
{
	return 1ULL << engine;
}

/* --- starting and stopping --- */

static bool is_job(const struct htex_job *job)
{
	return job->kind >= HTEX_LIST && job->kind <= HTEX_MATRIX && job->tag < HTEX_TAGS;
}

/* The free one with the lowest number, or -EBUSY. */
static int choose(const struct htex *htex)
{
	unsigned int engine;

	for (engine = 0; engine < htex->engines; engine++)
		if (!(htex->busy & bit_of(engine)))
			return (int)engine;
	return -EBUSY;
}

static int write_job(const struct htex *htex, unsigned int engine, const struct htex_job *job)
{
	const struct {
		unsigned int reg;
		unsigned int width;
		uint64_t value;
	} registers[] = {
		{ HTEX_TAG, 4, job->tag },
		{ HTEX_SOURCE, 8, (uintptr_t)job->source },
		{ HTEX_SECOND, 8, (uintptr_t)job->second },
		{ HTEX_TARGET, 8, (uintptr_t)job->target },
		{ HTEX_LENGTH, 8, job->length },
		{ HTEX_JOB, 4, job->kind },
	};
	unsigned int i;
	int err = 0;

	for (i = 0; i < sizeof(registers) / sizeof(registers[0]) && !err; i++)
		err = htex_write(htex, HTEX_ENGINE(engine) + registers[i].reg,
				 registers[i].width, registers[i].value);
	return err;
}

int htex_start(struct htex *htex, const struct htex_job *job)
{
	int engine, err;

	if (!is_job(job))
		return -EINVAL;
	pthread_mutex_lock(&htex->lock);
	engine = choose(htex);
	if (engine >= 0) {
		htex->ended &= ~bit_of((unsigned int)engine);
		err = write_job(htex, (unsigned int)engine, job);
		if (err)
			engine = err;
		else
			htex->busy |= bit_of((unsigned int)engine);
	}
	pthread_mutex_unlock(&htex->lock);
	return engine;
}

static bool is_busy(const struct htex *htex, unsigned int engine)
{
	return engine < htex->engines && htex->busy & bit_of(engine);
}

int htex_stop(struct htex *htex, unsigned int engine)
{
	int err = -EINVAL;

	pthread_mutex_lock(&htex->lock);
	if (is_busy(htex, engine))
		err = htex_write(htex, HTEX_ENGINE(engine) + HTEX_STOP, 4, 1);
	if (!err)
		htex->busy &= ~bit_of(engine);
	pthread_mutex_unlock(&htex->lock);
	return err;
}

/* --- looking; with the lock --- */

static int read_result(const struct htex *htex, unsigned int engine, struct htex_result *result)
{
	const unsigned int at = HTEX_ENGINE(engine);
	int err;

	err = htex_read(htex, at + HTEX_RESULT, 8, &result->result);
	if (!err)
		err = htex_read(htex, at + HTEX_PROGRESS, 8, &result->progress);
	if (!err)
		err = htex_read(htex, at + HTEX_ADDRESS, 8, &result->address);
	if (!err)
		err = htex_read(htex, at + HTEX_MISSES, 8, &result->misses);
	return err;
}

static int look(struct htex *htex, unsigned int engine, struct htex_result *result)
{
	uint64_t state;
	int err;

	if (!is_busy(htex, engine))
		return -EINVAL;
	err = htex_read(htex, HTEX_ENGINE(engine) + HTEX_STATE, 4, &state);
	if (err)
		return err;
	if (state == HTEX_STATE_RUNNING || state == HTEX_STATE_WAITING)
		return -EAGAIN;
	/* Somebody else has reset it: there's nothing to come. */
	if (state == HTEX_STATE_IDLE)
		return -EIO;
	result->end = (enum htex_end)state;
	err = read_result(htex, engine, result);
	if (!err)
		htex->busy &= ~bit_of(engine);
	return err;
}

/*
 * The interrupt first, then what it's about: what ends after that interrupts again. IRQ needs no
 * clearing, since messages come whether it was or not.
 */
static int take_ended(struct htex *htex)
{
	uint64_t count, ended;
	int err;

	if (read(htex->eventfd, &count, sizeof(count)) < 0)
		return errno == EAGAIN ? 0 : -errno;
	err = htex_read(htex, HTEX_DONE, 8, &ended);
	if (err)
		return err;
	if (ended == UINT64_MAX && htex->engines < HTEX_ENGINES_MOST)
		return -ENODEV;
	htex->ended |= ended;
	pthread_cond_broadcast(&htex->changed);
	return 0;
}

int htex_poll(struct htex *htex, unsigned int engine, struct htex_result *result)
{
	int err = 0;

	pthread_mutex_lock(&htex->lock);
	if (!htex->reading)
		err = take_ended(htex);
	if (!err)
		err = look(htex, engine, result);
	pthread_mutex_unlock(&htex->lock);
	return err;
}

/* --- waiting; with the lock --- */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int time_left(int64_t end)
{
	int64_t left;

	if (end < 0)
		return -1;
	left = end - now_ms();
	return left > 0 ? (int)left : 0;
}

/* For all who wait. */
static int wait_for_interrupt(struct htex *htex, int64_t end)
{
	struct pollfd events[] = {
		{ .fd = htex->eventfd, .events = POLLIN },
		{ .fd = usrpci_fd(htex->dev) },
	};
	int ready, err = 0;

	htex->reading = true;
	pthread_mutex_unlock(&htex->lock);
	ready = poll(events, 2, time_left(end));
	if (ready < 0)
		err = -errno;
	pthread_mutex_lock(&htex->lock);
	htex->reading = false;
	/* A device that has gone interrupts no more. */
	if (ready > 0)
		err = events[1].revents ? -ENODEV : take_ended(htex);
	/* Even if there was nothing: now somebody else has to wait for it. */
	pthread_cond_broadcast(&htex->changed);
	return err;
}

static int wait_for_reader(struct htex *htex, int64_t end)
{
	const struct timespec until = { .tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000 };
	int err;

	if (end < 0)
		err = pthread_cond_wait(&htex->changed, &htex->lock);
	else
		err = pthread_cond_timedwait(&htex->changed, &htex->lock, &until);
	return err == ETIMEDOUT ? 0 : -err;
}

/* Looked at when it's said to have ended, and when time is up. */
static int wait_locked(struct htex *htex, unsigned int engine, int64_t end,
		       struct htex_result *result)
{
	int err = look(htex, engine, result);

	while (err == -EAGAIN) {
		if (!time_left(end))
			return -ETIMEDOUT;
		err = htex->reading ? wait_for_reader(htex, end) : wait_for_interrupt(htex, end);
		if (err)
			return err;
		err = -EAGAIN;
		if (!(htex->ended & bit_of(engine)) && time_left(end))
			continue;
		/* Before it's looked at: what comes after that is told again. */
		htex->ended &= ~bit_of(engine);
		err = look(htex, engine, result);
	}
	return err;
}

int htex_wait(struct htex *htex, unsigned int engine, int timeout_ms, struct htex_result *result)
{
	const int64_t end = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
	int err;

	pthread_mutex_lock(&htex->lock);
	err = wait_locked(htex, engine, end, result);
	pthread_mutex_unlock(&htex->lock);
	return err;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <pthread.h>

#include "caller.h"
#include "handle.h"
#include "value.h"

#define ROOM	128
#define MANY	96
#define TRIES	8

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct live lives[ROOM];
static unsigned int nr_lives;
static uint32_t last_removed;

void handle_forget_all(void)
{
	nr_lives = 0;
}

void handle_hold(void)
{
	pthread_mutex_lock(&lock);
}

void handle_release(void)
{
	pthread_mutex_unlock(&lock);
}

bool handle_add(const struct live *live)
{
	bool added;

	pthread_mutex_lock(&lock);
	added = nr_lives < ROOM;
	if (added)
		lives[nr_lives++] = *live;
	pthread_mutex_unlock(&lock);
	return added;
}

void handle_remove(uint32_t handle)
{
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < nr_lives; i++)
		if (lives[i].handle == handle)
			break;
	if (i < nr_lives)
		lives[i] = lives[--nr_lives];
	last_removed = handle;
	pthread_mutex_unlock(&lock);
}

bool handle_many(void)
{
	return __atomic_load_n(&nr_lives, __ATOMIC_RELAXED) > MANY;
}

bool handle_any(struct caller *t, bool coherent, struct live *live)
{
	uint64_t from = pick(t, ROOM);
	bool found = false;
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < TRIES && nr_lives && !found; i++) {
		*live = lives[(from + i) % nr_lives];
		found = live->coherent == coherent;
	}
	pthread_mutex_unlock(&lock);
	return found;
}

uint32_t handle_pick(struct caller *t, struct live *live)
{
	bool coherent = seldom(t, 6);

	*live = (struct live){ .len = 4096 };
	if (seldom(t, 32))
		return value_edge(t, 4);
	if (seldom(t, 16))
		return last_removed;
	handle_any(t, coherent, live);
	return live->handle;
}

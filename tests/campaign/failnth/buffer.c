// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "acts.h"
#include "scene.h"

int act_coherent(struct scene *s)
{
	return function_coherent(s->fd, s->q->n * PAGE, &s->buffer);
}

static void undo_coherent(struct scene *s)
{
	must(s, "free", function_unmap_one(s->fd, s->buffer.handle));
}

int setup_coherent(struct scene *s)
{
	return setup_open(s) ?: act_coherent(s);
}

/* The first touch of each page is what brings it in. */
int act_coherent_map(struct scene *s)
{
	int err = map_coherent(s) ?: touch_all(s->coherent, s->buffer.len);

	if (err)
		unmap_coherent(s);
	return err;
}

int setup_coherent_mapped(struct scene *s)
{
	return setup_coherent(s) ?: act_coherent_map(s);
}

int act_free(struct scene *s)
{
	return function_unmap_one(s->fd, s->buffer.handle);
}

/* All the way there and back. */
static int act_coherent_whole(struct scene *s)
{
	int err = act_coherent(s);

	if (err)
		return err;
	err = act_coherent_map(s);
	unmap_coherent(s);
	/* If that is what fails it doesn't again. */
	if (act_free(s))
		undo_coherent(s);
	return err;
}

static int act_move(struct scene *s)
{
	void *room = mmap(NULL, s->buffer.len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *moved;
	int err;

	if (room == MAP_FAILED)
		return -errno;
	moved = mremap(s->coherent, s->buffer.len, s->buffer.len, MREMAP_MAYMOVE | MREMAP_FIXED,
		       room);
	err = moved == MAP_FAILED ? -errno : 0;
	if (err)
		unmap_memory(room, s->buffer.len);
	else
		s->coherent = moved;
	return err ?: touch_all(s->coherent, s->buffer.len);
}

static const struct sequence sequences[] = {
	{ "coherent", EDU, .n = 1, OPENED, .act = act_coherent, .undo = undo_coherent },
	{ "coherent, some", EDU, .n = 40, OPENED, .act = act_coherent, .undo = undo_coherent },
	{ "coherent, many", EDU, .n = 1024, OPENED, .act = act_coherent, .undo = undo_coherent },
	{ "coherent map", EDU, .n = 16, .setup = setup_coherent, .act = act_coherent_map,
	  .undo = unmap_coherent, .end = end_unmap_close },
	{ "coherent map, many", EDU, .n = 1024, .setup = setup_coherent,
	  .act = act_coherent_map, .undo = unmap_coherent, .end = end_unmap_close },
	{ "coherent whole", EDU, .n = 5, OPENED, .act = act_coherent_whole },
	{ "coherent move", EDU, .n = 2, .setup = setup_coherent_mapped, .act = act_move,
	  .end = end_unmap_close },
	{ "free", EDU, .n = 3, .setup = setup_coherent, .act = act_free, .end = end_unmap_close },
	{ "free while mapped", EDU, .n = 3, .setup = setup_coherent_mapped, .act = act_free,
	  .end = end_unmap_close },
};

const struct group buffer_group = GROUP(sequences);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * What a peer sends, as an input says it: parts, each of a byte of flags, a byte that says which
 * descriptors go with it, two bytes of length, and as many bytes.
 */
#ifndef FUZZ_STREAM_H
#define FUZZ_STREAM_H

#include "fuzz.h"

/* Flags: over the twin; as it is, for else the header is made to fit: it has the size. */
#define PART_TWIN	0x01U
#define PART_RAW	0x02U

/* Of the byte that says which descriptors: how many, and what of. */
#define PART_FDS	0x1fU
#define PART_KIND_SHIFT	5

#define PART_HEAD	4U
#define PART_MOST	8192U

/**
 * struct part - A part.
 * @flags: PART_*
 * @fds: how many descriptors, and of what kind
 * @len: bytes
 * @data: them
 */
struct part {
	unsigned int flags;
	unsigned int fds;
	size_t len;
	uint8_t data[PART_MOST];
};

/* The next one; false if there is none. */
bool part_next(struct input *in, struct part *part);

bool part_is_reply(const struct part *part);
void part_set_id(struct part *part, uint16_t id);

/* 0; -1: it can't be sent now, or nobody is there. */
int part_send(int channel, const struct part *part);

/* Two ends of a socket that takes a lot. */
void make_pair(int sockets[2]);

/*
 * Reads what there is, and returns how many bytes; 0: nobody is there. Closes descriptors that
 * came, but puts the last into @kept if that's not NULL.
 */
long drain(int channel, int flags, int *kept);

#endif /* FUZZ_STREAM_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef PROGRAM_PROGRESS_H
#define PROGRAM_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct progress - How far a copy has come.
 * @total: bytes, 0 if unknown
 * @shown: when it was shown last, in ms
 * @on: it's to be shown
 * @drawn: it was
 */
struct progress {
	uint64_t total;
	int64_t shown;
	bool on;
	bool drawn;
};

/**
 * progress_start() - Begin a copy.
 * @progress: filled in
 * @asked: show it at once, even if standard error is no terminal
 * @total: bytes, 0 if unknown
 */
void progress_start(struct progress *progress, bool asked, uint64_t total);

/**
 * progress_show() - Tell how far it has come, now and then, on standard error.
 * @progress: the copy
 * @done: bytes
 */
void progress_show(struct progress *progress, uint64_t done);

/**
 * progress_end() - End the line on which it was shown.
 * @progress: the copy
 */
void progress_end(struct progress *progress);

#endif /* PROGRAM_PROGRESS_H */

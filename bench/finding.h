/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * What a program that measures has found, and where it says so. Functions end the program when
 * they fail.
 */
#ifndef BENCH_FINDING_H
#define BENCH_FINDING_H

#include "result.h"

/**
 * struct finding - A comparison; the machine is BENCH_MACHINE.
 * @name: the case
 * @subject: whose figure is @ours
 * @rival: and @theirs
 * @unit: of both; NULL: the meter's
 * @ours: the subject's
 * @theirs: the rival's
 * @bound: what @goal is
 * @goal: for ours / theirs
 */
struct finding {
	const char *name;
	const char *subject;
	const char *rival;
	const char *unit;
	const struct figure *ours;
	const struct figure *theirs;
	enum bound bound;
	double goal;
};

void findings_begin(const char *group);
void finding_add(const struct finding *finding);

/* A rival that can't run here, and why. */
void finding_absent(const char *name, const char *rival, const char *why);
void findings_save(const char *path);

#endif /* BENCH_FINDING_H */

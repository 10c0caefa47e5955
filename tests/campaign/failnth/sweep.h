/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef FAILNTH_SWEEP_H
#define FAILNTH_SWEEP_H

#include "scene.h"

/* It can be swept with what this VM has. */
bool sequence_is_for(const struct sequence *q, const struct injector *injector);

/* Fails each call of the sequence once. */
void sweep(struct scene *s, const struct sequence *q);

#endif /* FAILNTH_SWEEP_H */

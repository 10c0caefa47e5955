/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* What several groups of sequences do, by the file that it's in. */
#ifndef FAILNTH_ACTS_H
#define FAILNTH_ACTS_H

#include "scene.h"

/* control.c */
int ask_bar(struct scene *s);

/* buffer.c */
int act_coherent(struct scene *s);
int setup_coherent(struct scene *s);
int act_coherent_map(struct scene *s);
int setup_coherent_mapped(struct scene *s);
int act_free(struct scene *s);

/* mapping.c */
int act_map(struct scene *s);
int act_unmap(struct scene *s);

/* interrupt.c */
int setup_regs(struct scene *s);
int act_irq(struct scene *s);
int act_irq_none(struct scene *s);
int act_wire(struct scene *s);
int act_unmask(struct scene *s);

/* end.c: all that one can hold; a child holds what @setup says, and ends in @how. */
int hold(struct scene *s);
int setup_held(struct scene *s);
int act_close(struct scene *s);
int end_of_child(struct scene *s, int (*setup)(struct scene *s), void (*how)(void), int wanted);
void exit_now(void);
void die_now(void);

/* driver.c */
bool is_bound(const char *bdf);
int bind(struct scene *s);
int act_unbind(struct scene *s);
void undo_unbind(struct scene *s);
void end_unbound(struct scene *s);

#endif /* FAILNTH_ACTS_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* The kernel's small memory, counted exactly: by who allocated it. */
#ifndef HARNESS_SLAB_H
#define HARNESS_SLAB_H

/*
 * Objects that the module has allocated and nobody has freed; -1 where the kernel
 * doesn't note who allocates. It does with slub_debug=U on its command line.
 */
long slab_objects(void);

/* Print on stderr what slab_objects() counts. */
void slab_show(void);

#endif /* HARNESS_SLAB_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Makes the Nth call fail of those that can, in the task that asks for it, once. There
 * are two: the kernel's own, that counts every allocation and copy in the kernel, and
 * that of a module built with FAULT=y, which counts what the module calls.
 */
#ifndef HARNESS_INJECTOR_H
#define HARNESS_INJECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct injector - One of them.
 * @name: its name
 * @of_kernel: calls of the kernel's other parts fail as well
 * @exists: it can be used
 * @open: get ready; false if that fails
 * @close: let go of the module, so that it can be unloaded
 * @arm: from now on this task's @nth call fails; also in a child of who opened it
 * @arm_any: the @nth call of any task, such as one of the kernel's threads; NULL: can't be
 * @disarm: no longer; true if it has failed
 * @disarm_any: the same
 * @has_failed: it has in a child, that armed it and isn't reaped yet
 * @arm_load: the arguments with which the module is loaded so that the @nth call fails
 * @disarm_load: after it was; true if it has failed
 */
struct injector {
	const char *name;
	bool of_kernel;
	bool (*exists)(void);
	bool (*open)(void);
	void (*close)(void);
	void (*arm)(unsigned int nth);
	bool (*disarm)(void);
	void (*arm_any)(unsigned int nth);
	bool (*disarm_any)(void);
	bool (*has_failed)(pid_t child);
	void (*arm_load)(unsigned int nth, char *args, size_t len);
	bool (*disarm_load)(void);
};

/* The module's if it has one, else the kernel's; NULL if there's neither. */
const struct injector *injector_find(void);

/*
 * Of a module built with FAULT=y: calls that can fail, and those of them that never did
 * since it was loaded. What failed while it was being loaded isn't known to it any more.
 */
void injector_sites(unsigned int *all, unsigned int *never, bool show);

#endif /* HARNESS_INJECTOR_H */

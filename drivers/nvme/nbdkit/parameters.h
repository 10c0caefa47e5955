/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef NBDKIT_PARAMETERS_H
#define NBDKIT_PARAMETERS_H

#include <nvme/nvme.h>

/* nbdkit starts so many threads for a connection, unless told otherwise. */
#define DEFAULT_QUEUES	16U
#define DEFAULT_COPY	(32U << 10)

/**
 * struct parameters - What the command line asked for.
 * @device: the disk's address; NULL till it was given
 * @open: how to open it
 */
struct parameters {
	const char *device;
	struct nvme_options open;
};

/* As nbdkit prints it. */
extern const char parameters_help[];

/**
 * parameters_set() - Take a KEY=VALUE.
 * @parameters: changed
 * @key: before the "="
 * @value: after it; it stays as long as the plugin
 *
 * Return: 0, or -1 after having told nbdkit what is wrong.
 */
int parameters_set(struct parameters *parameters, const char *key, const char *value);

/**
 * parameters_check() - See whether all is there.
 * @parameters: after the last of them
 *
 * Return: 0, or -1 after having told nbdkit what is missing.
 */
int parameters_check(const struct parameters *parameters);

#endif /* NBDKIT_PARAMETERS_H */

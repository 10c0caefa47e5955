/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef TOOLS_INUSE_H
#define TOOLS_INUSE_H

/**
 * struct use - A way in which a function is in use.
 * @what: a clause that says what is in use: "/dev/nvme0n1 is mounted on /mnt"
 * @command: what ends it: "umount /mnt"
 */
struct use {
	const char *what;
	const char *command;
};

/**
 * inuse_find() - Find disks of a function that are in use, and networks that are up.
 * @root: "" or a folder that holds another sys/, proc/ and dev/, for tests
 * @bdf: the function
 * @found: called for each use
 * @data: handed to @found
 *
 * Return: how many uses there are, or a negative errno.
 */
int inuse_find(const char *root, const char *bdf,
	       void (*found)(const struct use *use, void *data), void *data);

#endif /* TOOLS_INUSE_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef UNIT_TREE_H
#define UNIT_TREE_H

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A folder that stands for /: a made-up /sys, /run and /dev. Each function fails
 * the test when it can't; paths are below the root.
 */
struct tree {
	char root[64];
};

static inline void tree_path(char *path, const struct tree *tree, const char *below)
{
	assert_true(snprintf(path, PATH_MAX, "%s/%s", tree->root, below) < PATH_MAX);
}

/* The path, with the folders on its way made. */
static inline void tree_way(char *path, const struct tree *tree, const char *below)
{
	char *slash;

	tree_path(path, tree, below);
	for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(!mkdir(path, 0755) || errno == EEXIST);
		*slash = '/';
	}
}

static inline void tree_make(struct tree *tree)
{
	strcpy(tree->root, "/tmp/usrpci-tree.XXXXXX");
	assert_non_null(mkdtemp(tree->root));
}

static inline int tree_delete(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	return remove(path);
}

static inline void tree_free(struct tree *tree)
{
	assert_int_equal(nftw(tree->root, tree_delete, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void tree_folder(const struct tree *tree, const char *below)
{
	char path[PATH_MAX];

	tree_way(path, tree, below);
	assert_true(!mkdir(path, 0755) || errno == EEXIST);
}

static inline void tree_file(const struct tree *tree, const char *below, const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	tree_way(path, tree, below);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_not_equal(fputs(text, file), EOF);
	assert_int_equal(fclose(file), 0);
}

/* In place of a link that is there. */
static inline void tree_link(const struct tree *tree, const char *below, const char *target)
{
	char path[PATH_MAX];

	tree_way(path, tree, below);
	assert_true(!unlink(path) || errno == ENOENT);
	assert_int_equal(symlink(target, path), 0);
}

static inline bool tree_has(const struct tree *tree, const char *below)
{
	char path[PATH_MAX];
	struct stat st;

	tree_path(path, tree, below);
	return !lstat(path, &st);
}

static inline void tree_remove(const struct tree *tree, const char *below)
{
	char path[PATH_MAX];

	tree_path(path, tree, below);
	assert_int_equal(remove(path), 0);
}

/* What a file holds, in a buffer that the next call uses again. */
static inline const char *tree_text(const struct tree *tree, const char *below)
{
	static char text[512];
	char path[PATH_MAX];
	size_t len;
	FILE *file;

	tree_path(path, tree, below);
	file = fopen(path, "re");
	assert_non_null(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	return text;
}

#endif /* UNIT_TREE_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_USRDRV_MAPPINGS_H
#define LIB_USRDRV_MAPPINGS_H

#include <stdint.h>
#include <usrdrv.h>

/*
 * What was mapped, found by the caller's virtaddr, dmaaddr, size and direction
 * together. The same may be mapped several times. *@tree is tsearch(3)'s. The
 * caller locks.
 */

/* Return: 0 or -ENOMEM. */
int usrdrv_mappings_add(void **tree, const struct mapping_info *info, uint32_t handle);

/* A handle for what @info tells; 0 if it isn't mapped. It stays in the tree. */
uint32_t usrdrv_mappings_find(void *tree, const struct mapping_info *info);

/* Take out what usrdrv_mappings_find() found. */
void usrdrv_mappings_remove(void **tree, const struct mapping_info *info);

/* Forget all. */
void usrdrv_mappings_free(void **tree);

#endif /* LIB_USRDRV_MAPPINGS_H */

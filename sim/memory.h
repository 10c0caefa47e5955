/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include "vfio/iova.h"
#include "vfio-user/protocol.h"

/**
 * struct sim_area - Memory of the program that the device may reach.
 * @iova: where
 * @map: the same memory here; NULL: the program is asked for its bytes
 * @flags: VFIO_USER_DMA_*
 */
struct sim_area {
	struct usrpci_iova iova;
	unsigned char *map;
	uint32_t flags;
};

/**
 * struct sim_memory - All of it.
 * @areas: by address
 * @nr: how many
 */
struct sim_memory {
	struct usrpci_iovas areas;
	unsigned int nr;
};

void sim_memory_init(struct sim_memory *memory);

/* @fd is copied; -1: none. 0; -EEXIST some of it is there already; other negative errno. */
int sim_memory_map(struct sim_memory *memory, const struct vfio_user_dma_map *map, int fd);

/* All that lies there, which may be nothing. 0; -EINVAL some of it goes on outside. */
int sim_memory_unmap(struct sim_memory *memory, uint64_t address, uint64_t size);
void sim_memory_unmap_all(struct sim_memory *memory);

/* What holds @address and allows @flags, or NULL. */
struct sim_area *sim_memory_find(const struct sim_memory *memory, uint64_t address,
				 uint32_t flags);

/* Between a map and @buf; -EFAULT if the file behind it has become too short. */
int sim_memory_copy(void *to, const void *from, size_t len);

#endif /* SIM_MEMORY_H */

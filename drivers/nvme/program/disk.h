/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef PROGRAM_DISK_H
#define PROGRAM_DISK_H

#include <stdint.h>
#include <nvme/nvme.h>
#include "options.h"

/**
 * disk_open() - Open the disk that was asked for.
 * @nvmep: set to it
 * @options: which one, and how
 *
 * Return: STATUS_OK, or STATUS_FAILED after having said why.
 */
enum status disk_open(struct nvme **nvmep, const struct options *options);

/**
 * disk_complain() - Say why a call on an open disk failed.
 * @nvme: the disk
 * @what: what was being done
 * @err: what the call returned
 *
 * Return: STATUS_FAILED.
 */
enum status disk_complain(struct nvme *nvme, const char *what, int err);

/**
 * disk_size() - How much fits on a disk.
 * @nvme: the disk
 *
 * Return: bytes.
 */
uint64_t disk_size(const struct nvme *nvme);

/**
 * disk_check_range() - Find the part of a disk that was asked for.
 * @nvme: the disk
 * @options: --offset and --length
 * @length: set to the bytes from --offset on; all that follow if no --length was given
 *
 * Return: STATUS_OK, or STATUS_FAILED after having said that it passes the end.
 */
enum status disk_check_range(struct nvme *nvme, const struct options *options, uint64_t *length);

#endif /* PROGRAM_DISK_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * The module's ABI, raw, for its tests. A helper gives 0 (or what is wanted) or
 * -errno, like the library; one that gives nothing asserts.
 */
#ifndef HARNESS_FUNCTION_H
#define HARNESS_FUNCTION_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>
#include <linux/usrpci.h>

#define PAGE	4096UL
#define SKIPPED	77

/* What the parameter storm_rate is at first. */
#define STORM_RATE	"400000"

#define ARRAY_SIZE(_a)	(sizeof(_a) / sizeof((_a)[0]))

/* BDFs that the runner bound to usrpci, or NULL. */
const char *function_edu(void);
const char *function_nvme(void);

/* A kernel that checks each access is slow: a tenth of @n will do, but @n on others. */
unsigned int times(unsigned int n);
bool kernel_is_slow(void);

/* Runs as root with at least an edu; else exits 77. */
void function_require(void);

int function_open(const char *bdf);
int function_call(int fd, unsigned int nr, void *arg);
struct usrpci_ioc_info function_info(int fd);
struct usrpci_ioc_bar function_bar(int fd, unsigned int index);
int function_master(int fd, unsigned int enable);
int function_mask(int fd, unsigned int bits);
int function_reset(int fd);

/* A region of one call; @region->sg and @nr_sg are used as they are. */
struct usrpci_ioc_region function_region(const void *addr, uint64_t len, unsigned int direction);
int function_map_regions(int fd, struct usrpci_ioc_region *regions, unsigned int nr,
			 uint64_t *missing);
int function_map(int fd, struct usrpci_ioc_region *region);
int function_unmap(int fd, const uint32_t *handles, unsigned int nr);
int function_unmap_one(int fd, uint32_t handle);
int function_sync(int fd, uint32_t handle, unsigned int flags, uint64_t offset, uint64_t len);
int function_coherent(int fd, uint64_t len, struct usrpci_ioc_coherent *buffer);

int function_irq_setup(int fd, unsigned int type, unsigned int nr);
int function_irq_wire(int fd, unsigned int first, unsigned int nr, const int *fds);
int function_irq_unmask(int fd, unsigned int vector);
int function_quiesce(int fd, const struct usrpci_ioc_quiesce_step *steps, unsigned int nr);
int function_event(int fd, struct usrpci_ioc_event *event);

/* Configuration space; 0 or -errno. */
int config_read(int fd, unsigned int offset, unsigned int width, uint32_t *value);
int config_write(int fd, unsigned int offset, unsigned int width, uint32_t value);
unsigned int config_capability(int fd, unsigned int id);

/* What debugfs says about the function's holder; the caller frees it. */
char *function_holders(const char *bdf);
unsigned int function_nr_held(const char *bdf);

/* sysfs: configuration space, and COMMAND in it (or all ones). */
int function_config_open(const char *bdf);
unsigned int function_command(const char *bdf);
char *function_attribute(const char *bdf, const char *name, char *buf, size_t len);
int file_write(const char *path, const char *text);
int function_unbind(const char *bdf);
int function_bind(const char *bdf);
int module_parameter(const char *name, const char *value);

#endif /* HARNESS_FUNCTION_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* A line for all that the device meets, without times: the same session gives the same lines. */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stdint.h>
#include <stdio.h>

/**
 * struct sim_trace - Where the lines go.
 * @file: there; NULL: nowhere
 */
struct sim_trace {
	FILE *file;
};

/* @path NULL: nowhere. 0 or -errno. */
int sim_trace_open(struct sim_trace *trace, const char *path);
void sim_trace_close(struct sim_trace *trace);

/* "read bar0+0x20 = 0x80", by VFIO_PCI_*_REGION_INDEX; what isn't a register goes by its bytes. */
void sim_trace_access(struct sim_trace *trace, const char *what, unsigned int region,
		      uint64_t offset, const void *data, size_t len);

/* "dma-read 0x1000 512", "dma-write 0x1000 512: refused" */
void sim_trace_dma(struct sim_trace *trace, const char *what, uint64_t address, size_t len,
		   int err);

/* "interrupt 0", "pin up" */
void sim_trace_line(struct sim_trace *trace, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* SIM_TRACE_H */

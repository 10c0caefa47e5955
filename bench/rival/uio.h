/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* A function that uio_pci_generic has: its INTx. Functions end the program when they fail. */
#ifndef BENCH_RIVAL_UIO_H
#define BENCH_RIVAL_UIO_H

/* A descriptor of which each read takes 4 bytes, once there's an interrupt. */
int uio_open(const char *address, int flags);

/* It has masked the interrupt, and leaves it to the program to undo that. */
void uio_unmask(const char *address);

#endif /* BENCH_RIVAL_UIO_H */

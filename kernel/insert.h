/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Maps of the file get their pages here, from a fault and inside the gate, and
 * never in mmap: a map is found and taken away only once mmap has returned.
 */
#ifndef USRPCI_INSERT_H
#define USRPCI_INSERT_H

#include <linux/mm_types.h>

/**
 * typedef usrpci_pfn_t - Which page is behind an address.
 * @vma: the map
 * @offset: bytes from its start
 *
 * Return: the page frame number.
 */
typedef unsigned long (*usrpci_pfn_t)(struct vm_area_struct *vma, unsigned long offset);

/* Serve a fault, and put in neighbours of it as well. */
vm_fault_t usrpci_insert(struct vm_fault *vmf, usrpci_pfn_t pfn);

#endif /* USRPCI_INSERT_H */

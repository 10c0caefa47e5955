/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/*
 * The pages of the file's maps, put in and taken away. They are put in by a fault,
 * inside the gate, and never by mmap: a map is found by who takes it away only once
 * mmap has returned.
 */
#ifndef USRPCI_PAGES_H
#define USRPCI_PAGES_H

#include <linux/mm_types.h>

struct usrpci_file;

/**
 * typedef usrpci_pfn_t - Which page is behind an address.
 * @vma: the map
 * @offset: bytes from its start
 *
 * Return: the page frame number.
 */
typedef unsigned long (*usrpci_pfn_t)(struct vm_area_struct *vma, unsigned long offset);

/* Serve a fault, and put in neighbours of it as well. */
vm_fault_t usrpci_pages_insert(struct vm_fault *vmf, usrpci_pfn_t pfn);

/* Take away what is mapped of the BARs, or of the whole file, with nobody inside the gate. */
void usrpci_pages_zap_bars(struct usrpci_file *file);
void usrpci_pages_zap(struct usrpci_file *file);

#endif /* USRPCI_PAGES_H */

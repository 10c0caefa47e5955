/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_EXPLAIN_H
#define LIB_EXPLAIN_H

#include <linux/usrpci.h>
#include "backend.h"

/* As usrpci_explain_open(), with the backends and the root of /sys and /dev. */
int usrpci_explain_open_from(const struct usrpci_backend *const *backends, const char *root,
			     const char *address, int err, char *buf, size_t len);

/* As usrpci_explain_bind(). */
int usrpci_explain_bind_from(const struct usrpci_backend *const *backends, const char *root,
			     const char *address, const char *driver, int err, char *buf,
			     size_t len);

/* What is wrong with @tlb, which was refused for @fault, in @buf; false: nothing was found. */
bool usrpci_explain_tlb(struct usrpci_device *dev, const struct usrpci_tlb *tlb,
			enum usrpci_tlb_fault fault, char *buf, size_t len);

/* A sentence for an error that nothing more is known of. */
int usrpci_explain_errno(const char *bdf, int err, char *buf, size_t len);

#endif /* LIB_EXPLAIN_H */

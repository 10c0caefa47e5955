/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_PUBLIC_H
#define LIB_PUBLIC_H

/* Marks the definition of what the shared library exports; see libusrpci.map. */
#define USRPCI_PUBLIC __attribute__((visibility("default")))

#endif /* LIB_PUBLIC_H */

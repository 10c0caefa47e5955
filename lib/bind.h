/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_BIND_H
#define LIB_BIND_H

#include <usrpci/bind.h>

/* As usrpci_bind() and the others, below @root. */
int usrpci_bind_at(const char *root, const char *address);
int usrpci_bind_driver_at(const char *root, const char *address, const char *driver);
int usrpci_bind_strict_at(const char *root, const char *address, enum usrpci_isolation *was);
int usrpci_unbind_at(const char *root, const char *address);

#endif /* LIB_BIND_H */

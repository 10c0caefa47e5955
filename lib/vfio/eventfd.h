/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef LIB_VFIO_EVENTFD_H
#define LIB_VFIO_EVENTFD_H

/* Whether @fd is one. 0; -EBADF; -EINVAL; other negative errno if that can't be seen. */
int usrpci_check_eventfd(int fd);

#endif /* LIB_VFIO_EVENTFD_H */

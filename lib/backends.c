// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include "backend.h"

const struct usrpci_backend *const usrpci_backends[] = {
	&usrpci_backend_kernel,
	&usrpci_backend_vfio,
	&usrpci_backend_vfio_user,
	NULL
};

// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include "file.h"
#include "gate.h"

int usrpci_enter(struct usrpci_file *file)
{
	down_read(&file->function->gate);
	if (!file->dead)
		return 0;
	up_read(&file->function->gate);
	return -ENODEV;
}

void usrpci_leave(struct usrpci_file *file)
{
	up_read(&file->function->gate);
}

int usrpci_enter_alone(struct usrpci_file *file)
{
	down_write(&file->function->gate);
	if (!file->dead)
		return 0;
	up_write(&file->function->gate);
	return -ENODEV;
}

void usrpci_leave_alone(struct usrpci_file *file)
{
	up_write(&file->function->gate);
}

// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/dma-mapping.h>
#include <linux/usrpci.h>

#include "file.h"
#include "gate.h"
#include "ioctl.h"
#include "mapping.h"
#include "sync.h"
#include "trace.h"

static void usrpci_sync_all(struct device *dev, struct usrpci_mapping *m, bool for_cpu)
{
	if (for_cpu)
		dma_sync_sgtable_for_cpu(dev, &m->pins.sgt, m->dir);
	else
		dma_sync_sgtable_for_device(dev, &m->pins.sgt, m->dir);
}

static void usrpci_sync_range(struct device *dev, struct usrpci_mapping *m, bool for_cpu,
			      u64 offset, u64 len)
{
	struct scatterlist *sg;
	unsigned int i;

	usrpci_for_each_dma_sg(&m->pins, sg, i) {
		u64 in_run = sg_dma_len(sg);

		if (offset >= in_run) {
			offset -= in_run;
			continue;
		}
		in_run = min(in_run - offset, len);
		usrpci_sync_part(dev, sg, offset, in_run, m->dir, for_cpu);
		offset = 0;
		len -= in_run;
		if (!len)
			return;
	}
}

static int usrpci_sync_mapping(struct usrpci_file *file, struct usrpci_mapping *m,
			       const struct usrpci_ioc_sync *arg)
{
	struct device *dev = usrpci_dma_device(file);
	bool for_cpu = arg->flags == USRPCI_SYNC_FOR_CPU;

	if (arg->offset >= m->len || arg->len > m->len - arg->offset)
		return -EINVAL;
	trace_usrpci_sync(file->function, m, for_cpu, arg->offset, arg->len);
	if (arg->len == m->len)
		usrpci_sync_all(dev, m, for_cpu);
	else
		usrpci_sync_range(dev, m, for_cpu, arg->offset, arg->len);
	return 0;
}

int usrpci_sync(struct usrpci_command *cmd)
{
	struct usrpci_ioc_sync *arg = cmd->arg;
	struct usrpci_object *obj;
	int err;

	if (arg->reserved || !arg->len || !is_power_of_2(arg->flags))
		return -EINVAL;
	err = usrpci_enter(cmd->file);
	if (err)
		return err;
	obj = usrpci_object_get(cmd->file, arg->handle, USRPCI_OBJECT_MAPPING);
	if (obj) {
		err = usrpci_sync_mapping(cmd->file, to_usrpci_mapping(obj), arg);
		usrpci_object_put(obj);
	} else {
		err = -EINVAL;
	}
	usrpci_leave(cmd->file);
	return err;
}

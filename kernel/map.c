// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/dma-mapping.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/usrpci.h>

#include "account.h"
#include "file.h"
#include "gate.h"
#include "ioctl.h"
#include "isolation.h"
#include "map.h"
#include "mapping.h"
#include "pin.h"
#include "trace.h"

/**
 * struct usrpci_map_call - A call of USRPCI_MAP: all its regions or none.
 * @file: the file
 * @user: the caller's regions
 * @regions: a copy of them
 * @nr: how many
 * @runs: of each region, its bus addresses with neighbours merged
 * @mappings: of each region, in order
 * @added: mappings that teardown can find, no longer only ours
 *
 * After the mappings were added and the gate was left they may be freed by a
 * teardown; they are looked at again only inside the gate.
 */
struct usrpci_map_call {
	struct usrpci_file *file;
	struct usrpci_ioc_region __user *user;
	struct usrpci_ioc_region *regions;
	u32 nr;
	struct usrpci_ioc_sg **runs;
	struct list_head mappings;
	struct list_head added;
};

/* Write the runs of @m to @runs if not NULL; returns how many there are. */
static u32 usrpci_merge_runs(struct usrpci_mapping *m, struct usrpci_ioc_sg *runs)
{
	struct usrpci_ioc_sg run = {};
	struct scatterlist *sg;
	unsigned int i;
	u32 nr = 0;

	for_each_sgtable_dma_sg(&m->pins.sgt, sg, i) {
		if (nr && run.bus_addr + run.len == sg_dma_address(sg)) {
			run.len += sg_dma_len(sg);
		} else {
			run.bus_addr = sg_dma_address(sg);
			run.len = sg_dma_len(sg);
			nr++;
		}
		if (runs)
			runs[nr - 1] = run;
	}
	return nr;
}

static int usrpci_map_prepare(struct usrpci_map_call *call)
{
	struct usrpci_mapping *m;
	u32 i;

	for (i = 0; i < call->nr; i++) {
		m = usrpci_mapping_alloc(&call->regions[i]);
		if (IS_ERR(m))
			return PTR_ERR(m);
		list_add_tail(&m->obj.list, &call->mappings);
	}
	return 0;
}

static int usrpci_map_charge(struct usrpci_map_call *call, u64 *missing)
{
	struct usrpci_object *obj;
	unsigned long total = 0;
	int err;

	list_for_each_entry(obj, &call->mappings, list)
		total += to_usrpci_mapping(obj)->nr_pages;
	err = usrpci_charge(current->mm, total, missing);
	if (err)
		return err;
	list_for_each_entry(obj, &call->mappings, list)
		to_usrpci_mapping(obj)->charged = to_usrpci_mapping(obj)->nr_pages;
	return 0;
}

static int usrpci_map_pin(struct usrpci_map_call *call)
{
	struct usrpci_object *obj;
	size_t max_segment;
	int err;

	err = usrpci_enter(call->file);
	if (err)
		return err;
	if (!usrpci_isolation_permits(usrpci_pdev(call->file), call->file->needs_strict))
		err = -EPERM;
	max_segment = dma_max_mapping_size(usrpci_dma_device(call->file));
	usrpci_leave(call->file);
	if (err)
		return err;
	list_for_each_entry(obj, &call->mappings, list) {
		err = usrpci_pin_mapping(to_usrpci_mapping(obj), max_segment);
		if (err)
			return err;
	}
	return 0;
}

static int usrpci_map_attach_one(struct usrpci_map_call *call, u32 i, struct usrpci_mapping *m)
{
	struct usrpci_ioc_region *region = &call->regions[i];
	u32 room = region->nr_sg;
	int err;

	err = usrpci_mapping_attach(call->file, m, !(region->flags & USRPCI_MAP_NO_BOUNCE));
	if (err)
		return err;
	err = usrpci_object_add(call->file, &m->obj, USRPCI_OBJECT_MAPPING);
	list_move_tail(&m->obj.list, &call->added);
	if (err)
		return err;
	region->handle = m->obj.handle;
	region->state = m->bounced ? USRPCI_MAP_BOUNCED : 0;
	region->nr_sg = usrpci_merge_runs(m, NULL);
	trace_usrpci_map(call->file->function, m, region->nr_sg);
	if (!room)
		return 0;
	if (region->nr_sg > room)
		return -ENOSPC;
	call->runs[i] = kvmalloc_array(region->nr_sg, sizeof(**call->runs),
				       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!call->runs[i])
		return -ENOMEM;
	usrpci_merge_runs(m, call->runs[i]);
	return 0;
}

/* Of all that were attached; inside the gate. */
static void usrpci_map_detach(struct usrpci_map_call *call)
{
	struct usrpci_object *obj;

	list_for_each_entry(obj, &call->added, list)
		usrpci_object_remove(call->file, obj);
	usrpci_mappings_detach(call->file, &call->added);
	list_splice_init(&call->added, &call->mappings);
}

/* Too little room in one region doesn't keep the others from telling theirs. */
static int usrpci_map_attach(struct usrpci_map_call *call)
{
	struct usrpci_object *obj, *next;
	int err, result = 0;
	u32 i = 0;

	err = usrpci_enter(call->file);
	if (err)
		return err;
	list_for_each_entry_safe(obj, next, &call->mappings, list) {
		err = usrpci_map_attach_one(call, i++, to_usrpci_mapping(obj));
		if (err)
			result = err;
		if (err && err != -ENOSPC)
			break;
	}
	if (result)
		usrpci_map_detach(call);
	usrpci_leave(call->file);
	return result;
}

static int usrpci_map_tell_room(struct usrpci_map_call *call)
{
	u32 i;

	for (i = 0; i < call->nr; i++)
		if (put_user(call->regions[i].nr_sg, &call->user[i].nr_sg))
			return -EFAULT;
	return -ENOSPC;
}

static int usrpci_map_answer(struct usrpci_map_call *call)
{
	u32 i;

	for (i = 0; i < call->nr; i++) {
		struct usrpci_ioc_region *region = &call->regions[i];

		if (call->runs[i] &&
		    copy_to_user(u64_to_user_ptr(region->sg), call->runs[i],
				 region->nr_sg * sizeof(**call->runs)))
			return -EFAULT;
	}
	return copy_to_user(call->user, call->regions, call->nr * sizeof(*call->regions)) ?
	       -EFAULT : 0;
}

/* If the function has gone by now, teardown has freed all of it. */
static int usrpci_map_finish(struct usrpci_map_call *call, int answered)
{
	int err;

	err = usrpci_enter(call->file);
	if (err) {
		INIT_LIST_HEAD(&call->added);
		return err;
	}
	if (answered)
		usrpci_map_detach(call);
	else
		usrpci_objects_publish(call->file, &call->added);
	usrpci_leave(call->file);
	return answered;
}

static int usrpci_map_regions(struct usrpci_map_call *call, u64 *missing)
{
	int err;

	err = usrpci_map_prepare(call);
	if (err)
		return err;
	err = usrpci_map_charge(call, missing);
	if (err)
		return err;
	err = usrpci_map_pin(call);
	if (err)
		return err;
	err = usrpci_map_attach(call);
	if (err == -ENOSPC)
		return usrpci_map_tell_room(call);
	if (err)
		return err;
	return usrpci_map_finish(call, usrpci_map_answer(call));
}

static int usrpci_map_batch(struct usrpci_map_call *call, u64 *missing)
{
	int err;
	u32 i;

	call->runs = kcalloc(call->nr, sizeof(*call->runs), GFP_KERNEL_ACCOUNT);
	if (!call->runs)
		return -ENOMEM;
	err = usrpci_map_regions(call, missing);
	usrpci_mappings_free(&call->mappings);
	for (i = 0; i < call->nr; i++)
		kvfree(call->runs[i]);
	kfree(call->runs);
	return err;
}

int usrpci_map(struct usrpci_command *cmd)
{
	struct usrpci_ioc_map *arg = cmd->arg;
	struct usrpci_map_call call = {
		.file = cmd->file,
		.user = u64_to_user_ptr(arg->regions),
		.nr = arg->nr_regions,
		.mappings = LIST_HEAD_INIT(call.mappings),
		.added = LIST_HEAD_INIT(call.added),
	};
	u64 missing = 0;
	int err;

	if (arg->region_size != sizeof(*call.regions) || !call.nr || call.nr > USRPCI_MAX_BATCH)
		return -EINVAL;
	call.regions = vmemdup_user(call.user, call.nr * sizeof(*call.regions));
	if (IS_ERR(call.regions)) {
		err = PTR_ERR(call.regions);
	} else {
		err = usrpci_map_batch(&call, &missing);
		kvfree(call.regions);
	}
	if (err == -ENOMEM) {
		arg->missing = missing;
		usrpci_respond(cmd, sizeof(*arg));
	}
	return err;
}

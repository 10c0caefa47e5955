// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

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
 * @nr: how many
 * @made: of each region its mapping, in order, with a reference of this call's
 * @nr_pages: of all of them
 * @given: they are the users', or teardown's, who undo them; no longer this call's
 *
 * Once the mappings were added to the table and the gate was left a teardown may
 * undo them. What is told of them then may not be so any more, but it's there.
 */
struct usrpci_map_call {
	struct usrpci_file *file;
	struct usrpci_ioc_region __user *user;
	u32 nr;
	struct usrpci_object *made;
	unsigned long nr_pages;
	bool given;
};

#define usrpci_map_for_each(_call, _obj)	\
	for (_obj = (_call)->made; _obj; _obj = (_obj)->sibling)

static int usrpci_map_prepare(struct usrpci_map_call *call)
{
	struct usrpci_object **last = &call->made;
	struct usrpci_ioc_region region;
	struct usrpci_mapping *m;
	u32 i;

	for (i = 0; i < call->nr; i++) {
		if (copy_from_user(&region, &call->user[i], sizeof(region)))
			return -EFAULT;
		m = usrpci_mapping_alloc(&region);
		if (IS_ERR(m))
			return PTR_ERR(m);
		*last = &m->obj;
		last = &m->obj.sibling;
		call->nr_pages += m->nr_pages;
	}
	return 0;
}

static int usrpci_map_charge(struct usrpci_map_call *call, u64 *missing)
{
	struct usrpci_object *obj;
	int err;

	err = usrpci_charge(current->mm, call->nr_pages, missing);
	if (err)
		return err;
	usrpci_map_for_each(call, obj)
		to_usrpci_mapping(obj)->charged = to_usrpci_mapping(obj)->nr_pages;
	return 0;
}

static int usrpci_map_pin(struct usrpci_map_call *call)
{
	unsigned int max_segment = READ_ONCE(call->file->max_segment);
	struct usrpci_object *obj;
	int err;

	usrpci_map_for_each(call, obj) {
		err = usrpci_pin_mapping(to_usrpci_mapping(obj), max_segment);
		if (err)
			return err;
	}
	return 0;
}

static int usrpci_map_attach_one(struct usrpci_map_call *call, struct usrpci_mapping *m,
				 const struct usrpci_reach *reach)
{
	int err;

	err = usrpci_mapping_attach(call->file, m, reach);
	if (err)
		return err;
	err = usrpci_object_add(call->file, &m->obj, USRPCI_OBJECT_MAPPING);
	if (err)
		/* That there's no handle left is no matter of room for addresses. */
		return err == -ENOSPC ? -ENOMEM : err;
	trace_usrpci_map(call->file->function, m, m->nr_runs);
	return m->room && m->nr_runs > m->room ? -ENOSPC : 0;
}

/* Too little room in one region doesn't keep the others from telling theirs. */
static int usrpci_map_attach_all(struct usrpci_map_call *call)
{
	struct usrpci_reach reach;
	struct usrpci_object *obj;
	int err, result = 0;

	usrpci_reach(usrpci_dma_device(call->file), &reach);
	usrpci_map_for_each(call, obj) {
		err = usrpci_map_attach_one(call, to_usrpci_mapping(obj), &reach);
		if (err)
			result = err;
		if (err && err != -ENOSPC)
			break;
	}
	return result;
}

/* Of all that were attached; inside the gate. */
static void usrpci_map_detach(struct usrpci_map_call *call)
{
	struct usrpci_object *obj;

	usrpci_map_for_each(call, obj) {
		if (!to_usrpci_mapping(obj)->attached)
			break;
		usrpci_object_remove(call->file, obj);
		usrpci_mapping_detach(call->file, to_usrpci_mapping(obj));
	}
	usrpci_flush_iotlb(usrpci_dma_device(call->file));
}

static int usrpci_map_attach(struct usrpci_map_call *call)
{
	int err;

	err = usrpci_enter(call->file);
	if (err)
		return err;
	err = -EPERM;
	if (usrpci_isolation_permits(usrpci_pdev(call->file), call->file->needs_strict))
		err = usrpci_map_attach_all(call);
	if (err)
		usrpci_map_detach(call);
	usrpci_leave(call->file);
	return err;
}

static int usrpci_map_tell_room(struct usrpci_map_call *call)
{
	struct usrpci_object *obj;
	u32 i = 0;

	usrpci_map_for_each(call, obj)
		if (put_user(to_usrpci_mapping(obj)->nr_runs, &call->user[i++].nr_sg))
			return -EFAULT;
	return -ENOSPC;
}

/* What lies side by side on the bus is one run. Nothing may be called in here. */
static int usrpci_map_tell_runs(struct usrpci_mapping *m)
{
	struct usrpci_ioc_sg __user *run = u64_to_user_ptr(m->sg);
	struct scatterlist *sg;
	u64 start = 0, end = 0;
	unsigned int i;

	if (!user_access_begin(run, m->nr_runs * sizeof(*run)))
		return -EFAULT;
	run--;
	usrpci_for_each_dma_sg(&m->pins, sg, i) {
		if (!i || sg_dma_address(sg) != end) {
			run++;
			start = sg_dma_address(sg);
			unsafe_put_user(start, &run->bus_addr, fault);
		}
		end = sg_dma_address(sg) + sg_dma_len(sg);
		unsafe_put_user(end - start, &run->len, fault);
	}
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

static int usrpci_map_tell(struct usrpci_mapping *m, struct usrpci_ioc_region __user *user)
{
	u32 state = m->bounced ? USRPCI_MAP_BOUNCED : 0;

	if (m->room && usrpci_map_tell_runs(m))
		return -EFAULT;
	if (!user_access_begin(user, sizeof(*user)))
		return -EFAULT;
	unsafe_put_user(m->nr_runs, &user->nr_sg, fault);
	unsafe_put_user(m->obj.handle, &user->handle, fault);
	unsafe_put_user(state, &user->state, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

static int usrpci_map_answer(struct usrpci_map_call *call)
{
	struct usrpci_object *obj;
	u32 i = 0;
	int err;

	usrpci_map_for_each(call, obj) {
		err = usrpci_map_tell(to_usrpci_mapping(obj), &call->user[i++]);
		if (err)
			return err;
	}
	return 0;
}

/* If the function has gone by now, teardown undoes all of it. */
static int usrpci_map_finish(struct usrpci_map_call *call, int answered)
{
	int err;

	err = usrpci_enter(call->file);
	call->given = err || !answered;
	if (err)
		return err;
	if (answered)
		usrpci_map_detach(call);
	else
		usrpci_objects_publish(call->file, call->made);
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

static void usrpci_map_let_go(struct usrpci_map_call *call)
{
	struct usrpci_object *obj, *next;

	for (obj = call->made; obj; obj = next) {
		next = obj->sibling;
		if (!call->given)
			usrpci_mapping_undo(to_usrpci_mapping(obj));
		usrpci_mapping_put(to_usrpci_mapping(obj));
	}
}

int usrpci_map(struct usrpci_command *cmd)
{
	struct usrpci_ioc_map *arg = cmd->arg;
	struct usrpci_map_call call = {
		.file = cmd->file,
		.user = u64_to_user_ptr(arg->regions),
		.nr = arg->nr_regions,
	};
	u64 missing = 0;
	int err;

	if (arg->region_size != sizeof(*call.user) || !call.nr || call.nr > USRPCI_MAX_BATCH)
		return -EINVAL;
	err = usrpci_map_regions(&call, &missing);
	usrpci_map_let_go(&call);
	if (err == -ENOMEM) {
		arg->missing = missing;
		usrpci_respond(cmd, sizeof(*arg));
	}
	return err;
}

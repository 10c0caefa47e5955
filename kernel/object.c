// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait_bit.h>
#include <linux/usrpci.h>

#include "coherent.h"
#include "file.h"
#include "gate.h"
#include "ioctl.h"
#include "mapping.h"
#include "object.h"

int usrpci_objects_init(struct usrpci_file *file)
{
	return usrpci_table_init(&file->objects);
}

void usrpci_objects_destroy(struct usrpci_file *file)
{
	usrpci_table_destroy(&file->objects);
}

bool usrpci_objects_any(struct usrpci_file *file)
{
	return file->objects.nr;
}

int usrpci_object_add(struct usrpci_file *file, struct usrpci_object *obj,
		      enum usrpci_object_kind kind)
{
	obj->kind = kind;
	obj->published = false;
	refcount_set(&obj->busy, 1);
	return usrpci_table_add(&file->objects, obj, &obj->handle);
}

void usrpci_objects_publish(struct usrpci_file *file, struct usrpci_object *made)
{
	/* Once users can find an object they can free it: all in one go. */
	spin_lock(&file->objects.lock);
	for (; made; made = made->sibling)
		made->published = true;
	spin_unlock(&file->objects.lock);
}

void usrpci_object_remove(struct usrpci_file *file, struct usrpci_object *obj)
{
	if (!obj->handle)
		return;
	spin_lock(&file->objects.lock);
	usrpci_table_remove(&file->objects, obj->handle);
	spin_unlock(&file->objects.lock);
}

/* Under the table's lock. */
static struct usrpci_object *usrpci_object_find(struct usrpci_file *file, u32 handle)
{
	struct usrpci_object *obj = usrpci_table_find(&file->objects, handle);

	return obj && obj->published ? obj : NULL;
}

struct usrpci_object *usrpci_object_get(struct usrpci_file *file, u32 handle,
					enum usrpci_object_kind kind)
{
	struct usrpci_object *obj;

	spin_lock(&file->objects.lock);
	obj = usrpci_object_find(file, handle);
	if (obj && obj->kind == kind)
		refcount_inc(&obj->busy);
	else
		obj = NULL;
	spin_unlock(&file->objects.lock);
	return obj;
}

void usrpci_object_put(struct usrpci_object *obj)
{
	refcount_dec(&obj->busy);
	/* So that a waiter which sees the old count is seen waiting. */
	smp_mb__after_atomic();
	/* The object may be gone by now; only its address is looked at. */
	wake_up_var(&obj->busy);
}

/*
 * Take all handles off the table, or none. An object that was taken is marked
 * by not being published, so that a handle that stands there twice is seen.
 */
static int usrpci_objects_take(struct usrpci_file *file, const u32 *handles, u32 nr,
			       struct usrpci_object **taken)
{
	struct usrpci_object *obj;
	u32 i;

	spin_lock(&file->objects.lock);
	for (i = 0; i < nr; i++) {
		obj = usrpci_object_find(file, handles[i]);
		if (!obj)
			goto undo;
		obj->published = false;
		obj->next = *taken;
		*taken = obj;
	}
	for (i = 0; i < nr; i++)
		usrpci_table_remove(&file->objects, handles[i]);
	spin_unlock(&file->objects.lock);
	return 0;

undo:
	for (; *taken; *taken = (*taken)->next)
		(*taken)->published = true;
	spin_unlock(&file->objects.lock);
	return -EINVAL;
}

/* What can be undone at once, is; returns the rest, the mappings. */
static struct usrpci_object *usrpci_objects_sort(struct usrpci_file *file,
						 struct usrpci_object *taken)
{
	struct usrpci_object *mappings = NULL, *next;

	for (; taken; taken = next) {
		next = taken->next;
		/* A sync holds the gate as well: it ends soon. */
		wait_var_event(&taken->busy, refcount_read(&taken->busy) == 1);
		if (taken->kind == USRPCI_OBJECT_COHERENT) {
			usrpci_coherent_drop(file, taken);
		} else {
			taken->next = mappings;
			mappings = taken;
		}
	}
	return mappings;
}

static struct usrpci_object *usrpci_object_take_next(struct usrpci_file *file, u32 *handle)
{
	struct usrpci_object *obj;

	spin_lock(&file->objects.lock);
	obj = usrpci_table_next(&file->objects, handle);
	if (obj)
		usrpci_table_remove(&file->objects, *handle);
	spin_unlock(&file->objects.lock);
	return obj;
}

void usrpci_objects_teardown(struct usrpci_file *file)
{
	struct usrpci_object *obj, *taken = NULL;
	u32 handle = 0;

	while (handle < usrpci_table_size(&file->objects)) {
		obj = usrpci_object_take_next(file, &handle);
		if (obj) {
			obj->next = taken;
			taken = obj;
		}
		cond_resched();
	}
	taken = usrpci_objects_sort(file, taken);
	usrpci_mappings_detach(file, taken);
	usrpci_mappings_undo(taken);
}

static int usrpci_unmap_handles(struct usrpci_file *file, const u32 *handles, u32 nr)
{
	struct usrpci_object *taken = NULL;
	int err;

	err = usrpci_enter(file);
	if (err)
		return err;
	err = usrpci_objects_take(file, handles, nr, &taken);
	taken = usrpci_objects_sort(file, taken);
	usrpci_mappings_detach(file, taken);
	usrpci_leave(file);
	usrpci_mappings_undo(taken);
	return err;
}

int usrpci_unmap(struct usrpci_command *cmd)
{
	struct usrpci_ioc_unmap *arg = cmd->arg;
	u32 few[8], *handles = few;
	int err;

	if (arg->reserved || !arg->nr_handles || arg->nr_handles > USRPCI_MAX_BATCH)
		return -EINVAL;
	if (arg->nr_handles > ARRAY_SIZE(few)) {
		handles = memdup_user(u64_to_user_ptr(arg->handles),
				      arg->nr_handles * sizeof(*handles));
		if (IS_ERR(handles))
			return PTR_ERR(handles);
	} else if (copy_from_user(few, u64_to_user_ptr(arg->handles),
				  arg->nr_handles * sizeof(*few))) {
		return -EFAULT;
	}
	err = usrpci_unmap_handles(cmd->file, handles, arg->nr_handles);
	if (handles != few)
		kfree(handles);
	return err;
}

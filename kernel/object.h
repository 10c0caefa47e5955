/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/*
 * What a handle stands for: a streaming mapping or a coherent buffer.
 *
 * An object is made in two steps. usrpci_object_add() reserves a handle: from
 * then on teardown finds it, and no user does. usrpci_objects_publish() lets
 * users find it, once the handle has reached the caller.
 *
 * Whoever takes an object off the table undoes what it stands for: unmap, the
 * call that made it and failed, or teardown.
 */
#ifndef USRPCI_OBJECT_H
#define USRPCI_OBJECT_H

#include <linux/refcount.h>
#include <linux/types.h>

struct usrpci_command;
struct usrpci_file;

enum usrpci_object_kind {
	USRPCI_OBJECT_MAPPING,
	USRPCI_OBJECT_COHERENT,
};

/**
 * struct usrpci_object - An entry of the table of handles.
 * @kind: what it's embedded in
 * @handle: its handle, 0 before usrpci_object_add()
 * @published: users find it; under the table's lock
 * @busy: 1, and 1 for each sync that is under way
 * @sibling: the next that the same call makes; only that call's
 * @next: of those that are undone together; of who took it off the table
 */
struct usrpci_object {
	enum usrpci_object_kind kind;
	u32 handle;
	bool published;
	refcount_t busy;
	struct usrpci_object *sibling;
	struct usrpci_object *next;
};

int usrpci_objects_init(struct usrpci_file *file);
void usrpci_objects_destroy(struct usrpci_file *file);
bool usrpci_objects_any(struct usrpci_file *file);

/* Inside the gate. */
int usrpci_object_add(struct usrpci_file *file, struct usrpci_object *obj,
		      enum usrpci_object_kind kind);
/* @made and its siblings. */
void usrpci_objects_publish(struct usrpci_file *file, struct usrpci_object *made);
void usrpci_object_remove(struct usrpci_file *file, struct usrpci_object *obj);

/* Inside the gate: keep an object from being undone while it's used. */
struct usrpci_object *usrpci_object_get(struct usrpci_file *file, u32 handle,
					enum usrpci_object_kind kind);
void usrpci_object_put(struct usrpci_object *obj);

/* Undo them all. Nobody is inside the gate any more. */
void usrpci_objects_teardown(struct usrpci_file *file);

/* The command USRPCI_UNMAP. */
int usrpci_unmap(struct usrpci_command *cmd);

#endif /* USRPCI_OBJECT_H */

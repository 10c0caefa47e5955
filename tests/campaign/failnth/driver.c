// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "acts.h"
#include "scene.h"

bool is_bound(const char *bdf)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/usrpci/%s", bdf);
	return !access(path, F_OK);
}

/* A node of the name that it should have; in need the kernel gives it another. */
static bool has_node(const char *bdf)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/usrpci/%s", bdf);
	return !access(path, F_OK);
}

static int unbind(struct scene *s)
{
	return is_bound(s->bdf) ? function_unbind(s->bdf) : 0;
}

int bind(struct scene *s)
{
	return is_bound(s->bdf) ? 0 : function_bind(s->bdf);
}

void undo_unbind(struct scene *s)
{
	must(s, "bind", bind(s));
}

int act_unbind(struct scene *s)
{
	return function_unbind(s->bdf);
}

/* Writing to the driver's bind says how the probe went. */
static int bind_direct(struct scene *s)
{
	return file_write("/sys/bus/pci/drivers/usrpci/bind", s->bdf);
}

static int bind_by_probe(struct scene *s)
{
	int err = file_write("/sys/bus/pci/drivers_probe", s->bdf);

	return err ?: is_bound(s->bdf) ? 0 : -ENODEV;
}

static int bound_or_undone(struct scene *s, int (*how)(struct scene *s))
{
	int err = how(s);

	if (!err && !has_node(s->bdf))
		err = -ENOENT;
	while (err && is_bound(s->bdf))
		unbind(s);
	return err;
}

static int act_bind(struct scene *s)
{
	return bound_or_undone(s, bind_direct);
}

static int act_probe(struct scene *s)
{
	return bound_or_undone(s, bind_by_probe);
}

/* After the function was taken away, and perhaps given back. */
void end_unbound(struct scene *s)
{
	end_unmap_close(s);
	undo_unbind(s);
}

static void undo_bind(struct scene *s)
{
	must(s, "unbind", unbind(s));
}

static void end_bind(struct scene *s)
{
	must(s, "bind", bind(s));
}

static int act_override(struct scene *s)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", s->bdf);
	return file_write(path, "usrpci");
}

static bool is_there(const char *bdf)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", bdf);
	return !access(path, F_OK);
}

static int remove_it(struct scene *s)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", s->bdf);
	return file_write(path, "1");
}

static int rescan(struct scene *s)
{
	int err = is_there(s->bdf) ? 0 : file_write("/sys/bus/pci/rescan", "1");

	return err ?: bind(s);
}

static void undo_remove(struct scene *s)
{
	must(s, "rescan", rescan(s));
}

static int act_rescan(struct scene *s)
{
	int err = remove_it(s);

	if (err)
		return err;
	err = file_write("/sys/bus/pci/rescan", "1") ?: function_bind(s->bdf) ?:
	      has_node(s->bdf) ? 0 : -ENOENT;
	if (err)
		unbind(s);
	if (err)
		undo_remove(s);
	return err;
}

/*
 * Enabling a function has ACPI's interpreter run, which uses what it freed once an allocation of
 * its own has failed (Linux 6.1): only the module's calls fail there.
 */
static const struct sequence sequences[] = {
	{ "bind", EDU, .setup = unbind, .act = act_bind, .undo = undo_bind, .end = end_bind,
	  .hook_only = true },
	{ "bind, nvme", NVME, .setup = unbind, .act = act_bind, .undo = undo_bind,
	  .end = end_bind, .hook_only = true },
	{ "probe", EDU, .setup = unbind, .act = act_probe, .undo = undo_bind, .end = end_bind,
	  .hook_only = true },
	{ "driver_override", EDU, .act = act_override },
	{ "unbind", EDU, .act = act_unbind, .undo = undo_unbind },
	{ "unbind, nvme", NVME, .act = act_unbind, .undo = undo_unbind },
	{ "unbind while held", EDU, .n = 3, .kind = MSI, .setup = setup_held, .act = act_unbind,
	  .undo = undo_unbind, .end = end_unmap_close },
	{ "unbind while held, nvme", NVME, .n = 3, .kind = MSIX, .setup = setup_held,
	  .act = act_unbind, .undo = undo_unbind, .end = end_unmap_close },
	{ "remove", EDU, .act = remove_it, .undo = undo_remove },
	{ "remove while held", EDU, .n = 5, .kind = INTX, .setup = setup_held, .act = remove_it,
	  .undo = undo_remove, .end = end_unmap_close },
	{ "remove and rescan", EDU, .act = act_rescan, .hook_only = true },
};

const struct group driver_group = GROUP(sequences);

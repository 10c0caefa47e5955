// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "coherent.h"
#include "debugfs.h"
#include "file.h"
#include "isolation.h"
#include "mapping.h"
#include "tlb/space.h"

static struct dentry *usrpci_debugfs;

static void usrpci_show_mapping(struct seq_file *s, struct usrpci_mapping *m)
{
	static const char * const directions[] = {
		[DMA_BIDIRECTIONAL] = "both",
		[DMA_TO_DEVICE] = "to-device",
		[DMA_FROM_DEVICE] = "from-device",
	};

	seq_printf(s, "mapping %u addr %#llx len %llu pages %lu runs %u %s%s\n", m->obj.handle,
		   m->addr, m->len, m->nr_pages, m->pins.sgt.nents, directions[m->dir],
		   m->bounced ? " bounced" : "");
}

static void usrpci_show_object(struct seq_file *s, struct usrpci_object *obj)
{
	if (!obj->published)
		return;
	if (obj->kind == USRPCI_OBJECT_COHERENT)
		seq_printf(s, "coherent %u bus %#llx len %llu\n", obj->handle,
			   usrpci_coherent_bus_addr(obj), usrpci_coherent_len(obj));
	else
		usrpci_show_mapping(s, to_usrpci_mapping(obj));
}

/* The table's lock keeps what is shown from being freed. */
static void usrpci_show_objects(struct seq_file *s, struct usrpci_file *file)
{
	struct usrpci_object *obj;
	u32 handle = 0;

	while (handle < usrpci_table_size(&file->objects)) {
		spin_lock(&file->objects.lock);
		obj = usrpci_table_next(&file->objects, &handle);
		if (obj) {
			usrpci_show_object(s, obj);
			handle++;
		}
		spin_unlock(&file->objects.lock);
		cond_resched();
	}
}

static int usrpci_holders_show(struct seq_file *s, void *unused)
{
	struct usrpci_function *f = s->private;
	struct usrpci_file *file;

	down_read(&f->gate);
	file = f->file;
	if (file) {
		seq_printf(s, "opener %d %s\n", pid_vnr(file->pid), file->comm);
		seq_printf(s, "isolation %s\n", usrpci_isolation_name(usrpci_isolation(f->pdev)));
		seq_printf(s, "master %d\n", f->pdev->is_busmaster);
		seq_printf(s, "irq type %u vectors %u fired %llu\n", file->irq.type, file->irq.nr,
			   usrpci_irq_count(file));
		usrpci_show_objects(s, file);
		usrpci_spaces_show(s, file);
	}
	up_read(&f->gate);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(usrpci_holders);

void usrpci_debugfs_init(void)
{
	usrpci_debugfs = debugfs_create_dir(KBUILD_MODNAME, NULL);
}

void usrpci_debugfs_exit(void)
{
	debugfs_remove(usrpci_debugfs);
}

void usrpci_debugfs_add(struct usrpci_function *f)
{
	f->debugfs = debugfs_create_file(pci_name(f->pdev), 0400, usrpci_debugfs, f,
					 &usrpci_holders_fops);
}

void usrpci_debugfs_remove(struct usrpci_function *f)
{
	debugfs_remove(f->debugfs);
}

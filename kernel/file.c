// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/poll.h>
#include <linux/slab.h>

#include "bar.h"
#include "claim.h"
#include "coherent.h"
#include "config.h"
#include "file.h"
#include "ioctl.h"
#include "isolation.h"
#include "object.h"
#include "register.h"
#include "teardown.h"
#include "trace.h"

static struct usrpci_file *usrpci_file_alloc(struct usrpci_function *f, struct file *filp)
{
	struct usrpci_file *file;

	file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);
	if (!file)
		return NULL;
	if (usrpci_objects_init(file)) {
		kfree(file);
		return NULL;
	}
	file->function = f;
	file->mapping = filp->f_mapping;
	file->needs_strict = usrpci_isolation_required();
	mutex_init(&file->coherent_lock);
	INIT_LIST_HEAD(&file->coherents);
	mutex_init(&file->io_lock);
	usrpci_events_init(&file->events);
	init_waitqueue_head(&file->wait);
	init_completion(&file->torn_down);
	usrpci_irq_init(&file->irq);
	file->pid = get_pid(task_tgid(current));
	get_task_comm(file->comm, current);
	return file;
}

static void usrpci_file_free(struct usrpci_file *file)
{
	usrpci_objects_destroy(file);
	put_pid(file->pid);
	kfree(file);
}

/* Under device_lock, so that of two openers one is first. */
static int usrpci_file_open(struct usrpci_function *f, struct file *filp)
{
	struct usrpci_file *file;
	int err;

	if (f->gone)
		return -ENODEV;
	if (f->file)
		return -EBUSY;
	/* Recovery from an error isn't over, or failed: who knows what its registers hold. */
	if (pci_channel_offline(f->pdev))
		return -EIO;
	if (!usrpci_isolation_permits(f->pdev, usrpci_isolation_required()))
		return -EPERM;
	file = usrpci_file_alloc(f, filp);
	if (!file)
		return -ENOMEM;
	err = usrpci_claim(file);
	if (err) {
		usrpci_file_free(file);
		return err;
	}
	down_write(&f->gate);
	f->file = file;
	up_write(&f->gate);
	filp->private_data = file;
	return 0;
}

static int usrpci_open(struct inode *inode, struct file *filp)
{
	struct usrpci_function *f = container_of(inode->i_cdev, struct usrpci_function, cdev);
	int err;

	get_device(&f->dev);
	device_lock(&f->pdev->dev);
	err = usrpci_file_open(f, filp);
	device_unlock(&f->pdev->dev);
	trace_usrpci_open(f, err);
	if (err)
		put_device(&f->dev);
	return err;
}

static int usrpci_release(struct inode *inode, struct file *filp)
{
	struct usrpci_file *file = filp->private_data;
	struct usrpci_function *f = file->function;
	bool alive;

	device_lock(&f->pdev->dev);
	down_write(&f->gate);
	alive = !file->dead;
	file->dead = true;
	if (alive)
		f->file = NULL;
	up_write(&f->gate);
	if (alive)
		usrpci_teardown(file, false);
	device_unlock(&f->pdev->dev);
	usrpci_file_free(file);
	put_device(&f->dev);
	return 0;
}

static __poll_t usrpci_poll(struct file *filp, poll_table *table)
{
	struct usrpci_file *file = filp->private_data;
	__poll_t events = 0;

	poll_wait(filp, &file->wait, table);
	if (usrpci_events_any(&file->events))
		events = EPOLLPRI;
	return READ_ONCE(file->dead) ? events | EPOLLERR | EPOLLHUP : events;
}

/* Split an offset of the file into what it is in and where in that. */
static int usrpci_where(loff_t pos, u64 *offset)
{
	*offset = pos & ((1ULL << USRPCI_BAR_SHIFT) - 1);
	return pos >> USRPCI_BAR_SHIFT;
}

static int usrpci_access(struct usrpci_file *file, loff_t pos, size_t width, u64 *value, bool write)
{
	u64 offset;
	int index = usrpci_where(pos, &offset);

	if (!is_power_of_2(width) || width > 8 || offset & (width - 1))
		return -EINVAL;
	if (index == USRPCI_CONFIG_INDEX)
		return usrpci_config_access(file, offset, width, value, write);
	if (index >= 1 && index <= USRPCI_NR_BARS)
		return usrpci_register_access(file, index - 1, offset, width, value,
					      write);
	return -EINVAL;
}

/* Little-endian on the bus and in the caller's buffer alike. */
static ssize_t usrpci_read(struct file *filp, char __user *buf, size_t len, loff_t *pos)
{
	__le64 bytes;
	u64 value = 0;
	int err;

	err = usrpci_access(filp->private_data, *pos, len, &value, false);
	if (err)
		return err;
	bytes = cpu_to_le64(value);
	return copy_to_user(buf, &bytes, len) ? -EFAULT : len;
}

static ssize_t usrpci_write(struct file *filp, const char __user *buf, size_t len, loff_t *pos)
{
	__le64 bytes = 0;
	u64 value;
	int err;

	if (len > sizeof(bytes))
		return -EINVAL;
	if (copy_from_user(&bytes, buf, len))
		return -EFAULT;
	value = le64_to_cpu(bytes);
	err = usrpci_access(filp->private_data, *pos, len, &value, true);
	return err ?: len;
}

static int usrpci_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct usrpci_file *file = filp->private_data;
	u64 pos = (u64)vma->vm_pgoff << PAGE_SHIFT;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (pos & USRPCI_COHERENT_BIT)
		return usrpci_coherent_mmap(file, vma, pos & ~USRPCI_COHERENT_BIT);
	return usrpci_bar_mmap(file, vma, pos);
}

const struct file_operations usrpci_fops = {
	.owner = THIS_MODULE,
	.open = usrpci_open,
	.release = usrpci_release,
	.read = usrpci_read,
	.write = usrpci_write,
	.mmap = usrpci_mmap,
	.poll = usrpci_poll,
	.unlocked_ioctl = usrpci_ioctl,
};

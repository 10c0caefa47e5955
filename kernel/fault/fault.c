// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */
/*
 * usrpci-fault/fail_nth in debugfs: a task that writes N there makes the Nth call
 * that it then comes by fail. What is left of N can be read; 0: it has failed.
 * Each open file of it is about one task, the one that wrote last, and forgets
 * that when it's closed. So for what a process does as it exits the file is one
 * that its parent holds as well. fail_nth_of_any counts the calls of all tasks, for
 * what threads of the kernel do.
 *
 * Nothing here calls what fault.h makes fail.
 */

#include <linux/debugfs.h>
#include <linux/list.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "sites.h"

/* The real ones: what is held here isn't counted. */
#undef kmalloc
#undef kfree
#undef get_pid
#undef put_pid

static unsigned int usrpci_fail_nth;
module_param_named(fail_nth, usrpci_fail_nth, uint, 0444);
MODULE_PARM_DESC(fail_nth, "the call that fails while the module is loaded; then what's left");

/**
 * struct usrpci_fault - A call that will fail.
 * @list: of all
 * @pid: the task whose call it is, or NULL
 * @any: it may be any task's
 * @left: calls till then; 0: none fails any more
 */
struct usrpci_fault {
	struct list_head list;
	struct pid *pid;
	bool any;
	unsigned int left;
};

atomic_long_t usrpci_held[USRPCI_NR_HELD];
static LIST_HEAD(usrpci_faults);
static DEFINE_SPINLOCK(usrpci_faults_lock); /* the list and what's in it */
static struct usrpci_fault usrpci_fault_at_init;
static struct dentry *usrpci_fault_dir;

bool usrpci_fault_hit(struct usrpci_fault_site *site)
{
	struct usrpci_fault *fault;
	unsigned long flags;
	bool hit = false;

	atomic_long_inc(&site->reached);
	if (!in_task())
		return false;
	spin_lock_irqsave(&usrpci_faults_lock, flags);
	list_for_each_entry(fault, &usrpci_faults, list)
		if (fault->left && (fault->any || fault->pid == task_pid(current)))
			hit |= !--fault->left;
	spin_unlock_irqrestore(&usrpci_faults_lock, flags);
	if (hit)
		atomic_long_inc(&site->injected);
	return hit;
}

static void usrpci_fault_add(struct usrpci_fault *fault)
{
	spin_lock_irq(&usrpci_faults_lock);
	list_add(&fault->list, &usrpci_faults);
	spin_unlock_irq(&usrpci_faults_lock);
}

static void usrpci_fault_remove(struct usrpci_fault *fault)
{
	spin_lock_irq(&usrpci_faults_lock);
	list_del(&fault->list);
	spin_unlock_irq(&usrpci_faults_lock);
	put_pid(fault->pid);
}

static void usrpci_fault_set(struct usrpci_fault *fault, unsigned int nth)
{
	struct pid *old, *pid = get_pid(task_pid(current));

	spin_lock_irq(&usrpci_faults_lock);
	old = fault->pid;
	fault->pid = pid;
	fault->left = nth;
	spin_unlock_irq(&usrpci_faults_lock);
	put_pid(old);
}

static int usrpci_fail_nth_open(struct inode *inode, struct file *filp)
{
	struct usrpci_fault *fault;

	fault = kmalloc(sizeof(*fault), GFP_KERNEL | __GFP_ZERO);
	if (!fault)
		return -ENOMEM;
	fault->any = inode->i_private;
	usrpci_fault_add(fault);
	filp->private_data = fault;
	return 0;
}

static int usrpci_fail_nth_release(struct inode *inode, struct file *filp)
{
	usrpci_fault_remove(filp->private_data);
	kfree(filp->private_data);
	return 0;
}

static ssize_t usrpci_fail_nth_read(struct file *filp, char __user *buf, size_t len, loff_t *pos)
{
	struct usrpci_fault *fault = filp->private_data;
	char text[16];
	int n;

	n = scnprintf(text, sizeof(text), "%u\n", READ_ONCE(fault->left));
	return simple_read_from_buffer(buf, len, pos, text, n);
}

static ssize_t usrpci_fail_nth_write(struct file *filp, const char __user *buf, size_t len,
				     loff_t *pos)
{
	unsigned int nth;
	int err;

	err = kstrtouint_from_user(buf, len, 0, &nth);
	if (err)
		return err;
	usrpci_fault_set(filp->private_data, nth);
	return len;
}

static const struct file_operations usrpci_fail_nth_fops = {
	.owner = THIS_MODULE,
	.open = usrpci_fail_nth_open,
	.release = usrpci_fail_nth_release,
	.read = usrpci_fail_nth_read,
	.write = usrpci_fail_nth_write,
};

/* "FILE:LINE FUNCTION REACHED INJECTED CALL" */
static int usrpci_sites_show(struct seq_file *s, void *unused)
{
	struct usrpci_fault_site *const *entry;

	for (entry = usrpci_fault_first; entry < usrpci_fault_last; entry++)
		seq_printf(s, "%s:%d %s %ld %ld %s\n", (*entry)->file, (*entry)->line,
			   (*entry)->function, atomic_long_read(&(*entry)->reached),
			   atomic_long_read(&(*entry)->injected), (*entry)->call);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(usrpci_sites);

static int usrpci_held_show(struct seq_file *s, void *unused)
{
	static const char * const names[] = {
		[USRPCI_HELD_MEMORY] = "memory",
		[USRPCI_HELD_PAGES] = "pages",
		[USRPCI_HELD_COHERENT] = "coherent",
		[USRPCI_HELD_EVENTFDS] = "eventfds",
		[USRPCI_HELD_MMS] = "mms",
		[USRPCI_HELD_PIDS] = "pids",
	};
	int i;

	for (i = 0; i < USRPCI_NR_HELD; i++)
		seq_printf(s, "%s %ld\n", names[i], atomic_long_read(&usrpci_held[i]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(usrpci_held);

int __init init_module(void)
{
	int err;

	usrpci_fault_dir = debugfs_create_dir("usrpci-fault", NULL);
	debugfs_create_file("fail_nth", 0600, usrpci_fault_dir, NULL, &usrpci_fail_nth_fops);
	debugfs_create_file("fail_nth_of_any", 0600, usrpci_fault_dir, &usrpci_faults,
			    &usrpci_fail_nth_fops);
	debugfs_create_file("held", 0400, usrpci_fault_dir, NULL, &usrpci_held_fops);
	debugfs_create_file("sites", 0400, usrpci_fault_dir, NULL, &usrpci_sites_fops);
	usrpci_fault_add(&usrpci_fault_at_init);
	usrpci_fault_set(&usrpci_fault_at_init, usrpci_fail_nth);
	err = usrpci_own_init();
	usrpci_fail_nth = usrpci_fault_at_init.left;
	usrpci_fault_remove(&usrpci_fault_at_init);
	if (err)
		debugfs_remove(usrpci_fault_dir);
	return err;
}

void __exit cleanup_module(void)
{
	usrpci_own_exit();
	debugfs_remove(usrpci_fault_dir);
}

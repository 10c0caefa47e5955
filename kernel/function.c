// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/idr.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "config.h"
#include "debugfs.h"
#include "error.h"
#include "file.h"
#include "function.h"
#include "isolation.h"
#include "pages.h"
#include "reset.h"
#include "teardown.h"
#include "tlb/tlb.h"

static dev_t usrpci_devt;
static struct class *usrpci_class;
static DEFINE_IDA(usrpci_minors);

static ssize_t isolation_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct usrpci_function *f = container_of(dev, struct usrpci_function, dev);
	ssize_t len = -ENODEV;

	down_read(&f->gate);
	if (!f->gone)
		len = sysfs_emit(buf, "%s\n", usrpci_isolation_name(usrpci_isolation(f->pdev)));
	up_read(&f->gate);
	return len;
}
static DEVICE_ATTR_RO(isolation);

/* "PID COMMAND" of the process that opened the function, or nothing. */
static ssize_t opener_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct usrpci_function *f = container_of(dev, struct usrpci_function, dev);
	ssize_t len = 0;

	down_read(&f->gate);
	if (f->file)
		len = sysfs_emit(buf, "%d %s\n", pid_vnr(f->file->pid), f->file->comm);
	up_read(&f->gate);
	return len;
}
static DEVICE_ATTR_RO(opener);

static struct attribute *usrpci_attrs[] = {
	&dev_attr_isolation.attr,
	&dev_attr_opener.attr,
	NULL
};
ATTRIBUTE_GROUPS(usrpci);

static char *usrpci_devnode(USRPCI_DEVNODE_DEVICE *dev, umode_t *mode)
{
	/*
	 * The core takes no name for another one: then the file that it removes isn't
	 * the one that it made, which stays and is in the next one's way.
	 */
	return kasprintf(GFP_KERNEL | __GFP_NOFAIL, "usrpci/%s", dev_name(dev));
}

static void usrpci_function_release(struct device *dev)
{
	struct usrpci_function *f = container_of(dev, struct usrpci_function, dev);

	ida_free(&usrpci_minors, MINOR(f->dev.devt));
	kfree(f->saved);
	pci_dev_put(f->pdev);
	lockdep_unregister_key(&f->gate_key);
	kfree(f);
}

static struct usrpci_function *usrpci_function_alloc(struct pci_dev *pdev)
{
	struct usrpci_function *f;
	int minor;

	f = kzalloc(sizeof(*f), GFP_KERNEL);
	if (!f)
		return ERR_PTR(-ENOMEM);
	minor = ida_alloc_max(&usrpci_minors, MINORMASK, GFP_KERNEL);
	if (minor < 0) {
		kfree(f);
		return ERR_PTR(minor);
	}
	f->pdev = pci_dev_get(pdev);
	f->needs_reset = true;
	init_rwsem(&f->gate);
	/* A bus that is reset closes the gates of all its functions. */
	lockdep_register_key(&f->gate_key);
	lockdep_set_class(&f->gate, &f->gate_key);
	device_initialize(&f->dev);
	f->dev.class = usrpci_class;
	f->dev.parent = &pdev->dev;
	f->dev.devt = MKDEV(MAJOR(usrpci_devt), minor);
	f->dev.release = usrpci_function_release;
	cdev_init(&f->cdev, &usrpci_fops);
	f->cdev.owner = THIS_MODULE;
	return f;
}

/*
 * For as long as it's bound: evaluating the firmware's tables takes longer than all
 * the rest of an open. Nobody would handle an interrupt; it starts with both off.
 */
static int usrpci_function_enable(struct usrpci_function *f)
{
	int err = pci_enable_device(f->pdev);

	if (err)
		return err;
	pci_clear_master(f->pdev);
	pci_intx(f->pdev, 0);
	err = usrpci_config_save(f->pdev, &f->saved);
	if (err)
		pci_disable_device(f->pdev);
	return err;
}

static int usrpci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct usrpci_function *f;
	int err;

	/* A dynamic id isn't a wish of somebody who named this very function. */
	if (!usrpci_is_named(pdev))
		return -ENODEV;
	if (pdev->hdr_type != PCI_HEADER_TYPE_NORMAL) {
		pci_err(pdev, "is a bridge; only ordinary functions can be driven\n");
		return -EINVAL;
	}
	f = usrpci_function_alloc(pdev);
	if (IS_ERR(f))
		return PTR_ERR(f);
	err = dev_set_name(&f->dev, "%s", pci_name(pdev));
	if (err)
		goto put;
	pci_set_drvdata(pdev, f);
	err = usrpci_function_enable(f);
	if (err)
		goto put;
	err = cdev_device_add(&f->cdev, &f->dev);
	if (err)
		goto disable;
	usrpci_debugfs_add(f);
	return 0;

disable:
	pci_disable_device(pdev);
put:
	put_device(&f->dev);
	return err;
}

void usrpci_function_revoke(struct usrpci_function *f, enum usrpci_removal why)
{
	struct usrpci_file *file;

	down_write(&f->gate);
	file = f->file;
	f->file = NULL;
	if (file) {
		/* First: who is told finds no map that still works. */
		usrpci_pages_zap_bars(file);
		/* Then: whoever meets ENODEV may ask why. */
		usrpci_event_add(file, USRPCI_EVENT_REMOVED, why);
		file->dead = true;
	}
	up_write(&f->gate);
	if (file)
		usrpci_teardown(file, why == USRPCI_REMOVED_ERROR);
}

/* Nobody new gets in, who is in is shown out, and nobody is waited for. */
static void usrpci_remove(struct pci_dev *pdev)
{
	struct usrpci_function *f = pci_get_drvdata(pdev);

	cdev_device_del(&f->cdev, &f->dev);
	usrpci_debugfs_remove(f);
	down_write(&f->gate);
	f->gone = true;
	up_write(&f->gate);
	usrpci_function_revoke(f, pci_device_is_present(pdev) ? USRPCI_REMOVED_ASKED :
							       USRPCI_REMOVED_VANISHED);
	pci_disable_device(pdev);
	put_device(&f->dev);
}

/* A suspended device couldn't be told that memory changes. */
static int usrpci_suspend(struct device *dev)
{
	struct usrpci_function *f = dev_get_drvdata(dev);

	down_write(&f->gate);
	if (f->file)
		usrpci_tlb_hold(f->file, USRPCI_HOLD_RESET);
	up_write(&f->gate);
	return 0;
}

/*
 * Its registers may be as after power-on, which for a user is a reset by others. Before,
 * the core put back what it had saved; what INTx is masked by follows from our own state.
 */
static int usrpci_resume(struct device *dev)
{
	struct pci_dev *pdev = to_pci_dev(dev);

	usrpci_reset_prepare(pdev);
	pci_intx(pdev, 0);
	usrpci_reset_done(pdev);
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(usrpci_pm_ops, usrpci_suspend, usrpci_resume);

/* No table of ids: a function comes by driver_override or not at all. */
struct pci_driver usrpci_driver = {
	.name = KBUILD_MODNAME,
	.probe = usrpci_probe,
	.remove = usrpci_remove,
	.err_handler = &usrpci_error_handlers,
	.driver.pm = pm_sleep_ptr(&usrpci_pm_ops),
};

int usrpci_function_init(void)
{
	int err;

	err = alloc_chrdev_region(&usrpci_devt, 0, MINORMASK + 1, KBUILD_MODNAME);
	if (err)
		return err;
	usrpci_class = usrpci_class_create(KBUILD_MODNAME);
	if (IS_ERR(usrpci_class)) {
		unregister_chrdev_region(usrpci_devt, MINORMASK + 1);
		return PTR_ERR(usrpci_class);
	}
	usrpci_class->devnode = usrpci_devnode;
	usrpci_class->dev_groups = usrpci_groups;
	return 0;
}

void usrpci_function_exit(void)
{
	class_destroy(usrpci_class);
	unregister_chrdev_region(usrpci_devt, MINORMASK + 1);
	ida_destroy(&usrpci_minors);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <usrpci.h>
#include "bind.h"
#include "function.h"
#include "group.h"
#include "public.h"
#include "record.h"
#include "sysfs.h"

static int set_override(const char *root, const char *bdf, const char *driver)
{
	char line[USRPCI_DRIVER_LEN + 1];

	/* An empty line takes it away. */
	snprintf(line, sizeof(line), "%s\n", driver);
	return usrpci_sysfs_write(line, USRPCI_SYS_FUNCTION "/driver_override", root, bdf);
}

static int get_override(const char *root, const char *bdf, char *driver, size_t len)
{
	int ret = usrpci_sysfs_read(driver, len, USRPCI_SYS_FUNCTION "/driver_override", root, bdf);

	if (!ret && !strcmp(driver, "(null)"))
		*driver = '\0';
	return ret;
}

static int detach(const char *root, const char *bdf)
{
	int ret = usrpci_sysfs_write(bdf, USRPCI_SYS_FUNCTION "/driver/unbind", root, bdf);

	switch (ret) {
	case -ENODEV:	/* its driver let go of it meanwhile */
		return 0;
	case -ENOENT:	/* a driver that can't be unbound */
		return -EOPNOTSUPP;
	default:
		return ret;
	}
}

static int attach(const char *root, const char *bdf, const char *driver)
{
	return usrpci_sysfs_write(bdf, USRPCI_SYS_DRIVER "/bind", root, driver);
}

static int attach_checked(const char *root, const char *bdf, const char *to)
{
	char driver[USRPCI_DRIVER_LEN];
	int ret = attach(root, bdf, to);

	/* Unloaded meanwhile, or it refuses the function: a bridge. */
	if (ret == -ENOENT || ret == -EINVAL)
		return -ENODEV;
	if (!ret)
		ret = usrpci_function_driver(root, bdf, driver, sizeof(driver));
	if (!ret && strcmp(driver, to))
		ret = -ENODEV;
	return ret;
}

/* Those that functions are given to, by the name of a driver. */
static bool is_ours(const char *driver)
{
	return !strcmp(driver, USRPCI_DRIVER) || !strcmp(driver, USRPCI_VFIO_DRIVER);
}

/**
 * struct move - A function on its way from driver to driver.
 * @from: its driver till now, empty: none
 * @to: the next
 * @former: what unbinding gives back
 * @known: that was recorded before: it was given to @from by us
 * @type: of its group, which becomes strict; NULL: it stays
 */
struct move {
	const char *from;
	const char *to;
	struct usrpci_record former;
	bool known;
	const char *type;
};

static int plan(const char *root, const char *bdf, struct move *move)
{
	struct usrpci_record *former = &move->former;

	move->known = is_ours(move->from) && !usrpci_record_read(root, bdf, former);
	if (move->known)
		return 0;
	*former = (struct usrpci_record){ 0 };
	strcpy(former->driver, move->from);
	return get_override(root, bdf, former->override, sizeof(former->override));
}

static int remember(const char *root, const char *bdf, const struct move *move)
{
	struct usrpci_record record = move->former;

	/* Its first type is what it gets back. */
	if (move->type && !*record.type)
		strcpy(record.type, move->type);
	return usrpci_record_write(root, bdf, &record);
}

/* The override comes first: it keeps the driver from taking the function. */
static void give_back(const char *root, const char *bdf, const struct move *move,
		      bool detached, bool strict)
{
	set_override(root, bdf, move->known ? move->from : move->former.override);
	if (strict)
		usrpci_group_set_type(root, bdf, move->type);
	if (detached && *move->from)
		attach(root, bdf, move->from);
	if (move->known)
		usrpci_record_write(root, bdf, &move->former);
	else
		usrpci_record_remove(root, bdf);
}

/* Under the lock. */
static int carry_out(const char *root, const char *bdf, const struct move *move)
{
	bool detached = false, strict = false;
	int ret;

	ret = remember(root, bdf, move);
	if (ret)
		return ret;
	ret = set_override(root, bdf, move->to);
	if (!ret && *move->from) {
		ret = detach(root, bdf);
		detached = !ret;
	}
	if (!ret && move->type) {
		ret = usrpci_group_set_type(root, bdf, USRPCI_TYPE_STRICT);
		strict = !ret;
	}
	if (!ret)
		ret = attach_checked(root, bdf, move->to);
	if (ret)
		give_back(root, bdf, move, detached, strict);
	return ret;
}

/* From usrpci to usrpci: a group changes only while no driver has its function. */
static int retake(const char *root, const char *bdf, const char *type)
{
	bool moved;
	int ret = detach(root, bdf);

	if (ret)
		return ret;
	ret = usrpci_group_set_type(root, bdf, USRPCI_TYPE_STRICT);
	moved = !ret;
	if (!ret)
		ret = attach_checked(root, bdf, USRPCI_DRIVER);
	if (!ret)
		return 0;
	if (moved)
		usrpci_group_set_type(root, bdf, type);
	attach(root, bdf, USRPCI_DRIVER);
	return ret;
}

/* 1: it can be bound; 0: it is already. */
static int may_bind(const char *root, const char *bdf, char *driver, const char *to)
{
	int ret = usrpci_function_driver(root, bdf, driver, USRPCI_DRIVER_LEN);

	if (ret)
		return ret;
	if (!strcmp(driver, to))
		return 0;
	if (!usrpci_sysfs_exists(USRPCI_SYS_DRIVER, root, to))
		return -ENODEV;
	if (!strcmp(to, USRPCI_VFIO_DRIVER) && usrpci_group_number(root, bdf) < 0)
		return -EXDEV;
	return 1;
}

/* As may_bind(); 0: it is already, and strict. */
static int may_bind_strict(const char *root, const char *bdf, char *driver, const char *to)
{
	char who[64];
	int isolation, ret = may_bind(root, bdf, driver, to);

	if (ret < 0)
		return ret;
	isolation = usrpci_group_isolation(root, bdf);
	if (isolation < 0)
		return isolation;
	if (isolation == USRPCI_NO_ISOLATION)
		return -EXDEV;
	if (ret)
		return 1;
	if (isolation == USRPCI_STRICT)
		return 0;
	/* It would be taken from whoever has it open. */
	if (!usrpci_sysfs_read(who, sizeof(who), "%s/sys/class/usrpci/%s/opener", root, bdf) &&
	    *who)
		return -EBUSY;
	return 1;
}

static int bind_locked(const char *root, const char *bdf, const char *driver, const char *to)
{
	struct move move = { .from = driver, .to = to };
	int ret = plan(root, bdf, &move);

	return ret ? ret : carry_out(root, bdf, &move);
}

/* Of a function that is usrpci's already. */
static int move_locked(const char *root, const char *bdf, const char *type)
{
	struct usrpci_record former, moved;
	int ret, known = !usrpci_record_read(root, bdf, &former);

	moved = former;
	/* Its first type is what it gets back. */
	if (!*moved.type)
		strcpy(moved.type, type);
	ret = known ? usrpci_record_write(root, bdf, &moved) : 0;
	if (ret)
		return ret;
	ret = retake(root, bdf, type);
	if (ret && known)
		usrpci_record_write(root, bdf, &former);
	return ret;
}

static int bind_strict_locked(const char *root, const char *bdf, const char *driver,
			      const char *to)
{
	struct move move = { .from = driver, .to = to };
	char type[USRPCI_TYPE_LEN];
	int ret = usrpci_group_type(root, bdf, type);

	if (ret)
		return ret;
	if (!strcmp(driver, to))
		return move_locked(root, bdf, type);
	if (strcmp(type, USRPCI_TYPE_STRICT))
		move.type = type;
	ret = plan(root, bdf, &move);
	return ret ? ret : carry_out(root, bdf, &move);
}

/* 1: it can be unbound; from vfio-pci only what we gave to it. */
static int may_unbind(const char *root, const char *bdf, char *driver, const char *to)
{
	struct usrpci_record former;
	int ret = usrpci_function_driver(root, bdf, driver, USRPCI_DRIVER_LEN);

	if (ret)
		return ret;
	if (!strcmp(driver, USRPCI_DRIVER))
		return 1;
	return is_ours(driver) && !usrpci_record_read(root, bdf, &former) ? 1 : -ENXIO;
}

/* No other driver than its former one gets the function, if that is still there. */
static int hand_on(const char *root, const char *bdf, const struct usrpci_record *former,
		   bool known)
{
	int ret = -ENODEV;

	if (known && !*former->driver)
		return 0;
	if (known)
		ret = attach(root, bdf, former->driver);
	if (ret != -ENODEV && ret != -ENOENT)
		return ret;
	/* Nobody may want it: then it stays without a driver. */
	usrpci_sysfs_write(bdf, "%s/sys/bus/pci/drivers_probe", root);
	return 0;
}

/*
 * Gives the group its former type again, unless somebody changed it meanwhile. That it
 * can't, keeps nobody from the function: strict does for every driver.
 */
static bool restore_type(const char *root, const char *bdf, const struct usrpci_record *former)
{
	char type[USRPCI_TYPE_LEN];

	return *former->type && !usrpci_group_type(root, bdf, type) &&
	       !strcmp(type, USRPCI_TYPE_STRICT) &&
	       !usrpci_group_set_type(root, bdf, former->type);
}

static int unbind_locked(const char *root, const char *bdf, const char *driver, const char *to)
{
	struct usrpci_record former;
	bool known, restored;
	int ret;

	known = !usrpci_record_read(root, bdf, &former);
	ret = set_override(root, bdf, former.override);
	if (ret)
		return ret;
	ret = detach(root, bdf);
	if (ret) {
		set_override(root, bdf, driver);
		return ret;
	}
	restored = restore_type(root, bdf, &former);
	ret = hand_on(root, bdf, &former, known);
	if (ret) {
		set_override(root, bdf, driver);
		if (restored)
			usrpci_group_set_type(root, bdf, USRPCI_TYPE_STRICT);
		attach(root, bdf, driver);
		return ret;
	}
	usrpci_record_remove(root, bdf);
	return 0;
}

/* Asks @may before the lock, for those who can't take it, and again under it. */
static int run_locked(const char *root, const char *address, const char *to,
		      int (*may)(const char *root, const char *bdf, char *driver,
				 const char *to),
		      int (*run)(const char *root, const char *bdf, const char *driver,
				 const char *to))
{
	char bdf[USRPCI_BDF_LEN], driver[USRPCI_DRIVER_LEN];
	int lock, ret;

	ret = usrpci_parse_bdf(address, bdf);
	if (ret)
		return ret;
	ret = may(root, bdf, driver, to);
	if (ret <= 0)
		return ret;
	lock = usrpci_records_lock(root);
	if (lock < 0)
		return lock;
	ret = may(root, bdf, driver, to);
	if (ret > 0)
		ret = run(root, bdf, driver, to);
	close(lock);
	return ret;
}

int usrpci_bind_driver_at(const char *root, const char *address, const char *driver)
{
	if (!driver || !is_ours(driver))
		return -EINVAL;
	return run_locked(root, address, driver, may_bind, bind_locked);
}

int usrpci_bind_at(const char *root, const char *address)
{
	return usrpci_bind_driver_at(root, address, USRPCI_DRIVER);
}

int usrpci_bind_strict_at(const char *root, const char *address, enum usrpci_isolation *was)
{
	char bdf[USRPCI_BDF_LEN];
	int before, ret = usrpci_parse_bdf(address, bdf);

	if (ret)
		return ret;
	before = usrpci_group_isolation(root, bdf);
	ret = run_locked(root, address, USRPCI_DRIVER, may_bind_strict, bind_strict_locked);
	if (!ret && was)
		*was = before;
	return ret;
}

int usrpci_unbind_at(const char *root, const char *address)
{
	return run_locked(root, address, NULL, may_unbind, unbind_locked);
}

USRPCI_PUBLIC int usrpci_bind(const char *address)
{
	return usrpci_bind_at("", address);
}

USRPCI_PUBLIC int usrpci_bind_driver(const char *address, const char *driver)
{
	return usrpci_bind_driver_at("", address, driver);
}

USRPCI_PUBLIC int usrpci_bind_strict(const char *address, enum usrpci_isolation *was)
{
	return usrpci_bind_strict_at("", address, was);
}

USRPCI_PUBLIC int usrpci_unbind(const char *address)
{
	return usrpci_unbind_at("", address);
}

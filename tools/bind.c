// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <usrpci.h>
#include "commands.h"
#include "function.h"
#include "inuse.h"
#include "json.h"
#include "sysfs.h"

#define WAIT_MS		2000
#define STEP_MS		10

/* What bind did with one function. */
struct binding {
	char bdf[USRPCI_BDF_LEN];
	const char *driver;	/* the driver that gets it */
	char before[64];	/* the driver that had it */
	char path[PATH_MAX];	/* the device file */
	int group;		/* IOMMU group, -1 without */
	char isolation_before[16];
	char isolation[16];
	struct stat file;
	struct stat former;	/* the file, if it was there already */
};

static void say_use(const struct use *use, void *data)
{
	warn("%s is in use: %s; run: %s", (const char *)data, use->what, use->command);
}

static enum status check_unused(char *bdf)
{
	int ret = inuse_find("", bdf, say_use, bdf);

	if (ret == -ENOENT)
		return complain_open(bdf, ret);
	if (ret < 0)
		return complain(STATUS_FAILED, "%s: can't tell whether it is in use: %s; "
				"to take it all the same: usrpci bind --force %s",
				bdf, strerror(-ret), bdf);
	return ret ? STATUS_IN_USE : STATUS_OK;
}

/* devtmpfs makes the file at once, udev may take its time. */
static int wait_for_file(struct binding *binding)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };
	int waited;

	for (waited = 0; stat(binding->path, &binding->file); waited += STEP_MS) {
		if (errno != ENOENT)
			return -errno;
		if (waited >= WAIT_MS)
			return -ETIMEDOUT;
		nanosleep(&step, NULL);
	}
	return S_ISCHR(binding->file.st_mode) ? 0 : -ENODEV;
}

/* Made anew, it belongs to whom it belonged. */
static int restore_owner(const struct binding *binding)
{
	const struct stat *former = &binding->former;

	if (!S_ISCHR(former->st_mode))
		return 0;
	return chown(binding->path, former->st_uid, former->st_gid) ||
	       chmod(binding->path, former->st_mode & 07777) ? -errno : 0;
}

static int set_owner(struct binding *binding, const struct options *options)
{
	const struct stat before = binding->file;
	int err;

	if (options->given & TAKES_GROUP && chown(binding->path, -1, options->gid))
		return -errno;
	if (options->given & (TAKES_GROUP | TAKES_MODE) && chmod(binding->path, options->mode)) {
		err = -errno;
		if (chown(binding->path, -1, before.st_gid))
			return -errno;
		return err;
	}
	return stat(binding->path, &binding->file) ? -errno : 0;
}

static void read_isolation(struct binding *binding)
{
	char group[16];
	int ret;

	ret = sysfs_link(group, sizeof(group), "/sys/bus/pci/devices/%s/iommu_group", binding->bdf);
	binding->group = ret ? -1 : atoi(group);
	function_isolation("", binding->bdf, binding->group, binding->isolation,
			   sizeof(binding->isolation));
	/* Only --strict changes it. */
	if (!*binding->isolation_before)
		strcpy(binding->isolation_before, binding->isolation);
}

/* Gives the function back if its file can't be had as wanted. */
static enum status set_up_file(struct binding *binding, const struct options *options)
{
	int ret = wait_for_file(binding);
	const char *what = "no device file appeared";

	if (!ret) {
		what = "can't set the group and mode of its file";
		ret = restore_owner(binding);
	}
	if (!ret)
		ret = set_owner(binding, options);
	if (!ret)
		return STATUS_OK;
	if (strcmp(binding->before, binding->driver))
		usrpci_unbind(binding->bdf);
	return complain(ret == -EPERM ? STATUS_NOT_PERMITTED : STATUS_FAILED,
			"%s stays with %s, %s (%s); see: dmesg", binding->bdf,
			*binding->before ? binding->before : "no driver", what, strerror(-ret));
}

static void owner_names(const struct binding *binding, char *owner, char *group, size_t len)
{
	const struct passwd *user = getpwuid(binding->file.st_uid);
	const struct group *set = getgrgid(binding->file.st_gid);

	snprintf(owner, len, "%u", binding->file.st_uid);
	snprintf(group, len, "%u", binding->file.st_gid);
	if (user)
		snprintf(owner, len, "%s", user->pw_name);
	if (set)
		snprintf(group, len, "%s", set->gr_name);
}

static void print_text(const struct binding *binding, bool strict)
{
	const bool moved = strcmp(binding->isolation_before, binding->isolation) != 0;
	char owner[64], group[64], number[32] = "";

	owner_names(binding, owner, group, sizeof(owner));
	if (strict)
		snprintf(number, sizeof(number), "%s (IOMMU group %d)", moved ? "" : " already",
			 binding->group);
	printf("%s: %s → %s, isolation %s%s%s%s, %s %s:%s %04o\n", binding->bdf,
	       *binding->before ? binding->before : "no driver", binding->driver,
	       moved ? binding->isolation_before : "", moved ? " → " : "",
	       binding->isolation, number, binding->path, owner, group,
	       binding->file.st_mode & 07777);
}

static struct json_object *make_json(const struct binding *binding)
{
	struct json_object *object = json_object_new_object();
	char owner[64], group[64];

	owner_names(binding, owner, group, sizeof(owner));
	json_add_text(object, "address", binding->bdf);
	json_add_text(object, "previous_driver", binding->before);
	json_add_text(object, "driver", binding->driver);
	json_add_text(object, "isolation_before", binding->isolation_before);
	json_add_text(object, "isolation", binding->isolation);
	json_add_text(object, "path", binding->path);
	json_add_text(object, "owner", owner);
	json_add_text(object, "group", group);
	json_add_format(object, "mode", "%04o", binding->file.st_mode & 07777);
	return object;
}

static void warn_of_isolation(const struct binding *binding)
{
	if (strcmp(binding->isolation, usrpci_isolation_name(USRPCI_STRICT)))
		warn("%s: isolation is %s: the device can reach memory that it wasn't handed, "
		     "so opening it needs CAP_SYS_RAWIO; see: man usrpci",
		     binding->bdf, binding->isolation);
}

static enum status bind_strict(struct binding *binding)
{
	enum usrpci_isolation was;
	int ret = usrpci_bind_strict(binding->bdf, &was);

	if (!ret) {
		strcpy(binding->isolation_before, usrpci_isolation_name(was));
		return STATUS_OK;
	}
	if (ret == -EACCES || ret == -EPERM)
		return complain(STATUS_NOT_PERMITTED, "only root may change the isolation of %s; "
				"as root, run: usrpci bind --strict %s",
				binding->bdf, binding->bdf);
	return complain_bind(binding->bdf, binding->driver, ret);
}

/* By VFIO it is strict in any case. */
static enum status give(struct binding *binding, const struct options *options)
{
	int ret;

	if (options->given & TAKES_STRICT && !strcmp(binding->driver, USRPCI_DRIVER))
		return bind_strict(binding);
	if (options->given & TAKES_STRICT)
		read_isolation(binding);
	ret = usrpci_bind_driver(binding->bdf, binding->driver);
	return ret ? complain_bind(binding->bdf, binding->driver, ret) : STATUS_OK;
}

/* A kernel without VFIO's groups has one for each function, named once it is bound. */
static void name_own_file(struct binding *binding)
{
	struct dirent *entry;
	char path[96];
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", binding->bdf);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (!strncmp(entry->d_name, "vfio", 4))
			snprintf(binding->path, sizeof(binding->path), "/dev/vfio/devices/%s",
				 entry->d_name);
	}
	closedir(dir);
}

/* VFIO's is that of all functions of the IOMMU group. */
static void name_file(struct binding *binding)
{
	char group[16];

	if (!strcmp(binding->driver, USRPCI_DRIVER) ||
	    sysfs_link(group, sizeof(group), "/sys/bus/pci/devices/%s/iommu_group", binding->bdf))
		snprintf(binding->path, sizeof(binding->path), "/dev/usrpci/%s", binding->bdf);
	else
		snprintf(binding->path, sizeof(binding->path), "/dev/vfio/%s", group);
	if (!strcmp(binding->driver, VFIO_DRIVER) && access(binding->path, F_OK))
		name_own_file(binding);
}

static enum status bind_one(struct binding *binding, const struct options *options)
{
	enum status status = STATUS_OK;
	int ret = usrpci_driver(binding->bdf, binding->before, sizeof(binding->before));

	if (ret)
		return complain_open(binding->bdf, ret);
	binding->driver = options->driver;
	name_file(binding);
	if (stat(binding->path, &binding->former))
		binding->former.st_mode = 0;
	/* Once it's usrpci's or VFIO's, no disk or network of it is left. */
	if (!(options->given & TAKES_FORCE) && strcmp(binding->before, USRPCI_DRIVER) &&
	    strcmp(binding->before, VFIO_DRIVER))
		status = check_unused(binding->bdf);
	if (!status)
		status = give(binding, options);
	if (status)
		return status;
	name_file(binding);
	read_isolation(binding);
	return set_up_file(binding, options);
}

static enum status run(const struct options *options, int nr, char **args)
{
	struct json_object *array = json_object_new_array();
	enum status status, worst = STATUS_OK;
	int i;

	for (i = 0; i < nr; i++) {
		struct binding binding = { 0 };

		status = parse_address(args[i], binding.bdf);
		if (!status)
			status = bind_one(&binding, options);
		if (status > worst)
			worst = status;
		if (status)
			continue;
		warn_of_isolation(&binding);
		if (options->given & TAKES_JSON)
			json_object_array_add(array, make_json(&binding));
		else
			print_text(&binding, options->given & TAKES_STRICT);
	}
	if (options->given & TAKES_JSON)
		json_print(array);
	else
		json_object_put(array);
	return worst;
}

const struct subcommand bind_command = {
	.name = "bind",
	.arguments = "BDF...",
	.summary = "Take functions from their drivers and give them to usrpci or vfio-pci",
	.takes = TAKES_DRIVER | TAKES_FORCE | TAKES_GROUP | TAKES_JSON | TAKES_MODE | TAKES_STRICT,
	.min = 1,
	.run = run,
};

// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <usrpci.h>
#include "commands.h"
#include "function.h"
#include "json.h"
#include "sysfs.h"

/* The kernel waits, and doesn't say for whom. */
static void warn_of_vfio(const char *bdf)
{
	char path[32], group[16];
	int fd;

	if (sysfs_link(group, sizeof(group), "/sys/bus/pci/devices/%s/iommu_group", bdf))
		return;
	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	else if (errno == EBUSY)
		warn("%s may be open: then this waits till it is closed; to see where: fuser -v "
		     "/dev/vfio/%s /dev/vfio/devices/*", bdf, group);
}

/* Binding it first, which others advise, would take it from whoever has it now. */
static enum status complain_foreign(const char *bdf, const char *driver)
{
	if (!strcmp(driver, VFIO_DRIVER))
		return complain(STATUS_NOT_BOUND, "%s was bound to %s by somebody else, so whose "
				"it was isn't known; as root, run: echo %s "
				">/sys/bus/pci/drivers/%s/unbind", bdf, driver, bdf, driver);
	return complain(STATUS_NOT_BOUND, "%s isn't bound to usrpci or vfio-pci, but to "
			"%s; there is nothing to give back", bdf,
			*driver ? driver : "no driver");
}

/* @from: set to the driver that had it, @driver: to the one that has it then. */
static enum status unbind_one(const char *bdf, char *from, char *driver, size_t len)
{
	char opener[64];
	pid_t pid = function_opener("", bdf, opener, sizeof(opener));
	int ret = usrpci_driver(bdf, from, len);

	if (!ret && !strcmp(from, VFIO_DRIVER))
		warn_of_vfio(bdf);
	if (!ret)
		ret = usrpci_unbind(bdf);
	if (!ret)
		ret = usrpci_driver(bdf, driver, len);
	if (ret == -ENXIO)
		return complain_foreign(bdf, from);
	if (ret == -EACCES || ret == -EPERM)
		return complain(STATUS_NOT_PERMITTED,
				"only root may unbind %s; as root, run: usrpci unbind %s",
				bdf, bdf);
	if (ret)
		return complain_open(bdf, ret);
	if (pid)
		warn("%s was taken from process %d (%s), whose calls now fail; to end it: kill %d",
		     bdf, pid, opener, pid);
	return STATUS_OK;
}

static struct json_object *make_json(const char *bdf, const char *driver)
{
	struct json_object *object = json_object_new_object();

	json_add_text(object, "address", bdf);
	json_add_text(object, "driver", driver);
	return object;
}

static enum status run(const struct options *options, int nr, char **args)
{
	struct json_object *array = json_object_new_array();
	enum status status, worst = STATUS_OK;
	char bdf[USRPCI_BDF_LEN], from[64] = "", driver[64] = "";
	int i;

	for (i = 0; i < nr; i++) {
		status = parse_address(args[i], bdf);
		if (!status)
			status = unbind_one(bdf, from, driver, sizeof(driver));
		if (status > worst)
			worst = status;
		if (status)
			continue;
		json_object_array_add(array, make_json(bdf, driver));
		if (!(options->given & TAKES_JSON))
			printf("%s: %s → %s\n", bdf, from, *driver ? driver : "no driver");
	}
	if (options->given & TAKES_JSON)
		json_print(array);
	else
		json_object_put(array);
	return worst;
}

const struct subcommand unbind_command = {
	.name = "unbind",
	.arguments = "BDF...",
	.summary = "Take functions from usrpci or vfio-pci and give them back to their drivers",
	.takes = TAKES_JSON,
	.min = 1,
	.run = run,
};

// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <usrpci.h>
#include "commands.h"
#include "function.h"
#include "json.h"
#include "table.h"

/*
 * All that is told of a function: what sysfs knows, and what the library adds
 * (mapping windows, the largest mapping) if the function could be opened.
 */
struct details {
	struct function function;
	uint64_t dma_mask;	/* 0: unknown, and so for the next two */
	uint64_t coherent_mask;
	uint64_t max_mapping;
	char missing[512];	/* why the rest isn't known; empty if it is */
};

static uint64_t mask_of(unsigned int bits)
{
	return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

static int read_device(struct usrpci_device *dev, struct details *details)
{
	struct function *function = &details->function;
	struct usrpci_info info;
	unsigned int i;
	int ret = usrpci_info(dev, &info);

	for (i = 0; i < USRPCI_BARS && !ret; i++)
		ret = usrpci_bar_info(dev, i, &function->bars[i]);
	if (ret)
		return ret;
	function->nr_intx = info.nr_intx;
	function->nr_msi = info.nr_msi;
	function->nr_msix = info.nr_msix;
	function->has_capabilities = true;
	function->can_reset = info.caps & USRPCI_CAN_RESET;
	details->dma_mask = info.dma_mask;
	details->coherent_mask = info.coherent_mask;
	details->max_mapping = info.max_mapping;
	return 0;
}

static enum status read_details(const char *bdf, struct details *details)
{
	struct function *function = &details->function;
	struct usrpci_device *dev;
	int ret = function_read("", bdf, function);

	if (ret)
		return complain_open(bdf, ret);
	details->dma_mask = mask_of(function->dma_mask_bits);
	details->coherent_mask = mask_of(function->coherent_mask_bits);
	ret = usrpci_open(&dev, bdf);
	if (ret) {
		usrpci_explain_open(bdf, ret, details->missing, sizeof(details->missing));
		return STATUS_OK;
	}
	ret = read_device(dev, details);
	if (ret)
		usrpci_explain(dev, ret, details->missing, sizeof(details->missing));
	usrpci_close(dev);
	return STATUS_OK;
}

/* Of what is played nothing stands in sysfs. */
static enum status read_played(const char *address, struct details *details)
{
	struct usrpci_device *dev;
	struct usrpci_info info;
	enum status status = STATUS_OK;
	int ret = usrpci_open(&dev, address);

	if (ret)
		return complain_open(address, ret);
	ret = usrpci_info(dev, &info);
	if (!ret) {
		function_identify(&info, &details->function);
		ret = read_device(dev, details);
	}
	if (ret)
		status = complain_call(dev, address, ret);
	usrpci_close(dev);
	return status;
}

static void format_size(char *text, size_t len, uint64_t bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned int unit = 0;

	while (unit < 6 && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	snprintf(text, len, "%" PRIu64 " %s", bytes, units[unit]);
}

static void format_windows(const struct usrpci_bar *bar, char *text, size_t len)
{
	size_t used;
	unsigned int i;

	*text = '\0';
	if (bar->nr_windows == 1 && !bar->windows[0].offset && bar->windows[0].len == bar->len) {
		snprintf(text, len, ", mappable");
		return;
	}
	for (i = 0; i < bar->nr_windows; i++) {
		used = strlen(text);
		snprintf(text + used, len - used, "%s 0x%" PRIx64 "-0x%" PRIx64,
			 i ? "," : ", mappable", bar->windows[i].offset,
			 bar->windows[i].offset + bar->windows[i].len - 1);
	}
}

static void add_bar(struct table *table, unsigned int number, const struct usrpci_bar *bar)
{
	char name[16], size[32], windows[128];

	snprintf(name, sizeof(name), "BAR %u", number);
	format_size(size, sizeof(size), bar->len);
	format_windows(bar, windows, sizeof(windows));
	if (bar->type == USRPCI_PORT_BAR)
		table_field(table, name, "%s of ports at 0x%" PRIx64, size, bar->addr);
	else if (bar->type == USRPCI_MEMORY_BAR)
		table_field(table, name, "%s of memory at 0x%" PRIx64 ", %s%s%s", size, bar->addr,
			    bar->flags & USRPCI_64BIT ? "64-bit" : "32-bit",
			    bar->flags & USRPCI_PREFETCHABLE ? ", prefetchable" : "", windows);
}

static void add_identity(struct table *table, const struct function *function)
{
	table_field(table, "ids", "%04x:%04x, subsystem %04x:%04x, revision %02x, class %04x%02x",
		    function->vendor_id, function->device_id, function->subvendor_id,
		    function->subdevice_id, function->revision, function->class_id,
		    function->prog_if);
	table_field(table, "driver", "%s", function->driver);
	if (function->iommu_group < 0)
		table_field(table, "isolation", "%s, no IOMMU group", function->isolation);
	else
		table_field(table, "isolation", "%s, IOMMU group %d",
			    *function->isolation ? function->isolation : "unknown",
			    function->iommu_group);
	if (function->opener_pid)
		table_field(table, "opened by", "%d %s", function->opener_pid, function->opener);
	else
		table_field(table, "opened by", "%s", "");
}

static void add_resources(struct table *table, const struct details *details)
{
	const struct function *function = &details->function;
	char size[32];

	if (function->has_capabilities)
		table_field(table, "interrupts", "%u INTx, %u MSI, %u MSI-X", function->nr_intx,
			    function->nr_msi, function->nr_msix);
	else
		table_field(table, "interrupts", "%u INTx, MSI unknown", function->nr_intx);
	if (details->dma_mask)
		table_field(table, "DMA mask", "0x%" PRIx64 ", coherent 0x%" PRIx64,
			    details->dma_mask, details->coherent_mask);
	else
		table_field(table, "DMA mask", "unknown");
	format_size(size, sizeof(size), details->max_mapping);
	table_field(table, "largest mapping", "%s",
		    !details->max_mapping ? "unknown" :
		    details->max_mapping == UINT64_MAX ? "no limit" : size);
	table_field(table, "reset", "%s", function->can_reset ? "yes" : "not alone");
	if (function->numa_node >= 0)
		table_field(table, "NUMA node", "%d", function->numa_node);
}

static void print_text(const struct details *details)
{
	const struct function *function = &details->function;
	struct table table = { .columns = 2 };
	char title[400];
	unsigned int i;

	function_title(function, title, sizeof(title));
	printf("%s %s\n", function->bdf, title);
	add_identity(&table, function);
	for (i = 0; i < USRPCI_BARS; i++)
		add_bar(&table, i, &function->bars[i]);
	add_resources(&table, details);
	table_print(&table);
	if (*details->missing) {
		fflush(stdout);
		warn("this is what the kernel knows, not what a program would get: %s",
		     details->missing);
	}
}

static struct json_object *bar_json(unsigned int number, const struct usrpci_bar *bar)
{
	struct json_object *object = json_object_new_object();
	struct json_object *windows = json_object_new_array();
	unsigned int i;

	json_object_object_add(object, "bar", json_object_new_int((int)number));
	json_add_text(object, "kind", bar->type == USRPCI_PORT_BAR ? "ports" : "memory");
	json_add_format(object, "address", "0x%" PRIx64, bar->addr);
	json_object_object_add(object, "size", json_object_new_uint64(bar->len));
	json_object_object_add(object, "prefetchable",
			       json_object_new_boolean(!!(bar->flags & USRPCI_PREFETCHABLE)));
	json_object_object_add(object, "is_64bit",
			       json_object_new_boolean(!!(bar->flags & USRPCI_64BIT)));
	for (i = 0; i < bar->nr_windows; i++) {
		struct json_object *window = json_object_new_object();

		json_object_object_add(window, "offset",
				       json_object_new_uint64(bar->windows[i].offset));
		json_object_object_add(window, "size",
				       json_object_new_uint64(bar->windows[i].len));
		json_object_array_add(windows, window);
	}
	json_object_object_add(object, "mappable", windows);
	return object;
}

static struct json_object *bars_json(const struct function *function)
{
	struct json_object *bars = json_object_new_array();
	unsigned int i;

	for (i = 0; i < USRPCI_BARS; i++) {
		if (function->bars[i].type != USRPCI_NO_BAR)
			json_object_array_add(bars, bar_json(i, &function->bars[i]));
	}
	return bars;
}

static struct json_object *interrupts_json(const struct function *function)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "intx", json_object_new_int((int)function->nr_intx));
	json_object_object_add(object, "msi", !function->has_capabilities ? NULL :
			       json_object_new_int((int)function->nr_msi));
	json_object_object_add(object, "msix", !function->has_capabilities ? NULL :
			       json_object_new_int((int)function->nr_msix));
	return object;
}

static void add_mask(struct json_object *object, const char *key, uint64_t mask)
{
	if (mask)
		json_add_format(object, key, "0x%" PRIx64, mask);
	else
		json_add_text(object, key, "");
}

static void print_json(const struct details *details)
{
	const struct function *function = &details->function;
	struct json_object *object = function_json(function);

	json_add_format(object, "subsystem_vendor_id", "%04x", function->subvendor_id);
	json_add_format(object, "subsystem_device_id", "%04x", function->subdevice_id);
	json_add_format(object, "programming_interface", "%02x", function->prog_if);
	json_add_format(object, "revision", "%02x", function->revision);
	json_object_object_add(object, "numa_node", function->numa_node < 0 ? NULL :
			       json_object_new_int(function->numa_node));
	json_object_object_add(object, "bars", bars_json(function));
	json_object_object_add(object, "interrupts", interrupts_json(function));
	add_mask(object, "dma_mask", details->dma_mask);
	add_mask(object, "coherent_dma_mask", details->coherent_mask);
	json_object_object_add(object, "max_mapping", !details->max_mapping ? NULL :
			       json_object_new_uint64(details->max_mapping));
	json_object_object_add(object, "can_reset", json_object_new_boolean(function->can_reset));
	json_add_text(object, "missing", details->missing);
	json_print(object);
}

static enum status run(const struct options *options, int nr, char **args)
{
	struct details details = { 0 };
	char bdf[USRPCI_BDF_LEN];
	const char *address;
	enum status status = parse_device(args[0], bdf, &address);

	if (!status)
		status = address == bdf ? read_details(bdf, &details) :
					  read_played(address, &details);
	if (status)
		return status;
	if (options->given & TAKES_JSON)
		print_json(&details);
	else
		print_text(&details);
	return STATUS_OK;
}

const struct subcommand info_command = {
	.name = "info",
	.arguments = "ADDRESS",
	.summary = "Show what a function is and what it offers",
	.takes = TAKES_JSON,
	.min = 1,
	.max = 1,
	.run = run,
};

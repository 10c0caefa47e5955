// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <pci/pci.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "error.h"
#include "function.h"
#include "json.h"
#include "sysfs.h"

#define FILL_LIST (PCI_FILL_IDENT | PCI_FILL_CLASS | PCI_FILL_CLASS_EXT | PCI_FILL_SUBSYS | \
		   PCI_FILL_DRIVER | PCI_FILL_IOMMU_GROUP | PCI_FILL_NUMA_NODE)
#define FILL_INFO (FILL_LIST | PCI_FILL_BASES | PCI_FILL_SIZES | PCI_FILL_IO_FLAGS | PCI_FILL_CAPS)

/* What libpci can't go on after; it wants no return. */
static void __attribute__((noreturn, format(printf, 1, 2))) fail(char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	exit(complain(STATUS_FAILED, "can't read the PCI bus: %s; mount sysfs: "
		      "mount -t sysfs sysfs /sys", text));
}

/* A function that goes while it is read is no news. */
static void __attribute__((format(printf, 1, 2))) ignore(char *format, ...)
{
}

static struct pci_access *open_bus(const char *root)
{
	struct pci_access *bus = pci_alloc();
	char path[PATH_MAX];

	bus->error = fail;
	bus->warning = ignore;
	bus->method = PCI_ACCESS_SYS_BUS_PCI;
	if (*root) {
		snprintf(path, sizeof(path), "%s/sys/bus/pci", root);
		pci_set_param(bus, "sysfs.path", path);
	}
	pci_init(bus);
	return bus;
}

static void read_names(struct pci_access *bus, struct function *function)
{
	const int flags = PCI_LOOKUP_NO_NUMBERS;
	int vendor = function->vendor_id, device = function->device_id;

	/* Without a name libpci returns NULL and leaves the buffer alone. */
	pci_lookup_name(bus, function->vendor, sizeof(function->vendor),
			flags | PCI_LOOKUP_VENDOR, vendor);
	pci_lookup_name(bus, function->device, sizeof(function->device),
			flags | PCI_LOOKUP_DEVICE, vendor, device);
	pci_lookup_name(bus, function->class, sizeof(function->class),
			flags | PCI_LOOKUP_CLASS, function->class_id);
}

pid_t function_opener(const char *root, const char *bdf, char *command, size_t len)
{
	char text[96];
	int pid = 0, name = 0;

	*command = '\0';
	if (sysfs_text(text, sizeof(text), "%s/sys/class/" USRPCI_DRIVER "/%s/opener", root, bdf) ||
	    sscanf(text, "%d %n", &pid, &name) != 1)
		return 0;
	snprintf(command, len, "%s", text + name);
	/* A process names itself: keep its control characters off terminals. */
	for (; *command; command++) {
		if (iscntrl((unsigned char)*command))
			*command = '?';
	}
	return pid;
}

void function_isolation(const char *root, const char *bdf, int iommu_group,
			char *name, size_t len)
{
	char type[32];

	if (!sysfs_text(name, len, "%s/sys/class/" USRPCI_DRIVER "/%s/isolation", root, bdf))
		return;
	if (iommu_group < 0) {
		snprintf(name, len, "%s", usrpci_isolation_name(USRPCI_NO_ISOLATION));
		return;
	}
	/* VFIO opens it behind page tables of its own, or not at all. */
	if (!sysfs_link(type, sizeof(type), "%s/sys/bus/pci/devices/%s/driver", root, bdf) &&
	    !strcmp(type, VFIO_DRIVER)) {
		snprintf(name, len, "%s", usrpci_isolation_name(USRPCI_STRICT));
		return;
	}
	sysfs_text(type, sizeof(type), "%s/sys/kernel/iommu_groups/%d/type", root, iommu_group);
	if (!strcmp(type, "DMA"))
		snprintf(name, len, "%s", usrpci_isolation_name(USRPCI_STRICT));
	else if (!strcmp(type, "DMA-FQ"))
		snprintf(name, len, "%s", usrpci_isolation_name(USRPCI_LAZY));
	else if (!strcmp(type, "identity"))
		snprintf(name, len, "%s", usrpci_isolation_name(USRPCI_PASSTHROUGH));
}

static void read_function(const char *root, struct pci_dev *dev, struct function *function)
{
	const char *group, *driver;

	*function = (struct function){ .iommu_group = -1 };
	snprintf(function->bdf, sizeof(function->bdf), "%04x:%02x:%02x.%x",
		 dev->domain, dev->bus, dev->dev, dev->func);
	function->vendor_id = dev->vendor_id;
	function->device_id = dev->device_id;
	function->subvendor_id = dev->subsys_vendor_id;
	function->subdevice_id = dev->subsys_id;
	function->class_id = dev->device_class;
	function->prog_if = dev->prog_if;
	function->revision = dev->rev_id;
	function->numa_node = dev->numa_node;
	read_names(dev->access, function);
	driver = pci_get_string_property(dev, PCI_FILL_DRIVER);
	snprintf(function->driver, sizeof(function->driver), "%s", driver ? driver : "");
	group = pci_get_string_property(dev, PCI_FILL_IOMMU_GROUP);
	if (group)
		function->iommu_group = atoi(group);
	function_isolation(root, function->bdf, function->iommu_group,
			   function->isolation, sizeof(function->isolation));
	function->opener_pid = function_opener(root, function->bdf, function->opener,
					       sizeof(function->opener));
}

static int by_address(const void *one, const void *other)
{
	const struct function *a = one, *b = other;
	size_t la = strlen(a->bdf), lb = strlen(b->bdf);

	/* A domain above ffff makes the name longer. */
	if (la != lb)
		return la < lb ? -1 : 1;
	return strcmp(a->bdf, b->bdf);
}

ssize_t functions_read(const char *root, struct function **functions)
{
	struct pci_access *bus = open_bus(root);
	struct pci_dev *dev;
	size_t nr = 0, i = 0;

	pci_scan_bus(bus);
	for (dev = bus->devices; dev; dev = dev->next)
		nr++;
	*functions = calloc(nr + 1, sizeof(**functions));
	for (dev = bus->devices; *functions && dev; dev = dev->next) {
		pci_fill_info(dev, FILL_LIST);
		read_function(root, dev, &(*functions)[i++]);
	}
	pci_cleanup(bus);
	if (!*functions)
		return -ENOMEM;
	qsort(*functions, nr, sizeof(**functions), by_address);
	return (ssize_t)nr;
}

static void read_bars(const struct pci_dev *dev, struct function *function)
{
	unsigned int i;

	for (i = 0; i < USRPCI_BARS; i++) {
		struct usrpci_bar *bar = &function->bars[i];

		if (!dev->size[i])
			continue;
		bar->type = dev->flags[i] & PCI_IORESOURCE_IO ? USRPCI_PORT_BAR : USRPCI_MEMORY_BAR;
		if (dev->flags[i] & PCI_IORESOURCE_PREFETCH)
			bar->flags |= USRPCI_PREFETCHABLE;
		if (dev->flags[i] & PCI_IORESOURCE_MEM_64)
			bar->flags |= USRPCI_64BIT;
		bar->len = dev->size[i];
		bar->addr = dev->base_addr[i] & (bar->type == USRPCI_PORT_BAR ?
						 PCI_ADDR_IO_MASK : PCI_ADDR_MEM_MASK);
	}
}

static void read_vectors(struct pci_dev *dev, struct function *function)
{
	struct pci_cap *cap;
	unsigned char byte;

	function->nr_intx = pci_read_byte(dev, PCI_INTERRUPT_PIN) != 0;
	/* Only root reads beyond the first 64 bytes, where the capabilities are. */
	function->has_capabilities = pci_read_block(dev, 64, &byte, 1);
	if (!function->has_capabilities)
		return;
	cap = pci_find_cap(dev, PCI_CAP_ID_MSI, PCI_CAP_NORMAL);
	if (cap)	/* Multiple Message Capable, a power of two */
		function->nr_msi = 1U << (pci_read_word(dev, cap->addr + PCI_MSI_FLAGS) >> 1 & 7);
	/* The control word of MSI-X is where that of MSI is. */
	cap = pci_find_cap(dev, PCI_CAP_ID_MSIX, PCI_CAP_NORMAL);
	if (cap)
		function->nr_msix = (pci_read_word(dev, cap->addr + PCI_MSI_FLAGS) & 0x7ff) + 1;
}

static void read_attributes(const char *root, struct function *function)
{
	char text[PATH_MAX];

	sysfs_text(text, sizeof(text), "%s/sys/bus/pci/devices/%s/dma_mask_bits",
		   root, function->bdf);
	function->dma_mask_bits = strtoul(text, NULL, 10);
	sysfs_text(text, sizeof(text), "%s/sys/bus/pci/devices/%s/consistent_dma_mask_bits",
		   root, function->bdf);
	function->coherent_mask_bits = strtoul(text, NULL, 10);
	snprintf(text, sizeof(text), "%s/sys/bus/pci/devices/%s/reset", root, function->bdf);
	function->can_reset = !access(text, F_OK);
}

bool function_exists(const char *root, const char *bdf)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s", root, bdf);
	return !access(path, F_OK);
}

int function_read(const char *root, const char *bdf, struct function *function)
{
	unsigned int domain, number, slot, func;
	struct pci_access *bus;
	struct pci_dev *dev;

	if (!function_exists(root, bdf) ||
	    sscanf(bdf, "%x:%x:%x.%x", &domain, &number, &slot, &func) != 4)
		return -ENOENT;
	bus = open_bus(root);
	dev = pci_get_dev(bus, (int)domain, (int)number, (int)slot, (int)func);
	pci_fill_info(dev, FILL_INFO);
	read_function(root, dev, function);
	read_bars(dev, function);
	read_vectors(dev, function);
	read_attributes(root, function);
	pci_free_dev(dev);
	pci_cleanup(bus);
	return 0;
}

void function_identify(const struct usrpci_info *info, struct function *function)
{
	struct pci_access *names = pci_alloc();

	*function = (struct function){
		.vendor_id = info->vendor,
		.device_id = info->device,
		.subvendor_id = info->subvendor,
		.subdevice_id = info->subdevice,
		.class_id = (uint16_t)(info->class_code >> 8),
		.prog_if = (uint8_t)info->class_code,
		.revision = info->revision,
		.iommu_group = info->iommu_group,
		.numa_node = info->numa_node,
	};
	snprintf(function->bdf, sizeof(function->bdf), "%s", info->bdf);
	snprintf(function->isolation, sizeof(function->isolation), "%s",
		 usrpci_isolation_name(info->isolation));
	/* The names need no bus, which a machine may not have. */
	names->error = fail;
	names->warning = ignore;
	names->debug = ignore;
	read_names(names, function);
	pci_cleanup(names);
}

bool function_bound(const struct function *function)
{
	return !strcmp(function->driver, USRPCI_DRIVER) || !strcmp(function->driver, VFIO_DRIVER);
}

void function_title(const struct function *function, char *title, size_t len)
{
	const char *class = *function->class ? function->class : "Unknown class";

	if (*function->vendor)
		snprintf(title, len, "%s: %s %s [%04x:%04x]", class, function->vendor,
			 *function->device ? function->device : "device",
			 function->vendor_id, function->device_id);
	else
		snprintf(title, len, "%s: unknown device [%04x:%04x]", class,
			 function->vendor_id, function->device_id);
}

static struct json_object *opener_json(const struct function *function)
{
	struct json_object *opener;

	if (!function->opener_pid)
		return NULL;
	opener = json_object_new_object();
	json_object_object_add(opener, "pid", json_object_new_int(function->opener_pid));
	json_add_text(opener, "command", function->opener);
	return opener;
}

struct json_object *function_json(const struct function *function)
{
	struct json_object *object = json_object_new_object();

	json_add_text(object, "address", function->bdf);
	json_add_format(object, "vendor_id", "%04x", function->vendor_id);
	json_add_format(object, "device_id", "%04x", function->device_id);
	json_add_text(object, "vendor", function->vendor);
	json_add_text(object, "device", function->device);
	json_add_format(object, "class_id", "%04x", function->class_id);
	json_add_text(object, "class", function->class);
	json_add_text(object, "driver", function->driver);
	json_object_object_add(object, "iommu_group", function->iommu_group < 0 ? NULL :
			       json_object_new_int(function->iommu_group));
	json_add_text(object, "isolation", function->isolation);
	json_object_object_add(object, "opener", opener_json(function));
	return object;
}

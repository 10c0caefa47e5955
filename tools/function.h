/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef TOOLS_FUNCTION_H
#define TOOLS_FUNCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <usrpci.h>

/* The driver's name, and its class in sysfs. */
#define USRPCI_DRIVER	"usrpci"

/* The kernel's own, which the library drives functions by too. */
#define VFIO_DRIVER	"vfio-pci"

/**
 * struct function - What the kernel tells of a function, whoever drives it.
 * @bdf: its full name; of what is played, as much of its address as fits
 * @vendor_id: PCI vendor id
 * @device_id: PCI device id
 * @subvendor_id: subsystem vendor id, 0 without
 * @subdevice_id: subsystem id, 0 without
 * @class_id: base class and subclass
 * @prog_if: programming interface
 * @revision: revision id
 * @vendor: the vendor's name, empty when unknown
 * @device: the device's name, empty when unknown
 * @class: the class's name, empty when unknown
 * @driver: what it is bound to, empty without
 * @isolation: "strict", "lazy", "passthrough", "none"; empty when unknown
 * @iommu_group: -1 without
 * @opener: command of the process that has it open through usrpci
 * @opener_pid: that process; 0: not open
 * @bars: its BARs; no windows
 * @nr_intx: 1 if it has an INTx pin, else 0
 * @nr_msi: MSI vectors offered
 * @nr_msix: MSI-X vectors offered
 * @has_capabilities: whether @nr_msi and @nr_msix could be read
 * @dma_mask_bits: bits of the mask of streaming mappings, 0 when unknown
 * @coherent_mask_bits: bits of the mask of coherent buffers, 0 when unknown
 * @can_reset: whether the kernel can reset it alone
 * @numa_node: nearest NUMA node, -1 when unknown
 */
struct function {
	char bdf[USRPCI_ADDRESS_LEN];
	uint16_t vendor_id;
	uint16_t device_id;
	uint16_t subvendor_id;
	uint16_t subdevice_id;
	uint16_t class_id;
	uint8_t prog_if;
	uint8_t revision;
	char vendor[128];
	char device[128];
	char class[128];
	char driver[64];
	char isolation[16];
	int iommu_group;
	char opener[64];
	pid_t opener_pid;
	struct usrpci_bar bars[USRPCI_BARS];
	unsigned int nr_intx;
	unsigned int nr_msi;
	unsigned int nr_msix;
	bool has_capabilities;
	unsigned int dma_mask_bits;
	unsigned int coherent_mask_bits;
	bool can_reset;
	int numa_node;
};

/**
 * functions_read() - Read all functions, sorted by address.
 * @root: "" or a folder that holds another sys/, for tests
 * @functions: set to an array for free()
 *
 * Return: how many, or -ENOMEM.
 */
ssize_t functions_read(const char *root, struct function **functions);

/**
 * function_read() - Read one function, with its BARs, interrupts and masks.
 * @root: "" or a folder that holds another sys/, for tests
 * @bdf: its full name
 * @function: filled in
 *
 * Return: 0, or -ENOENT if there is no such function.
 */
int function_read(const char *root, const char *bdf, struct function *function);

/**
 * function_exists() - Tell whether there is such a function.
 * @root: "" or a folder that holds another sys/, for tests
 * @bdf: its full name
 *
 * Return: whether there is.
 */
bool function_exists(const char *root, const char *bdf);

/**
 * function_bound() - Tell whether a function is bound to usrpci or vfio-pci.
 * @function: the function
 *
 * Return: whether it is.
 */
bool function_bound(const struct function *function);

/**
 * function_opener() - Read who has a function open through usrpci.
 * @root: "" or a folder that holds another sys/, for tests
 * @bdf: its full name
 * @command: set to the process's command
 * @len: bytes of @command
 *
 * Return: the process id; 0 if it isn't open.
 */
pid_t function_opener(const char *root, const char *bdf, char *command, size_t len);

/**
 * function_isolation() - Read what stops a function reaching other memory.
 * @root: "" or a folder that holds another sys/, for tests
 * @bdf: its full name
 * @iommu_group: its IOMMU group, -1 without
 * @name: set to "strict", "lazy", "passthrough", "none", empty when unknown
 * @len: bytes of @name
 */
void function_isolation(const char *root, const char *bdf, int iommu_group,
			char *name, size_t len);

/**
 * function_title() - Make one line of a function's names.
 * @function: the function
 * @title: set to "Class: Vendor Device [1234:5678]"
 * @len: bytes of @title
 */
void function_title(const struct function *function, char *title, size_t len);

/**
 * function_identify() - Fill in what an open device tells by itself, and its names.
 * @info: of the device
 * @function: filled in but for its BARs and interrupts
 */
void function_identify(const struct usrpci_info *info, struct function *function);

struct json_object;

/**
 * function_json() - Make an object of what list and info both tell.
 * @function: the function
 *
 * Return: the object.
 */
struct json_object *function_json(const struct function *function);

#endif /* TOOLS_FUNCTION_H */

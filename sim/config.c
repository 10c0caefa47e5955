// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <endian.h>
#include <linux/pci_regs.h>
#include <string.h>
#include "config.h"

#define FIRST_CAP	0x40

static void put16(uint8_t *table, unsigned int offset, uint16_t value)
{
	value = htole16(value);
	memcpy(table + offset, &value, sizeof(value));
}

static void put32(uint8_t *table, unsigned int offset, uint32_t value)
{
	value = htole32(value);
	memcpy(table + offset, &value, sizeof(value));
}

static uint16_t get16(const uint8_t *table, unsigned int offset)
{
	uint16_t value;

	memcpy(&value, table + offset, sizeof(value));
	return le16toh(value);
}

static void put_header(struct sim_config *config, const struct sim_device *device)
{
	put16(config->data, PCI_VENDOR_ID, device->vendor);
	put16(config->data, PCI_DEVICE_ID, device->device);
	put32(config->data, PCI_CLASS_REVISION, device->class_code << 8 | device->revision);
	put16(config->data, PCI_SUBSYSTEM_VENDOR_ID, device->vendor);
	put16(config->data, PCI_SUBSYSTEM_ID, device->device);
	put16(config->writable, PCI_COMMAND,
	      PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
	      PCI_COMMAND_INTX_DISABLE);
	config->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	config->writable[PCI_INTERRUPT_LINE] = 0xff;
	config->data[PCI_INTERRUPT_PIN] = device->intx;
}

/* The bits below its length can't be written: so a driver learns how long it is. */
static void put_bar(struct sim_config *config, unsigned int index, const struct sim_bar *bar)
{
	const unsigned int offset = PCI_BASE_ADDRESS_0 + 4 * index;
	const uint64_t mask = ~(bar->len - 1);
	uint32_t type = PCI_BASE_ADDRESS_SPACE_MEMORY;

	if (!bar->len)
		return;
	if (bar->wide)
		type |= PCI_BASE_ADDRESS_MEM_TYPE_64;
	if (bar->prefetchable)
		type |= PCI_BASE_ADDRESS_MEM_PREFETCH;
	put32(config->data, offset, type);
	put32(config->writable, offset, (uint32_t)mask);
	if (bar->wide)
		put32(config->writable, offset + 4, (uint32_t)(mask >> 32));
}

/* Where the next one goes, after one of @len bytes that comes before all others. */
static unsigned int add_cap(struct sim_config *config, unsigned int *next, uint8_t id,
			    unsigned int len)
{
	unsigned int cap = *next;

	config->data[cap] = id;
	config->data[cap + PCI_CAP_LIST_NEXT] = config->data[PCI_CAPABILITY_LIST];
	config->data[PCI_CAPABILITY_LIST] = (uint8_t)cap;
	config->data[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	*next = (cap + len + 3) & ~3U;
	return cap;
}

static unsigned int log2_of(unsigned int n)
{
	return n > 1 ? 1 + log2_of(n / 2) : 0;
}

static void add_msi(struct sim_config *config, unsigned int *next, unsigned int nr)
{
	unsigned int cap = add_cap(config, next, PCI_CAP_ID_MSI, PCI_MSI_MASK_64);

	put16(config->data, cap + PCI_MSI_FLAGS,
	      (uint16_t)(PCI_MSI_FLAGS_64BIT | log2_of(nr) << 1));
	put16(config->writable, cap + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
	put32(config->writable, cap + PCI_MSI_ADDRESS_LO, ~3U);
	put32(config->writable, cap + PCI_MSI_ADDRESS_HI, ~0U);
	put16(config->writable, cap + PCI_MSI_DATA_64, 0xffff);
}

static void add_msix(struct sim_config *config, unsigned int *next,
		     const struct sim_device *device)
{
	unsigned int cap = add_cap(config, next, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);
	uint32_t pending = device->msix_offset + 16 * device->nr_msix;

	put16(config->data, cap + PCI_MSIX_FLAGS, (uint16_t)(device->nr_msix - 1));
	put16(config->writable, cap + PCI_MSIX_FLAGS,
	      PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	put32(config->data, cap + PCI_MSIX_TABLE, device->msix_offset | device->msix_bar);
	put32(config->data, cap + PCI_MSIX_PBA, ((pending + 7) & ~7U) | device->msix_bar);
}

static void add_power(struct sim_config *config, unsigned int *next)
{
	unsigned int cap = add_cap(config, next, PCI_CAP_ID_PM, PCI_PM_SIZEOF);

	put16(config->data, cap + PCI_PM_PMC, 3);
	put16(config->data, cap + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
	put16(config->writable, cap + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);
}

static void add_express(struct sim_config *config, unsigned int *next)
{
	unsigned int cap = add_cap(config, next, PCI_CAP_ID_EXP, PCI_CAP_EXP_ENDPOINT_SIZEOF_V2);

	config->express = cap;
	config->len = SIM_CONFIG_MAX;
	put16(config->data, cap + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ENDPOINT << 4);
	put32(config->data, cap + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_FLR | PCI_EXP_DEVCAP_RBER);
	put16(config->writable, cap + PCI_EXP_DEVCTL,
	      PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN | PCI_EXP_DEVCTL_PAYLOAD |
	      PCI_EXP_DEVCTL_READRQ | 0x0f);
	put32(config->data, cap + PCI_EXP_LNKCAP, PCI_EXP_LNKCAP_SLS_2_5GB | 1 << 4);
	put16(config->data, cap + PCI_EXP_LNKSTA, PCI_EXP_LNKSTA_CLS_2_5GB | 1 << 4);
}

void sim_config_init(struct sim_config *config, const struct sim_device *device)
{
	unsigned int i, next = FIRST_CAP;

	memset(config, 0, sizeof(*config));
	config->len = PCI_CFG_SPACE_SIZE;
	put_header(config, device);
	for (i = 0; i < SIM_BARS; i++)
		put_bar(config, i, &device->bars[i]);
	add_power(config, &next);
	if (device->nr_msi)
		add_msi(config, &next, device->nr_msi);
	if (device->nr_msix)
		add_msix(config, &next, device);
	if (device->express)
		add_express(config, &next);
}

void sim_config_read(const struct sim_config *config, unsigned int offset, void *buf, size_t len)
{
	memcpy(buf, config->data + offset, len);
}

bool sim_config_write(struct sim_config *config, unsigned int offset, const void *buf, size_t len)
{
	const unsigned int control = config->express + PCI_EXP_DEVCTL + 1;
	const uint8_t *bytes = buf;
	bool reset = false;
	size_t i;

	for (i = 0; i < len; i++) {
		uint8_t *data = &config->data[offset + i];
		uint8_t mask = config->writable[offset + i];

		*data = (uint8_t)((*data & ~mask) | (bytes[i] & mask));
		if (config->express && offset + i == control)
			reset = bytes[i] & (PCI_EXP_DEVCTL_BCR_FLR >> 8);
	}
	return reset;
}

bool sim_config_is_master(const struct sim_config *config)
{
	return get16(config->data, PCI_COMMAND) & PCI_COMMAND_MASTER;
}

void sim_config_set_pin(struct sim_config *config, bool level)
{
	uint16_t status = get16(config->data, PCI_STATUS) & ~PCI_STATUS_INTERRUPT;

	put16(config->data, PCI_STATUS, level ? status | PCI_STATUS_INTERRUPT : status);
}

bool sim_config_pin(const struct sim_config *config)
{
	return get16(config->data, PCI_STATUS) & PCI_STATUS_INTERRUPT &&
	       !(get16(config->data, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE);
}

void sim_config_reset(struct sim_config *config)
{
	unsigned int i;

	put16(config->data, PCI_COMMAND, 0);
	for (i = FIRST_CAP; i < config->len; i++)
		config->data[i] &= (uint8_t)~config->writable[i];
}

// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/mm.h>
#include <linux/pci.h>

#include "config.h"
#include "file.h"
#include "gate.h"
#include "pages.h"
#include "tlb/tlb.h"

#define USRPCI_VENDOR_VIRTIO	0x1af4

/**
 * struct usrpci_config - Which bits the user may write.
 * @pm_cap: offset of the power management capability, or 0
 * @set: bits that keep what is written
 * @clear: bits that are cleared by writing 1
 */
struct usrpci_config {
	u8 pm_cap;
	u8 set[PCI_CFG_SPACE_EXP_SIZE];
	u8 clear[PCI_CFG_SPACE_EXP_SIZE];
};

static void usrpci_config_allow(struct usrpci_config *config, int offset, u16 set, u16 clear)
{
	config->set[offset] |= set & 0xff;
	config->set[offset + 1] |= set >> 8;
	config->clear[offset] |= clear & 0xff;
	config->clear[offset + 1] |= clear >> 8;
}

static void usrpci_config_allow_header(struct usrpci_config *config)
{
	usrpci_config_allow(config, PCI_COMMAND,
			    PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_PARITY |
			    PCI_COMMAND_SERR, 0);
	usrpci_config_allow(config, PCI_STATUS, 0, 0xffff); /* or read-only */
	usrpci_config_allow(config, PCI_CACHE_LINE_SIZE, 0xffff, 0); /* and latency timer */
}

/* Not the reset bit: there is a call for that. */
static void usrpci_config_allow_express(struct usrpci_config *config, struct pci_dev *pdev)
{
	int cap = pdev->pcie_cap;

	if (!cap)
		return;
	usrpci_config_allow(config, cap + PCI_EXP_DEVCTL,
			    PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN |
			    PCI_EXP_DEVCTL_READRQ, 0);
	usrpci_config_allow(config, cap + PCI_EXP_DEVSTA, 0,
			    PCI_EXP_DEVSTA_CED | PCI_EXP_DEVSTA_NFED | PCI_EXP_DEVSTA_FED |
			    PCI_EXP_DEVSTA_URD);
}

static void usrpci_config_allow_bytes(struct usrpci_config *config, int from, int to, int end)
{
	if (from < to && to <= end)
		memset(&config->set[from], 0xff, to - from);
}

/*
 * The vendor's own registers, past the capability's header. Virtio's reach into
 * BARs, the MSI-X table among them.
 */
static void usrpci_config_allow_vendor(struct usrpci_config *config, struct pci_dev *pdev)
{
	int cap, ttl = 48;
	u32 header;
	u8 len;

	if (pdev->vendor == USRPCI_VENDOR_VIRTIO)
		return;
	for (cap = pci_find_capability(pdev, PCI_CAP_ID_VNDR); cap && ttl--;
	     cap = pci_find_next_capability(pdev, cap, PCI_CAP_ID_VNDR)) {
		pci_read_config_byte(pdev, cap + PCI_CAP_FLAGS, &len);
		usrpci_config_allow_bytes(config, cap + PCI_CAP_FLAGS + 1, cap + len,
					  PCI_CFG_SPACE_SIZE);
	}
	ttl = 480;
	for (cap = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_VNDR); cap && ttl--;
	     cap = pci_find_next_ext_capability(pdev, cap, PCI_EXT_CAP_ID_VNDR)) {
		pci_read_config_dword(pdev, cap + PCI_VNDR_HEADER, &header);
		usrpci_config_allow_bytes(config, cap + PCI_VNDR_HEADER + 4,
					  cap + PCI_VNDR_HEADER_LEN(header),
					  PCI_CFG_SPACE_EXP_SIZE);
	}
}

/* A vendor's capability may say that it is longer than it is. */
static void usrpci_config_forbid(struct usrpci_config *config, struct pci_dev *pdev)
{
	const struct {
		int cap;
		int len;
	} kept[] = {
		{ 0, PCI_STD_HEADER_SIZEOF },
		{ pdev->msi_cap, PCI_MSI_MASK_64 + 8 },
		{ pdev->msix_cap, PCI_CAP_MSIX_SIZEOF },
		{ pdev->pm_cap, PCI_PM_SIZEOF },
		{ pdev->pcie_cap, PCI_CAP_EXP_ENDPOINT_SIZEOF_V2 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kept); i++)
		memset(&config->set[kept[i].cap], 0, kept[i].len);
}

int usrpci_config_init(struct usrpci_file *file)
{
	struct pci_dev *pdev = usrpci_pdev(file);
	struct usrpci_config *config;

	config = kvzalloc(sizeof(*config), GFP_KERNEL_ACCOUNT);
	if (!config)
		return -ENOMEM;
	usrpci_config_allow_vendor(config, pdev);
	usrpci_config_forbid(config, pdev);
	usrpci_config_allow_header(config);
	usrpci_config_allow_express(config, pdev);
	config->pm_cap = pdev->pm_cap;
	if (config->pm_cap)
		usrpci_config_allow(config, config->pm_cap + PCI_PM_CTRL,
				    PCI_PM_CTRL_STATE_MASK, 0);
	file->config = config;
	return 0;
}

void usrpci_config_destroy(struct usrpci_file *file)
{
	kvfree(file->config);
	file->config = NULL;
}

int usrpci_config_save(struct pci_dev *pdev, struct pci_saved_state **saved)
{
	pci_save_state(pdev);
	if (!pci_device_is_present(pdev))
		return -ENODEV;
	*saved = pci_store_saved_state(pdev);
	return *saved ? 0 : -ENOMEM;
}

void usrpci_config_restore(struct pci_dev *pdev, struct pci_saved_state *saved)
{
	pci_load_saved_state(pdev, saved);
	pci_restore_state(pdev);
}

static unsigned long usrpci_config_decode(struct pci_dev *pdev)
{
	unsigned long decode = 0;
	u16 command;

	if (pdev->current_state != PCI_D0)
		return 0;
	pci_read_config_word(pdev, PCI_COMMAND, &command);
	/* Of virtual functions the bit isn't there, and they decode as their physical one does. */
	if (command & PCI_COMMAND_MEMORY || pdev->no_command_memory)
		decode |= IORESOURCE_MEM;
	if (command & PCI_COMMAND_IO)
		decode |= IORESOURCE_IO;
	return decode;
}

void usrpci_config_update_decode(struct usrpci_file *file)
{
	file->decode = usrpci_config_decode(usrpci_pdev(file));
	usrpci_tlb_follow_decode(file);
}

/*
 * Not by the user's accessors: they wait for a reset that waits for the gate. A
 * reset is kept out by the gate itself.
 */
static int usrpci_config_get(struct pci_dev *pdev, int offset, size_t width, u32 *value)
{
	u16 word;
	u8 byte;
	int err;

	switch (width) {
	case 1:
		err = pci_read_config_byte(pdev, offset, &byte);
		*value = byte;
		break;
	case 2:
		err = pci_read_config_word(pdev, offset, &word);
		*value = word;
		break;
	default:
		err = pci_read_config_dword(pdev, offset, value);
		break;
	}
	return pcibios_err_to_errno(err);
}

static int usrpci_config_put(struct pci_dev *pdev, int offset, size_t width, u32 value)
{
	int err;

	switch (width) {
	case 1:
		err = pci_write_config_byte(pdev, offset, value);
		break;
	case 2:
		err = pci_write_config_word(pdev, offset, value);
		break;
	default:
		err = pci_write_config_dword(pdev, offset, value);
		break;
	}
	return pcibios_err_to_errno(err);
}

static u32 usrpci_config_bits(const u8 *table, int offset, size_t width)
{
	u32 bits = 0;
	size_t i;

	for (i = 0; i < width; i++)
		bits |= (u32)table[offset + i] << (8 * i);
	return bits;
}

static bool usrpci_config_has(int offset, size_t width, int reg)
{
	return offset <= reg && reg < offset + (int)width;
}

static bool usrpci_config_has_power(struct usrpci_config *config, int offset, size_t width)
{
	return config->pm_cap && usrpci_config_has(offset, width, config->pm_cap + PCI_PM_CTRL);
}

/* Of a write that covers the power management register. */
static pci_power_t usrpci_config_power_state(struct usrpci_config *config, int offset, u32 value)
{
	int shift = 8 * (config->pm_cap + PCI_PM_CTRL - offset);

	return (__force pci_power_t)(value >> shift & PCI_PM_CTRL_STATE_MASK);
}

/* On its way from D3hot, unless it says that it doesn't. */
static bool usrpci_config_resets_itself(struct pci_dev *pdev)
{
	u16 control;

	pci_read_config_word(pdev, pdev->pm_cap + PCI_PM_CTRL, &control);
	return !(control & PCI_PM_CTRL_NO_SOFT_RESET);
}

/* Below D0 a function may forget its configuration. */
static int usrpci_config_set_power(struct usrpci_file *file, pci_power_t state)
{
	struct pci_dev *pdev = usrpci_pdev(file);
	pci_power_t before = pdev->current_state;
	int err;

	if (state == before)
		return 0;
	if (state != PCI_D0)
		pci_save_state(pdev);
	err = pci_set_power_state(pdev, state);
	if (err || state != PCI_D0)
		return err;
	pci_restore_state(pdev);
	if (before == PCI_D3hot && usrpci_config_resets_itself(pdev))
		usrpci_tlb_forget_reset(file);
	/* It may have been changed below D0. */
	if (pdev->is_busmaster)
		pci_set_master(pdev);
	else
		pci_clear_master(pdev);
	return 0;
}

/* What would stop the function from decoding its memory. */
static bool usrpci_config_stops(struct usrpci_config *config, int offset, size_t width, u32 value)
{
	if (usrpci_config_has(offset, width, PCI_COMMAND))
		return !(value >> 8 * (PCI_COMMAND - offset) & PCI_COMMAND_MEMORY);
	return usrpci_config_has_power(config, offset, width) &&
	       usrpci_config_power_state(config, offset, value) != PCI_D0;
}

/*
 * With nobody else inside the gate, and INTx held: its handler switches
 * INTX_DISABLE at any time, so whatever the user writes there is not meant.
 */
static int usrpci_config_change(struct usrpci_file *file, int offset, size_t width, u32 value)
{
	struct usrpci_config *config = file->config;
	struct pci_dev *pdev = usrpci_pdev(file);
	u32 set = usrpci_config_bits(config->set, offset, width);
	u32 clear = usrpci_config_bits(config->clear, offset, width);
	u32 ignored = 0;
	u32 now;
	int err;

	if (usrpci_config_has(offset, width, PCI_COMMAND + 1))
		ignored = PCI_COMMAND_INTX_DISABLE >> 8 << 8 * (PCI_COMMAND + 1 - offset);
	err = usrpci_config_get(pdev, offset, width, &now);
	if (err)
		return err;
	if ((value ^ now) & ~(set | clear | ignored))
		return -EPERM;
	if (usrpci_config_has_power(config, offset, width))
		return usrpci_config_set_power(file,
					       usrpci_config_power_state(config, offset, value));
	if (!(set | clear))
		return 0;
	return usrpci_config_put(pdev, offset, width,
				 (now & ~(set | clear)) | (value & (set | clear)));
}

static int usrpci_config_write(struct usrpci_file *file, int offset, size_t width, u32 value)
{
	bool decode = usrpci_config_has(offset, width, PCI_COMMAND) ||
		      usrpci_config_has_power(file->config, offset, width);
	int err;

	/* The kernel keeps its hands on the MSI-X table, in a BAR. */
	if (file->irq.type == USRPCI_IRQ_MSIX &&
	    usrpci_config_stops(file->config, offset, width, value))
		return -EBUSY;
	/* A map must not outlive the decoding that it needs. */
	if (decode) {
		usrpci_pages_zap_bars(file);
		usrpci_tlb_hold(file, USRPCI_HOLD_DECODE);
	}
	usrpci_irq_hold(file);
	err = usrpci_config_change(file, offset, width, value);
	usrpci_irq_release(file);
	if (decode)
		usrpci_config_update_decode(file);
	return err;
}

int usrpci_config_access(struct usrpci_file *file, u64 offset, size_t width, u64 *value,
			 bool write)
{
	struct pci_dev *pdev = usrpci_pdev(file);
	u32 now;
	int err;

	if (width > 4 || offset >= pdev->cfg_size)
		return -EINVAL;
	if (write) {
		err = usrpci_enter_alone(file);
		if (err)
			return err;
		err = usrpci_config_write(file, offset, width, *value);
		usrpci_leave_alone(file);
		return err;
	}
	err = usrpci_enter(file);
	if (err)
		return err;
	err = usrpci_config_get(pdev, offset, width, &now);
	*value = now;
	usrpci_leave(file);
	return err;
}

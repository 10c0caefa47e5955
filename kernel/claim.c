// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/dma-mapping.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "bar.h"
#include "claim.h"
#include "config.h"
#include "file.h"
#include "register.h"
#include "reset.h"

static void usrpci_dma_limits_set(struct usrpci_file *file)
{
	struct device *dev = usrpci_dma_device(file);

	file->limits = (struct usrpci_dma_limits){
		.mask = dma_get_mask(dev),
		.coherent_mask = dev->coherent_dma_mask,
		.max_segment = dma_get_max_seg_size(dev),
		.boundary = dma_get_seg_boundary(dev),
		.min_align_mask = dma_get_min_align_mask(dev),
	};
	/* A driver cuts up its scatterlists itself; only the page offset stays. */
	dma_set_max_seg_size(dev, UINT_MAX);
	dma_set_seg_boundary(dev, ULONG_MAX);
	dma_set_min_align_mask(dev, PAGE_SIZE - 1);
}

static void usrpci_dma_limits_restore(struct usrpci_file *file)
{
	struct device *dev = usrpci_dma_device(file);

	dma_set_mask(dev, file->limits.mask);
	dma_set_coherent_mask(dev, file->limits.coherent_mask);
	dma_set_max_seg_size(dev, file->limits.max_segment);
	dma_set_seg_boundary(dev, file->limits.boundary);
	dma_set_min_align_mask(dev, file->limits.min_align_mask);
}

/*
 * Probe switched its BARs on, and nobody but a user switches them off: a function whose
 * are off has forgotten its configuration, as an FPGA that was loaded anew.
 */
static void usrpci_claim_restore(struct usrpci_function *f)
{
	struct pci_dev *pdev = f->pdev;
	u16 command;

	pci_set_power_state(pdev, PCI_D0);
	pci_read_config_word(pdev, PCI_COMMAND, &command);
	if (!(command & (PCI_COMMAND_MEMORY | PCI_COMMAND_IO)))
		usrpci_config_restore(pdev, f->saved);
	/* Nobody would handle an interrupt. */
	pci_clear_master(pdev);
	pci_intx(pdev, 0);
}

/* A function that answers with all ones has gone, or will come back as it likes. */
static int usrpci_claim_reset(struct usrpci_function *f)
{
	int err;

	if (!pci_device_is_present(f->pdev))
		return -ENODEV;
	usrpci_claim_restore(f);
	if (f->needs_reset || f->deaf) {
		err = usrpci_reset_function(f->pdev);
		if (err == -EIO || (err && f->deaf))
			return -EIO;
		f->needs_reset = false;
		f->deaf = false;
	}
	return 0;
}

void usrpci_claim_update_segment(struct usrpci_file *file)
{
	size_t max = dma_max_mapping_size(usrpci_dma_device(file));

	file->max_segment = clamp_t(size_t, max, PAGE_SIZE, UINT_MAX) & PAGE_MASK;
}

int usrpci_claim(struct usrpci_file *file)
{
	struct usrpci_function *f = file->function;
	struct pci_dev *pdev = f->pdev;
	int err;

	usrpci_dma_limits_set(file);
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(32));
	if (err)
		goto limits;
	usrpci_claim_update_segment(file);
	err = pci_request_regions(pdev, KBUILD_MODNAME);
	if (err)
		goto limits;
	err = usrpci_claim_reset(f);
	if (err)
		goto regions;
	usrpci_bar_init(file);
	err = usrpci_config_init(file);
	if (err)
		goto regions;
	err = usrpci_config_save(pdev, &file->saved);
	if (err)
		goto config;
	usrpci_config_update_decode(file);
	return 0;

config:
	usrpci_config_destroy(file);
regions:
	pci_release_regions(pdev);
limits:
	usrpci_dma_limits_restore(file);
	return err;
}

void usrpci_unclaim(struct usrpci_file *file, bool present)
{
	struct pci_dev *pdev = usrpci_pdev(file);

	if (present) {
		usrpci_config_restore(pdev, file->saved);
		pci_clear_master(pdev);
	}
	kfree(file->saved);
	usrpci_registers_unmap(file);
	usrpci_config_destroy(file);
	usrpci_dma_limits_restore(file);
	pci_release_regions(pdev);
}

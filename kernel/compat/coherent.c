// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */

#include <linux/dma-map-ops.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

unsigned long usrpci_coherent_page(void *cpu)
{
	return is_vmalloc_addr(cpu) ? vmalloc_to_pfn(cpu) : PHYS_PFN(virt_to_phys(cpu));
}

pgprot_t usrpci_coherent_prot(struct device *dev, pgprot_t prot)
{
	return dev_is_dma_coherent(dev) ? prot : pgprot_dmacoherent(prot);
}

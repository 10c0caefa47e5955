// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <edu/registers.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include "fuzz.h"
#include "program.h"

#define MEMORY	(64 << 10)

/** struct program - What a program has of the device. */
struct program {
	struct usrpci_device *dev;
	void *memory;
	struct usrpci_mapping map;
	struct usrpci_sg sg;
	struct usrpci_coherent coherent;
	int event;
};

static void map(struct program *p, unsigned int how)
{
	if (p->map.handle)
		return;
	p->map = (struct usrpci_mapping){
		.addr = (char *)p->memory + how * 16, .len = MEMORY / 2, .direction = how % 3,
		.sg = &p->sg, .nr_sg = 1,
	};
	if (usrpci_map(p->dev, &p->map, 1))
		p->map.handle = 0;
}

static void unmap(struct program *p)
{
	if (p->map.handle)
		usrpci_unmap(p->dev, &p->map.handle, 1);
	p->map.handle = 0;
}

static void use_registers(struct program *p, unsigned int how)
{
	struct usrpci_bar bar = { 0 };
	volatile void *addr;
	uint64_t value;
	unsigned int i;

	if (usrpci_bar_info(p->dev, how % 6, &bar))
		return;
	usrpci_bar_read(p->dev, how % 6, 8, 1U << how % 4, &value);
	usrpci_bar_write(p->dev, how % 6, 8, 1U << how % 4, how);
	for (i = 0; i < bar.nr_windows && bar.windows[i].len <= 1 << 20; i++) {
		if (usrpci_bar_map(p->dev, how % 6, bar.windows[i].offset, bar.windows[i].len, 0,
				   &addr))
			continue;
		if (how & 8)
			must(*(volatile unsigned char *)addr != 0x7f, "a register");
		usrpci_bar_unmap(p->dev, addr);
	}
}

static void use_config(struct program *p, unsigned int how)
{
	uint32_t value;

	usrpci_config_read(p->dev, how * 4, 4, &value);
	usrpci_config_write(p->dev, how * 4, 2, how);
	usrpci_set_master(p->dev, how & 1);
}

/* A copy of a page of coherent memory, as edu would make it, and its interrupt. */
static void transfer(struct program *p, unsigned int how)
{
	const uint64_t memory = p->map.handle ? p->sg.bus_addr : p->coherent.bus_addr;
	uint64_t busy = 1;
	unsigned int i;

	usrpci_bar_write(p->dev, 0, EDU_DMA_SOURCE, 8, how & 1 ? EDU_BUFFER : memory);
	usrpci_bar_write(p->dev, 0, EDU_DMA_DESTINATION, 8, how & 1 ? memory : EDU_BUFFER);
	usrpci_bar_write(p->dev, 0, EDU_DMA_COUNT, 8, 64 * (how / 4 + 1));
	usrpci_bar_write(p->dev, 0, EDU_DMA_COMMAND, 8,
			 EDU_DMA_RUN | EDU_DMA_IRQ | (how & 1 ? EDU_DMA_TO_RAM : 0));
	for (i = 0; busy && i < 3; i++)
		if (usrpci_bar_read(p->dev, 0, EDU_DMA_COMMAND, 8, &busy) || !(busy & EDU_DMA_RUN))
			busy = 0;
}

static void use(struct program *p, unsigned int what, unsigned int how)
{
	struct usrpci_info info;
	struct usrpci_event event;

	switch (what) {
	case 0:
		use_config(p, how);
		break;
	case 1:
		use_registers(p, how);
		break;
	case 2:
		map(p, how);
		break;
	case 3:
		unmap(p);
		break;
	case 4:
		usrpci_irq_setup(p->dev, how % 4, how / 4 % 4);
		break;
	case 5:
		usrpci_irq_wire(p->dev, how % 2, 1, how & 2 ? &p->event : &(int){ -1 });
		usrpci_irq_unmask(p->dev, how % 2);
		break;
	case 6:
		usrpci_reset(p->dev);
		usrpci_event(p->dev, &event);
		break;
	case 7:
		usrpci_info(p->dev, &info);
		if (!p->coherent.handle &&
		    usrpci_coherent_alloc(p->dev, MEMORY, &p->coherent))
			p->coherent.handle = 0;
		break;
	case 8:
		transfer(p, how);
		break;
	}
}

void program_run(struct usrpci_device *dev, const uint8_t *calls, size_t nr)
{
	struct program p = { .dev = dev, .event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	size_t i;

	p.memory = mmap(NULL, 2 * MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	for (i = 0; i < nr; i++)
		use(&p, calls[i] % PROGRAM_KINDS, calls[i] / PROGRAM_KINDS);
	usrpci_close(dev);
	munmap(p.memory, 2 * MEMORY);
	close(p.event);
}

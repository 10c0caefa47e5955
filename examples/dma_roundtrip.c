// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
// Has QEMU's edu device copy malloc()ed memory to its buffer and back: dma_roundtrip 0000:00:04.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <usrpci.h>

#define LEN		3000		/* edu's buffer has 4096 bytes */
#define EDU_BUFFER	0x40000
#define EDU_SOURCE	0x80
#define EDU_DESTINATION	0x88
#define EDU_COUNT	0x90
#define EDU_COMMAND	0x98		/* 1: go, 2: from the device */
#define EDU_MASK	((1ULL << 28) - 1)

static struct usrpci_regs regs;

static void check(const char *what, int err)
{
	if (!err)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-err));
	exit(1);
}

/* One DMA; edu takes 100 ms for it. Its driver in drivers/edu/ sleeps till an interrupt. */
static void run(uint64_t from, uint64_t to, uint64_t len, uint32_t command)
{
	int ms;

	usrpci_regs_write32(&regs, EDU_SOURCE, (uint32_t)from);
	usrpci_regs_write32(&regs, EDU_DESTINATION, (uint32_t)to);
	usrpci_regs_write32(&regs, EDU_COUNT, (uint32_t)len);
	usrpci_regs_write32(&regs, EDU_COMMAND, command);
	for (ms = 0; usrpci_regs_read32(&regs, EDU_COMMAND) & 1; ms++) {
		check("DMA", ms < 10000 ? 0 : -ETIMEDOUT);
		usleep(1000);
	}
}

/* Between the device's buffer and @len bytes at a bus address. */
static void copy(uint64_t bus_addr, uint64_t at, uint64_t len, bool out)
{
	printf("%s %4ju bytes at bus address %#jx\n", out ? "out" : "in ", (uintmax_t)len,
	       (uintmax_t)bus_addr);
	if (out)
		run(bus_addr, at, len, 1);
	else
		run(at, bus_addr, len, 3);
}

/* Without an IOMMU, memory may lie where edu's 28 bits don't reach. */
static void copy_far(struct usrpci_device *dev, char *buf, bool out)
{
	struct usrpci_coherent near;

	puts("the memory is beyond the device's reach: through a coherent buffer");
	check("coherent memory", usrpci_coherent_alloc(dev, LEN, &near));
	if (out)
		memcpy(near.addr, buf, LEN);
	copy(near.bus_addr, EDU_BUFFER, LEN, out);
	if (!out)
		memcpy(buf, near.addr, LEN);
	check("free", usrpci_coherent_free(dev, &near));
}

/* Pins @buf, tells the device where it lies, run by run, and unpins it. */
static void transfer(struct usrpci_device *dev, char *buf, bool out)
{
	struct usrpci_sg sg[4];
	struct usrpci_mapping map = {
		.addr = buf, .len = LEN, .sg = sg, .nr_sg = 4,
		.direction = out ? USRPCI_DMA_TO_DEVICE : USRPCI_DMA_FROM_DEVICE,
	};
	uint64_t at = EDU_BUFFER;
	unsigned int i;
	int err;

	err = usrpci_map(dev, &map, 1);
	if (err == -ERANGE) {
		copy_far(dev, buf, out);
		return;
	}
	check("map", err);
	for (i = 0; i < map.nr_sg; i++) {
		copy(sg[i].bus_addr, at, sg[i].len, out);
		at += sg[i].len;
	}
	check("sync", usrpci_sync_for_cpu(dev, map.handle, 0, LEN));
	check("unmap", usrpci_unmap(dev, &map.handle, 1));
}

int main(int argc, char **argv)
{
	char *out = malloc(LEN), *in = calloc(1, LEN);
	struct usrpci_device *dev;
	int i;

	check("memory", out && in ? 0 : -ENOMEM);
	for (i = 0; i < LEN; i++)
		out[i] = (char)rand();
	check("open", usrpci_open(&dev, argc > 1 ? argv[1] : ""));
	check("DMA mask", usrpci_set_dma_mask(dev, EDU_MASK, EDU_MASK));
	check("registers", usrpci_regs_open(dev, 0, 0, 0, &regs));
	check("bus master", usrpci_set_master(dev, true));

	transfer(dev, out, true);
	transfer(dev, in, false);
	i = memcmp(in, out, LEN);
	puts(i ? "the bytes differ" : "the same bytes came back");
	usrpci_close(dev);
	free(out);
	free(in);
	return !!i;
}

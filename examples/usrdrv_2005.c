// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * A program to the four calls that were proposed for Linux in 2005:
 *	usrdrv_2005 BUS SLOT FUNCTION
 * They hand out memory, not registers: what a driver would write to the
 * device's DMA registers is printed instead.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <usrdrv.h>

#define RING_SIZE	4096
#define BUFFER_SIZE	100000
#define DMA_MASK	((1ULL << 32) - 1)

static int failed(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return 1;
}

/* Memory for a ring of descriptors: the device and the program both see it. */
static int show_consistent(int fd)
{
	unsigned long bus;
	void *ring;

	if (usr_pci_get_consistent(fd, RING_SIZE, &ring, &bus))
		return failed("usr_pci_get_consistent");
	memset(ring, 0xff, RING_SIZE);
	printf("ring:    %d bytes at %p, bus address %#lx\n", RING_SIZE, ring, bus);
	return munmap(ring, RING_SIZE) ? failed("munmap") : 0;
}

/* A buffer that the program has already, such as one to send. */
static int show_mapping(int fd, void *buf, struct usr_pci_sglist *sglist, unsigned int room)
{
	struct mapping_info info = {
		.virtaddr = buf,
		.size = BUFFER_SIZE,
		.nents = room,
		.sglist = sglist,
		.direction = DMA_TO_DEVICE,
	};
	unsigned int i;

	if (usr_pci_mmap(fd, &info))
		return failed("usr_pci_mmap");
	printf("buffer:  %u bytes at %p, bus address %#lx, in %u runs\n", info.size, buf,
	       info.dmaaddr, info.nents);
	for (i = 0; i < info.nents; i++)
		printf("  %6lu bytes at bus address %#lx\n", sglist[i].len, sglist[i].dmaaddr);
	return usr_pci_munmap(fd, &info) ? failed("usr_pci_munmap") : 0;
}

int main(int argc, char **argv)
{
	static struct usr_pci_sglist sglist[BUFFER_SIZE / 4096 + 2];
	static char buf[BUFFER_SIZE];
	int fd, status;

	if (argc != 4) {
		fprintf(stderr, "usage: %s BUS SLOT FUNCTION, as 0 4 0\n", argv[0]);
		return 2;
	}
	fd = usr_pci_open(atoi(argv[1]), atoi(argv[2]), atoi(argv[3]), DMA_MASK);
	if (fd < 0)
		return failed("usr_pci_open");
	status = show_consistent(fd);
	if (!status)
		status = show_mapping(fd, buf, sglist, sizeof(sglist) / sizeof(*sglist));
	close(fd);
	return status;
}

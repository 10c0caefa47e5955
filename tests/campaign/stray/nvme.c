// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* An NVMe disk is told to read and write what was unmapped, or its file is closed amid reads. */
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nvme/nvme.h>

#include "function.h"
#include "memory.h"
#include "stray.h"

#define DEPTH		63
#define OTHER_PAGES	3
#define WRITTEN_LBA	64
/* Longer than all commands that were under way would take. */
#define AFTERWARDS_MS	30

/* Any page, mapped both ways: what the device once had. */
struct once {
	unsigned char *page;
	struct usrpci_sg sg[2];
	struct usrpci_mapping map;
};

static int command(struct nvme *nvme, enum nvme_op op, const struct usrpci_mapping *map,
		   uint64_t lba)
{
	const struct nvme_command command = {
		.op = op, .lba = lba, .blocks = PAGE / nvme_info(nvme)->block_size, .map = map,
	};
	struct nvme_queue *queue = nvme_queue(nvme, 0);
	struct nvme_completion done;
	int err = nvme_submit(queue, &command);

	if (err)
		return err;
	err = nvme_wait(queue, &done, 1, 10000);
	return err == 1 ? 0 : err;
}

/* The first transfer fills the IOTLB. */
static bool hand_over(struct stray *s, struct nvme *nvme, struct once *o, enum nvme_op op)
{
	int err;

	o->page = pages_new(1, 1);
	o->map = (struct usrpci_mapping){
		.addr = o->page, .len = PAGE, .direction = USRPCI_DMA_BOTH, .sg = o->sg,
		.nr_sg = ARRAY_SIZE(o->sg),
	};
	err = usrpci_map(nvme_device(nvme), &o->map, 1);
	if (!err)
		err = command(nvme, op, &o->map, op == NVME_READ ? 0 : WRITTEN_LBA);
	if (err || (op == NVME_READ && o->page[7] == 1)) {
		campaign_fault(&s->c, "nvme: no transfer into mapped memory: %d", err);
		return false;
	}
	return true;
}

/* Memory that is mapped meanwhile, elsewhere on the bus. */
static struct usrpci_mapping map_other(struct nvme *nvme, struct usrpci_sg *sg)
{
	struct usrpci_mapping map = {
		.addr = pages_new(OTHER_PAGES, CANARY_BYTE), .len = OTHER_PAGES * PAGE,
		.direction = USRPCI_DMA_BOTH, .sg = sg, .nr_sg = OTHER_PAGES,
	};

	usrpci_map(nvme_device(nvme), &map, 1);
	return map;
}

static bool covers(const struct usrpci_mapping *map, uint64_t bus)
{
	unsigned int i;

	for (i = 0; map->handle && i < map->nr_sg; i++)
		if (bus + PAGE > map->sg[i].bus_addr && bus < map->sg[i].bus_addr + map->sg[i].len)
			return true;
	return false;
}

/* What the disk has there: it must not be what a canary holds. */
static void check_block(struct stray *s, struct nvme *nvme, uint64_t lba)
{
	unsigned char block[512];

	if (nvme_read(nvme_queue(nvme, 0), lba * nvme_info(nvme)->block_size, block, sizeof(block)))
		campaign_fault(&s->c, "nvme: the disk can't be read");
	else if (!canary_bytes(block, sizeof(block)))
		campaign_fault(&s->c, "nvme: what was unmapped has reached the disk");
}

static void reach(struct stray *s, struct nvme *nvme, struct once *o, enum nvme_op op)
{
	const char *what = op == NVME_READ ? "nvme read after unmap" : "nvme write after unmap";
	unsigned long faults = faults_reported();
	uint64_t lba = WRITTEN_LBA + campaign_below(&s->c, 64) * 8;

	/* The disk may well report an error. */
	command(nvme, op, &o->map, lba);
	stray_check(s, what, o->page, 1);
	faults_expect(s, what, faults, 1, false);
	if (op == NVME_WRITE)
		check_block(s, nvme, lba);
	campaign_tally(&s->c, what, 1);
}

/* At once, or once the page has got to somebody else, or while others are mapped. */
static bool attempt(struct stray *s, struct nvme *nvme)
{
	enum nvme_op op = campaign_below(&s->c, 4) ? NVME_READ : NVME_WRITE;
	unsigned int how = campaign_below(&s->c, 4);
	struct usrpci_sg sg[OTHER_PAGES];
	struct usrpci_mapping other = { };
	struct once o;
	bool tried;

	if (!hand_over(s, nvme, &o, op))
		return false;
	if (usrpci_unmap(nvme_device(nvme), &o.map.handle, 1))
		campaign_fault(&s->c, "nvme: unmap");
	if (how == 0) {
		stray_free_page(s, o.page);
		o.page = NULL;
	} else {
		memset(o.page, CANARY_BYTE, PAGE);
	}
	if (how == 1)
		other = map_other(nvme, sg);
	tried = !covers(&other, o.sg[0].bus_addr);
	if (tried)
		reach(s, nvme, &o, op);
	if (other.handle) {
		stray_check(s, "nvme, other memory", other.addr, OTHER_PAGES);
		usrpci_unmap(nvme_device(nvme), &other.handle, 1);
		pages_free(other.addr, OTHER_PAGES);
	}
	if (o.page)
		pages_free(o.page, 1);
	canary_free(&s->canary);
	return tried;
}

unsigned int stray_nvme_unmapped(struct stray *s, unsigned int attempts)
{
	unsigned int i, tried = 0;
	struct nvme *nvme;
	int err = nvme_open(&nvme, s->disk, NULL);

	if (err) {
		campaign_fault(&s->c, "nvme_open: %s", strerror(-err));
		return attempts;
	}
	for (i = 0; i < attempts; i++)
		tried += attempt(s, nvme);
	nvme_close(nvme);
	return tried;
}

/* Ends amid its reads into memory that the parent has as well. */
static void read_and_end(const char *bdf, unsigned char *memory)
{
	struct nvme_options options = { .depth = DEPTH, .irq = NVME_POLLED };
	struct usrpci_sg sg[DEPTH + 2];
	struct usrpci_mapping map = {
		.addr = memory, .len = DEPTH * PAGE, .direction = USRPCI_DMA_FROM_DEVICE,
		.sg = sg, .nr_sg = ARRAY_SIZE(sg),
	};
	struct nvme_command command = { .op = NVME_READ, .map = &map };
	struct nvme *nvme;

	if (nvme_open(&nvme, bdf, &options) || usrpci_map(nvme_device(nvme), &map, 1))
		_exit(1);
	command.blocks = PAGE / nvme_info(nvme)->block_size;
	for (; command.cookie < DEPTH; command.cookie++) {
		if (nvme_submit(nvme_queue(nvme, 0), &command))
			_exit(2);
		command.lba += command.blocks;
		command.offset += PAGE;
	}
	_exit(0);
}

static unsigned char *shared_pages(unsigned int nr)
{
	unsigned char *memory = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	memset(memory, 1, nr * PAGE);
	return memory;
}

unsigned int stray_nvme_closed(struct stray *s)
{
	unsigned char *memory[MAX_FUNCTIONS];
	pid_t pids[MAX_FUNCTIONS];
	unsigned int i;
	int status;

	for (i = 0; i < s->nr_slow; i++) {
		memory[i] = shared_pages(DEPTH);
		pids[i] = fork();
		if (!pids[i])
			read_and_end(s->slow[i], memory[i]);
	}
	for (i = 0; i < s->nr_slow; i++) {
		if (waitpid(pids[i], &status, 0) != pids[i] || status)
			campaign_fault(&s->c, "nvme: a child gave %#x", status);
		memset(memory[i], CANARY_BYTE, DEPTH * PAGE);
	}
	usleep(AFTERWARDS_MS * 1000);
	for (i = 0; i < s->nr_slow; i++) {
		stray_check(s, "nvme read after close", memory[i], DEPTH);
		munmap(memory[i], DEPTH * PAGE);
	}
	campaign_tally(&s->c, "nvme read after close", s->nr_slow * DEPTH);
	return s->nr_slow * DEPTH;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <string.h>
#include "internal.h"

/* Block sizes that are worth the name, as powers of two. */
#define MIN_SHIFT	9
#define MAX_SHIFT	16

/* Fetches one of the structures of NVMe base 2.0 §5.17.2 into @page. */
static int identify(struct nvme *nvme, enum nvme_identify_cns cns, uint32_t nsid,
		    const struct usrpci_coherent *page)
{
	struct nvme_sqe command = {
		.opcode = nvme_admin_identify,
		.nsid = htole32(nsid),
		.prp1 = htole64(page->bus_addr),
		.cdw10 = htole32(cns),
	};

	return nvme_queue_run(nvme, &nvme->admin, &command, NULL);
}

/* Identify's strings are padded with blanks. */
static void copy_text(char *to, const char *from, size_t len)
{
	while (len && (from[len - 1] == ' ' || !from[len - 1]))
		len--;
	memcpy(to, from, len);
	to[len] = '\0';
}

static int identify_controller(struct nvme *nvme, const struct usrpci_coherent *page)
{
	const struct nvme_id_ctrl *id = page->addr;
	int err;

	err = identify(nvme, NVME_IDENTIFY_CNS_CTRL, 0, page);
	if (err)
		return err;
	copy_text(nvme->info.serial, id->sn, sizeof(id->sn));
	copy_text(nvme->info.model, id->mn, sizeof(id->mn));
	copy_text(nvme->info.firmware, id->fr, sizeof(id->fr));
	/* In units of the least page, which is 4 KiB here; 0 and the absurd: no limit. */
	if (id->mdts && id->mdts < 32)
		nvme->info.mdts = (uint64_t)NVME_PAGE << id->mdts;
	return 0;
}

/* The list of active namespaces is sorted. Controllers before 1.1 have none. */
static int first_namespace(struct nvme *nvme, const struct usrpci_coherent *page, uint32_t *nsid)
{
	const struct nvme_ns_list *list = page->addr;
	int err;

	*nsid = 1;
	err = identify(nvme, NVME_IDENTIFY_CNS_NS_ACTIVE_LIST, 0, page);
	if (err == -EINVAL)
		return 0;
	if (err)
		return err;
	*nsid = le32toh(list->ns[0]);
	return *nsid ? 0 : -ENXIO;
}

static unsigned int format_index(const struct nvme_id_ns *id)
{
	return (id->flbas & NVME_NS_FLBAS_LOWER_MASK) |
	       (id->flbas & NVME_NS_FLBAS_HIGHER_MASK) >> 1;
}

static int identify_namespace(struct nvme *nvme, const struct usrpci_coherent *page,
			      uint32_t nsid)
{
	const struct nvme_id_ns *id = page->addr;
	const struct nvme_lbaf *format;
	int err;

	err = identify(nvme, NVME_IDENTIFY_CNS_NS, nsid, page);
	if (err)
		return err == -EINVAL ? -ENXIO : err;
	if (!id->nsze)	/* an inactive namespace is all zero */
		return -ENXIO;
	format = &id->lbaf[format_index(id)];
	/* Metadata would need memory of its own, or lie between the blocks. */
	if (format->ms || format->ds < MIN_SHIFT || format->ds > MAX_SHIFT)
		return -ENOTSUP;
	nvme->shift = format->ds;
	nvme->info.nsid = nsid;
	nvme->info.block_size = 1U << format->ds;
	nvme->info.blocks = le64toh(id->nsze);
	return 0;
}

int nvme_identify(struct nvme *nvme, uint32_t nsid)
{
	struct usrpci_coherent page;
	int err;

	err = usrpci_coherent_alloc(nvme->dev, NVME_IDENTIFY_DATA_SIZE, &page);
	if (err)
		return err;
	err = identify_controller(nvme, &page);
	if (!err && !nsid)
		err = first_namespace(nvme, &page, &nsid);
	if (!err)
		err = identify_namespace(nvme, &page, nsid);
	usrpci_coherent_free(nvme->dev, &page);
	return err;
}

/* Before any I/O queue is made: NVMe base 2.0 §5.27.1.5. Both counts are from 0. */
static int set_number_of_queues(struct nvme *nvme)
{
	struct nvme_sqe command = {
		.opcode = nvme_admin_set_features,
		.cdw10 = htole32(NVME_FEAT_FID_NUM_QUEUES),
	};

	return nvme_queue_run(nvme, &nvme->admin, &command, NULL);
}

static int create_cq(struct nvme *nvme)
{
	struct nvme_queue *io = &nvme->io;
	struct nvme_sqe command = {
		.opcode = nvme_admin_create_cq,
		.prp1 = htole64(io->cq_mem.bus_addr),
		.cdw10 = htole32((io->entries - 1) << 16 | io->id),
		.cdw11 = htole32(NVME_QUEUE_CONTIGUOUS | (io->irq ? NVME_QUEUE_IRQ : 0)),
	};

	return nvme_queue_run(nvme, &nvme->admin, &command, NULL);
}

static int create_sq(struct nvme *nvme)
{
	struct nvme_queue *io = &nvme->io;
	struct nvme_sqe command = {
		.opcode = nvme_admin_create_sq,
		.prp1 = htole64(io->sq_mem.bus_addr),
		.cdw10 = htole32((io->entries - 1) << 16 | io->id),
		.cdw11 = htole32(io->id << 16 | NVME_QUEUE_CONTIGUOUS),
	};

	return nvme_queue_run(nvme, &nvme->admin, &command, NULL);
}

static int delete_queue(struct nvme *nvme, enum nvme_admin_opcode opcode)
{
	struct nvme_sqe command = {
		.opcode = (__u8)opcode,
		.cdw10 = htole32(nvme->io.id),
	};

	return nvme_queue_run(nvme, &nvme->admin, &command, NULL);
}

/* The completion queue first: a submission queue names it. */
int nvme_create_io_queues(struct nvme *nvme)
{
	int err;

	nvme->io.irq = nvme->info.irq != NVME_POLLED;
	err = set_number_of_queues(nvme);
	if (!err)
		err = create_cq(nvme);
	if (!err)
		err = create_sq(nvme);
	nvme->queued = !err;
	return err;
}

void nvme_delete_io_queues(struct nvme *nvme)
{
	if (!nvme->queued)
		return;
	nvme->queued = false;
	if (!delete_queue(nvme, nvme_admin_delete_sq))
		delete_queue(nvme, nvme_admin_delete_cq);
}

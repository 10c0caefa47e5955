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

	return nvme_admin_run(nvme, &command, NULL);
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
	if (le16toh(id->oncs) & NVME_CTRL_ONCS_WRITE_ZEROES)
		nvme->info.caps |= NVME_CAN_ZERO;
	if (le16toh(id->oncs) & NVME_CTRL_ONCS_DSM)
		nvme->info.caps |= NVME_CAN_DISCARD;
	if (id->vwc & NVME_CTRL_VWC_PRESENT)
		nvme->info.caps |= NVME_HAS_CACHE;
	/* Without memory for it there are the registers. */
	if (le16toh(id->oacs) & NVME_CTRL_OACS_DBBUF_CFG &&
	    usrpci_coherent_alloc(nvme->dev, 2UL * NVME_PAGE, &nvme->shadow))
		nvme->shadow.addr = NULL;
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

/* Before any I/O queue is made: NVMe base 2.0 §5.27.1.5. All counts are from 0. */
int nvme_set_queues(struct nvme *nvme, unsigned int nr, unsigned int *given)
{
	struct nvme_sqe command = {
		.opcode = nvme_admin_set_features,
		.cdw10 = htole32(NVME_FEAT_FID_NUM_QUEUES),
		.cdw11 = htole32((nr - 1) << 16 | (nr - 1)),
	};
	uint32_t value, sqs, cqs;
	int err;

	err = nvme_admin_run(nvme, &command, &value);
	if (err)
		return err;
	sqs = (value & 0xffff) + 1;
	cqs = (value >> 16) + 1;
	*given = sqs < cqs ? sqs : cqs;
	return 0;
}

/* Before any I/O queue is made, and after each reset: NVMe base 2.0 §5.8. */
int nvme_set_shadow(struct nvme *nvme)
{
	struct nvme_sqe command = {
		.opcode = nvme_admin_dbbuf,
		.prp1 = htole64(nvme->shadow.bus_addr),
		.prp2 = htole64(nvme->shadow.bus_addr + NVME_PAGE),
	};
	int err;

	if (!nvme->shadow.addr)
		return 0;
	/* From this command on the controller may look there for the admin queue's. */
	memset(nvme->shadow.addr, 0, 2UL * NVME_PAGE);
	nvme->shadowed = true;
	nvme_queue_shadow(&nvme->admin);
	err = nvme_admin_run(nvme, &command, NULL);
	if (!err)
		return 0;
	/* One that has thought better of it does without. */
	nvme->shadowed = false;
	nvme_queue_shadow(&nvme->admin);
	return err == -ETIMEDOUT || err == -ENODEV ? err : 0;
}

/* Vector n is that of queue n + 1; that of the first is the admin queue's too. */
static int create_cq(struct nvme_queue *queue)
{
	const uint32_t vector = queue->eventfd < 0 ? 0 : (queue->id - 1) << 16 | NVME_QUEUE_IRQ;
	struct nvme_sqe command = {
		.opcode = nvme_admin_create_cq,
		.prp1 = htole64(queue->cq_mem.bus_addr),
		.cdw10 = htole32((queue->cq_entries - 1) << 16 | queue->id),
		.cdw11 = htole32(NVME_QUEUE_CONTIGUOUS | vector),
	};

	return nvme_admin_run(queue->nvme, &command, NULL);
}

static int create_sq(struct nvme_queue *queue)
{
	struct nvme_sqe command = {
		.opcode = nvme_admin_create_sq,
		.prp1 = htole64(queue->sq_mem.bus_addr),
		.cdw10 = htole32((queue->entries - 1) << 16 | queue->id),
		.cdw11 = htole32(queue->id << 16 | NVME_QUEUE_CONTIGUOUS),
	};

	return nvme_admin_run(queue->nvme, &command, NULL);
}

static int delete_queue(struct nvme_queue *queue, enum nvme_admin_opcode opcode)
{
	struct nvme_sqe command = {
		.opcode = (__u8)opcode,
		.cdw10 = htole32(queue->id),
	};

	return nvme_admin_run(queue->nvme, &command, NULL);
}

/* The completion queue first: a submission queue names it. */
int nvme_create_queue(struct nvme_queue *queue)
{
	int err;

	nvme_queue_shadow(queue);
	err = create_cq(queue);
	return err ? err : create_sq(queue);
}

/* One that a reset has left out isn't there, which the controller may say. */
void nvme_delete_queue(struct nvme_queue *queue)
{
	if (nvme_is_stale(queue))
		return;
	if (!delete_queue(queue, nvme_admin_delete_sq))
		delete_queue(queue, nvme_admin_delete_cq);
}

/* It has done its best when this is done; whether the command ends is seen by its completion. */
int nvme_abort(struct nvme *nvme, const struct nvme_queue *queue, unsigned int cid)
{
	struct nvme_sqe command = {
		.opcode = nvme_admin_abort_cmd,
		.cdw10 = htole32(cid << 16 | queue->id),
	};

	return nvme_admin_run(nvme, &command, NULL);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Identify: NVMe base 2.0 §5.17. */
#include <stdio.h>
#include <string.h>
#include "controller.h"

#define MODEL		"usrpci simulated disk"
#define VENDOR		0x1b36
/* In kelvin, when it's said to be too hot. */
#define WARNING_TEMP	343
#define CRITICAL_TEMP	373

/* Strings are padded with blanks. */
static void put_text(char *to, size_t len, const char *text)
{
	for (; len--; to++)
		*to = *text ? *text++ : ' ';
}

/* FNV-1a: two disks are told apart by their serial numbers. */
static uint64_t unique_id(const struct nvme_controller *nvme)
{
	uint64_t hash = 0xcbf29ce484222325;
	const char *c;

	for (c = nvme->serial; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
	return hash;
}

static void describe_controller(const struct nvme_controller *nvme, struct nvme_id_ctrl *id)
{
	const uint64_t unique = unique_id(nvme);

	id->vid = htole16(VENDOR);
	id->ssvid = htole16(VENDOR);
	put_text(id->sn, sizeof(id->sn), nvme->serial);
	put_text(id->mn, sizeof(id->mn), MODEL);
	put_text(id->fr, sizeof(id->fr), FIRMWARE);
	id->mdts = (uint8_t)nvme->mdts;
	id->ver = htole32(NVME_VERSION);
	id->cntrltype = 1;
	id->oacs = htole16(nvme->has_shadow ? NVME_CTRL_OACS_DBBUF_CFG : 0);
	id->acl = MAX_REQUESTS - 1;
	id->aerl = MAX_REQUESTS - 1;
	id->frmw = 1 << 1 | 1;	/* one slot that can't be written to */
	id->lpa = 1 << 2;	/* log pages have offsets */
	id->wctemp = htole16(WARNING_TEMP);
	id->cctemp = htole16(CRITICAL_TEMP);
	id->sqes = NVME_SQE_SHIFT << 4 | NVME_SQE_SHIFT;
	id->cqes = NVME_CQE_SHIFT << 4 | NVME_CQE_SHIFT;
	id->nn = htole32(NSID);
	id->oncs = htole16(NVME_CTRL_ONCS_COMPARE |
			   (nvme->store.punches ? NVME_CTRL_ONCS_DSM |
						  NVME_CTRL_ONCS_WRITE_ZEROES : 0));
	id->vwc = NVME_CTRL_VWC_PRESENT;
	snprintf(id->subnqn, sizeof(id->subnqn),
		 "nqn.2014-08.org.nvmexpress:uuid:75737270-6369-8000-%04x-%012llx",
		 (unsigned int)(0x8000 | (unique >> 48 & 0x3fff)),
		 (unsigned long long)(unique & 0xffffffffffff));
	id->psd[0].mp = htole16(1);
}

static void describe_namespace(const struct nvme_controller *nvme, struct nvme_id_ns *id)
{
	const uint64_t unique = htobe64(unique_id(nvme));

	id->nsze = htole64(nvme->store.blocks);
	id->ncap = id->nsze;
	id->nuse = id->nsze;
	if (nvme->store.punches)
		id->dlfeat = NVME_NS_DLFEAT_RB_ALL_0S | NVME_NS_DLFEAT_WRITE_ZEROES;
	memcpy(id->eui64, &unique, sizeof(unique));
	id->lbaf[0].ds = (uint8_t)nvme->store.shift;
}

static void describe_ids(const struct nvme_controller *nvme, struct nvme_ns_id_desc *id)
{
	const uint64_t unique = htobe64(unique_id(nvme));

	id->nidt = NVME_NIDT_EUI64;
	id->nidl = NVME_NIDT_EUI64_LEN;
	memcpy(id->nid, &unique, sizeof(unique));
}

/* Fills @nvme->data. */
static uint16_t describe(struct nvme_controller *nvme, unsigned int what, uint32_t nsid)
{
	void *data = nvme->data;

	memset(data, 0, NVME_IDENTIFY_DATA_SIZE);
	if (what == NVME_IDENTIFY_CNS_CTRL) {
		describe_controller(nvme, data);
		return 0;
	}
	/* Here @nsid is the one after which the list begins. */
	if (what == NVME_IDENTIFY_CNS_NS_ACTIVE_LIST) {
		if (nsid >= NVME_NSID_ALL - 1)
			return GENERIC(INVALID_NS);
		((struct nvme_ns_list *)data)->ns[0] = htole32(nsid < NSID ? NSID : 0);
		return 0;
	}
	if (what != NVME_IDENTIFY_CNS_NS && what != NVME_IDENTIFY_CNS_NS_DESC_LIST)
		return GENERIC(INVALID_FIELD);
	if (nsid != NSID)
		return GENERIC(INVALID_NS);
	if (what == NVME_IDENTIFY_CNS_NS)
		describe_namespace(nvme, data);
	else
		describe_ids(nvme, data);
	return 0;
}

uint16_t sim_nvme_identify(struct nvme_controller *nvme, const struct nvme_sqe *sqe)
{
	uint16_t status = describe(nvme, le32toh(sqe->cdw10) & 0xff, le32toh(sqe->nsid));

	return status ? status : sim_nvme_give(nvme, sqe, NVME_IDENTIFY_DATA_SIZE);
}

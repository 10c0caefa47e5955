/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * What <nvme/types.h> of libnvme lacks: doorbells, and the entries of the queues.
 * Sources: NVMe base 2.0, NVMe over PCIe transport 1.0.
 */
#ifndef NVME_REGISTERS_H
#define NVME_REGISTERS_H

#include <nvme/types.h>

/* PCI class of an NVMe I/O controller: NVMe over PCIe 1.0 §3.1. */
#define NVME_PCI_CLASS		0x010802U

/* Doorbells begin here; each takes 4 << CAP.DSTRD bytes: NVMe over PCIe 1.0 §3.1.2. */
#define NVME_DOORBELLS		0x1000U

/* The page that PRPs count in: CC.MPS 0 is 4 KiB (NVMe base 2.0 §3.1.3.5). */
#define NVME_PAGE		4096U

/* Entry sizes as powers of two, for CC.IOSQES and CC.IOCQES. */
#define NVME_SQE_SHIFT		6U
#define NVME_CQE_SHIFT		4U

/* Command dword 11 of Create I/O Queue: NVMe base 2.0 §5.4, §5.5. */
#define NVME_QUEUE_CONTIGUOUS	(1U << 0)
#define NVME_QUEUE_IRQ		(1U << 1)

#define NVME_CQE_PHASE		(1U << 0)

/* Most blocks in a command: the field is of 16 bits and counts from 0. */
#define NVME_MAX_BLOCKS		65536U

/**
 * struct nvme_sqe - A command: NVMe base 2.0 §3.3.3.1.
 * @opcode: what to do
 * @flags: fused operation, PRP or SGL; 0 here
 * @cid: comes back in the completion
 * @nsid: namespace
 * @cdw2: unused
 * @cdw3: unused
 * @mptr: metadata; unused
 * @prp1: first page of data
 * @prp2: second page, or list of the rest
 * @cdw10: by opcode, and so are those that follow
 */
struct nvme_sqe {
	__u8 opcode;
	__u8 flags;
	__le16 cid;
	__le32 nsid;
	__le32 cdw2;
	__le32 cdw3;
	__le64 mptr;
	__le64 prp1;
	__le64 prp2;
	__le32 cdw10;
	__le32 cdw11;
	__le32 cdw12;
	__le32 cdw13;
	__le32 cdw14;
	__le32 cdw15;
};

/**
 * struct nvme_cqe - A completion: NVMe base 2.0 §3.3.3.2.
 * @result: by opcode
 * @reserved: by command set
 * @sq_head: how far the controller has read the submission queue
 * @sq_id: that queue
 * @cid: of the command
 * @status: bit 0 the phase, then the status field
 */
struct nvme_cqe {
	__le32 result;
	__le32 reserved;
	__le16 sq_head;
	__le16 sq_id;
	__le16 cid;
	__le16 status;
};

_Static_assert(sizeof(struct nvme_sqe) == 1U << NVME_SQE_SHIFT, "a command has 64 bytes");
_Static_assert(sizeof(struct nvme_cqe) == 1U << NVME_CQE_SHIFT, "a completion has 16 bytes");

#endif /* NVME_REGISTERS_H */

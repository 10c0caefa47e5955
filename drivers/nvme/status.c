// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include "internal.h"

#define STATUS(type, code) (NVME_SCT_##type << NVME_SCT_SHIFT | NVME_SC_##code)

/* Status code type and code (NVMe base 2.0 §3.3.3.2.1); whatever isn't here is EIO. */
static const struct {
	uint16_t status;
	int error;
} errors[] = {
	{ STATUS(GENERIC, INVALID_OPCODE), EOPNOTSUPP },
	{ STATUS(GENERIC, INVALID_FIELD), EINVAL },
	{ STATUS(GENERIC, DATA_XFER_ERROR), EFAULT },
	{ STATUS(GENERIC, POWER_LOSS), ECANCELED },
	{ STATUS(GENERIC, ABORT_REQ), ECANCELED },
	{ STATUS(GENERIC, ABORT_QUEUE), ECANCELED },
	{ STATUS(GENERIC, INVALID_NS), ENXIO },
	{ STATUS(GENERIC, PRP_INVALID_OFFSET), EFAULT },
	{ STATUS(GENERIC, OP_DENIED), EACCES },
	{ STATUS(GENERIC, SANITIZE_IN_PROGRESS), EBUSY },
	{ STATUS(GENERIC, NS_WRITE_PROTECTED), EROFS },
	{ STATUS(GENERIC, CMD_INTERRUPTED), EAGAIN },
	{ STATUS(GENERIC, LBA_RANGE), EINVAL },
	{ STATUS(GENERIC, CAP_EXCEEDED), ENOSPC },
	{ STATUS(GENERIC, NS_NOT_READY), EBUSY },
	{ STATUS(GENERIC, RESERVATION_CONFLICT), EBADE },
	{ STATUS(GENERIC, FORMAT_IN_PROGRESS), EBUSY },
	{ STATUS(CMD_SPECIFIC, BAD_ATTRIBUTES), EINVAL },
	{ STATUS(CMD_SPECIFIC, READ_ONLY), EROFS },
	{ STATUS(MEDIA, GUARD_CHECK), EILSEQ },
	{ STATUS(MEDIA, APPTAG_CHECK), EILSEQ },
	{ STATUS(MEDIA, REFTAG_CHECK), EILSEQ },
	{ STATUS(MEDIA, COMPARE_FAILED), EILSEQ },
	{ STATUS(MEDIA, ACCESS_DENIED), EACCES },
	{ STATUS(MEDIA, UNWRITTEN_BLOCK), ENODATA },
};

int nvme_status_error(uint16_t status)
{
	unsigned int i;

	status &= NVME_SCT_MASK << NVME_SCT_SHIFT | NVME_SC_MASK;
	if (!status)
		return 0;
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].status == status)
			return -errors[i].error;
	return -EIO;
}

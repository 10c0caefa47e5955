// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What the simulated NVMe controller makes of what no sane driver does. */
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>
#include "ctrl.h"

#define ADDRESS		"sim:nvme,size=16M,mdts=9"
#define BLOCKS		(16U << 20 >> 9)
#define BLOCKS_A_PAGE	(NVME_PAGE / 512)
#define MOST_PAGES	512U	/* of a command, by mdts */
#define ENTRIES		(NVME_PAGE / 8)
#define MOST_ENTRIES	RIG_MOST_ENTRIES
/* Pages of the controller's memory that hold lists; data is before them. */
#define LISTS		580U
#define NOWHERE		0x7fff00000000ULL

#define GENERIC(code)	((unsigned int)(NVME_SCT_GENERIC << NVME_SCT_SHIFT | NVME_SC_##code))
#define SPECIFIC(code)	((unsigned int)(NVME_SCT_CMD_SPECIFIC << NVME_SCT_SHIFT | NVME_SC_##code))
#define MEDIA(code)	((unsigned int)(NVME_SCT_MEDIA << NVME_SCT_SHIFT | NVME_SC_##code))

#define READY		NVME_SET(1U, CSTS_RDY)
#define FATAL		NVME_SET(1U, CSTS_CFS)

static struct ctrl ctrl;

static int open_rig(void **state)
{
	ctrl_open(&ctrl, ADDRESS);
	return ctrl_enable(&ctrl, ctrl_cc()) == READY ? 0 : -1;
}

static int open_with_io(void **state)
{
	int err = open_rig(state);

	ctrl_add_io(&ctrl, MOST_ENTRIES, MOST_ENTRIES, false);
	return err;
}

static int close_rig(void **state)
{
	ctrl_close(&ctrl);
	return 0;
}

static unsigned int admin(struct nvme_sqe sqe)
{
	return ctrl_run(&ctrl, &ctrl.admin, sqe);
}

static unsigned int io(struct nvme_sqe sqe)
{
	return ctrl_run(&ctrl, &ctrl.io, sqe);
}

/* @nr blocks from or to the controller's first pages. */
static struct nvme_sqe transfer(enum nvme_io_opcode opcode, uint64_t lba, uint32_t nr)
{
	return (struct nvme_sqe){
		.opcode = (uint8_t)opcode,
		.nsid = htole32(1),
		.prp1 = htole64(ctrl_bus(&ctrl, 0)),
		.prp2 = htole64(ctrl_bus(&ctrl, 1)),
		.cdw10 = htole32((uint32_t)lba),
		.cdw11 = htole32((uint32_t)(lba >> 32)),
		.cdw12 = htole32(nr - 1),
	};
}

static struct nvme_sqe identify(uint32_t what, uint32_t nsid)
{
	return (struct nvme_sqe){
		.opcode = nvme_admin_identify,
		.nsid = htole32(nsid),
		.prp1 = htole64(ctrl_bus(&ctrl, 0)),
		.cdw10 = htole32(what),
	};
}

/* The disk says that it works. */
static void is_well(void)
{
	assert_int_equal(ctrl_read(&ctrl, NVME_REG_CSTS), READY);
	assert_int_equal(admin(identify(NVME_IDENTIFY_CNS_CTRL, 0)), 0);
}

/* --- registers --- */

static void test_registers(void **state)
{
	uint64_t cap, value;

	assert_int_equal(usrpci_bar_read(ctrl.dev, 0, NVME_REG_CAP, 8, &cap), 0);
	assert_int_equal(NVME_CAP_MQES(cap), 2047);
	assert_int_equal(NVME_CAP_CQR(cap), 1);
	assert_int_equal(NVME_CAP_DSTRD(cap), 0);
	assert_true(NVME_CAP_CSS(cap) & NVME_CAP_CSS_NVM);
	assert_int_equal(ctrl_read(&ctrl, NVME_REG_CAP), (uint32_t)cap);
	assert_int_equal(ctrl_read(&ctrl, NVME_REG_CAP + 4), cap >> 32);
	assert_int_equal(usrpci_bar_read(ctrl.dev, 0, NVME_REG_VS + 1, 1, &value), 0);
	assert_int_equal(value, ctrl_read(&ctrl, NVME_REG_VS) >> 8 & 0xff);
	ctrl_write(&ctrl, NVME_REG_CAP, 0);
	ctrl_write(&ctrl, NVME_REG_VS, 0);
	ctrl_write(&ctrl, NVME_REG_CSTS, UINT32_MAX);
	ctrl_write(&ctrl, NVME_REG_NSSR, 0x4e564d65);
	assert_int_equal(ctrl_read(&ctrl, NVME_REG_CAP), (uint32_t)cap);
	assert_int_equal(usrpci_bar_write(ctrl.dev, 0, NVME_REG_CC, 2, 0), 0);
	is_well();
}

static void test_enable_refusals(void **state)
{
	const uint32_t bad[] = {
		NVME_SET(1U, CC_MPS), NVME_SET(NVME_CC_CSS_CSI, CC_CSS),
		NVME_SET(NVME_CC_AMS_WRRU, CC_AMS),
	};
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ctrl_disable(&ctrl);
		assert_int_equal(ctrl_enable(&ctrl, ctrl_cc() | bad[i]), FATAL);
	}
	ctrl_disable(&ctrl);
	ctrl_write(&ctrl, NVME_REG_AQA, 0);
	ctrl_write(&ctrl, NVME_REG_CC, ctrl_cc() | 1);
	assert_int_equal(ctrl_read(&ctrl, NVME_REG_CSTS), FATAL);
	/* More entries than there may be. */
	ctrl_disable(&ctrl);
	ctrl_write(&ctrl, NVME_REG_AQA, 0x0fff0fff);
	ctrl_write(&ctrl, NVME_REG_CC, ctrl_cc() | 1);
	assert_int_equal(ctrl_read(&ctrl, NVME_REG_CSTS), FATAL);
	ctrl_ring(&ctrl, 0, false, 1);
	ctrl_disable(&ctrl);
	assert_int_equal(ctrl_enable(&ctrl, ctrl_cc()), READY);
	is_well();
}

static void test_shutdown(void **state)
{
	ctrl_write(&ctrl, NVME_REG_CC, ctrl_cc() | 1 | NVME_SET(NVME_CC_SHN_NORMAL, CC_SHN));
	assert_int_equal(NVME_CSTS_SHST(ctrl_read(&ctrl, NVME_REG_CSTS)), NVME_CSTS_SHST_CMPLT);
	ctrl_put(&ctrl, &ctrl.io, transfer(nvme_cmd_read, 0, 1));
	ctrl_send(&ctrl, &ctrl.io);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.io), RIG_NONE);
	ctrl_disable(&ctrl);
	assert_int_equal(ctrl_enable(&ctrl, ctrl_cc()), READY);
	is_well();
}

static void test_reset(void **state)
{
	assert_int_equal(usrpci_reset(ctrl.dev), 0);
	assert_int_equal(ctrl_read(&ctrl, NVME_REG_CC), 0);
	assert_int_equal(ctrl_read(&ctrl, NVME_REG_CSTS), 0);
	assert_int_equal(ctrl_read(&ctrl, NVME_REG_AQA), 0);
	assert_int_equal(ctrl_read(&ctrl, NVME_REG_ASQ), 0);
	ctrl_ring(&ctrl, 1, false, 1);
	assert_int_equal(ctrl_enable(&ctrl, ctrl_cc()), READY);
	ctrl_add_io(&ctrl, 8, 8, false);
	assert_int_equal(io(transfer(nvme_cmd_read, 0, 1)), 0);
}

/* What waits for room isn't carried out any more. */
static void test_disabled_amid(void **state)
{
	unsigned int i;

	ctrl_disable(&ctrl);
	assert_int_equal(ctrl_enable(&ctrl, ctrl_cc()), READY);
	ctrl_add_io(&ctrl, 64, 4, false);
	for (i = 0; i < 20; i++)
		ctrl_put(&ctrl, &ctrl.io, transfer(nvme_cmd_read, 0, 1));
	ctrl_send(&ctrl, &ctrl.io);
	ctrl_disable(&ctrl);
	memset(ctrl_page(&ctrl, 0), 0x5a, NVME_PAGE);
	memset(ctrl.io.cq.addr, 0, ctrl.io.cq.len);
	ctrl_ring(&ctrl, 1, true, 3);
	ctrl_ring(&ctrl, 1, false, 30);
	assert_int_equal(ctrl_page(&ctrl, 0)[0], 0x5a);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.io), RIG_NONE);
	assert_int_equal(ctrl_enable(&ctrl, ctrl_cc()), READY);
	ctrl_ring(&ctrl, 1, false, 30);
	assert_int_equal(ctrl_page(&ctrl, 0)[0], 0x5a);
	ctrl_add_io(&ctrl, 64, 4, false);
	assert_int_equal(io(transfer(nvme_cmd_read, 0, 1)), 0);
}

/* --- admin commands --- */

static void test_unknown_commands(void **state)
{
	struct nvme_sqe sqe = { .opcode = 0xc1, .nsid = htole32(1) };

	assert_int_equal(admin(sqe), GENERIC(INVALID_OPCODE));
	assert_int_equal(io(sqe), GENERIC(INVALID_OPCODE));
	assert_true(le16toh(ctrl.io.last.status) >> 1 & NVME_SC_DNR);
	sqe = transfer(nvme_cmd_read, 0, 1);
	sqe.flags = 1;		/* fused */
	assert_int_equal(io(sqe), GENERIC(INVALID_FIELD));
	sqe.flags = 1 << 6;	/* an SGL */
	assert_int_equal(io(sqe), GENERIC(INVALID_FIELD));
	is_well();
}

static void test_identify(void **state)
{
	const struct nvme_id_ctrl *id = (void *)ctrl_page(&ctrl, 0);
	const struct nvme_id_ns *ns = (void *)ctrl_page(&ctrl, 0);
	const struct nvme_ns_list *list = (void *)ctrl_page(&ctrl, 0);

	assert_int_equal(admin(identify(NVME_IDENTIFY_CNS_CTRL, 0)), 0);
	assert_memory_equal(id->sn, "usrpci-sim          ", 20);
	assert_int_equal(id->mdts, 9);
	assert_int_equal(admin(identify(NVME_IDENTIFY_CNS_NS, 1)), 0);
	assert_int_equal(le64toh(ns->nsze), BLOCKS);
	assert_int_equal(ns->lbaf[0].ds, 9);
	assert_int_equal(admin(identify(NVME_IDENTIFY_CNS_NS_ACTIVE_LIST, 0)), 0);
	assert_int_equal(le32toh(list->ns[0]), 1);
	assert_int_equal(admin(identify(NVME_IDENTIFY_CNS_NS_ACTIVE_LIST, 1)), 0);
	assert_int_equal(list->ns[0], 0);
	assert_int_equal(admin(identify(NVME_IDENTIFY_CNS_NS_DESC_LIST, 1)), 0);
	assert_int_equal(ctrl_page(&ctrl, 0)[0], NVME_NIDT_EUI64);
	assert_int_equal(admin(identify(NVME_IDENTIFY_CNS_NS, 0)), GENERIC(INVALID_NS));
	assert_int_equal(admin(identify(NVME_IDENTIFY_CNS_NS, 2)), GENERIC(INVALID_NS));
	assert_int_equal(admin(identify(NVME_IDENTIFY_CNS_NS_ACTIVE_LIST, UINT32_MAX)),
			 GENERIC(INVALID_NS));
	assert_int_equal(admin(identify(0xee, 1)), GENERIC(INVALID_FIELD));
}

static unsigned int make(uint8_t opcode, uint32_t cdw10, uint32_t cdw11, uint64_t offset)
{
	return admin((struct nvme_sqe){
		.opcode = opcode,
		.prp1 = htole64(ctrl_bus(&ctrl, 100) + offset),
		.cdw10 = htole32(cdw10),
		.cdw11 = htole32(cdw11),
	});
}

static unsigned int make_cq(uint32_t cdw10, uint32_t cdw11)
{
	return make(nvme_admin_create_cq, cdw10, cdw11, 0);
}

static unsigned int make_sq(uint32_t cdw10, uint32_t cdw11)
{
	return make(nvme_admin_create_sq, cdw10, cdw11, 0);
}

static void test_queue_refusals(void **state)
{
	const uint32_t len = 15 << 16;

	assert_int_equal(make_cq(len, 1), SPECIFIC(QID_INVALID));
	assert_int_equal(make_cq(len | 1, 1), SPECIFIC(QID_INVALID));	/* it's there */
	assert_int_equal(make_cq(len | 9, 1), SPECIFIC(QID_INVALID));
	assert_int_equal(make_cq(len | 0xffff, 1), SPECIFIC(QID_INVALID));
	assert_int_equal(make_cq(2, 1), SPECIFIC(QUEUE_SIZE));
	assert_int_equal(make_cq(2048 << 16 | 2, 1), SPECIFIC(QUEUE_SIZE));
	assert_int_equal(make_cq(len | 2, 0), GENERIC(INVALID_FIELD));
	assert_int_equal(make_cq(len | 2, 9 << 16 | 1), SPECIFIC(INVALID_VECTOR));
	assert_int_equal(make(nvme_admin_create_cq, len | 2, 1, 8), GENERIC(PRP_INVALID_OFFSET));
	assert_int_equal(make_sq(len, 1 << 16 | 1), SPECIFIC(QID_INVALID));
	assert_int_equal(make_sq(len | 1, 1 << 16 | 1), SPECIFIC(QID_INVALID));
	assert_int_equal(make_sq(len | 0xffff, 1 << 16 | 1), SPECIFIC(QID_INVALID));
	assert_int_equal(make_sq(len | 2, 1), SPECIFIC(QID_INVALID));	/* to admin's CQ */
	assert_int_equal(make_sq(len | 2, 2 << 16 | 1), SPECIFIC(CQ_INVALID));
	assert_int_equal(make_sq(len | 2, 0xffffU << 16 | 1), SPECIFIC(QID_INVALID));
	assert_int_equal(make_sq(len | 2, 1 << 16), GENERIC(INVALID_FIELD));
	assert_int_equal(make(nvme_admin_delete_cq, 1, 0, 0), SPECIFIC(INVALID_QUEUE));
	assert_int_equal(make(nvme_admin_delete_cq, 0, 0, 0), SPECIFIC(QID_INVALID));
	assert_int_equal(make(nvme_admin_delete_sq, 0, 0, 0), SPECIFIC(QID_INVALID));
	assert_int_equal(make(nvme_admin_delete_sq, 0xffff, 0, 0), SPECIFIC(QID_INVALID));
	assert_int_equal(make(nvme_admin_delete_sq, 1, 0, 0), 0);
	assert_int_equal(make(nvme_admin_delete_sq, 1, 0, 0), SPECIFIC(QID_INVALID));
	assert_int_equal(make(nvme_admin_delete_cq, 1, 0, 0), 0);
	assert_int_equal(make(nvme_admin_delete_cq, 1, 0, 0), SPECIFIC(QID_INVALID));
	ctrl_add_io(&ctrl, 8, 8, false);
	assert_int_equal(io(transfer(nvme_cmd_read, 0, 1)), 0);
}

/* All eight of them, and their entries' lengths were said before. */
static void test_all_queues(void **state)
{
	unsigned int id;

	for (id = 1; id <= 8; id++)
		assert_int_equal(make_cq(63 << 16 | id, 1), 0);
	/* They may share one. */
	for (id = 1; id <= 8; id++)
		assert_int_equal(make_sq(63 << 16 | id, 1 << 16 | 1), 0);
	assert_int_equal(make(nvme_admin_delete_cq, 1, 0, 0), SPECIFIC(INVALID_QUEUE));
	assert_int_equal(make(nvme_admin_delete_cq, 2, 0, 0), 0);
	ctrl_disable(&ctrl);
	assert_int_equal(ctrl_enable(&ctrl, 0), READY);
	assert_int_equal(make_cq(63 << 16 | 1, 1), GENERIC(INVALID_FIELD));
}

static unsigned int feature(uint8_t opcode, uint32_t cdw10, uint32_t value)
{
	return make(opcode, cdw10, value, 0);
}

static void test_features(void **state)
{
	const uint8_t set = nvme_admin_set_features, get = nvme_admin_get_features;

	assert_int_equal(feature(set, NVME_FEAT_FID_NUM_QUEUES, 0), 0);
	assert_int_equal(le32toh(ctrl.admin.last.result), 7 << 16 | 7);
	assert_int_equal(feature(set, NVME_FEAT_FID_NUM_QUEUES, 0xffff), GENERIC(INVALID_FIELD));
	assert_int_equal(feature(set, NVME_FEAT_FID_IRQ_COALESCE, 0x1234), 0);
	assert_int_equal(feature(get, NVME_FEAT_FID_IRQ_COALESCE, 0), 0);
	assert_int_equal(le32toh(ctrl.admin.last.result), 0x1234);
	assert_int_equal(feature(get, 1 << 8 | NVME_FEAT_FID_IRQ_COALESCE, 0), 0);
	assert_int_equal(le32toh(ctrl.admin.last.result), 0);
	assert_int_equal(feature(get, 3 << 8 | NVME_FEAT_FID_IRQ_COALESCE, 0), 0);
	assert_int_equal(le32toh(ctrl.admin.last.result), 4);
	assert_int_equal(feature(get, 7 << 8 | NVME_FEAT_FID_IRQ_COALESCE, 0),
			 GENERIC(INVALID_FIELD));
	assert_int_equal(feature(set, 1U << 31 | NVME_FEAT_FID_IRQ_COALESCE, 0),
			 SPECIFIC(FEATURE_NOT_SAVEABLE));
	assert_int_equal(feature(set, NVME_FEAT_FID_POWER_MGMT, 1), GENERIC(INVALID_FIELD));
	assert_int_equal(feature(get, 0, 0), GENERIC(INVALID_FIELD));
	assert_int_equal(feature(get, 0xff, 0), GENERIC(INVALID_FIELD));
	assert_int_equal(feature(set, NVME_FEAT_FID_HOST_MEM_BUF, 1), GENERIC(INVALID_FIELD));
	ctrl_add_io(&ctrl, 8, 8, false);
	assert_int_equal(feature(set, NVME_FEAT_FID_NUM_QUEUES, 0), GENERIC(CMD_SEQ_ERROR));
	ctrl_disable(&ctrl);
	assert_int_equal(ctrl_enable(&ctrl, ctrl_cc()), READY);
	assert_int_equal(feature(get, NVME_FEAT_FID_IRQ_COALESCE, 0), 0);
	assert_int_equal(le32toh(ctrl.admin.last.result), 0);
}

static struct nvme_sqe log_page(uint32_t id, uint32_t dwords, uint32_t offset)
{
	return (struct nvme_sqe){
		.opcode = nvme_admin_get_log_page,
		.prp1 = htole64(ctrl_bus(&ctrl, 0)),
		.prp2 = htole64(ctrl_bus(&ctrl, 1)),
		.cdw10 = htole32((dwords - 1) << 16 | id),
		.cdw12 = htole32(offset),
	};
}

static void test_logs(void **state)
{
	const struct nvme_error_log_page *error = (void *)ctrl_page(&ctrl, 0);
	const struct nvme_smart_log *smart = (void *)ctrl_page(&ctrl, 0);
	struct nvme_sqe sqe;

	assert_int_equal(io(transfer(nvme_cmd_read, BLOCKS, 1)), GENERIC(LBA_RANGE));
	assert_int_equal(io(transfer(nvme_cmd_read, 0, 1)), 0);
	assert_int_equal(admin(log_page(NVME_LOG_LID_ERROR, 16, 0)), 0);
	assert_int_equal(le64toh(error->error_count), 1);
	assert_int_equal(le16toh(error->sqid), 1);
	assert_int_equal(le16toh(error->status_field) >> 1, GENERIC(LBA_RANGE));
	assert_int_equal(admin(log_page(NVME_LOG_LID_SMART, 128, 0)), 0);
	assert_int_equal(smart->host_reads[0], 1);
	assert_int_equal(smart->num_err_log_entries[0], 1);
	/* A part of it, and what lies past its end. */
	assert_int_equal(admin(log_page(NVME_LOG_LID_SMART, 1024, 64)), 0);
	assert_int_equal(ctrl_page(&ctrl, 0)[0], 1);
	assert_int_equal(admin(log_page(NVME_LOG_LID_FW_SLOT, 128, 0)), 0);
	assert_int_equal(admin(log_page(0x70, 128, 0)), SPECIFIC(INVALID_LOG_PAGE));
	assert_int_equal(admin(log_page(NVME_LOG_LID_SMART, 1, 2)), GENERIC(INVALID_FIELD));
	assert_int_equal(admin(log_page(NVME_LOG_LID_SMART, 1, 516)), GENERIC(INVALID_FIELD));
	sqe = log_page(NVME_LOG_LID_SMART, 1, 0);
	sqe.cdw11 = htole32(0xffff);	/* gigabytes */
	assert_int_equal(admin(sqe), GENERIC(INVALID_FIELD));
	sqe.cdw11 = 0;
	sqe.cdw13 = htole32(UINT32_MAX);
	assert_int_equal(admin(sqe), GENERIC(INVALID_FIELD));
}

static uint16_t request_event(void)
{
	const struct nvme_sqe sqe = { .opcode = nvme_admin_async_event };
	uint16_t cid = ctrl_put(&ctrl, &ctrl.admin, sqe);

	ctrl_send(&ctrl, &ctrl.admin);
	return cid;
}

static unsigned int give_up(uint32_t cdw10)
{
	const struct nvme_sqe sqe = { .opcode = nvme_admin_abort_cmd, .cdw10 = htole32(cdw10) };

	ctrl_put(&ctrl, &ctrl.admin, sqe);
	ctrl_send(&ctrl, &ctrl.admin);
	return ctrl_reap(&ctrl, &ctrl.admin);
}

static void test_event_requests(void **state)
{
	uint16_t cids[4];
	unsigned int i;

	for (i = 0; i < 4; i++)
		cids[i] = request_event();
	assert_int_equal(ctrl_look(&ctrl, &ctrl.admin), RIG_NONE);
	request_event();
	assert_int_equal(ctrl_reap(&ctrl, &ctrl.admin), SPECIFIC(ASYNC_LIMIT));
	assert_int_equal(give_up((uint32_t)cids[2] << 16), GENERIC(ABORT_REQ));
	assert_int_equal(le16toh(ctrl.admin.last.cid), cids[2]);
	assert_int_equal(ctrl_reap(&ctrl, &ctrl.admin), 0);
	assert_int_equal(le32toh(ctrl.admin.last.result), 0);
	/* What isn't there can't be aborted: it, and a command of another queue. */
	assert_int_equal(give_up((uint32_t)cids[2] << 16), 0);
	assert_int_equal(le32toh(ctrl.admin.last.result), 1);
	assert_int_equal(give_up((uint32_t)cids[1] << 16 | 1), 0);
	assert_int_equal(le32toh(ctrl.admin.last.result), 1);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.admin), RIG_NONE);
	is_well();
}

/* Aborted, or never done, by the knobs; and none is left when its queue goes. */
static void test_held_commands(void **state)
{
	uint16_t cid = ctrl_put(&ctrl, &ctrl.io, transfer(nvme_cmd_read, 0, 1));

	ctrl_send(&ctrl, &ctrl.io);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.io), RIG_NONE);
	assert_int_equal(give_up((uint32_t)cid << 16 | 2), 0);
	assert_int_equal(le32toh(ctrl.admin.last.result), 1);
	assert_int_equal(give_up((uint32_t)cid << 16 | 0xffff), 0);
	assert_int_equal(le32toh(ctrl.admin.last.result), 1);
	assert_int_equal(give_up((uint32_t)cid << 16 | 1), 0);
	assert_int_equal(le32toh(ctrl.admin.last.result), 0);
	assert_int_equal(ctrl_reap(&ctrl, &ctrl.io), GENERIC(ABORT_REQ));
	assert_int_equal(le16toh(ctrl.io.last.cid), cid);
	assert_int_equal(give_up((uint32_t)cid << 16 | 1), 0);
	assert_int_equal(le32toh(ctrl.admin.last.result), 1);
	cid = ctrl_put(&ctrl, &ctrl.io, transfer(nvme_cmd_read, 0, 1));
	ctrl_send(&ctrl, &ctrl.io);
	assert_int_equal(make(nvme_admin_delete_sq, 1, 0, 0), 0);
	assert_int_equal(give_up((uint32_t)cid << 16 | 1), 0);
	assert_int_equal(le32toh(ctrl.admin.last.result), 1);
	is_well();
}

static int open_holding(void **state)
{
	ctrl_open(&ctrl, ADDRESS ",command-held=1");
	ctrl_enable(&ctrl, ctrl_cc());
	ctrl_add_io(&ctrl, 16, 16, false);
	return 0;
}

/* --- doorbells --- */

static void event_is(unsigned int info)
{
	request_event();
	assert_int_equal(ctrl_reap(&ctrl, &ctrl.admin), 0);
	assert_int_equal(le32toh(ctrl.admin.last.result),
			 NVME_AER_ERROR | info << 8 | NVME_LOG_LID_ERROR << 16);
	assert_int_equal(admin(log_page(NVME_LOG_LID_ERROR, 16, 0)), 0);
}

static void test_bad_doorbells(void **state)
{
	unsigned int i;

	ctrl_ring(&ctrl, 1, false, MOST_ENTRIES);
	event_is(NVME_AER_ERROR_INVALID_DB_VAL);
	ctrl_ring(&ctrl, 1, false, UINT32_MAX);
	event_is(NVME_AER_ERROR_INVALID_DB_VAL);
	ctrl_ring(&ctrl, 1, true, MOST_ENTRIES);
	event_is(NVME_AER_ERROR_INVALID_DB_VAL);
	ctrl_ring(&ctrl, 1, true, 1);	/* there's nothing to be read */
	event_is(NVME_AER_ERROR_INVALID_DB_VAL);
	ctrl_ring(&ctrl, 2, false, 1);
	event_is(NVME_AER_ERROR_INVALID_DB_REG);
	ctrl_ring(&ctrl, 2, true, 1);
	event_is(NVME_AER_ERROR_INVALID_DB_REG);
	ctrl_ring(&ctrl, 100, false, 1);
	event_is(NVME_AER_ERROR_INVALID_DB_REG);
	/* One at a time, till the log was read. */
	for (i = 0; i < 3; i++)
		ctrl_ring(&ctrl, 2, false, 1);
	request_event();
	assert_int_equal(ctrl_reap(&ctrl, &ctrl.admin), 0);
	request_event();
	ctrl_ring(&ctrl, 2, false, 1);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.admin), RIG_NONE);
	assert_int_equal(admin(log_page(NVME_LOG_LID_ERROR, 16, 0)), 0);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.admin), RIG_NONE);
	ctrl_ring(&ctrl, 2, false, 1);
	assert_int_equal(ctrl_reap(&ctrl, &ctrl.admin), 0);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.io), RIG_NONE);
	assert_int_equal(io(transfer(nvme_cmd_read, 0, 1)), 0);
}

/* --- doorbells in memory --- */

/* Pages of the controller's memory, and their entries. */
#define SHADOW		590U
#define SEEN		591U
#define IO_SQ		2U
#define IO_CQ		3U

static struct nvme_sqe set_shadow(uint64_t values, uint64_t events)
{
	return (struct nvme_sqe){
		.opcode = nvme_admin_dbbuf, .prp1 = htole64(values), .prp2 = htole64(events),
	};
}

static void shadow_on(void)
{
	memset(ctrl_page(&ctrl, SHADOW), 0, 2 * NVME_PAGE);
	assert_int_equal(admin(set_shadow(ctrl_bus(&ctrl, SHADOW), ctrl_bus(&ctrl, SEEN))), 0);
}

static void write_shadow(unsigned int index, uint32_t value)
{
	((volatile uint32_t *)(void *)ctrl_page(&ctrl, SHADOW))[index] = htole32(value);
}

static void seen_is(unsigned int index, uint32_t value)
{
	assert_int_equal(le32toh(((volatile uint32_t *)(void *)ctrl_page(&ctrl, SEEN))[index]),
			 value);
}

static void put_reads(unsigned int nr)
{
	while (nr--)
		ctrl_put(&ctrl, &ctrl.io, transfer(nvme_cmd_read, 0, 1));
}

/* What counts is what memory says; and what isn't rung for isn't looked at. */
static void test_shadow(void **state)
{
	const struct nvme_id_ctrl *id = (void *)ctrl_page(&ctrl, 0);
	unsigned int i;

	assert_int_equal(admin(identify(NVME_IDENTIFY_CNS_CTRL, 0)), 0);
	assert_true(le16toh(id->oacs) & NVME_CTRL_OACS_DBBUF_CFG);
	shadow_on();
	ctrl_add_io(&ctrl, 16, 8, false);
	put_reads(3);
	write_shadow(IO_SQ, 3);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.io), RIG_NONE);
	seen_is(IO_SQ, 0);
	ctrl_ring(&ctrl, 1, false, 9999);
	seen_is(IO_SQ, 3);
	for (i = 0; i < 3; i++)
		assert_int_equal(ctrl_look(&ctrl, &ctrl.io), 0);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.io), RIG_NONE);
	/* Room for seven, which four and three are; the eighth comes when some were read. */
	put_reads(5);
	write_shadow(IO_SQ, 8);
	ctrl_ring(&ctrl, 1, false, 8);
	for (i = 0; i < 4; i++)
		assert_int_equal(ctrl_look(&ctrl, &ctrl.io), 0);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.io), RIG_NONE);
	seen_is(IO_CQ, 0);
	write_shadow(IO_CQ, 3);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.io), RIG_NONE);
	ctrl_ring(&ctrl, 1, true, 0);
	seen_is(IO_CQ, 3);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.io), 0);
	is_well();
}

static void test_shadow_refusals(void **state)
{
	const uint64_t page = ctrl_bus(&ctrl, SHADOW);

	assert_int_equal(admin(set_shadow(page + 4, page)), GENERIC(INVALID_FIELD));
	assert_int_equal(admin(set_shadow(page, page + 2048)), GENERIC(INVALID_FIELD));
	/* And so it has none. */
	assert_int_equal(io(transfer(nvme_cmd_read, 0, 1)), 0);
	ctrl_put(&ctrl, &ctrl.io, transfer(nvme_cmd_read, 0, 1));
	ctrl_send(&ctrl, &ctrl.io);
	assert_int_equal(ctrl_reap(&ctrl, &ctrl.io), 0);
	/* A queue that was there before. */
	memset(ctrl_page(&ctrl, SEEN), 0xff, NVME_PAGE);
	assert_int_equal(admin(set_shadow(page, ctrl_bus(&ctrl, SEEN))), 0);
	seen_is(IO_SQ, 2);
	seen_is(IO_CQ, 2);
	seen_is(IO_SQ + 2, UINT32_MAX);
}

/* Whatever a program writes there. */
static void test_bad_shadow(void **state)
{
	static const uint32_t bad[] = { 16, 17, 0x10001, 0x80000000, UINT32_MAX };
	unsigned int i;

	shadow_on();
	ctrl_add_io(&ctrl, 16, 16, false);
	write_shadow(0, 0xffff);	/* the admin queue's mean nothing */
	write_shadow(1, 0xffff);
	is_well();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_shadow(IO_SQ, bad[i]);
		ctrl_ring(&ctrl, 1, false, 1);
		event_is(NVME_AER_ERROR_INVALID_DB_VAL);
		write_shadow(IO_CQ, bad[i]);
		ctrl_ring(&ctrl, 1, true, 0);
		event_is(NVME_AER_ERROR_INVALID_DB_VAL);
	}
	write_shadow(IO_CQ, 1);		/* there's nothing to be read */
	ctrl_ring(&ctrl, 1, true, 1);
	event_is(NVME_AER_ERROR_INVALID_DB_VAL);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.io), RIG_NONE);
	seen_is(IO_SQ, 0);
	seen_is(IO_CQ, 0);
	put_reads(1);
	write_shadow(IO_SQ, 1);
	ctrl_ring(&ctrl, 1, false, 1);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.io), 0);
	ctrl_ring(&ctrl, 2, false, 1);
	event_is(NVME_AER_ERROR_INVALID_DB_REG);
}

/* With the controller's state the shadow goes, and nothing is written there any more. */
static void test_shadow_forgotten(void **state)
{
	shadow_on();
	ctrl_disable(&ctrl);
	memset(ctrl_page(&ctrl, SHADOW), 0x5a, 2 * NVME_PAGE);
	assert_int_equal(ctrl_enable(&ctrl, ctrl_cc()), READY);
	ctrl_add_io(&ctrl, 8, 8, false);
	assert_int_equal(io(transfer(nvme_cmd_read, 0, 1)), 0);
	seen_is(IO_SQ, 0x5a5a5a5a);
	shadow_on();
	assert_int_equal(usrpci_reset(ctrl.dev), 0);
	assert_int_equal(ctrl_enable(&ctrl, ctrl_cc()), READY);
	ctrl_add_io(&ctrl, 8, 8, false);
	assert_int_equal(io(transfer(nvme_cmd_read, 0, 1)), 0);
}

static void test_shadow_nowhere(void **state)
{
	const uint64_t page = ctrl_bus(&ctrl, SHADOW);
	unsigned int i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(admin(set_shadow(i ? NOWHERE : page, i ? page : NOWHERE)), 0);
		ctrl_add_io(&ctrl, 8, 8, false);
		ctrl_ring(&ctrl, 1, false, 1);
		assert_int_equal(ctrl_read(&ctrl, NVME_REG_CSTS), READY | FATAL);
		ctrl_disable(&ctrl);
		assert_int_equal(ctrl_enable(&ctrl, ctrl_cc()), READY);
	}
	is_well();
}

static int open_without_shadow(void **state)
{
	ctrl_open(&ctrl, ADDRESS ",shadow=0");
	ctrl_enable(&ctrl, ctrl_cc());
	return 0;
}

static void test_no_shadow(void **state)
{
	const struct nvme_id_ctrl *id = (void *)ctrl_page(&ctrl, 0);
	const uint64_t page = ctrl_bus(&ctrl, SHADOW);

	assert_int_equal(admin(identify(NVME_IDENTIFY_CNS_CTRL, 0)), 0);
	assert_false(le16toh(id->oacs) & NVME_CTRL_OACS_DBBUF_CFG);
	assert_int_equal(admin(set_shadow(page, page)), GENERIC(INVALID_OPCODE));
	is_well();
}

/* A doorbell of 16 bits is none. */
static void test_narrow_doorbell(void **state)
{
	ctrl_put(&ctrl, &ctrl.io, transfer(nvme_cmd_read, 0, 1));
	assert_int_equal(usrpci_bar_write(ctrl.dev, 0, NVME_DOORBELLS + 8, 2, 1), 0);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.io), RIG_NONE);
	ctrl_send(&ctrl, &ctrl.io);
	assert_int_equal(ctrl_reap(&ctrl, &ctrl.io), 0);
}

static void test_longest_queue(void **state)
{
	unsigned int i, turn;
	uint16_t cid = 0;

	/* The second turn goes round the end. */
	for (turn = 0; turn < 2; turn++) {
		for (i = 0; i < MOST_ENTRIES - 1; i++)
			ctrl_put(&ctrl, &ctrl.io, transfer(nvme_cmd_read, i, 1));
		ctrl_send(&ctrl, &ctrl.io);
		for (i = 0; i < MOST_ENTRIES - 1; i++) {
			assert_int_equal(ctrl_look(&ctrl, &ctrl.io), 0);
			assert_int_equal(le16toh(ctrl.io.last.cid), cid++);
		}
		assert_int_equal(ctrl_reap(&ctrl, &ctrl.io), RIG_NONE);
		ctrl_ring(&ctrl, 1, true, ctrl.io.head);
	}
}

/* A completion queue with room for three, and a submission queue that fills up behind it. */
static void test_full_queues(void **state)
{
	unsigned int i;

	ctrl_add_io(&ctrl, 8, 4, false);
	for (i = 0; i < 7; i++)
		ctrl_put(&ctrl, &ctrl.io, transfer(nvme_cmd_read, 0, 1));
	ctrl_send(&ctrl, &ctrl.io);
	for (i = 0; i < 3; i++)
		assert_int_equal(ctrl_look(&ctrl, &ctrl.io), 0);
	assert_int_equal(le16toh(ctrl.io.last.sq_head), 3);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.io), RIG_NONE);
	/* Of four that wait, and seven that it holds: three more at most. */
	ctrl_ring(&ctrl, 1, false, (ctrl.io.tail + 4) % 8);
	event_is(NVME_AER_ERROR_INVALID_DB_VAL);
	/* Read one: there's one more. */
	ctrl_ring(&ctrl, 1, true, 1);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.io), 0);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.io), RIG_NONE);
	ctrl_ring(&ctrl, 1, true, ctrl.io.head);
	for (i = 0; i < 3; i++)
		assert_int_equal(ctrl_reap(&ctrl, &ctrl.io), 0);
	assert_int_equal(le16toh(ctrl.io.last.sq_head), 7);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.io), RIG_NONE);
	for (i = 0; i < 20; i++)
		assert_int_equal(io(transfer(nvme_cmd_read, 0, 1)), 0);
}

/* --- data --- */

static void fill(unsigned int pages, unsigned int seed)
{
	size_t i;

	for (i = 0; i < pages * (size_t)NVME_PAGE; i++)
		ctrl_page(&ctrl, 0)[i] = (unsigned char)(i * 7 + (i >> 12) * 13 + seed);
}

static uint64_t *list_at(unsigned int page)
{
	return (uint64_t *)(void *)ctrl_page(&ctrl, LISTS + page);
}

/*
 * The @nr pages after the first, from the last to the first, in lists of which the first begins
 * at the @at-th entry of its page. Returns PRP2.
 */
static uint64_t make_lists(unsigned int nr, unsigned int at)
{
	const uint64_t start = ctrl_bus(&ctrl, LISTS) + at * 8;
	unsigned int page = 0, i;

	for (i = 0; i < nr; i++) {
		if (at == ENTRIES - 1 && i + 1 < nr) {
			list_at(page)[at] = htole64(ctrl_bus(&ctrl, LISTS + page + 1));
			page++;
			at = 0;
		}
		list_at(page)[at++] = htole64(ctrl_bus(&ctrl, nr - i));
	}
	return start;
}

/* What was written by lists, read in one piece. */
static void write_and_check(unsigned int pages, unsigned int at)
{
	struct nvme_sqe sqe = transfer(nvme_cmd_write, 64, pages * BLOCKS_A_PAGE);
	unsigned char *expected = malloc(pages * (size_t)NVME_PAGE);
	unsigned int i;

	assert_non_null(expected);
	fill(pages, pages + at);
	memcpy(expected, ctrl_page(&ctrl, 0), NVME_PAGE);
	for (i = 1; i < pages; i++)
		memcpy(expected + i * (size_t)NVME_PAGE, ctrl_page(&ctrl, pages - i), NVME_PAGE);
	sqe.prp2 = htole64(make_lists(pages - 1, at));
	assert_int_equal(io(sqe), 0);
	for (i = 0; i < pages; i++) {
		assert_int_equal(io(transfer(nvme_cmd_read, 64 + i * BLOCKS_A_PAGE,
					     BLOCKS_A_PAGE)), 0);
		assert_memory_equal(ctrl_page(&ctrl, 0), expected + i * (size_t)NVME_PAGE,
				    NVME_PAGE);
	}
	free(expected);
}

static void test_lists(void **state)
{
	write_and_check(3, 0);
	write_and_check(3, ENTRIES - 2);
	/* The first says no more than where the next one is. */
	write_and_check(3, ENTRIES - 1);
	write_and_check(20, ENTRIES - 10);
	write_and_check(MOST_PAGES, 0);
	write_and_check(MOST_PAGES, 1);
	write_and_check(MOST_PAGES, 2);
	write_and_check(MOST_PAGES, ENTRIES - 1);
}

/* The first page may begin anywhere; then the last one ends early. */
static void test_offsets(void **state)
{
	struct nvme_sqe sqe = transfer(nvme_cmd_read, 0, BLOCKS_A_PAGE);

	fill(1, 3);
	assert_int_equal(io(transfer(nvme_cmd_write, 0, BLOCKS_A_PAGE)), 0);
	memset(ctrl_page(&ctrl, 2), 0x5a, 3 * NVME_PAGE);
	sqe.prp1 = htole64(ctrl_bus(&ctrl, 2) + 1000);
	sqe.prp2 = htole64(ctrl_bus(&ctrl, 4));
	assert_int_equal(io(sqe), 0);
	assert_memory_equal(ctrl_page(&ctrl, 2) + 1000, ctrl_page(&ctrl, 0), NVME_PAGE - 1000);
	assert_memory_equal(ctrl_page(&ctrl, 4), ctrl_page(&ctrl, 1) - 1000, 1000);
	assert_int_equal(ctrl_page(&ctrl, 2)[999], 0x5a);
	assert_int_equal(ctrl_page(&ctrl, 3)[0], 0x5a);
	assert_int_equal(ctrl_page(&ctrl, 4)[1000], 0x5a);
}

static unsigned int with_prps(unsigned int pages, uint64_t prp1, uint64_t prp2)
{
	struct nvme_sqe sqe = transfer(nvme_cmd_read, 0, pages * BLOCKS_A_PAGE);

	sqe.prp1 = htole64(prp1);
	sqe.prp2 = htole64(prp2);
	return io(sqe);
}

static void test_prp_refusals(void **state)
{
	const uint64_t data = ctrl_bus(&ctrl, 0), list = ctrl_bus(&ctrl, LISTS);

	assert_int_equal(with_prps(1, data + 1, 0), GENERIC(PRP_INVALID_OFFSET));
	assert_int_equal(with_prps(2, data, data + 512), GENERIC(PRP_INVALID_OFFSET));
	make_lists(8, 0);
	assert_int_equal(with_prps(3, data, list), 0);
	assert_int_equal(with_prps(3, data, list + 4), GENERIC(PRP_INVALID_OFFSET));
	list_at(0)[1] = htole64(data + 8);
	assert_int_equal(with_prps(3, data, list), GENERIC(PRP_INVALID_OFFSET));
	/* Lists that go on in themselves: one that says nothing, and one that does. */
	list_at(0)[ENTRIES - 1] = htole64(list + NVME_PAGE - 8);
	assert_int_equal(with_prps(3, data, list + NVME_PAGE - 8), GENERIC(PRP_INVALID_OFFSET));
	make_lists(ENTRIES, 0);
	list_at(0)[ENTRIES - 1] = htole64(list);
	assert_int_equal(with_prps(MOST_PAGES, data, list + NVME_PAGE - 8), 0);
	assert_int_equal(with_prps(1, NOWHERE, 0), GENERIC(DATA_XFER_ERROR));
	assert_int_equal(with_prps(2, data, NOWHERE), GENERIC(DATA_XFER_ERROR));
	assert_int_equal(with_prps(3, data, NOWHERE), GENERIC(DATA_XFER_ERROR));
	assert_int_equal(with_prps(1, UINT64_MAX - 4095, 0), GENERIC(DATA_XFER_ERROR));
	assert_int_equal(with_prps(1, UINT64_MAX - 3, 0), GENERIC(DATA_XFER_ERROR));
	is_well();
}

/* A write that fails has written nothing. */
static void test_failed_write(void **state)
{
	struct nvme_sqe sqe = transfer(nvme_cmd_write, 0, 2 * BLOCKS_A_PAGE);

	fill(1, 1);
	assert_int_equal(io(transfer(nvme_cmd_write, 0, BLOCKS_A_PAGE)), 0);
	fill(1, 2);
	sqe.prp2 = htole64(NOWHERE);
	assert_int_equal(io(sqe), GENERIC(DATA_XFER_ERROR));
	assert_int_equal(io(transfer(nvme_cmd_read, 0, BLOCKS_A_PAGE)), 0);
	assert_int_equal(ctrl_page(&ctrl, 0)[0], 1);
}

static void test_ranges(void **state)
{
	struct nvme_sqe sqe = transfer(nvme_cmd_read, 0, 1);

	assert_int_equal(io(transfer(nvme_cmd_read, BLOCKS - 1, 1)), 0);
	assert_int_equal(io(transfer(nvme_cmd_read, BLOCKS - 1, 2)), GENERIC(LBA_RANGE));
	assert_int_equal(io(transfer(nvme_cmd_write, BLOCKS, 1)), GENERIC(LBA_RANGE));
	assert_int_equal(io(transfer(nvme_cmd_read, UINT64_MAX, 2)), GENERIC(LBA_RANGE));
	assert_int_equal(io(transfer(nvme_cmd_write, 1ULL << 55, 1)), GENERIC(LBA_RANGE));
	assert_int_equal(io(transfer(nvme_cmd_compare, BLOCKS, 1)), GENERIC(LBA_RANGE));
	assert_int_equal(io(transfer(nvme_cmd_write_zeroes, BLOCKS - 1, 2)), GENERIC(LBA_RANGE));
	/* A page more than a command may move. */
	assert_int_equal(io(transfer(nvme_cmd_read, 0, (MOST_PAGES + 1) * BLOCKS_A_PAGE)),
			 GENERIC(INVALID_FIELD));
	assert_int_equal(io(transfer(nvme_cmd_write, 0, 65536)), GENERIC(INVALID_FIELD));
	sqe.nsid = 0;
	assert_int_equal(io(sqe), GENERIC(INVALID_NS));
	sqe.nsid = htole32(2);
	assert_int_equal(io(sqe), GENERIC(INVALID_NS));
	sqe.opcode = nvme_cmd_flush;
	assert_int_equal(io(sqe), GENERIC(INVALID_NS));
	sqe.nsid = htole32(NVME_NSID_ALL);
	assert_int_equal(io(sqe), 0);
}

static unsigned int discard(uint64_t lba, uint32_t nr, bool deallocate)
{
	const struct nvme_dsm_range range = { .nlb = htole32(nr), .slba = htole64(lba) };
	struct nvme_sqe sqe = {
		.opcode = nvme_cmd_dsm,
		.nsid = htole32(1),
		.prp1 = htole64(ctrl_bus(&ctrl, LISTS)),
		.cdw11 = htole32(deallocate ? 4 : 0),
	};

	memcpy(list_at(0), &range, sizeof(range));
	return io(sqe);
}

static void is_at(uint64_t lba, unsigned char byte)
{
	assert_int_equal(io(transfer(nvme_cmd_read, lba, 1)), 0);
	assert_int_equal(ctrl_page(&ctrl, 0)[0], byte);
	assert_int_equal(ctrl_page(&ctrl, 0)[511], byte);
}

static void test_zeroes(void **state)
{
	memset(ctrl_page(&ctrl, 0), 0x77, NVME_PAGE);
	assert_int_equal(io(transfer(nvme_cmd_write, 8, BLOCKS_A_PAGE)), 0);
	assert_int_equal(io(transfer(nvme_cmd_write_zeroes, 9, 1)), 0);
	is_at(8, 0x77);
	is_at(9, 0);
	is_at(10, 0x77);
	assert_int_equal(discard(11, 1, false), 0);
	is_at(11, 0x77);
	assert_int_equal(discard(11, 1, true), 0);
	is_at(11, 0);
	is_at(12, 0x77);
	assert_int_equal(discard(0, 0, true), 0);
	assert_int_equal(discard(12, UINT32_MAX, true), GENERIC(LBA_RANGE));
	assert_int_equal(discard(UINT64_MAX, 1, true), GENERIC(LBA_RANGE));
	is_at(12, 0x77);
	assert_int_equal(io(transfer(nvme_cmd_write_zeroes, 0, BLOCKS)), 0);
	is_at(12, 0);
}

static void test_compare(void **state)
{
	fill(2, 9);
	assert_int_equal(io(transfer(nvme_cmd_write, 0, 2 * BLOCKS_A_PAGE)), 0);
	assert_int_equal(io(transfer(nvme_cmd_compare, 0, 2 * BLOCKS_A_PAGE)), 0);
	ctrl_page(&ctrl, 1)[NVME_PAGE - 1] ^= 1;
	assert_int_equal(io(transfer(nvme_cmd_compare, 0, 2 * BLOCKS_A_PAGE)),
			 MEDIA(COMPARE_FAILED));
}

/* --- memory that it may not reach --- */

static void test_no_master(void **state)
{
	assert_int_equal(usrpci_set_master(ctrl.dev, false), 0);
	ctrl_put(&ctrl, &ctrl.io, transfer(nvme_cmd_read, 0, 1));
	ctrl_send(&ctrl, &ctrl.io);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.io), RIG_NONE);
	assert_int_equal(ctrl_read(&ctrl, NVME_REG_CSTS), READY | FATAL);
	assert_int_equal(usrpci_set_master(ctrl.dev, true), 0);
	/* It stays so till it's reset. */
	ctrl_send(&ctrl, &ctrl.io);
	assert_int_equal(ctrl_look(&ctrl, &ctrl.io), RIG_NONE);
	ctrl_disable(&ctrl);
	assert_int_equal(ctrl_enable(&ctrl, ctrl_cc()), READY);
	is_well();
}

static void test_queues_nowhere(void **state)
{
	struct nvme_sqe cq = {
		.opcode = nvme_admin_create_cq, .prp1 = htole64(NOWHERE),
		.cdw10 = htole32(7 << 16 | 1), .cdw11 = htole32(NVME_QUEUE_CONTIGUOUS),
	};
	struct nvme_sqe sq = {
		.opcode = nvme_admin_create_sq, .prp1 = htole64(ctrl.io.sq.bus_addr),
		.cdw10 = htole32(7 << 16 | 1), .cdw11 = htole32(1 << 16 | NVME_QUEUE_CONTIGUOUS),
	};

	assert_int_equal(admin(cq), 0);
	assert_int_equal(admin(sq), 0);
	ctrl_ring(&ctrl, 1, false, 1);
	assert_int_equal(ctrl_read(&ctrl, NVME_REG_CSTS), READY | FATAL);
	ctrl_disable(&ctrl);
	assert_int_equal(ctrl_enable(&ctrl, ctrl_cc()), READY);
	cq.prp1 = htole64(ctrl.io.cq.bus_addr);
	sq.prp1 = htole64(NOWHERE);
	assert_int_equal(admin(cq), 0);
	assert_int_equal(admin(sq), 0);
	ctrl_ring(&ctrl, 1, false, 1);
	assert_int_equal(ctrl_read(&ctrl, NVME_REG_CSTS), READY | FATAL);
	ctrl_disable(&ctrl);
}

/* --- interrupts --- */

static int fd = -1;

static void wire(enum usrpci_irq type, unsigned int nr, unsigned int vector)
{
	fd = eventfd(0, EFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(usrpci_irq_setup(ctrl.dev, type, nr), 0);
	assert_int_equal(usrpci_irq_wire(ctrl.dev, vector, 1, &fd), 0);
}

static int unwire(void **state)
{
	close(fd);
	return close_rig(state);
}

static bool fired(void)
{
	return usrpci_irq_wait(fd, 0) > 0;
}

static void send_reads(unsigned int nr)
{
	while (nr--)
		ctrl_put(&ctrl, &ctrl.io, transfer(nvme_cmd_read, 0, 1));
	ctrl_send(&ctrl, &ctrl.io);
}

static void read_all(void)
{
	while (ctrl_reap(&ctrl, &ctrl.io) != RIG_NONE)
		;
}

static void test_pin(void **state)
{
	ctrl_add_io(&ctrl, 8, 8, true);
	wire(USRPCI_INTX, 1, 0);
	assert_false(fired());
	send_reads(2);
	assert_true(fired());
	/* It's high as long as there's something to be read. */
	assert_int_equal(usrpci_irq_unmask(ctrl.dev, 0), 0);
	assert_true(fired());
	assert_int_equal(ctrl_reap(&ctrl, &ctrl.io), 0);
	assert_int_equal(usrpci_irq_unmask(ctrl.dev, 0), 0);
	assert_true(fired());
	read_all();
	assert_int_equal(usrpci_irq_unmask(ctrl.dev, 0), 0);
	assert_false(fired());
	ctrl_write(&ctrl, NVME_REG_INTMS, 1);
	assert_int_equal(ctrl_read(&ctrl, NVME_REG_INTMC), 1);
	send_reads(1);
	assert_false(fired());
	ctrl_write(&ctrl, NVME_REG_INTMC, 1);
	assert_true(fired());
	/* It goes with the queues. */
	ctrl_disable(&ctrl);
	assert_int_equal(usrpci_irq_unmask(ctrl.dev, 0), 0);
	assert_false(fired());
}

static void test_messages(void **state)
{
	const enum usrpci_irq type = *(const enum usrpci_irq *)*state;

	ctrl_add_io(&ctrl, 8, 8, true);
	wire(type, 1, 0);
	assert_false(fired());
	send_reads(3);
	/* Once for what came at once. */
	assert_int_equal(usrpci_irq_wait(fd, 0), 1);
	send_reads(1);
	assert_true(fired());
	read_all();
	assert_false(fired());
	ctrl_write(&ctrl, NVME_REG_INTMS, 1);
	send_reads(1);
	assert_false(fired());
	ctrl_write(&ctrl, NVME_REG_INTMC, 1);
	assert_true(fired());
	/* Read meanwhile: there's nothing to tell. */
	ctrl_write(&ctrl, NVME_REG_INTMS, 1);
	send_reads(1);
	read_all();
	ctrl_write(&ctrl, NVME_REG_INTMC, 1);
	assert_false(fired());
}

/* Each queue has the one that it was made with, or none. */
static void test_vectors(void **state)
{
	wire(USRPCI_MSIX, 9, 8);
	assert_int_equal(make_cq(7 << 16 | 3, 8 << 16 | NVME_QUEUE_IRQ | 1), 0);
	assert_int_equal(make_cq(7 << 16 | 4, 8 << 16 | 1), 0);
	assert_int_equal(make_sq(7 << 16 | 3, 3 << 16 | 1), 0);
	assert_int_equal(make_sq(7 << 16 | 4, 4 << 16 | 1), 0);
	assert_false(fired());
	ctrl_ring(&ctrl, 4, false, 1);
	assert_false(fired());
	ctrl_ring(&ctrl, 3, false, 1);
	assert_true(fired());
}

/* --- the disk --- */

static void test_options(void **state)
{
	static const char *const bad[] = {
		"size=3", "size=0", "size=9999Z", "size=-1", "size=99999999999G", "block=1024",
		"serial=", "serial=123456789012345678901", "mdts=0", "mdts=11", "nonsense=1",
		"file=/nonexistent", "file=/", "file=/dev/null", "file=", "shadow=2", "shadow=",
	};
	struct usrpci_device *dev;
	char address[100];
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(address, sizeof(address), "sim:nvme,%s", bad[i]);
		if (!usrpci_open(&dev, address))
			fail_msg("%s opens", address);
	}
}

/* What the simulator has against it reaches whoever asks the library. */
static void test_reasons(void **state)
{
	static const char *const cases[][2] = {
		{ "nvme,file=/nonexistent", "there is no such file" },
		{ "nvme,size=3", "it would have no block" },
		{ "nvme,size=1M,nonsense=1", "no such option \"nonsense=1\"" },
		{ "nvme,slow=x", "an option's value isn't a number that it can have: \"slow=x\"" },
		{ "nonsense", "no such device" },
	};
	char address[100], why[512], wanted[512];
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(address, sizeof(address), "sim:%s", cases[i][0]);
		snprintf(wanted, sizeof(wanted), "the simulator can't play \"%s\": %s; see what it "
			 "has: usrpci-sim --list", cases[i][0], cases[i][1]);
		usrpci_explain_open(address, -ENOENT, why, sizeof(why));
		assert_string_equal(why, wanted);
	}
	/* Of one that it can play, there's nothing to say, nor is it waited for. */
	usrpci_explain_open("sim:nvme", -ENOENT, why, sizeof(why));
	assert_ptr_equal(strstr(why, "the simulator had no device"), why);
}

/* A file keeps what was written, has one user, and may become shorter behind one's back. */
static void test_file(void **state)
{
	char path[] = "/tmp/nvme_model.XXXXXX", address[100], longer[120];
	int file = mkstemp(path);
	struct usrpci_device *dev;

	assert_true(file >= 0);
	assert_int_equal(ftruncate(file, 100 * 4096 + 4000), 0);
	snprintf(address, sizeof(address), "sim:nvme,file=%s,block=4096,serial=a b", path);
	snprintf(longer, sizeof(longer), "%s,size=1M", address);
	assert_int_equal(usrpci_open(&dev, longer), -ENOENT);
	ctrl_open(&ctrl, address);
	ctrl_enable(&ctrl, ctrl_cc());
	ctrl_add_io(&ctrl, 8, 8, false);
	assert_int_equal(usrpci_open(&dev, address), -ENOENT);
	memset(ctrl_page(&ctrl, 0), 0x42, NVME_PAGE);
	assert_int_equal(io(transfer(nvme_cmd_write, 99, 1)), 0);
	assert_int_equal(io(transfer(nvme_cmd_write, 100, 1)), GENERIC(LBA_RANGE));
	ctrl_close(&ctrl);
	ctrl_open(&ctrl, address);
	ctrl_enable(&ctrl, ctrl_cc());
	ctrl_add_io(&ctrl, 8, 8, false);
	memset(ctrl_page(&ctrl, 0), 0, NVME_PAGE);
	assert_int_equal(io(transfer(nvme_cmd_read, 99, 1)), 0);
	assert_int_equal(ctrl_page(&ctrl, 0)[4095], 0x42);
	assert_int_equal(ftruncate(file, 4096), 0);
	assert_int_equal(io(transfer(nvme_cmd_read, 99, 1)), MEDIA(READ_ERROR));
	assert_int_equal(io(transfer(nvme_cmd_read, 0, 1)), 0);
	ctrl_close(&ctrl);
	close(file);
	unlink(path);
}

#define ADMIN(test)	cmocka_unit_test_setup_teardown(test, open_rig, close_rig)
#define IO(test)	cmocka_unit_test_setup_teardown(test, open_with_io, close_rig)
#define IRQ(test, type)	{ #test " " #type, test, open_rig, unwire, (void *)&(type) }

static const enum usrpci_irq intx = USRPCI_INTX, msi = USRPCI_MSI, msix = USRPCI_MSIX;

int main(void)
{
	const struct CMUnitTest tests[] = {
		ADMIN(test_registers),
		ADMIN(test_enable_refusals),
		IO(test_shutdown),
		IO(test_reset),
		IO(test_disabled_amid),
		IO(test_unknown_commands),
		ADMIN(test_identify),
		IO(test_queue_refusals),
		ADMIN(test_all_queues),
		ADMIN(test_features),
		IO(test_logs),
		IO(test_event_requests),
		cmocka_unit_test_setup_teardown(test_held_commands, open_holding, close_rig),
		IO(test_bad_doorbells),
		IO(test_narrow_doorbell),
		ADMIN(test_shadow),
		IO(test_shadow_refusals),
		ADMIN(test_bad_shadow),
		ADMIN(test_shadow_forgotten),
		ADMIN(test_shadow_nowhere),
		cmocka_unit_test_setup_teardown(test_no_shadow, open_without_shadow, close_rig),
		IO(test_longest_queue),
		ADMIN(test_full_queues),
		IO(test_lists),
		IO(test_offsets),
		IO(test_prp_refusals),
		IO(test_failed_write),
		IO(test_ranges),
		IO(test_zeroes),
		IO(test_compare),
		IO(test_no_master),
		ADMIN(test_queues_nowhere),
		IRQ(test_pin, intx),
		IRQ(test_messages, msi),
		IRQ(test_messages, msix),
		IRQ(test_vectors, msix),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests_name("the NVMe model", tests, NULL, NULL);
}

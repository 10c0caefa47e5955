/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* What docs/htex.md says of the htex device, as numbers. */
#ifndef HTEX_REGISTERS_H
#define HTEX_REGISTERS_H

#define HTEX_VENDOR		0x1234
#define HTEX_DEVICE		0x7e01

/* BAR 0 */
#define HTEX_ID			0x00
#define HTEX_ID_VALUE		0x58455448U
#define HTEX_VERSION		0x04
#define HTEX_CONTROL		0x08
#define HTEX_TRANSLATE		(1U << 0)
#define HTEX_TO_RING		(1U << 1)
#define HTEX_DRIVER_CHOOSES	(1U << 2)
#define HTEX_IRQ_AT_MISS	(1U << 3)
#define HTEX_IRQ_AT_END		(1U << 4)
#define HTEX_ENTRIES		0x0c
#define HTEX_ENGINES		0x10
#define HTEX_IRQ		0x14
#define HTEX_IRQ_MISS		(1U << 0)
#define HTEX_IRQ_END		(1U << 1)
#define HTEX_MISS		0x20
#define HTEX_MISS_ADDRESS	0x28
#define HTEX_WAITING		0x30
#define HTEX_RING		0x40
#define HTEX_RING_SIZE		0x48
#define HTEX_RING_TAKEN		0x4c
#define HTEX_GO_ON		0x60
#define HTEX_REFUSE		0x64
#define HTEX_INVALIDATE		0x68
#define HTEX_INVALIDATE_TAG	0x6c
#define HTEX_BUSY		0x70
#define HTEX_DONE		0x78

#define HTEX_RING_MOST		65536U

/* A miss: its first word. */
#define HTEX_MISS_WORDS		2U
#define HTEX_MISS_VALID		(1ULL << 0)
#define HTEX_MISS_WRITE		(1ULL << 1)
#define HTEX_MISS_TAG_SHIFT	4
#define HTEX_MISS_ENGINE_SHIFT	8
#define HTEX_MISS_ENTRY_SHIFT	32
#define HTEX_NO_ENTRY		UINT32_MAX

/* Of an engine. */
#define HTEX_ENGINE(n)		(0x1000U + 0x80U * (n))
#define HTEX_JOB		0x00
#define HTEX_TAG		0x04
#define HTEX_STATE		0x08
#define HTEX_STOP		0x0c
#define HTEX_SOURCE		0x10
#define HTEX_SECOND		0x18
#define HTEX_TARGET		0x20
#define HTEX_LENGTH		0x28
#define HTEX_RESULT		0x30
#define HTEX_PROGRESS		0x38
#define HTEX_ADDRESS		0x40
#define HTEX_MISSES		0x48

#define HTEX_TAGS		16U
#define HTEX_ENGINES_MOST	64U

/* What is in JOB. */
#define HTEX_JOB_LIST		1U
#define HTEX_JOB_COPY		2U
#define HTEX_JOB_HISTOGRAM	3U
#define HTEX_JOB_MATRIX		4U

/* What is in STATE. */
#define HTEX_STATE_IDLE		0U
#define HTEX_STATE_RUNNING	1U
#define HTEX_STATE_WAITING	2U
#define HTEX_STATE_DONE		3U
#define HTEX_STATE_UNTRANSLATED	4U
#define HTEX_STATE_BUS_ERROR	5U

/* BAR 2: an entry's two words. */
#define HTEX_TLB_BAR		2U
#define HTEX_ENTRY_LEN		16U
#define HTEX_ENTRY_VALID	(1ULL << 0)
#define HTEX_ENTRY_WRITE	(1ULL << 1)
#define HTEX_ENTRY_LARGE	(1ULL << 2)
#define HTEX_ENTRY_TAG_SHIFT	4
#define HTEX_ENTRY_PAGE_SHIFT	12

/* MSI-X vectors. */
#define HTEX_VECTOR_MISS	0U
#define HTEX_VECTOR_END		1U

#endif /* HTEX_REGISTERS_H */

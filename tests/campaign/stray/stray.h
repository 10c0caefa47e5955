/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* Ways in which a device tries to reach memory that it was handed before. */
#ifndef STRAY_STRAY_H
#define STRAY_STRAY_H

#include <stdbool.h>

#include "campaign.h"
#include "canary.h"

#define MAX_FUNCTIONS	16

/**
 * struct stray - The campaign.
 * @c: its counts
 * @edus: names
 * @nr_edus: how many
 * @slow: NVMe disks whose reads take a while
 * @nr_slow: how many
 * @disk: an NVMe disk that keeps what's written to it
 * @canary: pages that were given back
 * @losses: how often in a row too few faults were reported
 */
struct stray {
	struct campaign c;
	const char *edus[MAX_FUNCTIONS];
	unsigned int nr_edus;
	const char *slow[MAX_FUNCTIONS];
	unsigned int nr_slow;
	const char *disk;
	struct canary canary;
	unsigned int losses;
};

/* Each tries some times, and gives how often. */
unsigned int stray_nvme_unmapped(struct stray *s, unsigned int attempts);
unsigned int stray_nvme_closed(struct stray *s);
unsigned int stray_edu_unmapped(struct stray *s);
unsigned int stray_edu_closed(struct stray *s);

/* The page was given back: whoever gets it next sees it unchanged. */
void stray_free_page(struct stray *s, unsigned char *page);

/* None of what was given back, nor of @page if not NULL, has changed. */
void stray_check(struct stray *s, const char *what, const unsigned char *page, unsigned int pages);

/* Interrupts by which the IOMMU has reported faults. */
unsigned long faults_reported(void);

/*
 * At least @nr more than @before must come. An IOMMU with one record loses those that
 * come @together on a busy host: then not each time.
 */
void faults_expect(struct stray *s, const char *what, unsigned long before, unsigned int nr,
		   bool together);

#endif /* STRAY_STRAY_H */

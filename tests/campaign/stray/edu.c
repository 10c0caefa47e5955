// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * An edu writes 100 ms after it was told to, whatever happened meanwhile. All of them
 * are told so in turn, with time between for the IOMMU to report each fault.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "function.h"
#include "memory.h"
#include "stray.h"

#define TRANSFER_MS	100
#define APART_MS	10
#define LEN		2048

/**
 * struct writer - An edu, and a page that it has or had.
 * @edu: it
 * @page: the page; NULL once it was freed
 * @handle: of its mapping
 * @bus: its bus address
 * @started_ms: when the write was
 * @missed: it had come before the page was unmapped
 */
struct writer {
	struct edu_hw edu;
	unsigned char *page;
	uint32_t handle;
	uint64_t bus;
	uint64_t started_ms;
	bool missed;
};

static void sleep_till(uint64_t ms)
{
	uint64_t now = now_ms();

	if (now < ms)
		usleep((ms - now) * 1000);
}

static bool open_writer(struct stray *s, struct writer *w, const char *bdf)
{
	struct usrpci_ioc_region region;
	struct usrpci_ioc_sg run;
	int err;

	*w = (struct writer){ .page = pages_new(1, 1) };
	w->edu.fd = function_open(bdf);
	if (w->edu.fd < 0) {
		campaign_fault(&s->c, "open %s: %s", bdf, strerror(-w->edu.fd));
		return false;
	}
	w->edu.regs = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, w->edu.fd,
			   function_bar(w->edu.fd, 0).offset);
	edu_hw_start(&w->edu);
	region = function_region(w->page, PAGE, USRPCI_BIDIRECTIONAL);
	region.sg = (uintptr_t)&run;
	region.nr_sg = 1;
	err = function_map(w->edu.fd, &region);
	if (err)
		campaign_fault(&s->c, "map: %s", strerror(-err));
	w->handle = region.handle;
	w->bus = run.bus_addr;
	return true;
}

static void close_writer(struct writer *w)
{
	munmap((void *)w->edu.regs, PAGE);
	close(w->edu.fd);
}

static bool open_writers(struct stray *s, struct writer *w)
{
	unsigned int i;

	for (i = 0; i < s->nr_edus; i++)
		if (!open_writer(s, &w[i], s->edus[i]))
			return false;
	return true;
}

static void start_writes(struct stray *s, struct writer *w)
{
	unsigned int i;

	for (i = 0; i < s->nr_edus; i++) {
		edu_hw_write_start(&w[i].edu, w[i].bus, LEN);
		w[i].started_ms = now_ms();
		usleep(APART_MS * 1000);
	}
}

static void wait_for_writes(struct stray *s, struct writer *w)
{
	unsigned int i;

	for (i = 0; i < s->nr_edus; i++)
		edu_hw_wait(&w[i].edu);
}

/* What the write would change; every other time somebody else has the page by then. */
static void let_go_of_page(struct stray *s, struct writer *w)
{
	if (campaign_below(&s->c, 2)) {
		memset(w->page, CANARY_BYTE, PAGE);
		return;
	}
	stray_free_page(s, w->page);
	w->page = NULL;
}

static void unmap_page(struct stray *s, struct writer *w, bool late)
{
	int err = function_unmap_one(w->edu.fd, w->handle);

	if (err)
		campaign_fault(&s->c, "unmap: %s", strerror(-err));
	w->missed = late && !edu_hw_is_busy(&w->edu);
	let_go_of_page(s, w);
}

static unsigned int check(struct stray *s, struct writer *w, const char *what)
{
	unsigned int i, tried = 0;

	stray_check(s, what, NULL, 0);
	for (i = 0; i < s->nr_edus; i++) {
		tried += !w[i].missed;
		if (!w[i].page)
			continue;
		stray_check(s, what, w[i].page, 1);
		pages_free(w[i].page, 1);
	}
	canary_free(&s->canary);
	campaign_tally(&s->c, what, tried);
	return tried;
}

/* Told after the unmap, or before and the unmap comes just in time. */
unsigned int stray_edu_unmapped(struct stray *s)
{
	bool late = campaign_below(&s->c, 2);
	struct writer w[MAX_FUNCTIONS];
	unsigned int i, tried;
	unsigned long faults;

	if (!open_writers(s, w))
		return s->nr_edus;
	/* The first transfer fills the IOTLB. */
	start_writes(s, w);
	wait_for_writes(s, w);
	for (i = 0; i < s->nr_edus; i++)
		if (w[i].page[7] == 1)
			campaign_fault(&s->c, "edu: no transfer into mapped memory");
	faults = faults_reported();
	if (late)
		start_writes(s, w);
	for (i = 0; i < s->nr_edus; i++) {
		if (late)
			sleep_till(w[i].started_ms + TRANSFER_MS - 5 - campaign_below(&s->c, 20));
		unmap_page(s, &w[i], late);
	}
	if (!late)
		start_writes(s, w);
	wait_for_writes(s, w);
	tried = check(s, w, "edu write after unmap");
	faults_expect(s, "edu write after unmap", faults, tried, true);
	for (i = 0; i < s->nr_edus; i++)
		close_writer(&w[i]);
	return tried;
}

/* The file is closed while a write is under way. */
unsigned int stray_edu_closed(struct stray *s)
{
	struct writer w[MAX_FUNCTIONS];
	unsigned int i;

	if (!open_writers(s, w))
		return s->nr_edus;
	start_writes(s, w);
	for (i = 0; i < s->nr_edus; i++) {
		sleep_till(w[i].started_ms + campaign_below(&s->c, TRANSFER_MS - 15));
		close_writer(&w[i]);
		let_go_of_page(s, &w[i]);
	}
	sleep_till(w[s->nr_edus - 1].started_ms + TRANSFER_MS + 20);
	return check(s, w, "edu write after close");
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What a program knows of a page: now, and of all the time that a job has run. */
#include <stdlib.h>
#include <string.h>

#include "function.h"
#include "program.h"

void page_becomes(struct page *page, struct version version)
{
	if (page->nr == page->room) {
		page->room = page->room ? page->room * 2 : 4;
		page->versions = realloc(page->versions, page->room * sizeof(*page->versions));
	}
	page->versions[page->nr++] = version;
}

void page_set_access(struct page *page, unsigned int access)
{
	struct version version = *page_now(page);

	version.access = access;
	page_becomes(page, version);
}

static bool version_may_hold(const struct version *v, unsigned int word, uint64_t value)
{
	if (v->lazy && !value)
		return true;
	switch (v->content) {
	case CONTENT_ZERO:
		return !value;
	case CONTENT_STAMP:
		return value == v->value * WORDS + word;
	default:
		return true;
	}
}

bool page_may_hold(const struct page *page, unsigned int first, unsigned int word, uint64_t value)
{
	unsigned int i;

	for (i = first; i < page->nr; i++)
		if (version_may_hold(&page->versions[i], word, value))
			return true;
	return false;
}

bool page_had_access(const struct page *page, unsigned int first, unsigned int access)
{
	unsigned int i;

	for (i = first; i < page->nr; i++)
		if (page->versions[i].access & access)
			return true;
	return false;
}

bool page_had_reason(const struct page *page, unsigned int first, unsigned int access,
		     unsigned int reason)
{
	unsigned int i, had;

	for (i = first; i < page->nr; i++) {
		had = page->versions[i].access;
		if (had & access)
			continue;
		if (reason == (had & ACCESS_MAPPED ? USRPCI_REFUSAL_PROTECTED :
						     USRPCI_REFUSAL_UNMAPPED))
			return true;
	}
	return false;
}

static uint64_t hash(const uint64_t *words)
{
	uint64_t sum = 1;
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		sum = (sum ^ words[i]) * 0x9e3779b97f4a7c15;
	return sum;
}

bool page_is_right(const struct page *page, const void *at)
{
	const struct version *v = page_now(page);
	const uint64_t *words = at;
	unsigned int i;

	if (v->content == CONTENT_HASH)
		return v->lazy || hash(words) == v->value;
	for (i = 0; i < WORDS; i++)
		if (!version_may_hold(v, i, words[i]))
			return false;
	return true;
}

struct version page_look(const void *at, unsigned int access)
{
	const uint64_t *words = at;
	struct version v = { .content = CONTENT_STAMP, .access = access };
	struct page page = { .versions = &v, .nr = 1 };

	v.value = words[0] / WORDS;
	if (!words[0])
		v.content = CONTENT_ZERO;
	if (!page_is_right(&page, at)) {
		v.content = CONTENT_HASH;
		v.value = hash(words);
	}
	return v;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include "tlb_server.h"

#define PAGE	4096ULL
/* The words of htex's records; other devices may have others. */
#define WORDS	2U

static uint64_t mask_of(const struct usrpci_field *field)
{
	return field->width == 64 ? UINT64_MAX : (1ULL << field->width) - 1;
}

static uint64_t get(const uint64_t *words, struct usrpci_field field)
{
	return (words[field.bit / 64] >> field.bit % 64 & mask_of(&field)) << field.shift;
}

static void put(uint64_t *words, struct usrpci_field field, uint64_t value)
{
	words[field.bit / 64] |= (value >> field.shift & mask_of(&field)) << field.bit % 64;
}

static uint64_t reg_read(struct tlb_server *server, struct usrpci_reg_place reg)
{
	uint64_t value = 0;

	usrpci_bar_read(server->dev, reg.bar, reg.offset, reg.width, &value);
	return value;
}

static void reg_write(struct tlb_server *server, struct usrpci_reg_place reg, uint64_t value)
{
	usrpci_bar_write(server->dev, reg.bar, reg.offset, reg.width, value);
}

static void command(struct tlb_server *server, const struct usrpci_tlb_command *command,
		    uint64_t arg)
{
	uint64_t value = command->value;

	if (command->arg.width)
		put(&value, command->arg, arg);
	reg_write(server, command->reg, value);
}

static bool next_in_fifo(struct tlb_server *server, uint64_t *words)
{
	struct usrpci_reg_place reg = server->tlb.misses.reg;

	words[0] = reg_read(server, reg);
	if (!get(words, server->tlb.misses.valid))
		return false;
	reg.offset += reg.width;
	words[1] = reg_read(server, reg);
	return true;
}

static bool next_in_ring(struct tlb_server *server, uint64_t *words)
{
	const uint32_t size = server->tlb.misses.ring_entries;
	const volatile uint64_t *record = server->ring + (size_t)WORDS * (server->taken % size);

	words[0] = le64toh(record[0]);
	if (get(words, server->tlb.misses.valid) == (server->taken / size & 1))
		return false;
	usrpci_rmb();
	words[1] = le64toh(record[1]);
	reg_write(server, server->tlb.misses.reg, ++server->taken);
	return true;
}

/* One that may be written can be read too. */
static struct tlb_page *find_page(struct tlb_server *server, uint64_t addr, bool write)
{
	unsigned int i;

	for (i = server->nr_pages; i--; )
		if (server->pages[i].addr == addr && (server->pages[i].write || !write))
			return &server->pages[i];
	return NULL;
}

static struct tlb_page *map_page(struct tlb_server *server, uint64_t addr, bool write)
{
	struct tlb_page *page = &server->pages[server->nr_pages];
	struct usrpci_sg sg;
	struct usrpci_mapping map = {
		.addr = (void *)(uintptr_t)addr,
		.len = PAGE,
		.direction = write ? USRPCI_DMA_BOTH : USRPCI_DMA_TO_DEVICE,
		.sg = &sg,
		.nr_sg = 1,
	};

	if (server->nr_pages == TLB_SERVER_PAGES || usrpci_map(server->dev, &map, 1))
		return NULL;
	*page = (struct tlb_page){
		.addr = addr, .bus = sg.bus_addr, .handle = map.handle, .write = write,
	};
	server->nr_pages++;
	return page;
}

/* What may be written is mapped for that at once. */
static struct tlb_page *get_page(struct tlb_server *server, uint64_t addr, bool write)
{
	struct tlb_page *page = find_page(server, addr, write);

	if (!page)
		page = map_page(server, addr, true);
	if (!page && !write)
		page = map_page(server, addr, false);
	return page;
}

static void fill(struct tlb_server *server, uint32_t number, const struct tlb_page *page,
		 uint64_t tag)
{
	const struct usrpci_tlb_entries *entries = &server->tlb.entries;
	struct usrpci_reg_place reg = entries->reg;
	uint64_t words[WORDS] = { 0 };

	put(words, entries->addr, page->addr);
	put(words, entries->bus, page->bus);
	put(words, entries->tag, tag);
	put(words, entries->write, page->write);
	put(words, entries->valid, 1);
	reg.offset += (uint64_t)number * entries->stride;
	reg.offset += reg.width;
	reg_write(server, reg, words[1]);
	reg.offset -= reg.width;
	reg_write(server, reg, words[0]);
}

static uint32_t choose_entry(struct tlb_server *server, const uint64_t *words)
{
	if (server->tlb.misses.entry.width)
		return (uint32_t)get(words, server->tlb.misses.entry);
	return server->next_entry++ % server->tlb.entries.nr;
}

static void serve(struct tlb_server *server, const uint64_t *words)
{
	const struct usrpci_tlb_misses *misses = &server->tlb.misses;
	const uint64_t addr = get(words, misses->addr) & ~(PAGE - 1);
	const struct tlb_page *page = get_page(server, addr, get(words, misses->write));

	server->tags |= 1U << get(words, misses->tag);
	if (!page) {
		server->refused++;
		command(server, &server->tlb.refuse, get(words, misses->id));
		return;
	}
	server->served++;
	fill(server, choose_entry(server, words), page, get(words, misses->tag));
	command(server, &server->tlb.go_on, get(words, misses->id));
}

static void *serve_all(void *arg)
{
	struct tlb_server *server = arg;
	uint64_t words[WORDS];

	while (!server->end) {
		command(server, &server->tlb.ack, 0);
		while (server->ring ? next_in_ring(server, words) : next_in_fifo(server, words))
			serve(server, words);
		usleep(50);
	}
	return NULL;
}

void tlb_server_start(struct tlb_server *server, struct usrpci_device *dev,
		      const struct usrpci_tlb *tlb, const void *ring)
{
	*server = (struct tlb_server){ .dev = dev, .tlb = *tlb, .ring = ring };
	assert_int_equal(tlb->misses.words, WORDS);
	assert_int_equal(tlb->entries.words, WORDS);
	server->pages = calloc(TLB_SERVER_PAGES, sizeof(*server->pages));
	assert_non_null(server->pages);
	assert_int_equal(pthread_create(&server->thread, NULL, serve_all, server), 0);
}

void tlb_server_stop(struct tlb_server *server)
{
	unsigned int i;

	server->end = true;
	assert_int_equal(pthread_join(server->thread, NULL), 0);
	for (i = 0; i < server->tlb.tags; i++)
		command(server, &server->tlb.invalidate_tag, i);
	while ((reg_read(server, server->tlb.done) & server->tlb.done_mask) !=
	       server->tlb.done_value)
		;
	for (i = 0; i < server->nr_pages; i++)
		assert_int_equal(usrpci_unmap(server->dev, &server->pages[i].handle, 1), 0);
	free(server->pages);
}

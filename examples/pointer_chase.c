// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
// A device follows the program's own pointers while the program goes on: pointer_chase sim:htex
#include <err.h>
#include <errno.h>
#include <htex/htex.h>
#include <stdio.h>
#include <stdlib.h>
#include <usrpci.h>

#define NODES	1000000

/* As htex reads it. */
struct node {
	struct node *next;
	uint64_t value;
};

static struct htex *htex;

static void check(const char *what, int err)
{
	char why[512] = "memory is short";

	if (err >= 0)
		return;
	if (htex)
		usrpci_explain(htex_device(htex), err, why, sizeof(why));
	errx(1, "%s: %s", what, why);
}

/* In front of a list. */
static struct node *add(struct node *list, uint64_t value)
{
	struct node *node = malloc(sizeof(*node));

	check("memory", node ? 0 : -ENOMEM);
	*node = (struct node){ .next = list, .value = value };
	return node;
}

static void drop(struct node *list)
{
	while (list) {
		struct node *next = list->next;

		free(list);
		list = next;
	}
}

static void open_device(const char *address)
{
	char why[512] = "it's no htex device; run: usrpci list";
	int err = htex_open(&htex, address, NULL);

	if (!err)
		return;
	if (err != -ENOTSUP)
		usrpci_explain_open(address, err, why, sizeof(why));
	errx(1, "%s", why);
}

/* The device may be given any of this process's pointers from then on. */
static struct usrpci_space *bind_space(void)
{
	struct usrpci_space *space;
	struct usrpci_tlb tlb;

	htex_tlb(htex, &tlb);
	check("TLB", usrpci_tlb_describe(htex_device(htex), &tlb, 0));
	check("bind", usrpci_space_bind(htex_device(htex), NULL, &space));
	return space;
}

static void tell(struct usrpci_space *space, const struct htex_result *result, uint64_t counted)
{
	struct usrpci_refusal refusal;

	printf("%ju nodes, %ju misses; meanwhile another list got %ju\n",
	       (uintmax_t)result->progress, (uintmax_t)result->misses, (uintmax_t)counted);
	while (!usrpci_space_refusal(space, &refusal))
		printf("no translation of %#jx: %s\n", (uintmax_t)refusal.addr,
		       usrpci_refusal_name(refusal.reason));
}

int main(int argc, char **argv)
{
	struct node *list = NULL, *other = NULL;
	uint64_t i, sum = 0, counted = 0;
	struct usrpci_space *space;
	struct htex_result result;
	int engine, err;

	for (i = 0; i < NODES; i++) {
		list = add(list, i * i);
		sum += i * i;
	}
	open_device(argc > 1 ? argv[1] : "sim:htex");
	space = bind_space();
	engine = htex_start(htex, &(struct htex_job){
		.kind = HTEX_LIST, .tag = usrpci_space_tag(space), .source = list,
	});
	check("start", engine);
	fprintf(stderr, "the device walks %d nodes\n", NODES);
	do {
		other = add(other, ++counted);
		err = htex_wait(htex, (unsigned int)engine, 1, &result);
	} while (err == -ETIMEDOUT);
	check("wait", err);
	tell(space, &result, counted);
	printf("the device's sum is %ju, the program's %ju\n", (uintmax_t)result.result,
	       (uintmax_t)sum);
	usrpci_space_close(space);
	htex_close(htex);
	drop(list);
	drop(other);
	return result.result != sum;
}

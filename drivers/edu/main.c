// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* usrpci-edu: tries out all that an edu device can do. */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "edu.h"

#define EXIT_WRONG	1
#define EXIT_USAGE	2

/**
 * struct trial - What was asked for and how it went.
 * @edu: the device
 * @json: results, NULL when they are for people
 * @ok: all was right so far
 * @polled: there are no interrupts to count
 */
struct trial {
	struct edu *edu;
	struct json_object *json;
	bool ok;
	bool polled;
};

static const char * const irq_names[] = {
	[USRPCI_NO_IRQ] = "poll",
	[USRPCI_INTX] = "intx",
	[USRPCI_MSI] = "msi",
};

static void usage(FILE *to)
{
	fputs("usage: usrpci-edu ADDRESS [--irq intx|msi|poll] [--json]\n"
	      "Computes factorials on a QEMU edu device, copies memory to it and back, and\n"
	      "counts its interrupts (MSI unless --irq says otherwise). ADDRESS is that of a function,\n"
	      "0000:00:04.0, or of one that is played: sim:edu, vfio-user:PATH.\n"
	      "Exit status: 0 all is right, 1 something isn't, 2 wrong usage.\n", to);
}

/**
 * struct step - One thing that is tried.
 * @name: in JSON
 * @title: for people
 * @expected: interrupts that it should raise
 * @before: interrupts so far
 */
struct step {
	const char *name;
	const char *title;
	uint64_t expected;
	uint64_t before;
};

static struct json_object *result_json(bool ok, uint64_t interrupts, int err)
{
	struct json_object *result = json_object_new_object();

	json_object_object_add(result, "ok", json_object_new_boolean(ok));
	json_object_object_add(result, "interrupts", json_object_new_int64((int64_t)interrupts));
	if (err)
		json_object_object_add(result, "error", json_object_new_string(strerror(-err)));
	return result;
}

/* One line, or one member of the JSON object. */
static void report(struct trial *trial, const struct step *step, int err)
{
	uint64_t got = edu_interrupts(trial->edu) - step->before;
	bool ok = !err && (trial->polled || got == step->expected);

	trial->ok = trial->ok && ok;
	if (trial->json) {
		json_object_object_add(trial->json, step->name, result_json(ok, got, err));
		return;
	}
	printf("%-28s %s", step->title, ok ? "ok" : "WRONG");
	if (err)
		printf(": %s", strerror(-err));
	else if (!trial->polled)
		printf(", %ju interrupt%s", (uintmax_t)got, got == 1 ? "" : "s");
	putchar('\n');
}

static void try_liveness(struct trial *trial)
{
	const struct step step = {
		"liveness", "liveness", 0, edu_interrupts(trial->edu)
	};

	report(trial, &step, edu_liveness(trial->edu, 0x12345678));
}

static void try_factorials(struct trial *trial)
{
	const struct step step = {
		"factorials", "factorials of 0 to 12", 13, edu_interrupts(trial->edu)
	};
	uint32_t expected = 1, got = 0;
	unsigned int n;
	int err = 0;

	for (n = 0; n <= 12 && !err; n++) {
		expected *= n ? n : 1;
		err = edu_factorial(trial->edu, n, &got);
		if (!err && got != expected)
			err = -EBADMSG;
	}
	report(trial, &step, err);
}

static void fill(unsigned char *buf, size_t len, unsigned int seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = (unsigned char)(i * 7 + (i >> 8) + seed);
}

static int dma_out(struct trial *trial, const unsigned char *buf)
{
	const struct step step = {
		"dma_to_device", "DMA to the device", 1, edu_interrupts(trial->edu)
	};
	int err;

	err = edu_dma_to_device(trial->edu, buf, 0, EDU_BUFFER_LEN);
	report(trial, &step, err);
	return err;
}

static void dma_in(struct trial *trial, unsigned char *buf, const unsigned char *expected)
{
	const struct step step = {
		"dma_from_device", "DMA back, compared", 1, edu_interrupts(trial->edu)
	};
	int err;

	err = edu_dma_from_device(trial->edu, buf, 0, EDU_BUFFER_LEN);
	if (!err && memcmp(buf, expected, EDU_BUFFER_LEN) != 0)
		err = -EBADMSG;
	report(trial, &step, err);
}

/* Each buffer lies in one page, and so is one DMA. */
static void try_dma(struct trial *trial)
{
	static unsigned char out[4096] __attribute__((aligned(4096)));
	static unsigned char in[4096] __attribute__((aligned(4096)));

	fill(out, EDU_BUFFER_LEN, 1);
	if (!dma_out(trial, out))
		dma_in(trial, in, out);
}

static void introduce(struct trial *trial, enum usrpci_irq irq)
{
	struct usrpci_info info;
	uint32_t id = edu_id(trial->edu);
	const char *isolation;
	char version[16];

	snprintf(version, sizeof(version), "%u.%u", id >> 24, id >> 16 & 0xff);
	if (usrpci_info(edu_device(trial->edu), &info))
		return;
	isolation = usrpci_isolation_name(info.isolation);
	if (trial->json) {
		json_object_object_add(trial->json, "device", json_object_new_string(info.bdf));
		json_object_object_add(trial->json, "version", json_object_new_string(version));
		json_object_object_add(trial->json, "irq", json_object_new_string(irq_names[irq]));
		json_object_object_add(trial->json, "isolation",
				       json_object_new_string(isolation));
		return;
	}
	printf("edu %s at %s: %s, isolation %s\n", version, info.bdf,
	       irq == USRPCI_NO_IRQ ? "polled" : irq == USRPCI_MSI ? "MSI" : "INTx", isolation);
}

static void explain(const char *address, enum usrpci_irq irq, int err)
{
	char why[512], bdf[USRPCI_BDF_LEN];

	if (err == -ENOTSUP)
		snprintf(why, sizeof(why),
			 "%s is no edu device, or has no such interrupt (%s); run: %s",
			 address, irq_names[irq],
			 usrpci_parse_bdf(address, bdf) ? "usrpci-sim --list" : "usrpci list");
	else if (err == -EIO)
		snprintf(why, sizeof(why),
			 "%s can't be reset, or needs memory below 256 MiB, which this kernel can't give; %s",
			 address, "boot with an IOMMU and run: usrpci-edu");
	else
		usrpci_explain_open(address, err, why, sizeof(why));
	fprintf(stderr, "usrpci-edu: %s\n", why);
}

static int run(const char *address, enum usrpci_irq irq, bool json)
{
	struct trial trial = { .ok = true, .polled = irq == USRPCI_NO_IRQ };
	int err;

	err = edu_open(&trial.edu, address, irq);
	if (err) {
		explain(address, irq, err);
		return EXIT_WRONG;
	}
	trial.json = json ? json_object_new_object() : NULL;
	introduce(&trial, irq);
	try_liveness(&trial);
	try_factorials(&trial);
	try_dma(&trial);
	if (json) {
		json_object_object_add(trial.json, "ok", json_object_new_boolean(trial.ok));
		puts(json_object_to_json_string_ext(trial.json, JSON_C_TO_STRING_PRETTY));
		json_object_put(trial.json);
	}
	edu_close(trial.edu);
	return trial.ok ? 0 : EXIT_WRONG;
}

static int parse_irq(const char *name, enum usrpci_irq *irq)
{
	unsigned int i;

	for (i = 0; i < sizeof(irq_names) / sizeof(irq_names[0]); i++) {
		if (!strcasecmp(name, irq_names[i])) {
			*irq = (enum usrpci_irq)i;
			return 0;
		}
	}
	fprintf(stderr, "usrpci-edu: --irq takes intx, msi or poll, not \"%s\"; run: %s\n",
		name, "usrpci-edu --help");
	return -EINVAL;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "irq", required_argument, NULL, 'i' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ },
	};
	enum usrpci_irq irq = USRPCI_MSI;
	bool json = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (opt) {
		case 'i':
			if (parse_irq(optarg, &irq))
				return EXIT_USAGE;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind != argc - 1) {
		usage(stderr);
		return EXIT_USAGE;
	}
	return run(argv[optind], irq, json);
}

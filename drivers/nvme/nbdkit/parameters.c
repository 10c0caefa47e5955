// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#define NBDKIT_API_VERSION	2
#include <nbdkit-plugin.h>
#include <string.h>
#include "parameters.h"

#define MAX_QUEUES	1024U
#define MAX_DEPTH	1024U
#define MAX_SECONDS	3600U
#define MAX_COPY	(128U << 10)

const char parameters_help[] =
	"device=ADDRESS   (required) the disk: 0000:00:04.0, sim:nvme, vfio-user:PATH\n"
	"namespace=N      its namespace (the first one)\n"
	"queues=N         requests at once, if the disk can do as many (16)\n"
	"depth=N          commands at once, of a request that takes several (64)\n"
	"copy=SIZE        requests up to it are copied, larger ones mapped; 0 to 128K (32K)\n"
	"irq=TYPE         msix, msi or intx (the best there is), or poll\n"
	"timeout=SECONDS  how long a command may take, before it's aborted (30)";

static const struct {
	const char *name;
	enum nvme_irq irq;
} irqs[] = {
	{ "best", NVME_BEST_IRQ },
	{ "poll", NVME_POLLED },
	{ "intx", NVME_INTX },
	{ "msi", NVME_MSI },
	{ "msix", NVME_MSIX },
};

static int set_irq(struct parameters *parameters, const char *value)
{
	unsigned int i;

	for (i = 0; i < sizeof(irqs) / sizeof(irqs[0]); i++) {
		if (strcmp(irqs[i].name, value))
			continue;
		parameters->open.irq = irqs[i].irq;
		return 0;
	}
	nbdkit_error("irq takes best, msix, msi, intx or poll, not \"%s\"", value);
	return -1;
}

/* From 1 on; nbdkit says what is no number. */
static int set_number(const char *key, const char *value, unsigned int most, unsigned int *number)
{
	if (nbdkit_parse_unsigned(key, value, number))
		return -1;
	if (*number && *number <= most)
		return 0;
	nbdkit_error("%s takes 1 to %u, not \"%s\"", key, most, value);
	return -1;
}

static int set_timeout(struct parameters *parameters, const char *value)
{
	unsigned int seconds;
	int err = set_number("timeout", value, MAX_SECONDS, &seconds);

	if (!err)
		parameters->open.timeout_ms = seconds * 1000;
	return err;
}

static int set_copy(struct parameters *parameters, const char *value)
{
	int64_t size = nbdkit_parse_size(value);

	if (size < 0)
		return -1;
	parameters->open.copy = (size_t)size;
	if (size <= MAX_COPY)
		return 0;
	nbdkit_error("copy takes 0 to %uK, not \"%s\"", MAX_COPY >> 10, value);
	return -1;
}

int parameters_set(struct parameters *parameters, const char *key, const char *value)
{
	struct nvme_options *open = &parameters->open;

	if (!strcmp(key, "device")) {
		parameters->device = value;
		return 0;
	}
	if (!strcmp(key, "namespace"))
		return set_number(key, value, UINT32_MAX - 1, &open->nsid);
	if (!strcmp(key, "queues"))
		return set_number(key, value, MAX_QUEUES, &open->queues);
	if (!strcmp(key, "depth"))
		return set_number(key, value, MAX_DEPTH, &open->depth);
	if (!strcmp(key, "copy"))
		return set_copy(parameters, value);
	if (!strcmp(key, "irq"))
		return set_irq(parameters, value);
	if (!strcmp(key, "timeout"))
		return set_timeout(parameters, value);
	nbdkit_error("no parameter \"%s\"; there are device, namespace, queues, depth, copy, irq "
		     "and timeout", key);
	return -1;
}

int parameters_check(const struct parameters *parameters)
{
	if (parameters->device && *parameters->device)
		return 0;
	nbdkit_error("which disk? give device=ADDRESS; \"usrpci list\" shows what there is");
	return -1;
}

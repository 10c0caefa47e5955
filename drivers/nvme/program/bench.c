// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include "commands.h"
#include "disk.h"
#include "irq.h"
#include "json.h"

static double per_second(uint64_t what, uint64_t ns)
{
	return ns ? (double)what * 1e9 / (double)ns : 0;
}

static double microseconds(uint64_t ns)
{
	return (double)ns / 1e3;
}

static void print_json(const struct options *options, const struct nvme_info *info,
		       const struct nvme_figures *figures)
{
	const struct nvme_bench *bench = &options->bench;
	struct json_object *json = json_object_new_object();

	json_add_text(json, "device", options->address);
	json_add_text(json, "op", bench->op == NVME_WRITE ? "write" : "read");
	json_add_text(json, "order", bench->random ? "random" : "sequential");
	json_add_text(json, "irq", irq_name(info->irq));
	json_add_number(json, "size", bench->size);
	json_add_number(json, "queues", info->queues);
	json_add_number(json, "depth", info->depth);
	json_add_number(json, "commands", figures->commands);
	json_add_number(json, "bytes", figures->bytes);
	json_add_number(json, "ns", figures->ns);
	json_add_rate(json, "iops", per_second(figures->commands, figures->ns));
	json_add_rate(json, "mb_per_s", per_second(figures->bytes, figures->ns) / 1e6);
	json_add_number(json, "latency_min_ns", figures->latency_min);
	json_add_number(json, "latency_avg_ns", figures->latency_avg);
	json_add_number(json, "latency_p50_ns", figures->latency_p50);
	json_add_number(json, "latency_p90_ns", figures->latency_p90);
	json_add_number(json, "latency_p99_ns", figures->latency_p99);
	json_add_number(json, "latency_p999_ns", figures->latency_p999);
	json_add_number(json, "latency_max_ns", figures->latency_max);
	json_print(json);
}

static void print_text(const struct options *options, const struct nvme_info *info,
		       const struct nvme_figures *figures)
{
	const struct nvme_bench *bench = &options->bench;

	printf("%s %s, %" PRIu64 " bytes a command, %u at once in %s%u queue%s, %s\n",
	       bench->random ? "random" : "sequential",
	       bench->op == NVME_WRITE ? "writes" : "reads", bench->size, info->depth,
	       info->queues > 1 ? "each of " : "", info->queues, info->queues > 1 ? "s" : "",
	       irq_name(info->irq));
	printf("%.0f IOPS, %.1f MB/s\n", per_second(figures->commands, figures->ns),
	       per_second(figures->bytes, figures->ns) / 1e6);
	printf("latency in us: min %.1f, avg %.1f, p50 %.1f, "
	       "p90 %.1f, p99 %.1f, p99.9 %.1f, max %.1f\n",
	       microseconds(figures->latency_min), microseconds(figures->latency_avg),
	       microseconds(figures->latency_p50), microseconds(figures->latency_p90),
	       microseconds(figures->latency_p99), microseconds(figures->latency_p999),
	       microseconds(figures->latency_max));
}

static enum status explain(struct nvme *nvme, const struct options *options, int err)
{
	const struct nvme_info *info = nvme_info(nvme);

	switch (err) {
	case -EINVAL:
		return complain(STATUS_FAILED, "--block-size must be whole blocks of %u bytes, "
				"up to %" PRIu64 "; run: usrpci-nvme identify %s", info->block_size,
				info->max_transfer, options->address);
	case -ENOMEM:
		return complain(STATUS_FAILED, "too little memory for %u queues of %u times %"
				PRIu64 " bytes; run: usrpci-nvme bench %s --depth 1", info->queues,
				info->depth, options->bench.size, options->address);
	default:
		return disk_complain(nvme, "bench", err);
	}
}

static enum status run(struct nvme *nvme, const struct options *options)
{
	struct nvme_figures figures;
	int err;

	err = nvme_bench(nvme, &options->bench, &figures);
	if (err)
		return explain(nvme, options, err);
	if (options->json)
		print_json(options, nvme_info(nvme), &figures);
	else
		print_text(options, nvme_info(nvme), &figures);
	return STATUS_OK;
}

const struct subcommand bench_command = {
	.name = "bench",
	.takes = "diqpsStrwj",
	.run = run,
};

// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* usrpci-nvme: reads, writes, measures and identifies NVMe disks. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>
#include "nvme.h"

#define EXIT_FAILED	1
#define EXIT_USAGE	2

#define BUFFER_LEN	(8U << 20)
#define PROGRESS_MS	200

/**
 * struct request - What the command line asked for.
 * @address: the disk
 * @options: how to open it
 * @offset: bytes from its start
 * @length: bytes, UINT64_MAX: to its end
 * @path: file, NULL or "-" for standard input or output
 * @bench: what to measure
 * @json: results for programs
 * @progress: show it though nobody may look
 */
struct request {
	const char *address;
	struct nvme_options options;
	uint64_t offset;
	uint64_t length;
	const char *path;
	struct nvme_bench bench;
	bool json;
	bool progress;
};

/**
 * struct progress - How far a copy has come.
 * @total: bytes, 0 if unknown
 * @shown: when it was shown last, in ms
 * @on: it's to be shown
 * @drawn: it was
 */
struct progress {
	uint64_t total;
	int64_t shown;
	bool on;
	bool drawn;
};

static const char * const irq_names[] = {
	[NVME_BEST_IRQ] = "best",
	[NVME_POLLED] = "poll",
	[NVME_INTX] = "intx",
	[NVME_MSI] = "msi",
	[NVME_MSIX] = "msix",
};

static void usage(FILE *to)
{
	fputs("usage: usrpci-nvme identify BDF [--json]\n"
	      "       usrpci-nvme read BDF [--offset N] [--length N] [--output FILE]\n"
	      "       usrpci-nvme write BDF [--offset N] [--length N] [--input FILE]\n"
	      "       usrpci-nvme bench BDF [--size N] [--seconds N] [--random] [--write] [--json]\n"
	      "Reads, writes, measures or describes an NVMe disk that is bound to usrpci.\n"
	      "\n"
	      "  --offset N      bytes from the disk's start (0)\n"
	      "  --length N      bytes (to the disk's end, or the input's)\n"
	      "  --output FILE   where to, \"-\" for standard output (the default)\n"
	      "  --input FILE    where from, \"-\" for standard input (the default)\n"
	      "  --size N        bytes of a command (4K)\n"
	      "  --seconds N     how long to measure (5)\n"
	      "  --random        at random places instead of one after the other\n"
	      "  --write         measure writing: DESTROYS what is on the disk\n"
	      "  --depth N       most commands at once (64)\n"
	      "  --irq[=TYPE]    wait for interrupts: msix, msi or intx (the best there is)\n"
	      "  --poll          don't wait, look\n"
	      "  --progress      show progress on stderr even if it is no terminal\n"
	      "  --json          for programs\n"
	      "\n"
	      "Numbers of bytes may end in K, M, G or T (1024 each).\n"
	      "Exit status: 0 done, 1 failed, 2 wrong usage.\n", to);
}

__attribute__((format(printf, 1, 2)))
static void complain(const char *format, ...)
{
	va_list args;

	fputs("usrpci-nvme: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* Complains of a call on an open disk. */
static int complain_of(struct nvme *nvme, const char *what, int err)
{
	struct usrpci_info pci = { };
	char why[512];

	usrpci_info(nvme_device(nvme), &pci);
	if (err == -EINVAL)
		complain("%s: past the end of the disk; run: usrpci-nvme identify %s", what,
			 pci.bdf);
	else if (err == -EROFS)
		complain("%s: the disk is write-protected; run: usrpci-nvme identify %s", what,
			 pci.bdf);
	else if (usrpci_explain(nvme_device(nvme), err, why, sizeof(why)) > 0)
		complain("%s: %s", what, why);
	else
		complain("%s: %s; run: dmesg", what, strerror(-err));
	return EXIT_FAILED;
}

static int open_disk(const struct request *request, struct nvme **nvmep)
{
	const char *address = request->address;
	char why[512];
	int err;

	err = nvme_open(nvmep, address, &request->options);
	switch (err) {
	case 0:
		return 0;
	case -ENOTSUP:
		complain("%s is no NVMe disk of a known kind, or has no such interrupt; run: %s",
			 address, "usrpci list");
		break;
	case -ETIMEDOUT:
	case -EIO:
		complain("%s doesn't become ready; run: usrpci info %s", address, address);
		break;
	default:
		usrpci_explain_open(address, err, why, sizeof(why));
		complain("%s", why);
	}
	return EXIT_FAILED;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void progress_start(struct progress *progress, const struct request *request,
			   uint64_t total)
{
	progress->total = total;
	progress->on = request->progress || isatty(STDERR_FILENO);
	/* Short work needs none. */
	progress->shown = now_ms() + (request->progress ? 0 : 1000);
}

static void progress_show(struct progress *progress, uint64_t done)
{
	int64_t now = now_ms();
	int width;

	if (!progress->on || now < progress->shown + PROGRESS_MS)
		return;
	progress->shown = now;
	progress->drawn = true;
	if (!progress->total) {
		fprintf(stderr, "\r%" PRIu64 " MiB", done >> 20);
		return;
	}
	width = (int)(done * 40 / progress->total);
	fprintf(stderr, "\r[%.*s%*s] %3u%% of %" PRIu64 " MiB", width,
		"########################################", 40 - width, "",
		(unsigned int)(done * 100 / progress->total), progress->total >> 20);
}

static void progress_end(struct progress *progress)
{
	if (progress->drawn)
		fputc('\n', stderr);
}

static int write_all(int fd, const char *buf, size_t len)
{
	ssize_t did;

	while (len) {
		did = write(fd, buf, len);
		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0)
			return -errno;
		buf += did;
		len -= (size_t)did;
	}
	return 0;
}

/* Reads till @len bytes or the end are there. */
static ssize_t read_all(int fd, char *buf, size_t len)
{
	size_t have = 0;
	ssize_t did;

	while (have < len) {
		did = read(fd, buf + have, len - have);
		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0)
			return -errno;
		if (!did)
			break;
		have += (size_t)did;
	}
	return (ssize_t)have;
}

static int open_file(const char *path, bool output)
{
	int fd;

	if (!path || !strcmp(path, "-"))
		return output ? STDOUT_FILENO : STDIN_FILENO;
	fd = output ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) :
		      open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		complain("%s: %s; run: ls -ld %s", path, strerror(errno), path);
	return fd;
}

static int close_file(int fd, const char *path)
{
	if (fd <= STDERR_FILENO || !close(fd))
		return 0;
	complain("%s: %s; run: df %s", path, strerror(errno), path);
	return EXIT_FAILED;
}

static int copy_out(struct nvme *nvme, const struct request *request, uint64_t length, char *buf,
		    int fd)
{
	struct progress progress = { };
	uint64_t done = 0;
	size_t part;
	int err;

	progress_start(&progress, request, length);
	while (done < length) {
		part = length - done < BUFFER_LEN ? (size_t)(length - done) : BUFFER_LEN;
		err = nvme_read(nvme, request->offset + done, buf, part);
		if (err)
			return complain_of(nvme, "reading", err);
		err = write_all(fd, buf, part);
		if (err) {
			complain("writing the output: %s; run: df", strerror(-err));
			return EXIT_FAILED;
		}
		done += part;
		progress_show(&progress, done);
	}
	progress_end(&progress);
	return 0;
}

static int copy_in(struct nvme *nvme, const struct request *request, uint64_t length, char *buf,
		   int fd)
{
	struct progress progress = { };
	uint64_t done = 0;
	ssize_t got;
	int err;

	progress_start(&progress, request, length == UINT64_MAX ? 0 : length);
	while (done < length) {
		got = read_all(fd, buf, length - done < BUFFER_LEN ? (size_t)(length - done) :
								     BUFFER_LEN);
		if (got < 0) {
			complain("reading the input: %s; run: usrpci-nvme --help",
				 strerror((int)-got));
			return EXIT_FAILED;
		}
		if (!got)
			break;
		err = nvme_write(nvme, request->offset + done, buf, (size_t)got);
		if (err)
			return complain_of(nvme, "writing", err);
		done += (uint64_t)got;
		progress_show(&progress, done);
	}
	progress_end(&progress);
	err = nvme_flush(nvme);
	return err ? complain_of(nvme, "flushing", err) : 0;
}

static uint64_t disk_size(const struct nvme *nvme)
{
	return nvme_info(nvme)->blocks * nvme_info(nvme)->block_size;
}

/* The part of the disk that was asked for; all that follows if no length was. */
static int check_range(struct nvme *nvme, const struct request *request, uint64_t *length)
{
	uint64_t size = disk_size(nvme);

	*length = request->length;
	if (request->offset > size ||
	    (*length != UINT64_MAX && *length > size - request->offset))
		return complain_of(nvme, "--offset and --length", -EINVAL);
	if (*length == UINT64_MAX)
		*length = size - request->offset;
	return 0;
}

static int with_buffer(struct nvme *nvme, const struct request *request, uint64_t length,
		       bool output)
{
	int fd, status;
	char *buf;

	fd = open_file(request->path, output);
	if (fd < 0)
		return EXIT_FAILED;
	buf = aligned_alloc(4096, BUFFER_LEN);
	if (!buf) {
		complain("too little memory; run: free -m");
		status = EXIT_FAILED;
	} else if (output) {
		status = copy_out(nvme, request, length, buf, fd);
	} else {
		status = copy_in(nvme, request, length, buf, fd);
	}
	free(buf);
	return close_file(fd, request->path) ? EXIT_FAILED : status;
}

static int do_read(struct nvme *nvme, const struct request *request)
{
	uint64_t length;
	int status;

	status = check_range(nvme, request, &length);
	return status ? status : with_buffer(nvme, request, length, true);
}

static int do_write(struct nvme *nvme, const struct request *request)
{
	uint64_t length;
	int status;

	status = check_range(nvme, request, &length);
	/* Without a length the input decides, and may turn out too long. */
	return status ? status : with_buffer(nvme, request, request->length, false);
}

static void add_text(struct json_object *json, const char *name, const char *text)
{
	json_object_object_add(json, name, json_object_new_string(text));
}

static void add_number(struct json_object *json, const char *name, uint64_t number)
{
	json_object_object_add(json, name, json_object_new_uint64(number));
}

static void print_json(struct json_object *json)
{
	puts(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(json);
}

static void identify_json(const struct nvme_info *info, const struct usrpci_info *pci,
			  const char *version)
{
	struct json_object *json = json_object_new_object();

	add_text(json, "device", pci->bdf);
	add_text(json, "model", info->model);
	add_text(json, "serial", info->serial);
	add_text(json, "firmware", info->firmware);
	add_text(json, "version", version);
	add_number(json, "namespace", info->nsid);
	add_number(json, "block_size", info->block_size);
	add_number(json, "blocks", info->blocks);
	add_number(json, "bytes", info->blocks * info->block_size);
	add_number(json, "mdts", info->mdts);
	add_number(json, "max_transfer", info->max_transfer);
	add_number(json, "depth", info->depth);
	add_text(json, "irq", irq_names[info->irq]);
	add_text(json, "isolation", usrpci_isolation_name(pci->isolation));
	print_json(json);
}

static int do_identify(struct nvme *nvme, const struct request *request)
{
	const struct nvme_info *info = nvme_info(nvme);
	struct usrpci_info pci;
	char version[24];
	int err;

	err = usrpci_info(nvme_device(nvme), &pci);
	if (err)
		return complain_of(nvme, "identify", err);
	snprintf(version, sizeof(version), "%u.%u.%u", info->version >> 16,
		 info->version >> 8 & 0xff, info->version & 0xff);
	if (request->json) {
		identify_json(info, &pci, version);
		return 0;
	}
	printf("disk        %s at %s\n", info->model, pci.bdf);
	printf("serial      %s\n", info->serial);
	printf("firmware    %s\n", info->firmware);
	printf("NVMe        %s\n", version);
	printf("namespace   %u: %" PRIu64 " blocks of %u bytes, %.1f MiB\n", info->nsid,
	       info->blocks, info->block_size, (double)disk_size(nvme) / (1 << 20));
	printf("a command   up to %" PRIu64 " KiB, %u at once\n", info->max_transfer >> 10,
	       info->depth);
	printf("interrupts  %s\n", irq_names[info->irq]);
	printf("isolation   %s\n", usrpci_isolation_name(pci.isolation));
	return 0;
}

static double per_second(uint64_t what, uint64_t ns)
{
	return ns ? (double)what * 1e9 / (double)ns : 0;
}

static void add_rate(struct json_object *json, const char *name, double rate)
{
	json_object_object_add(json, name, json_object_new_double(rate));
}

static void bench_json(const struct request *request, const struct nvme_info *info,
		       const struct nvme_figures *figures)
{
	struct json_object *json = json_object_new_object();

	add_text(json, "device", request->address);
	add_text(json, "op", request->bench.op == NVME_WRITE ? "write" : "read");
	add_text(json, "order", request->bench.random ? "random" : "sequential");
	add_text(json, "irq", irq_names[info->irq]);
	add_number(json, "size", request->bench.size);
	add_number(json, "depth", info->depth);
	add_number(json, "commands", figures->commands);
	add_number(json, "bytes", figures->bytes);
	add_number(json, "ns", figures->ns);
	add_rate(json, "iops", per_second(figures->commands, figures->ns));
	add_rate(json, "mb_per_s", per_second(figures->bytes, figures->ns) / 1e6);
	add_number(json, "latency_min_ns", figures->latency_min);
	add_number(json, "latency_avg_ns", figures->latency_avg);
	add_number(json, "latency_p50_ns", figures->latency_p50);
	add_number(json, "latency_p99_ns", figures->latency_p99);
	add_number(json, "latency_max_ns", figures->latency_max);
	print_json(json);
}

static void bench_text(const struct request *request, const struct nvme_info *info,
		       const struct nvme_figures *figures)
{
	printf("%s %s, %" PRIu64 " bytes a command, %u at once, %s\n",
	       request->bench.random ? "random" : "sequential",
	       request->bench.op == NVME_WRITE ? "writes" : "reads", request->bench.size,
	       info->depth, irq_names[info->irq]);
	printf("%.0f IOPS, %.1f MB/s\n", per_second(figures->commands, figures->ns),
	       per_second(figures->bytes, figures->ns) / 1e6);
	printf("latency in us: min %.1f, avg %.1f, p50 %.1f, p99 %.1f, max %.1f\n",
	       (double)figures->latency_min / 1e3, (double)figures->latency_avg / 1e3,
	       (double)figures->latency_p50 / 1e3, (double)figures->latency_p99 / 1e3,
	       (double)figures->latency_max / 1e3);
}

static int do_bench(struct nvme *nvme, const struct request *request)
{
	const struct nvme_info *info = nvme_info(nvme);
	struct nvme_figures figures;
	int err;

	err = nvme_bench(nvme, &request->bench, &figures);
	if (err == -EINVAL) {
		complain("--size must be whole blocks of %u bytes, up to %" PRIu64 "; run: %s %s",
			 info->block_size, info->max_transfer, "usrpci-nvme identify",
			 request->address);
		return EXIT_FAILED;
	}
	if (err == -ENOMEM) {
		complain("too little memory for %u times %" PRIu64 " bytes; run: %s %s --depth 1",
			 info->depth, request->bench.size, "usrpci-nvme bench", request->address);
		return EXIT_FAILED;
	}
	if (err)
		return complain_of(nvme, "bench", err);
	if (request->json)
		bench_json(request, info, &figures);
	else
		bench_text(request, info, &figures);
	return 0;
}

/* N, or N with K, M, G or T. */
static int parse_size(const char *text, uint64_t *size)
{
	static const char suffixes[] = "KMGT";
	unsigned long long number;
	const char *suffix;
	unsigned int shift = 0;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 0);
	if (end == text || errno || strchr(text, '-'))
		return -EINVAL;
	if (*end) {
		suffix = strchr(suffixes, *end & ~0x20);
		if (!suffix || end[1])
			return -EINVAL;
		shift = 10 * (unsigned int)(suffix - suffixes + 1);
	}
	if (number > UINT64_MAX >> shift)
		return -EINVAL;
	*size = (uint64_t)number << shift;
	return 0;
}

static int parse_count(const char *text, unsigned int most, unsigned int *count)
{
	uint64_t number;

	if (parse_size(text, &number) || !number || number > most)
		return -EINVAL;
	*count = (unsigned int)number;
	return 0;
}

static int parse_irq(const char *text, enum nvme_irq *irq)
{
	unsigned int i;

	*irq = NVME_BEST_IRQ;
	if (!text)
		return 0;
	for (i = 0; i < sizeof(irq_names) / sizeof(irq_names[0]); i++) {
		if (!strcasecmp(text, irq_names[i])) {
			*irq = (enum nvme_irq)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* Options by the letter that says which commands take them. */
static const struct option long_options[] = {
	{ "offset", required_argument, NULL, 'o' },
	{ "length", required_argument, NULL, 'l' },
	{ "output", required_argument, NULL, 'O' },
	{ "input", required_argument, NULL, 'I' },
	{ "size", required_argument, NULL, 's' },
	{ "seconds", required_argument, NULL, 't' },
	{ "random", no_argument, NULL, 'r' },
	{ "write", no_argument, NULL, 'w' },
	{ "depth", required_argument, NULL, 'd' },
	{ "irq", optional_argument, NULL, 'i' },
	{ "poll", no_argument, NULL, 'p' },
	{ "progress", no_argument, NULL, 'P' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ },
};

static const struct command {
	const char *name;
	const char *options;
	int (*run)(struct nvme *nvme, const struct request *request);
} commands[] = {
	{ "identify", "dipj", do_identify },
	{ "read", "dipolOP", do_read },
	{ "write", "dipolIP", do_write },
	{ "bench", "dipstrwj", do_bench },
};

static int set_option(struct request *request, int option, const char *value)
{
	switch (option) {
	case 'o':
		return parse_size(value, &request->offset);
	case 'l':
		return parse_size(value, &request->length);
	case 'O':
	case 'I':
		request->path = value;
		return 0;
	case 's':
		return parse_size(value, &request->bench.size);
	case 't':
		return parse_count(value, 86400, &request->bench.seconds);
	case 'r':
		request->bench.random = true;
		return 0;
	case 'w':
		request->bench.op = NVME_WRITE;
		return 0;
	case 'd':
		return parse_count(value, 1023, &request->options.depth);
	case 'i':
		return parse_irq(value, &request->options.irq);
	case 'p':
		request->options.irq = NVME_POLLED;
		return 0;
	case 'P':
		request->progress = true;
		return 0;
	default:
		request->json = true;
		return 0;
	}
}

static const struct command *find_command(const char *name)
{
	unsigned int i;

	for (i = 0; name && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	return NULL;
}

static int parse(struct request *request, const struct command *command, int argc, char **argv)
{
	int option, index = 0;

	while ((option = getopt_long(argc, argv, "h", long_options, &index)) != -1) {
		if (option == 'h') {
			usage(stdout);
			exit(0);
		}
		if (option == '?')
			return -EINVAL;
		if (!strchr(command->options, option)) {
			complain("%s doesn't take --%s; run: usrpci-nvme --help", command->name,
				 long_options[index].name);
			return -EINVAL;
		}
		if (set_option(request, option, optarg)) {
			complain("--%s can't be \"%s\"; run: usrpci-nvme --help",
				 long_options[index].name, optarg);
			return -EINVAL;
		}
	}
	if (optind != argc - 1) {
		complain("%s takes one disk; run: usrpci-nvme --help", command->name);
		return -EINVAL;
	}
	request->address = argv[optind];
	return 0;
}

int main(int argc, char **argv)
{
	struct request request = {
		.length = UINT64_MAX,
		.bench = { .size = 4096, .seconds = 5 },
	};
	const struct command *command = find_command(argv[1]);
	struct nvme *nvme;
	int status;

	if (!command) {
		bool help = argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));

		usage(help ? stdout : stderr);
		return help ? 0 : EXIT_USAGE;
	}
	if (parse(&request, command, argc - 1, argv + 1))
		return EXIT_USAGE;
	if (open_disk(&request, &nvme))
		return EXIT_FAILED;
	status = command->run(nvme, &request);
	nvme_close(nvme);
	if (fflush(stdout) || ferror(stdout)) {
		complain("standard output: %s; run: df", strerror(errno));
		return EXIT_FAILED;
	}
	return status;
}

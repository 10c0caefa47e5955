// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * What a device behind a socket costs: a register against a bare round trip between the same
 * two processes, DMA against memcpy, and a map beside many others against one beside few. Rivals
 * take turns, round by round; what's told are medians, and ratios of them.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <json-c/json.h>
#include <nvme/nvme.h>
#include <usrpci.h>
#include "../result.h"
#include "../rounds.h"

#define ROUNDS		31
#define ACCESSES	500
#define PAGE		4096UL
#define DMA_LEN		(4UL << 20)
#define FEW		10U
#define MANY		10000U
#define PROBES		200U

/* Bytes of a message that reads a register, and of its answer: the second comes in two parts. */
#define REQUEST		32
#define HEAD		16
#define REST		20

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void must(int got, const char *what)
{
	if (got < 0)
		errx(1, "%s: %s", what, strerror(-got));
}

static struct json_object *results;

/* Of as many rounds on both sides. */
static void tell(const char *what, const char *subject, double *ours, const char *rival,
		 double *theirs, size_t nr, const char *unit, enum bound bound, double goal)
{
	const struct result result = {
		.group = "socket", .machine = "", .name = what,
		.subject = subject, .rival = rival, .unit = unit,
		.ours = figure_from(ours, nr), .theirs = figure_from(theirs, nr),
		.bound = bound, .goal = goal,
	};

	fprintf(stderr, "  %s: %.2f against %.2f %s\n", what, result.ours.median,
		result.theirs.median, unit);
	result_add(results, &result);
}

/* --- a register --- */

static void take(int fd, char *buf, size_t len)
{
	if (recv(fd, buf, len, MSG_WAITALL) != (ssize_t)len)
		_exit(0);
}

/* The rival's other end: takes and gives as many bytes as the simulator, in as many calls. */
static void echo(int fd)
{
	char in[REQUEST], out[HEAD + REST] = { 0 };

	for (;;) {
		take(fd, in, HEAD);
		take(fd, in + HEAD, REQUEST - HEAD);
		if (send(fd, out, sizeof(out), 0) < 0)
			_exit(0);
	}
}

static double bare(int fd)
{
	char out[REQUEST] = { 0 }, in[HEAD + REST];
	double start = now_us();
	unsigned int i;

	for (i = 0; i < ACCESSES; i++) {
		if (send(fd, out, sizeof(out), 0) < 0)
			errx(1, "the rival has gone");
		take(fd, in, HEAD);
		take(fd, in + HEAD, REST);
	}
	return (now_us() - start) / ACCESSES;
}

static double reads(struct usrpci_regs *regs)
{
	double start = now_us();
	unsigned int i;

	for (i = 0; i < ACCESSES; i++)
		(void)usrpci_regs_read32(regs, 4);
	return (now_us() - start) / ACCESSES;
}

static double writes(struct usrpci_regs *regs)
{
	double start = now_us();
	unsigned int i;

	for (i = 0; i < ACCESSES; i++)
		usrpci_regs_write32(regs, 4, i);
	return (now_us() - start) / ACCESSES;
}

static void bench_registers(struct usrpci_device *edu)
{
	double read[ROUNDS], write[ROUNDS], trip[ROUNDS];
	struct usrpci_regs regs;
	unsigned int i;
	int sockets[2];
	pid_t pid;

	must(usrpci_regs_open(edu, 0, 0, 0, &regs), "registers");
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		err(1, "socketpair");
	pid = fork();
	if (!pid) {
		close(sockets[0]);
		echo(sockets[1]);
	}
	close(sockets[1]);
	for (i = 0; i < ROUNDS; i++) {
		trip[i] = bare(sockets[0]);
		read[i] = reads(&regs);
		write[i] = writes(&regs);
	}
	close(sockets[0]);
	waitpid(pid, NULL, 0);
	tell("register read", "library", read, "bare round trip", trip, ROUNDS, "us", AT_MOST, 1.3);
	tell("register write", "library", write, "bare round trip", trip, ROUNDS, "us", AT_MOST,
	     1.3);
}

/* --- DMA --- */

static double copy_mb_s(void *to, const void *from)
{
	double start = now_us();

	memcpy(to, from, DMA_LEN);
	__asm__ __volatile__("" : : "r"(to) : "memory");
	return DMA_LEN / (now_us() - start);
}

/* Into memory that was mapped before: what's left is the device's work. */
static double disk_mb_s(struct nvme *disk, const struct usrpci_mapping *map)
{
	struct nvme_queue *queue = nvme_queue(disk, 0);
	const struct nvme_command command = {
		.op = NVME_READ,
		.blocks = (uint32_t)(DMA_LEN / nvme_info(disk)->block_size),
		.map = map,
	};
	struct nvme_completion done;
	double start = now_us();

	must(nvme_submit(queue, &command), "read");
	while (!nvme_poll(queue, &done, 1))
		;
	must(done.error, "read");
	return DMA_LEN / (now_us() - start);
}

static void bench_dma(void)
{
	const struct nvme_options options = { .irq = NVME_POLLED, .depth = 4 };
	double copied[ROUNDS], dma[ROUNDS];
	struct usrpci_sg sg;
	struct usrpci_mapping map = { .len = DMA_LEN, .sg = &sg, .nr_sg = 1 };
	struct nvme *disk;
	unsigned int i;
	int fd = memfd_create("bench", MFD_CLOEXEC);
	char *shared, *from = malloc(DMA_LEN), *to = malloc(DMA_LEN);

	must(nvme_open(&disk, "sim:nvme,size=64M,mdts=10", &options), "sim:nvme");
	if (fd < 0 || ftruncate(fd, DMA_LEN) || !from || !to)
		err(1, "memory");
	shared = mmap(NULL, DMA_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memset(shared, 1, DMA_LEN);
	map.addr = shared;
	must(usrpci_map(nvme_device(disk), &map, 1), "map");
	memset(from, 1, DMA_LEN);
	memset(to, 1, DMA_LEN);
	for (i = 0; i < ROUNDS; i++) {
		copied[i] = copy_mb_s(to, from);
		dma[i] = disk_mb_s(disk, &map);
	}
	nvme_close(disk);
	tell("disk read of 4 MiB to a memfd", "DMA", dma, "memcpy", copied, ROUNDS, "MB/s",
	     AT_LEAST, 0.5);
	free(from);
	free(to);
}

/* --- maps beside others --- */

static double map_us(struct usrpci_device *edu, char *at)
{
	struct usrpci_mapping map = { .addr = at, .len = PAGE };
	double start = now_us();
	unsigned int i;

	for (i = 0; i < PROBES; i++) {
		must(usrpci_map(edu, &map, 1), "map");
		must(usrpci_unmap(edu, &map.handle, 1), "unmap");
	}
	return (now_us() - start) / PROBES;
}

static void hold(struct usrpci_device *edu, char *memory, uint32_t *handles, unsigned int from,
		 unsigned int to)
{
	for (; from < to; from++) {
		struct usrpci_mapping map = { .addr = memory + from * PAGE, .len = PAGE };

		must(usrpci_map(edu, &map, 1), "map");
		handles[from] = map.handle;
	}
}

static void let_go(struct usrpci_device *edu, uint32_t *handles, unsigned int from,
		   unsigned int to)
{
	for (; from < to; from++)
		must(usrpci_unmap(edu, &handles[from], 1), "unmap");
}

static void bench_maps(struct usrpci_device *edu)
{
	uint32_t *handles = calloc(MANY, sizeof(*handles));
	char *memory = aligned_alloc(PAGE, (MANY + 1) * PAGE);
	double few[ROUNDS / 2], many[ROUNDS / 2];
	unsigned int i;

	if (!memory || !handles)
		err(1, "memory");
	memset(memory, 1, (MANY + 1) * PAGE);
	hold(edu, memory, handles, 0, FEW);
	for (i = 0; i < ROUNDS / 2; i++) {
		few[i] = map_us(edu, memory + MANY * PAGE);
		hold(edu, memory, handles, FEW, MANY);
		many[i] = map_us(edu, memory + MANY * PAGE);
		let_go(edu, handles, FEW, MANY);
	}
	tell("map and unmap", "beside 10000", many, "beside 10", few, ROUNDS / 2, "us", AT_MOST,
	     1.3);
	free(memory);
	free(handles);
}

int main(int argc, char **argv)
{
	struct usrpci_device *edu;

	results = json_object_new_array();
	must(usrpci_open(&edu, "sim:edu"), "sim:edu");
	bench_registers(edu);
	bench_maps(edu);
	usrpci_close(edu);
	bench_dma();
	if (argc > 1 && json_object_to_file_ext(argv[1], results, JSON_C_TO_STRING_PRETTY))
		errx(1, "%s can't be written", argv[1]);
	json_object_put(results);
	return 0;
}

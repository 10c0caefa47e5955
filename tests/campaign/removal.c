// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * Functions that are taken away while their program uses them, with a word before
 * and without. Slots wait more than they work: there's a child for each.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nvme/nvme.h>

#include "campaign.h"
#include "edu.h"
#include "function.h"
#include "memory.h"
#include "slot.h"

#define PATIENCE_MS	(kernel_is_slow() ? 240000 : 30000)
#define PAGES		8

/* What was seen, counted by all children. */
enum seen {
	SEEN_ORDERLY,
	SEEN_SURPRISE,
	SEEN_SIGBUS,
	SEEN_ENODEV,
	SEEN_POLLHUP,
	SEEN_EVENT,
	SEEN_KEPT,
	SEEN_OVER_1S,
	SEEN_KINDS,
};

static const char *const seen_names[SEEN_KINDS] = {
	"orderly", "surprise", "SIGBUS", "ENODEV", "POLLHUP", "events", "memory kept",
	"removes over 1 s",
};

static struct shared {
	uint64_t seen[SEEN_KINDS];
	uint64_t failures;
	uint64_t slowest_ms;
} *shared;

static struct campaign campaign;

static void seen(enum seen what)
{
	__atomic_add_fetch(&shared->seen[what], 1, __ATOMIC_RELAXED);
}

static void check(bool ok, enum seen what, const char *missing, const struct slot *slot)
{
	if (ok)
		seen(what);
	else
		campaign_fault(&campaign, "%s: %s", slot->function, missing);
}

/* --- a program that holds all that one can hold of edu, with DMA under way --- */

struct holder {
	struct edu_hw edu;
	unsigned char *memory;
	struct usrpci_ioc_region region;
	struct usrpci_ioc_coherent buffer;
	volatile uint32_t *coherent;
};

static bool hold(struct holder *h, const struct slot *slot)
{
	h->edu.fd = function_open(slot->function);
	if (h->edu.fd < 0)
		return false;
	h->edu.regs = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, h->edu.fd,
			   function_bar(h->edu.fd, 0).offset);
	h->memory = pages_new(PAGES, 0x5a);
	h->region = function_region(h->memory, PAGES * PAGE, USRPCI_BIDIRECTIONAL);
	if (h->edu.regs == MAP_FAILED || function_mask(h->edu.fd, edu_hw_bits()) ||
	    function_map(h->edu.fd, &h->region) || function_coherent(h->edu.fd, PAGE, &h->buffer))
		return false;
	h->coherent = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, h->edu.fd,
			   h->buffer.mmap_offset);
	if (h->coherent == MAP_FAILED || function_irq_setup(h->edu.fd, USRPCI_IRQ_MSI, 1) ||
	    function_master(h->edu.fd, 1))
		return false;
	h->coherent[1] = 0x6b657074;
	/* The engine reads the buffer for the next tenth of a second. */
	edu_hw_read_start(&h->edu, h->buffer.bus_addr, PAGE / 2);
	return true;
}

static void is_revoked(struct holder *h, const struct slot *slot)
{
	struct pollfd p = { .fd = h->edu.fd, .events = POLLPRI };
	struct usrpci_ioc_info info = { .size = sizeof(info) };
	struct usrpci_ioc_event event;

	check(poll(&p, 1, PATIENCE_MS) == 1 && p.revents & POLLHUP, SEEN_POLLHUP, "no POLLHUP",
	      slot);
	check(function_call(h->edu.fd, USRPCI_INFO, &info) == -ENODEV, SEEN_ENODEV, "no ENODEV",
	      slot);
	check(touch(h->edu.regs) == SIGBUS, SEEN_SIGBUS, "no SIGBUS", slot);
	check(!touch(h->coherent) && h->coherent[1] == 0x6b657074 && h->memory[0] == 0x5a,
	      SEEN_KEPT, "memory was lost", slot);
	check(!function_event(h->edu.fd, &event) && event.type == USRPCI_EVENT_REMOVED,
	      SEEN_EVENT, "no event", slot);
}

static void let_go(struct holder *h)
{
	munmap((void *)h->edu.regs, PAGE);
	munmap((void *)h->coherent, PAGE);
	close(h->edu.fd);
	pages_free(h->memory, PAGES);
}

/* --- a program that reads a disk for as long as it can --- */

static sigjmp_buf pulled;

static void on_bus_error(int sig)
{
	siglongjmp(pulled, 1);
}

/* A doorbell gives SIGBUS, a register ENODEV; which comes first is chance. */
static int read_on(struct nvme *nvme, void *buf, size_t len)
{
	volatile int err = 0;

	signal(SIGBUS, on_bus_error);
	if (sigsetjmp(pulled, 1)) {
		seen(SEEN_SIGBUS);
		return -ENODEV;
	}
	while (!err)
		err = nvme_read(nvme_queue(nvme, 0), 0, buf, len);
	return err;
}

static void reader(const struct slot *slot, int ready)
{
	unsigned char *buf = pages_new(64, 1);
	struct usrpci_event event = { 0 };
	struct usrpci_info info;
	struct usrpci_device *dev;
	struct nvme *nvme;
	struct pollfd p;
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	err = nvme_open(&nvme, slot->function, &(struct nvme_options){ .irq = NVME_BEST_IRQ });
	if (err)
		campaign_fault(&campaign, "%s: the disk doesn't open: %s", slot->function,
			       strerror(-err));
	if (err || write(ready, "", 1) != 1)
		_exit(1);
	dev = nvme_device(nvme);
	read_on(nvme, buf, 64 * PAGE);
	p = (struct pollfd){ .fd = usrpci_fd(dev), .events = POLLPRI };
	check(poll(&p, 1, PATIENCE_MS) == 1 && p.revents & POLLHUP, SEEN_POLLHUP, "no POLLHUP",
	      slot);
	check(usrpci_info(dev, &info) == -ENODEV, SEEN_ENODEV, "no ENODEV", slot);
	check(!usrpci_event(dev, &event) &&
	      (event.kind == USRPCI_REMOVED || event.kind == USRPCI_VANISHED), SEEN_EVENT,
	      "no event", slot);
	_exit(0);
}

/* Returns when it reads. */
static pid_t start_reader(const struct slot *slot)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid)
		reader(slot, ready[1]);
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		campaign_fault(&campaign, "%s: the disk's driver doesn't start", slot->function);
	close(ready[0]);
	return pid;
}

/* --- taking away --- */

static bool function_told(const struct slot *slot)
{
	return slots_announce_by_themselves() || !slot_kernel_removes(slot);
}

/* The time counts from when the kernel is asked, or learns of it, till nobody has the function. */
static void take_away(struct slot *slot, bool surprise)
{
	uint64_t start = now_ms(), took, slowest;
	int err;

	if (surprise) {
		err = slot_vanish(slot);
		start = slots_announce_by_themselves() ? start : now_ms();
		if (!err && !function_told(slot))
			err = -EIO;
	} else {
		err = slot_unplug_by_guest(slot);
	}
	took = now_ms() - start;
	if (err)
		campaign_fault(&campaign, "%s can't be taken away: %s", slot->function,
			       strerror(-err));
	if (!err && slot_wait_no_function(slot))
		campaign_fault(&campaign, "%s wasn't removed", slot->function);
	seen(surprise ? SEEN_SURPRISE : SEEN_ORDERLY);
	if (took > 1000)
		seen(SEEN_OVER_1S);
	slowest = __atomic_load_n(&shared->slowest_ms, __ATOMIC_RELAXED);
	while (took > slowest && !__atomic_compare_exchange_n(&shared->slowest_ms, &slowest, took,
							      false, __ATOMIC_RELAXED,
							      __ATOMIC_RELAXED))
		;
}

/* The next one opens at once, though who had the last one has its file open yet. */
static void edu_cycle(struct slot *slot, bool surprise, uint64_t delay_us)
{
	static struct holder old;
	static bool held;
	struct holder h;

	if (!hold(&h, slot)) {
		campaign_fault(&campaign, "%s doesn't open", slot->function);
		return;
	}
	if (held)
		let_go(&old);
	usleep(delay_us);
	take_away(slot, surprise);
	is_revoked(&h, slot);
	old = h;
	held = true;
}

static void nvme_cycle(struct slot *slot, bool surprise, uint64_t delay_us)
{
	pid_t pid = start_reader(slot);
	int status = 0;

	usleep(delay_us);
	take_away(slot, surprise);
	if (waitpid(pid, &status, 0) != pid || status)
		campaign_fault(&campaign, "%s: its reader ended with %#x", slot->function, status);
}

/* Cycles of a slot, one after the other; a byte tells of each. */
static void slot_child(unsigned int number, int tell)
{
	uint64_t random = campaign.seed * 1000 + number;
	const bool nvme = number % 2 == 0;
	struct slot slot;
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	if (!slot_find(&slot, number))
		_exit(1);
	for (i = 0;; i++) {
		if ((nvme ? slot_plug_nvme(&slot) : slot_plug(&slot, "edu")) ||
		    slot_wait_usrpci(&slot))
			campaign_fault(&campaign, "%s doesn't come", slot.function);
		else if (nvme)
			nvme_cycle(&slot, i & 1, random_below(&random, 20000));
		else
			edu_cycle(&slot, i & 1, random_below(&random, 20000));
		__atomic_add_fetch(&shared->failures, campaign.failures, __ATOMIC_RELAXED);
		campaign.failures = 0;
		if (write(tell, "", 1) != 1)
			_exit(0);
	}
}

static void report(long pinned)
{
	int i;

	for (i = 0; i < SEEN_KINDS; i++)
		campaign_tally(&campaign, seen_names[i], shared->seen[i]);
	campaign_peak(&campaign, "ms for the slowest", shared->slowest_ms);
	campaign.failures += shared->failures;
	if (pages_pinned() != pinned)
		campaign_fault(&campaign, "%ld pages pinned before, %ld after", pinned,
			       pages_pinned());
}

int main(int argc, char **argv)
{
	unsigned int i, slots;
	pid_t children[16];
	int tell[2];
	long pinned;
	char byte;

	campaign_start(&campaign, argc, argv, "removal", "removals", 600);
	slots = campaign_option(argc, argv, "--slots", kernel_is_slow() ? 2 : 4);
	slots_require(slots);
	signal(SIGPIPE, SIG_IGN);
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pinned = pages_pinned();
	if (shared == MAP_FAILED || pipe(tell) || slots > ARRAY_SIZE(children))
		return 1;
	for (i = 0; i < slots; i++) {
		children[i] = fork();
		if (!children[i]) {
			close(tell[0]);
			slot_child(i + 1, tell[1]);
		}
	}
	close(tell[1]);
	while (!campaign_is_done(&campaign) && read(tell[0], &byte, 1) == 1)
		campaign_step(&campaign, 1);
	/* Each ends its cycle, and finds that nobody listens. */
	close(tell[0]);
	for (i = 0; i < slots; i++)
		if (waitpid(children[i], NULL, 0) < 0)
			campaign_fault(&campaign, "a slot's child was lost");
	report(pinned);
	return campaign_end(&campaign);
}

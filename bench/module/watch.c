// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */
/*
 * From an interrupt's handler to a function's first instruction. The kernel's own trace point
 * begins, a probe ends: what either costs lies outside, but for the first one's last few
 * instructions.
 */

#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/kprobes.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/timex.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>
#include <asm/tsc.h>

#include "abi.h"
#include "watch.h"

#define BENCH_WATCH_SAMPLES	4096U

/**
 * struct bench_watcher - The one that there is.
 * @mutex: guards all but what interrupts write
 * @started: both probes are there
 * @entry: the trace point of interrupts
 * @probe: of the function
 * @watch: what was asked for
 * @began: when the interrupt came, in ticks; 0: none has
 * @nr: how many of @samples there are, from the first
 * @samples: ticks
 */
struct bench_watcher {
	struct mutex mutex; /* see there */
	bool started;
	struct tracepoint *entry;
	struct kprobe probe;
	struct bench_watch watch;
	cycles_t began;
	unsigned int nr;
	u64 samples[BENCH_WATCH_SAMPLES];
};

static struct bench_watcher bench_watcher = {
	.mutex = __MUTEX_INITIALIZER(bench_watcher.mutex),
};

/* The first of some begins. */
static void bench_watch_began(void *data, int line, struct irqaction *action)
{
	struct bench_watcher *w = data;

	if (line == w->watch.line && !w->began)
		WRITE_ONCE(w->began, get_cycles());
}

static int bench_watch_ended(struct kprobe *probe, struct pt_regs *regs)
{
	struct bench_watcher *w = container_of(probe, struct bench_watcher, probe);
	cycles_t now = get_cycles();

	if (w->watch.arg != BENCH_WATCH_ANY &&
	    regs_get_kernel_argument(regs, w->watch.arg) != w->watch.value)
		return 0;
	if (w->began && w->nr < BENCH_WATCH_SAMPLES)
		w->samples[w->nr++] = now - w->began;
	WRITE_ONCE(w->began, 0);
	return 0;
}

static void bench_watch_find(struct tracepoint *tp, void *data)
{
	if (!strcmp(tp->name, "irq_handler_entry"))
		*(struct tracepoint **)data = tp;
}

/* Under the mutex. */
static void bench_watch_stop(struct bench_watcher *w)
{
	if (!w->started)
		return;
	tracepoint_probe_unregister(w->entry, bench_watch_began, w);
	tracepoint_synchronize_unregister();
	unregister_kprobe(&w->probe);
	w->started = false;
}

/* Under the mutex. */
static int bench_watch_begin(struct bench_watcher *w, const struct bench_watch *watch)
{
	int err;

	bench_watch_stop(w);
	w->watch = *watch;
	w->began = 0;
	w->nr = 0;
	w->probe = (struct kprobe){
		.symbol_name = w->watch.until,
		.pre_handler = bench_watch_ended,
	};
	err = register_kprobe(&w->probe);
	if (err)
		return err;
	err = tracepoint_probe_register(w->entry, bench_watch_began, w);
	if (err)
		unregister_kprobe(&w->probe);
	w->started = !err;
	return err;
}

static int bench_watch_start(struct bench_watcher *w, const void __user *arg)
{
	struct bench_watch watch;
	int err;

	if (copy_from_user(&watch, arg, sizeof(watch)))
		return -EFAULT;
	if (watch.until[BENCH_WATCH_NAME - 1] || (watch.arg > 5 && watch.arg != BENCH_WATCH_ANY))
		return -EINVAL;
	mutex_lock(&w->mutex);
	err = bench_watch_begin(w, &watch);
	mutex_unlock(&w->mutex);
	return err;
}

static long bench_watch_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct bench_watcher *w = &bench_watcher;

	switch (cmd) {
	case BENCH_WATCH_START:
		return bench_watch_start(w, (const void __user *)arg);
	case BENCH_WATCH_STOP:
		mutex_lock(&w->mutex);
		bench_watch_stop(w);
		mutex_unlock(&w->mutex);
		return 0;
	case BENCH_WATCH_KHZ:
		return tsc_khz;
	}
	return -ENOTTY;
}

/* While nothing is measured, or some of it may be missed. */
static ssize_t bench_watch_read(struct file *filp, char __user *buf, size_t len, loff_t *pos)
{
	struct bench_watcher *w = &bench_watcher;
	size_t nr;

	mutex_lock(&w->mutex);
	nr = min_t(size_t, READ_ONCE(w->nr), len / sizeof(w->samples[0]));
	if (copy_to_user(buf, w->samples, nr * sizeof(w->samples[0]))) {
		mutex_unlock(&w->mutex);
		return -EFAULT;
	}
	WRITE_ONCE(w->nr, 0);
	mutex_unlock(&w->mutex);
	return nr * sizeof(w->samples[0]);
}

static int bench_watch_release(struct inode *inode, struct file *filp)
{
	struct bench_watcher *w = &bench_watcher;

	mutex_lock(&w->mutex);
	bench_watch_stop(w);
	mutex_unlock(&w->mutex);
	return 0;
}

static const struct file_operations bench_watch_fops = {
	.owner = THIS_MODULE,
	.read = bench_watch_read,
	.unlocked_ioctl = bench_watch_ioctl,
	.release = bench_watch_release,
};

static struct miscdevice bench_watch_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "usrpci-watch",
	.fops = &bench_watch_fops,
};

int bench_watch_init(void)
{
	for_each_kernel_tracepoint(bench_watch_find, &bench_watcher.entry);
	if (!bench_watcher.entry)
		return -EOPNOTSUPP;
	return misc_register(&bench_watch_device);
}

void bench_watch_exit(void)
{
	misc_deregister(&bench_watch_device);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * Each sentence says what is wrong and ends in what to do: the command to run
 * where there is one, or where a programmer has to look.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "explain.h"
#include "public.h"

/**
 * struct sentence - What is being made.
 * @dev: the device that failed
 * @why: details of the failure
 * @buf: where the sentence goes
 * @len: bytes of @buf
 */
struct sentence {
	struct usrpci_device *dev;
	struct usrpci_failure why;
	char *buf;
	size_t len;
};

/* Every sentence on a device starts with its name. */
__attribute__((format(printf, 2, 3)))
static int say(const struct sentence *s, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return snprintf(s->buf, s->len, "%s: %s", s->dev->bdf, text);
}

static int explain_memlock(struct sentence *s)
{
	const unsigned long long missing = (s->why.missing + 1023) / 1024;
	struct rlimit limit = { 0 };
	unsigned long long now, wanted;

	getrlimit(RLIMIT_MEMLOCK, &limit);
	now = limit.rlim_cur / 1024;
	wanted = now + missing;
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max / 1024 >= wanted)
		return say(s, "needs %llu KiB more locked memory than the limit of %llu KiB; "
			   "run: ulimit -l %llu", missing, now, wanted);
	return say(s, "needs %llu KiB more locked memory than the limit of %llu KiB, which this "
		   "user can't raise; as root, run: prlimit --pid %d --memlock=%llu", missing, now,
		   (int)getppid(), wanted * 1024);
}

/* What shows a function's registers; lspci knows none that is played. */
static const char *viewer(const struct sentence *s)
{
	char full[USRPCI_BDF_LEN];

	return usrpci_parse_bdf(s->dev->bdf, full) ? "usrpci info" : "lspci -vv -s";
}

static int explain_reset(struct sentence *s)
{
	if (s->why.err != -EOPNOTSUPP)
		return 0;
	return say(s, "it can't be reset without others beside it; run: cat "
		   "/sys/bus/pci/devices/%s/reset_method", s->dev->bdf);
}

static int explain_config(struct sentence *s)
{
	switch (s->why.err) {
	case -EPERM:
		return say(s, "configuration space at 0x%llx is the kernel's to write: BARs, bus "
			   "mastering, power and interrupts have their own calls; run: %s %s",
			   s->why.where, viewer(s), s->dev->bdf);
	case -EINVAL:
		return say(s, "no access to configuration space can have offset 0x%llx and %llu "
			   "bytes; run: %s %s", s->why.where, s->why.len, viewer(s),
			   s->dev->bdf);
	}
	return 0;
}

/* Of another BAR than those that there are; 0 if it isn't that. */
static int explain_no_bar(struct sentence *s)
{
	struct usrpci_bar bar = { .type = USRPCI_NO_BAR };

	if (s->why.err != -EINVAL)
		return 0;
	if (s->why.what < USRPCI_BARS && (s->dev->backend->bar_info(s->dev, s->why.what, &bar) ||
					  bar.type != USRPCI_NO_BAR))
		return 0;
	return say(s, "it has no BAR %u; which it has, tells: usrpci info %s", s->why.what,
		   s->dev->bdf);
}

static int explain_regs(struct sentence *s)
{
	if (s->why.err != -EINVAL)
		return 0;
	return say(s, "BAR %u can't be opened at 0x%llx with 0x%llx bytes: it ends before, or no "
		   "page starts there; run: usrpci info %s", s->why.what, s->why.where, s->why.len,
		   s->dev->bdf);
}

static int explain_bar_map(struct sentence *s)
{
	if (s->why.err != -EINVAL)
		return 0;
	return say(s, "BAR %u can't be mapped at 0x%llx with 0x%llx bytes and these flags; what "
		   "can be mapped, tells: usrpci info %s", s->why.what, s->why.where, s->why.len,
		   s->dev->bdf);
}

static int explain_bar_access(struct sentence *s)
{
	switch (s->why.err) {
	case -EPERM:
		return say(s, "BAR %u at 0x%llx is the MSI-X table, where interrupts could be "
			   "forged; boot with intremap=on behind an IOMMU, or see "
			   "usrpci_irq_setup(); run: usrpci info %s", s->why.what, s->why.where,
			   s->dev->bdf);
	case -EIO:
		return say(s, "it doesn't decode BAR %u: memory or ports are turned off, or it "
			   "sleeps; run: %s %s", s->why.what, viewer(s), s->dev->bdf);
	case -EINVAL:
		return say(s, "BAR %u has no register at 0x%llx of %llu bytes; run: usrpci info "
			   "%s", s->why.what, s->why.where, s->why.len, s->dev->bdf);
	}
	return 0;
}

static int explain_dma_mask(struct sentence *s)
{
	switch (s->why.err) {
	case -EIO:
		return say(s, "the platform can't serve a DMA mask of 0x%llx and a coherent one "
			   "of 0x%llx; they are of the form 2^n - 1, and less than 32 bits can "
			   "be too few; run: dmesg", s->why.where, s->why.len);
	case -EBUSY:
		return say(s, "the DMA mask can't change while memory is mapped or allocated: "
			   "unmap it first; see: usrpci_set_dma_mask() in <usrpci/dma.h>");
	}
	return 0;
}

/* Whoever was let in without being root relies on the IOMMU. */
static int explain_isolation(struct sentence *s)
{
	if (s->why.err != -EPERM)
		return 0;
	return say(s, "it is no longer isolated strictly, so it gets no memory; as root, run: "
		   "usrpci bind --strict %s", s->dev->bdf);
}

/* VFIO counts mappings; a container has the limit that was in force when it was opened. */
static int explain_crowd(struct sentence *s)
{
	return say(s, "the kernel takes no more mappings at once: unmap some, or map fewer and "
		   "larger ones; or as root, before the program is started, run: echo 1000000 "
		   ">/sys/module/vfio_iommu_type1/parameters/dma_entry_limit");
}

static int explain_coherent(struct sentence *s)
{
	if (s->why.err == -EMFILE)
		return explain_crowd(s);
	if (s->why.err != -ENOMEM)
		return explain_isolation(s);
	if (s->why.missing)
		return explain_memlock(s);
	return say(s, "no %llu KiB of coherent memory in one run are left within the coherent "
		   "mask; run: cat /proc/buddyinfo", (s->why.len + 1023) / 1024);
}

static int explain_fault(struct sentence *s)
{
	if (!s->why.len)
		return say(s, "some of the %u regions isn't there, or may not be read or written "
			   "as its direction asks, or can't be pinned; run: cat /proc/%d/maps",
			   s->why.what, (int)getpid());
	return say(s, "memory at 0x%llx with %llu bytes isn't all there, or may not be read or "
		   "written as its direction asks, or can't be pinned; run: cat /proc/%d/maps",
		   s->why.where, s->why.len, (int)getpid());
}

static int explain_map(struct sentence *s)
{
	switch (s->why.err) {
	case -EFAULT:
		return explain_fault(s);
	case -ENOMEM:
		if (s->why.missing)
			return explain_memlock(s);
		return say(s, "no memory is left; run: free");
	case -ENOSPC:
		return say(s, "there are more bus addresses than nr_sg has room for; it now says "
			   "how many; see: usrpci_sg_room() in <usrpci/dma.h>");
	case -EMFILE:
		return explain_crowd(s);
	case -ERANGE:
		return say(s, "memory lies where the DMA mask doesn't reach, and it may not or "
			   "can't be bounced: drop USRPCI_NO_BOUNCE, use coherent memory, or "
			   "boot with an IOMMU; the mask tells: usrpci info %s", s->dev->bdf);
	case -EIO:
		return say(s, "the platform has no bus addresses or bounce buffers left; run: "
			   "dmesg | grep -i -e swiotlb -e iommu");
	case -EPERM:
		return explain_isolation(s);
	case -EINVAL:
		return say(s, "a region has no bytes, an unknown direction or flag, or there are "
			   "none or more than %u; see: usrpci_map() in <usrpci/dma.h>",
			   USRPCI_BATCH_MAX);
	}
	return 0;
}

static int explain_handle(struct sentence *s)
{
	if (s->why.err != -EINVAL)
		return 0;
	if (s->why.call == USRPCI_CALL_SYNC)
		return say(s, "handle %u isn't mapped, or has no %llu bytes at %llu; see: "
			   "usrpci_sync_for_cpu() in <usrpci/dma.h>", s->why.what, s->why.len,
			   s->why.where);
	return say(s, "a handle isn't mapped, or stands there twice; none was unmapped; see: "
		   "usrpci_unmap() in <usrpci/dma.h>");
}

static int explain_refused_tlb(struct sentence *s)
{
	struct usrpci_tlb refused;
	char why[256];

	pthread_mutex_lock(&s->dev->spaces.lock);
	refused = s->dev->spaces.refused;
	pthread_mutex_unlock(&s->dev->spaces.lock);
	if (!s->why.what)
		return say(s, "no TLB is described, or a flag is unknown; see: "
			   "usrpci_tlb_describe() in <usrpci/space.h>");
	if (!usrpci_explain_tlb(s->dev, &refused, s->why.what, why, sizeof(why)))
		return say(s, "the TLB can't be as described (%u of enum usrpci_tlb_fault); see: "
			   "<usrpci/tlb.h>", s->why.what);
	return say(s, "the TLB can't be as described: %s; see: <usrpci/tlb.h>", why);
}

static int explain_tlb(struct sentence *s)
{
	switch (s->why.err) {
	case -EINVAL:
		return explain_refused_tlb(s);
	case -EBUSY:
		return say(s, "its TLB was described before, which is done once till it's closed; "
			   "see: usrpci_tlb_describe() in <usrpci/space.h>");
	case -EPERM:
		return say(s, "its TLB is described with a register in the MSI-X table, where "
			   "interrupts could be forged; run: usrpci info %s", s->dev->bdf);
	}
	return 0;
}

static int explain_bind(struct sentence *s)
{
	switch (s->why.err) {
	case -EOPNOTSUPP:
		if (s->why.what & USRPCI_SPACE_MIRRORED)
			return say(s, "pages can be mirrored only where the kernel serves misses: "
				   "drop USRPCI_SPACE_MIRRORED, or have usrpci's module serve it; "
				   "run: usrpci bind %s", s->dev->bdf);
		return say(s, "misses are served by the library, in the process that described "
			   "the TLB, and no other can be bound; see: usrpci_space_bind() in "
			   "<usrpci/space.h>");
	case -ENOSPC:
		return say(s, "all of its tags are taken: close a space first; see: "
			   "usrpci_space_close() in <usrpci/space.h>");
	case -EPERM:
		return explain_isolation(s);
	case -EIO:
		return say(s, "its TLB didn't forget what it was told to, so it gets no DMA till "
			   "it's closed and opened again; see: usrpci_space_forget() in "
			   "<usrpci/space.h>");
	case -EINVAL:
		return say(s, "no TLB was described, or a flag is unknown, or pages around a miss "
			   "are more than %u or asked for where the device chooses entries; see: "
			   "usrpci_space_bind() in <usrpci/space.h>", USRPCI_SPACE_AROUND);
	}
	return 0;
}

static int explain_forget(struct sentence *s)
{
	switch (s->why.err) {
	case -EIO:
		return say(s, "its TLB didn't say in time that it forgot 0x%llx to 0x%llx, so it "
			   "was stopped, and gets no DMA any more: close it and open it again; "
			   "see: timeout_us in <usrpci/tlb.h>", s->why.where,
			   s->why.where + s->why.len - 1);
	case -EINVAL:
		return say(s, "no memory has 0x%llx bytes at 0x%llx; see: usrpci_space_forget() in "
			   "<usrpci/space.h>", s->why.len, s->why.where);
	}
	return 0;
}

static int explain_irq_setup(struct sentence *s)
{
	static const char * const names[] = {
		[USRPCI_NO_IRQ] = "no",
		[USRPCI_INTX] = "INTx",
		[USRPCI_MSI] = "MSI",
		[USRPCI_MSIX] = "MSI-X",
	};
	const char *name = s->why.what <= USRPCI_MSIX ? names[s->why.what] : "unknown";
	struct usrpci_info info = { 0 };

	s->dev->backend->info(s->dev, &info);
	switch (s->why.err) {
	case -EOPNOTSUPP:
		return say(s, "it has no %s interrupts, but %u INTx, %u MSI and %u MSI-X; run: "
			   "usrpci info %s", name, info.nr_intx, info.nr_msi, info.nr_msix,
			   s->dev->bdf);
	case -ENOSPC:
		return say(s, "there aren't %llu %s vectors: it offers %u INTx, %u MSI and %u "
			   "MSI-X, and the platform may have fewer; run: usrpci info %s",
			   s->why.len, name, info.nr_intx, info.nr_msi, info.nr_msix, s->dev->bdf);
	case -EBUSY:
		if (s->dev->spaces.described)
			return say(s, "vectors stay set up where one tells of a TLB's misses: set "
				   "them up before usrpci_tlb_describe(); see: <usrpci/space.h>");
		return say(s, "vectors are set up already: set up USRPCI_NO_IRQ first; see: "
			   "usrpci_irq_setup() in <usrpci/irq.h>");
	case -EINVAL:
		return say(s, "%s interrupts can't have %llu vectors; see: usrpci_irq_setup() in "
			   "<usrpci/irq.h>", name, s->why.len);
	}
	return 0;
}

static int explain_irq_wire(struct sentence *s)
{
	switch (s->why.err) {
	case -EINVAL:
		return say(s, "vectors %u to %llu aren't all set up, or a descriptor is no "
			   "eventfd; run: ls -l /proc/%d/fd", s->why.what,
			   s->why.what + s->why.len - !!s->why.len, (int)getpid());
	case -EBADF:
		return say(s, "a descriptor isn't open; run: ls -l /proc/%d/fd", (int)getpid());
	}
	return 0;
}

static int explain_irq_unmask(struct sentence *s)
{
	if (s->why.err != -EINVAL)
		return 0;
	return say(s, "vector %u isn't set up; see: usrpci_irq_setup() in <usrpci/irq.h>",
		   s->why.what);
}

static int explain_quiesce(struct sentence *s)
{
	switch (s->why.err) {
	case -EINVAL:
		return say(s, "a step of the quiesce list names no register, or they wait too long "
			   "together; see: usrpci_quiesce() in <usrpci/quiesce.h>, and for the BARs "
			   "run: usrpci info %s", s->dev->bdf);
	case -EPERM:
		return say(s, "a step of the quiesce list writes to the MSI-X table, where "
			   "interrupts could be forged; run: usrpci info %s", s->dev->bdf);
	}
	return 0;
}

static int explain_call(struct sentence *s)
{
	switch (s->why.call) {
	case USRPCI_CALL_RESET:
		return explain_reset(s);
	case USRPCI_CALL_CONFIG:
		return explain_config(s);
	case USRPCI_CALL_REGS:
		return explain_no_bar(s) ?: explain_regs(s);
	case USRPCI_CALL_BAR_MAP:
		return explain_no_bar(s) ?: explain_bar_map(s);
	case USRPCI_CALL_BAR_ACCESS:
		return explain_no_bar(s) ?: explain_bar_access(s);
	case USRPCI_CALL_DMA_MASK:
		return explain_dma_mask(s);
	case USRPCI_CALL_COHERENT:
		return explain_coherent(s);
	case USRPCI_CALL_MAP:
		return explain_map(s);
	case USRPCI_CALL_UNMAP:
	case USRPCI_CALL_SYNC:
		return explain_handle(s);
	case USRPCI_CALL_IRQ_SETUP:
		return explain_irq_setup(s);
	case USRPCI_CALL_IRQ_WIRE:
		return explain_irq_wire(s);
	case USRPCI_CALL_IRQ_UNMASK:
		return explain_irq_unmask(s);
	case USRPCI_CALL_QUIESCE:
		return explain_quiesce(s);
	case USRPCI_CALL_TLB:
		return explain_tlb(s);
	case USRPCI_CALL_BIND:
		return explain_bind(s);
	case USRPCI_CALL_FORGET:
		return explain_forget(s);
	case USRPCI_CALL_SPACE:
	case USRPCI_CALL_OTHER:
		break;
	}
	return 0;
}

int usrpci_explain_errno(const char *bdf, int err, char *buf, size_t len)
{
	char text[128], full[USRPCI_BDF_LEN];

	/* GNU's, which is thread-safe and may return a text of its own. */
	return snprintf(buf, len, "%s: %s%s", bdf, strerror_r(-err, text, sizeof(text)),
			usrpci_parse_bdf(bdf, full) ? "" : "; run: dmesg");
}

USRPCI_PUBLIC int usrpci_explain(struct usrpci_device *dev, int err, char *buf, size_t len)
{
	struct sentence s = {
		.dev = dev,
		.why = usrpci_last_failure(dev, err),
		.buf = buf,
		.len = len,
	};
	char full[USRPCI_BDF_LEN];
	int ret;

	if (err == -ETIMEDOUT)
		return say(&s, "what was waited for didn't come in time; a device that isn't bus "
			   "master sends no MSI; see: usrpci_set_master() in <usrpci/device.h>");
	if (err == -ENODEV && usrpci_parse_bdf(dev->bdf, full))
		return say(&s, "whoever played it has gone");
	if (err == -ENODEV)
		return say(&s, "it was removed, or taken away by usrpci unbind; run: lspci -D -k "
			   "-s %s", dev->bdf);
	ret = explain_call(&s);
	return ret ? ret : usrpci_explain_errno(dev->bdf, err, buf, len);
}

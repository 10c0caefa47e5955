/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM usrpci

#if !defined(USRPCI_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define USRPCI_TRACE_H

#include <linux/tracepoint.h>

#include "function.h"
#include "mapping.h"
#include "tlb/device.h"

TRACE_EVENT(usrpci_open,
	TP_PROTO(struct usrpci_function *f, int err),
	TP_ARGS(f, err),
	TP_STRUCT__entry(
		__string(bdf, pci_name(f->pdev))
		__field(int, err)
	),
	TP_fast_assign(
		__assign_str(bdf, pci_name(f->pdev));
		__entry->err = err;
	),
	TP_printk("%s err=%d", __get_str(bdf), __entry->err)
);

TRACE_EVENT(usrpci_teardown,
	TP_PROTO(struct usrpci_function *f, bool present),
	TP_ARGS(f, present),
	TP_STRUCT__entry(
		__string(bdf, pci_name(f->pdev))
		__field(bool, present)
	),
	TP_fast_assign(
		__assign_str(bdf, pci_name(f->pdev));
		__entry->present = present;
	),
	TP_printk("%s present=%d", __get_str(bdf), __entry->present)
);

TRACE_EVENT(usrpci_quiesce,
	TP_PROTO(struct usrpci_function *f, u32 steps, bool ok),
	TP_ARGS(f, steps, ok),
	TP_STRUCT__entry(
		__string(bdf, pci_name(f->pdev))
		__field(u32, steps)
		__field(bool, ok)
	),
	TP_fast_assign(
		__assign_str(bdf, pci_name(f->pdev));
		__entry->steps = steps;
		__entry->ok = ok;
	),
	TP_printk("%s steps=%u ok=%d", __get_str(bdf), __entry->steps, __entry->ok)
);

TRACE_EVENT(usrpci_event,
	TP_PROTO(struct usrpci_function *f, u32 type, u32 detail),
	TP_ARGS(f, type, detail),
	TP_STRUCT__entry(
		__string(bdf, pci_name(f->pdev))
		__field(u32, type)
		__field(u32, detail)
	),
	TP_fast_assign(
		__assign_str(bdf, pci_name(f->pdev));
		__entry->type = type;
		__entry->detail = detail;
	),
	TP_printk("%s type=%u detail=%u", __get_str(bdf), __entry->type, __entry->detail)
);

TRACE_EVENT(usrpci_map,
	TP_PROTO(struct usrpci_function *f, struct usrpci_mapping *m, u32 runs),
	TP_ARGS(f, m, runs),
	TP_STRUCT__entry(
		__string(bdf, pci_name(f->pdev))
		__field(u32, handle)
		__field(u64, addr)
		__field(u64, len)
		__field(int, dir)
		__field(bool, bounced)
		__field(u32, runs)
	),
	TP_fast_assign(
		__assign_str(bdf, pci_name(f->pdev));
		__entry->handle = m->obj.handle;
		__entry->addr = m->addr;
		__entry->len = m->len;
		__entry->dir = m->dir;
		__entry->bounced = m->bounced;
		__entry->runs = runs;
	),
	TP_printk("%s handle=%u addr=%#llx len=%llu dir=%d bounced=%d runs=%u",
		  __get_str(bdf), __entry->handle, __entry->addr, __entry->len,
		  __entry->dir, __entry->bounced, __entry->runs)
);

TRACE_EVENT(usrpci_unmap,
	TP_PROTO(struct usrpci_function *f, struct usrpci_mapping *m),
	TP_ARGS(f, m),
	TP_STRUCT__entry(
		__string(bdf, pci_name(f->pdev))
		__field(u32, handle)
		__field(u64, addr)
		__field(u64, len)
	),
	TP_fast_assign(
		__assign_str(bdf, pci_name(f->pdev));
		__entry->handle = m->obj.handle;
		__entry->addr = m->addr;
		__entry->len = m->len;
	),
	TP_printk("%s handle=%u addr=%#llx len=%llu", __get_str(bdf),
		  __entry->handle, __entry->addr, __entry->len)
);

TRACE_EVENT(usrpci_coherent,
	TP_PROTO(struct usrpci_function *f, u32 handle, u64 bus_addr, u64 len),
	TP_ARGS(f, handle, bus_addr, len),
	TP_STRUCT__entry(
		__string(bdf, pci_name(f->pdev))
		__field(u32, handle)
		__field(u64, bus_addr)
		__field(u64, len)
	),
	TP_fast_assign(
		__assign_str(bdf, pci_name(f->pdev));
		__entry->handle = handle;
		__entry->bus_addr = bus_addr;
		__entry->len = len;
	),
	TP_printk("%s handle=%u bus_addr=%#llx len=%llu", __get_str(bdf),
		  __entry->handle, __entry->bus_addr, __entry->len)
);

TRACE_EVENT(usrpci_sync,
	TP_PROTO(struct usrpci_function *f, struct usrpci_mapping *m, bool for_cpu,
		 u64 offset, u64 len),
	TP_ARGS(f, m, for_cpu, offset, len),
	TP_STRUCT__entry(
		__string(bdf, pci_name(f->pdev))
		__field(u32, handle)
		__field(bool, for_cpu)
		__field(u64, offset)
		__field(u64, len)
	),
	TP_fast_assign(
		__assign_str(bdf, pci_name(f->pdev));
		__entry->handle = m->obj.handle;
		__entry->for_cpu = for_cpu;
		__entry->offset = offset;
		__entry->len = len;
	),
	TP_printk("%s handle=%u for=%s offset=%llu len=%llu", __get_str(bdf),
		  __entry->handle, __entry->for_cpu ? "cpu" : "device",
		  __entry->offset, __entry->len)
);

TRACE_EVENT(usrpci_irq,
	TP_PROTO(struct usrpci_function *f, u32 vector),
	TP_ARGS(f, vector),
	TP_STRUCT__entry(
		__string(bdf, pci_name(f->pdev))
		__field(u32, vector)
	),
	TP_fast_assign(
		__assign_str(bdf, pci_name(f->pdev));
		__entry->vector = vector;
	),
	TP_printk("%s vector=%u", __get_str(bdf), __entry->vector)
);

TRACE_EVENT(usrpci_fault,
	TP_PROTO(struct usrpci_function *f, unsigned long addr, unsigned long pgoff,
		 unsigned int ret),
	TP_ARGS(f, addr, pgoff, ret),
	TP_STRUCT__entry(
		__string(bdf, pci_name(f->pdev))
		__field(unsigned long, addr)
		__field(unsigned long, pgoff)
		__field(unsigned int, ret)
	),
	TP_fast_assign(
		__assign_str(bdf, pci_name(f->pdev));
		__entry->addr = addr;
		__entry->pgoff = pgoff;
		__entry->ret = ret;
	),
	TP_printk("%s addr=%#lx pgoff=%#lx ret=%#x", __get_str(bdf), __entry->addr,
		  __entry->pgoff, __entry->ret)
);

TRACE_EVENT(usrpci_miss,
	TP_PROTO(struct usrpci_function *f, const struct usrpci_miss *miss, int refusal, u64 took),
	TP_ARGS(f, miss, refusal, took),
	TP_STRUCT__entry(
		__string(bdf, pci_name(f->pdev))
		__field(u64, addr)
		__field(u32, tag)
		__field(bool, write)
		__field(u32, id)
		__field(int, refusal)
		__field(u64, took)
	),
	TP_fast_assign(
		__assign_str(bdf, pci_name(f->pdev));
		__entry->addr = miss->addr;
		__entry->tag = miss->tag;
		__entry->write = miss->write;
		__entry->id = miss->id;
		__entry->refusal = refusal;
		__entry->took = took;
	),
	TP_printk("%s addr=%#llx tag=%u write=%d id=%u refusal=%d ns=%llu", __get_str(bdf),
		  __entry->addr, __entry->tag, __entry->write, __entry->id,
		  __entry->refusal, __entry->took)
);

#endif /* USRPCI_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>

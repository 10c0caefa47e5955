/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/* What the ABI promises of every command, tried on a table of them. */
#ifndef HARNESS_ABI_H
#define HARNESS_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/usrpci.h>

#define ABI_ROOM	1024

union abi_arg {
	struct {
		uint32_t size;
		uint32_t flags;
	} head;
	struct usrpci_ioc_info info;
	struct usrpci_ioc_bar bar;
	struct usrpci_ioc_dma_mask dma_mask;
	struct usrpci_ioc_master master;
	struct usrpci_ioc_coherent coherent;
	struct usrpci_ioc_map map;
	struct usrpci_ioc_unmap unmap;
	struct usrpci_ioc_sync sync;
	struct usrpci_ioc_irq_setup irq_setup;
	struct usrpci_ioc_irq_wire irq_wire;
	struct usrpci_ioc_irq_unmask irq_unmask;
	struct usrpci_ioc_quiesce quiesce;
	struct usrpci_ioc_tlb tlb;
	struct usrpci_ioc_bind bind;
	struct usrpci_ioc_space_info space_info;
	struct usrpci_ioc_space_refusal space_refusal;
	struct usrpci_ioc_space_forget space_forget;
	unsigned char bytes[ABI_ROOM];
};

/**
 * struct abi_command - A command.
 * @name: its name
 * @nr: its number
 * @size: of its struct
 * @flags: that are known
 * @fill: makes a good call of it, all else being 0; NULL: that's good
 * @result: what such a call gives
 * @undo: its effect, or NULL
 * @undo_failed: that of @fill, too
 * @answers: it writes to its struct if it works
 * @reserved: where its reserved field is; 0: has none
 */
struct abi_command {
	const char *name;
	unsigned int nr;
	uint32_t size;
	uint32_t flags;
	void (*fill)(int fd, union abi_arg *arg);
	int result;
	void (*undo)(int fd, union abi_arg *arg);
	bool undo_failed;
	bool answers;
	size_t reserved;
};

#define ABI_COMMAND(_nr, _struct, ...) \
	{ .name = #_nr, .nr = _nr, .size = sizeof(struct _struct), ##__VA_ARGS__ }
#define ABI_RESERVED(_struct) .reserved = offsetof(struct _struct, reserved)

/**
 * struct abi - Commands of a descriptor.
 * @bdf: the function's, of which nothing is held between calls but @held
 * @fd: the descriptor
 * @commands: a table
 * @nr: of them
 * @held: objects
 */
struct abi {
	const char *bdf;
	int fd;
	const struct abi_command *commands;
	size_t nr;
	unsigned int held;
};

/* A good call, not made yet. */
void abi_good_call(const struct abi_command *c, int fd, union abi_arg *arg);

/* Each asserts what its name says of every command. */
void abi_exact_size_is_taken(const struct abi *abi);
void abi_short_sizes_are_invalid(const struct abi *abi);
void abi_zero_tail_is_taken(const struct abi *abi);
void abi_other_tail_is_too_big(const struct abi *abi);
/* The tail ends at memory that isn't there, or sooner at something that isn't 0. */
void abi_largest_size_fails(const struct abi *abi);
void abi_unknown_flags_are_invalid(const struct abi *abi);
void abi_reserved_fields_are_zero(const struct abi *abi);
/* Each struct so that only its first bytes are in memory. */
void abi_struct_across_the_end_faults(const struct abi *abi);
/* The struct can be read, but its answer not written. */
void abi_struct_that_is_read_only_faults(const struct abi *abi);
void abi_wild_pointers_fault(const struct abi *abi);
/* Those give no answer but their result, whatever that is. */
void abi_calls_without_answer_write_nothing(const struct abi *abi);
/* What a caller with a longer struct has behind ours stays as it was. */
void abi_answers_end_with_their_struct(const struct abi *abi);

#endif /* HARNESS_ABI_H */

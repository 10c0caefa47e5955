/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
/*
 * What a device does to memory is done here by the kernel, which tools that watch the program's
 * own accesses don't see: valgrind and AddressSanitizer are told.
 */
#ifndef LIB_BACKEND_VFIO_USER_CHECKED_H
#define LIB_BACKEND_VFIO_USER_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#if __has_include("valgrind/memcheck.h")
#include <valgrind/memcheck.h>
#else
#define VALGRIND_CHECK_MEM_IS_ADDRESSABLE(addr, len)	0UL
#define VALGRIND_MAKE_MEM_DEFINED(addr, len)		0UL
#endif

/*
 * There in a program that is built with AddressSanitizer, whether the library was or not. Source:
 * <sanitizer/asan_interface.h>.
 */
extern void *__asan_region_is_poisoned(void *addr, size_t len) __attribute__((weak));
extern void __asan_report_error(void *pc, void *frame, void *stack, void *addr, int write,
				size_t len) __attribute__((weak));

/* Whether the device may reach memory as far as they know; else they report it. */
static inline bool usrpci_is_live(void *addr, size_t len, bool write)
{
	void *poisoned = NULL;

	if (__asan_region_is_poisoned && __asan_report_error)
		poisoned = __asan_region_is_poisoned(addr, len);
	if (poisoned)
		__asan_report_error(__builtin_return_address(0), __builtin_frame_address(0),
				    &poisoned, poisoned, write, len);
	return !poisoned && !VALGRIND_CHECK_MEM_IS_ADDRESSABLE(addr, len);
}

/* The device has written there. */
static inline void usrpci_was_written(void *addr, size_t len)
{
	(void)VALGRIND_MAKE_MEM_DEFINED(addr, len);
}

#endif /* LIB_BACKEND_VFIO_USER_CHECKED_H */

// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What a disk's statuses are as errnos. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <nvme/internal.h>

#include <cmocka.h>

/* Numbers of NVMe base 2.0 §3.3.3.2.1 and NVM command set 1.0 §4.1.1: type in bits 8 to 10. */
static void test_table(void **state)
{
	static const struct {
		uint16_t status;
		int error;
	} cases[] = {
		{ 0x000, 0 }, { 0x001, EOPNOTSUPP }, { 0x002, EINVAL }, { 0x004, EFAULT },
		{ 0x005, ECANCELED }, { 0x006, EIO }, { 0x007, ECANCELED }, { 0x008, ECANCELED },
		{ 0x00b, ENXIO }, { 0x013, EFAULT }, { 0x015, EACCES }, { 0x01d, EBUSY },
		{ 0x020, EROFS }, { 0x021, EAGAIN }, { 0x080, EINVAL }, { 0x081, ENOSPC },
		{ 0x082, EBUSY }, { 0x083, EBADE }, { 0x084, EBUSY }, { 0x180, EINVAL },
		{ 0x182, EROFS }, { 0x280, EIO }, { 0x281, EIO }, { 0x282, EILSEQ },
		{ 0x283, EILSEQ }, { 0x284, EILSEQ }, { 0x285, EILSEQ }, { 0x286, EACCES },
		{ 0x287, ENODATA }, { 0x0ff, EIO }, { 0x7ff, EIO }, { 0x300, EIO },
	};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(nvme_status_error(cases[i].status), -cases[i].error);
		/* More, Do Not Retry and the retry delay say nothing of what it is. */
		assert_int_equal(nvme_status_error(cases[i].status | 0x7800), -cases[i].error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}

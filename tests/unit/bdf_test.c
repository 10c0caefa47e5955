// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Names of functions: what is one, and its full form. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <usrpci.h>
#include <cmocka.h>

static const struct {
	const char *address;
	const char *bdf;	/* NULL: isn't one */
} table[] = {
	{ "0000:00:04.0", "0000:00:04.0" },
	{ "00:04.0", "0000:00:04.0" },
	{ "ff:1f.7", "0000:ff:1f.7" },
	{ "FF:1F.7", "0000:ff:1f.7" },
	{ "ABCD:Ef:0a.3", "abcd:ef:0a.3" },
	{ "10000:01:02.3", "10000:01:02.3" },
	{ "00010000:01:02.3", "10000:01:02.3" },
	{ "ffffffff:ff:1f.7", "ffffffff:ff:1f.7" },
	{ "00000000:00:00.0", "0000:00:00.0" },
	{ "", NULL },
	{ "0", NULL },
	{ "0000", NULL },
	{ "0000:", NULL },
	{ ":00:04.0", NULL },
	{ "000:00:04.0", NULL },
	{ "0:00:04.0", NULL },
	{ "000000000:00:04.0", NULL },
	{ "100000000:00:04.0", NULL },
	{ "0000:0:04.0", NULL },
	{ "0000:000:04.0", NULL },
	{ "0000:00:4.0", NULL },
	{ "0000:00:004.0", NULL },
	{ "0000:00:20.0", NULL },
	{ "0000:00:ff.0", NULL },
	{ "0000:00:04.8", NULL },
	{ "0000:00:04.f", NULL },
	{ "0000:00:04.00", NULL },
	{ "0000:00:04.", NULL },
	{ "0000:00:04", NULL },
	{ "0000:00:04:0", NULL },
	{ "0000.00.04.0", NULL },
	{ "0000:00:04.0 ", NULL },
	{ " 0000:00:04.0", NULL },
	{ "0000:00:04.0\n", NULL },
	{ "0000: 0:04.0", NULL },
	{ "0000:+0:04.0", NULL },
	{ "0000:-1:04.0", NULL },
	{ "0000:0x:04.0", NULL },
	{ "g000:00:04.0", NULL },
	{ "0000:00:04.0/../..", NULL },
	{ "../0000:00:04.0", NULL },
	{ "vfio-user:/tmp/socket", NULL },
};

static void test_table(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char bdf[USRPCI_BDF_LEN] = "untouched";
		int ret = usrpci_parse_bdf(table[i].address, bdf);

		print_message("# row %zu\n", i);
		assert_int_equal(ret, table[i].bdf ? 0 : -EINVAL);
		assert_string_equal(bdf, table[i].bdf ? table[i].bdf : "untouched");
	}
}

static void test_null(void **state)
{
	char bdf[USRPCI_BDF_LEN];

	assert_int_equal(usrpci_parse_bdf(NULL, bdf), -EINVAL);
	assert_int_equal(usrpci_parse_bdf("00:04.0", NULL), -EINVAL);
}

/* Every function has a name that comes back as it was. */
static void test_all_of_a_bus(void **state)
{
	char name[USRPCI_BDF_LEN], bdf[USRPCI_BDF_LEN];
	unsigned int slot, function;

	for (slot = 0; slot < 32; slot++) {
		for (function = 0; function < 8; function++) {
			snprintf(name, sizeof(name), "0001:a5:%02x.%x", slot, function);
			assert_int_equal(usrpci_parse_bdf(name, bdf), 0);
			assert_string_equal(bdf, name);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_all_of_a_bus),
	};

	return cmocka_run_group_tests_name("bdf", tests, NULL, NULL);
}

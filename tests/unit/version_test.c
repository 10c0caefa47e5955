// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What a vfio-user peer says that it can take. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "vfio-user/message.h"
#include "vfio-user/version.h"

#define CAPS(text)	"{\"capabilities\":{" text "}}"
#define TWIN(text)	CAPS("\"twin_socket\":" text)

static const struct {
	const char *text;
	int err;
	struct vfio_user_capabilities caps;
} table[] = {
	{ "{}", 0, { 1, 1 << 20, false, -1 } },
	{ "{\"capabilities\":{}}", 0, { 1, 1 << 20, false, -1 } },
	{ "{\"other\":[1,2]}", 0, { 1, 1 << 20, false, -1 } },
	{ CAPS("\"max_msg_fds\":8"), 0, { 8, 1 << 20, false, -1 } },
	{ CAPS("\"max_msg_fds\":16"), 0, { 16, 1 << 20, false, -1 } },
	{ CAPS("\"max_msg_fds\":17"), 0, { 16, 1 << 20, false, -1 } },
	{ CAPS("\"max_msg_fds\":99999999999999999999999"), 0, { 16, 1 << 20, false, -1 } },
	{ CAPS("\"max_msg_fds\":0"), -EPROTO },
	{ CAPS("\"max_msg_fds\":-1"), -EPROTO },
	{ CAPS("\"max_msg_fds\":\"8\""), -EPROTO },
	{ CAPS("\"max_msg_fds\":8.0"), -EPROTO },
	{ CAPS("\"max_msg_fds\":true"), -EPROTO },
	{ CAPS("\"max_msg_fds\":[8]"), -EPROTO },
	{ CAPS("\"max_msg_fds\":null"), -EPROTO },
	{ CAPS("\"max_data_xfer_size\":1"), 0, { 1, 1, false, -1 } },
	{ CAPS("\"max_data_xfer_size\":4096"), 0, { 1, 4096, false, -1 } },
	{ CAPS("\"max_data_xfer_size\":4294967296"), 0, { 1, 1 << 20, false, -1 } },
	{ CAPS("\"max_data_xfer_size\":0"), -EPROTO },
	{ CAPS("\"max_data_xfer_size\":-4096"), -EPROTO },
	{ CAPS("\"max_data_xfer_size\":{}"), -EPROTO },
	{ CAPS("\"migration\":{\"pgsize\":4096}"), 0, { 1, 1 << 20, false, -1 } },
	{ TWIN("{}"), 0, { 1, 1 << 20, false, -1 } },
	{ TWIN("{\"supported\":true}"), 0, { 1, 1 << 20, true, -1 } },
	{ TWIN("{\"supported\":false}"), 0, { 1, 1 << 20, false, -1 } },
	{ TWIN("{\"supported\":true,\"fd_index\":0}"), 0, { 1, 1 << 20, true, 0 } },
	{ TWIN("{\"supported\":true,\"fd_index\":3}"), 0, { 1, 1 << 20, true, 3 } },
	{ TWIN("{\"supported\":true,\"fd_index\":-5}"), 0, { 1, 1 << 20, true, -5 } },
	{ TWIN("{\"supported\":1}"), -EPROTO },
	{ TWIN("{\"supported\":\"true\"}"), -EPROTO },
	{ TWIN("{\"supported\":null}"), -EPROTO },
	{ TWIN("{\"fd_index\":\"0\"}"), -EPROTO },
	{ TWIN("{\"fd_index\":0.5}"), -EPROTO },
	{ TWIN("true"), -EPROTO },
	{ TWIN("[]"), -EPROTO },
	{ TWIN("null"), -EPROTO },
	{ "{\"capabilities\":[]}", -EPROTO },
	{ "{\"capabilities\":null}", -EPROTO },
	{ "", -EPROTO },
	{ " ", -EPROTO },
	{ "null", -EPROTO },
	{ "7", -EPROTO },
	{ "\"{}\"", -EPROTO },
	{ "[]", -EPROTO },
	{ "{", -EPROTO },
	{ "{\"capabilities\":{", -EPROTO },
	{ "{\"capabilities\"}", -EPROTO },
	{ "\xff\xfe", -EPROTO },
	{ "garbage", -EPROTO },
};

static size_t put(unsigned char *payload, unsigned int major, const char *text)
{
	const struct vfio_user_version version = { .major = (uint16_t)major };

	memcpy(payload, &version, sizeof(version));
	strcpy((char *)payload + sizeof(version), text);
	return sizeof(version) + strlen(text) + 1;
}

static void test_table(void **state)
{
	struct vfio_user_capabilities caps;
	unsigned char payload[512];
	size_t i, len;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		print_message("# %s\n", table[i].text);
		len = put(payload, 0, table[i].text);
		assert_int_equal(usrpci_version_parse(payload, len, &caps), table[i].err);
		if (table[i].err)
			continue;
		assert_int_equal(caps.max_fds, table[i].caps.max_fds);
		assert_int_equal(caps.max_transfer, table[i].caps.max_transfer);
		assert_int_equal(caps.twin, table[i].caps.twin);
		assert_int_equal(caps.twin_fd, table[i].caps.twin_fd);
	}
}

static void test_major(void **state)
{
	struct vfio_user_capabilities caps;
	unsigned char payload[512];

	assert_int_equal(usrpci_version_parse(payload, put(payload, 1, "{}"), &caps),
			 -EPROTONOSUPPORT);
	assert_int_equal(usrpci_version_parse(payload, put(payload, 65535, "garbage"), &caps),
			 -EPROTONOSUPPORT);
	put(payload, 0, "");
	assert_int_equal(usrpci_version_parse(payload, 4, &caps), 0);
	assert_int_equal(caps.max_fds, 1);
}

static void test_minor(void **state)
{
	const struct vfio_user_version version = { .major = 0, .minor = 9 };
	struct vfio_user_capabilities caps;

	assert_int_equal(usrpci_version_parse(&version, sizeof(version), &caps), 0);
}

/* Nested as deep as it fits. */
static void test_deep(void **state)
{
	static unsigned char payload[1 << 16];
	struct vfio_user_capabilities caps;

	memset(payload, '[', sizeof(payload));
	memset(payload, 0, sizeof(struct vfio_user_version));
	payload[sizeof(payload) - 1] = 0;
	assert_int_equal(usrpci_version_parse(payload, sizeof(payload), &caps), -EPROTO);
}

static void test_own(void **state)
{
	static const struct {
		bool twin;
		int fd;
	} own[] = { { false, -1 }, { true, -1 }, { true, 0 }, { true, INT32_MAX } };
	struct vfio_user_capabilities caps;
	size_t i;

	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		unsigned char payload[VFIO_USER_TEXT];
		size_t len = usrpci_version_format(payload, own[i].twin, own[i].fd);

		assert_in_range(len, 5, sizeof(payload));
		assert_int_equal(usrpci_message_check_command(VFIO_USER_VERSION, payload, len, 0),
				 0);
		assert_int_equal(usrpci_version_parse(payload, len, &caps), 0);
		assert_int_equal(caps.max_fds, VFIO_USER_FDS);
		assert_int_equal(caps.max_transfer, VFIO_USER_TRANSFER);
		assert_int_equal(caps.twin, own[i].twin);
		assert_int_equal(caps.twin_fd, own[i].twin ? own[i].fd : -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_major),
		cmocka_unit_test(test_minor),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* A version message that was checked is parsed: what it says is in range, or an error. */
#include <errno.h>
#include <stdlib.h>
#include "fuzz.h"
#include "vfio-user/message.h"
#include "vfio-user/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { data, len };
	struct vfio_user_capabilities caps;
	void *payload = input_copy(&in, len);
	int err;

	if (!usrpci_message_check_command(VFIO_USER_VERSION, payload, len, 0)) {
		err = usrpci_version_parse(payload, len, &caps);
		must(!err || err == -EPROTO || err == -EPROTONOSUPPORT, "error of a version");
		if (!err) {
			must(caps.max_fds && caps.max_fds <= VFIO_USER_FDS, "max_fds");
			must(caps.max_transfer && caps.max_transfer <= VFIO_USER_TRANSFER,
			     "max_transfer");
		}
	}
	free(payload);
	return 0;
}

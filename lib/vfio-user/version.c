// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include "protocol.h"
#include "version.h"

/* A number of at least 1, and no more than @most. */
static int get_number(struct json_object *caps, const char *name, uint32_t most, uint32_t *number)
{
	struct json_object *value;
	int64_t said;

	if (!json_object_object_get_ex(caps, name, &value))
		return 0;
	if (!json_object_is_type(value, json_type_int))
		return -EPROTO;
	said = json_object_get_int64(value);
	if (said < 1)
		return -EPROTO;
	*number = said < most ? (uint32_t)said : most;
	return 0;
}

static int get_twin(struct json_object *all, struct vfio_user_capabilities *caps)
{
	struct json_object *twin, *value;

	if (!json_object_object_get_ex(all, "twin_socket", &twin))
		return 0;
	if (!json_object_is_type(twin, json_type_object))
		return -EPROTO;
	if (json_object_object_get_ex(twin, "supported", &value)) {
		if (!json_object_is_type(value, json_type_boolean))
			return -EPROTO;
		caps->twin = json_object_get_boolean(value);
	}
	if (json_object_object_get_ex(twin, "fd_index", &value)) {
		if (!json_object_is_type(value, json_type_int))
			return -EPROTO;
		caps->twin_fd = json_object_get_int(value);
	}
	return 0;
}

static int get_capabilities(struct json_object *root, struct vfio_user_capabilities *caps)
{
	struct json_object *all;

	if (!json_object_is_type(root, json_type_object))
		return -EPROTO;
	if (!json_object_object_get_ex(root, "capabilities", &all))
		return 0;
	if (!json_object_is_type(all, json_type_object))
		return -EPROTO;
	return get_number(all, "max_msg_fds", VFIO_USER_FDS, &caps->max_fds) ?:
	       get_number(all, "max_data_xfer_size", VFIO_USER_TRANSFER, &caps->max_transfer) ?:
	       get_twin(all, caps);
}

int usrpci_version_parse(const void *payload, size_t len,
			 struct vfio_user_capabilities *caps)
{
	struct vfio_user_version version;
	struct json_object *root;
	int err;

	*caps = (struct vfio_user_capabilities){
		.max_fds = VFIO_USER_DEFAULT_FDS,
		.max_transfer = VFIO_USER_DEFAULT_TRANSFER,
		.twin_fd = -1,
	};
	memcpy(&version, payload, sizeof(version));
	if (version.major != VFIO_USER_MAJOR)
		return -EPROTONOSUPPORT;
	if (len == sizeof(version))
		return 0;
	root = json_tokener_parse((const char *)payload + sizeof(version));
	if (!root)
		return -EPROTO;
	err = get_capabilities(root, caps);
	json_object_put(root);
	return err;
}

size_t usrpci_version_format(unsigned char payload[VFIO_USER_TEXT], bool twin, int twin_fd)
{
	const struct vfio_user_version version = { VFIO_USER_MAJOR, VFIO_USER_MINOR };
	char *text = (char *)payload + sizeof(version);
	const size_t room = VFIO_USER_TEXT - sizeof(version);
	char index[32] = "", socket[80] = "";

	memcpy(payload, &version, sizeof(version));
	if (twin_fd >= 0)
		snprintf(index, sizeof(index), ",\"fd_index\":%d", twin_fd);
	if (twin)
		snprintf(socket, sizeof(socket), ",\"twin_socket\":{\"supported\":true%s}", index);
	return sizeof(version) + 1 +
	       (size_t)snprintf(text, room, "{\"capabilities\":{\"max_msg_fds\":%u,"
				"\"max_data_xfer_size\":%u%s}}",
				VFIO_USER_FDS, VFIO_USER_TRANSFER, socket);
}

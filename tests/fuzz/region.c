// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What a region says of itself: windows lie in it, in whole pages. */
#include <stdlib.h>
#include "fuzz.h"
#include "vfio/vfio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { data, len };
	struct usrpci_region region;
	unsigned int i;
	void *info;

	if (len < sizeof(struct vfio_region_info))
		return 0;
	info = input_copy(&in, len);
	if (!usrpci_vfio_parse_region(&region, info, len)) {
		must(region.nr_windows <= 2, "number of windows");
		for (i = 0; i < region.nr_windows; i++) {
			uint64_t offset = region.windows[i].offset;

			must(offset % 4096 == 0 && region.windows[i].len, "a window's start");
			must(offset < region.len && region.windows[i].len <= region.len - offset,
			     "a window's end");
		}
	}
	free(info);
	return 0;
}

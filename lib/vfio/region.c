// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <string.h>
#include "vfio.h"

#define PAGE		4096ULL
/* As many as fit, should a list of capabilities be a ring. */
#define MOST_CAPS	64

static bool is_area(const struct usrpci_region *region, uint64_t offset, uint64_t len)
{
	return len && !(offset % PAGE) && offset < region->len && len <= region->len - offset;
}

/* Only as many windows as the API tells of: what's left out is reached by calls. */
static void add_window(struct usrpci_region *region, uint64_t offset, uint64_t len)
{
	const unsigned int most = sizeof(region->windows) / sizeof(region->windows[0]);

	if (region->nr_windows == most || !is_area(region, offset, len))
		return;
	region->windows[region->nr_windows].offset = offset;
	region->windows[region->nr_windows++].len = len;
}

static int parse_sparse(struct usrpci_region *region, const unsigned char *cap, size_t len)
{
	struct vfio_region_info_cap_sparse_mmap sparse;
	struct vfio_region_sparse_mmap_area area;
	size_t i;

	if (len < sizeof(sparse))
		return -EPROTO;
	memcpy(&sparse, cap, sizeof(sparse));
	if (sparse.nr_areas > (len - sizeof(sparse)) / sizeof(area))
		return -EPROTO;
	for (i = 0; i < sparse.nr_areas; i++) {
		memcpy(&area, cap + sizeof(sparse) + i * sizeof(area), sizeof(area));
		add_window(region, area.offset, area.size);
	}
	return 0;
}

/* Sets @found if the region says which parts of it can be mapped. */
static int parse_caps(struct usrpci_region *region, const unsigned char *info, size_t argsz,
		      uint32_t at, bool *found)
{
	struct vfio_info_cap_header head;
	unsigned int nr = MOST_CAPS;
	int err;

	for (; at; at = head.next) {
		if (!nr-- || at < sizeof(struct vfio_region_info) || at > argsz ||
		    argsz - at < sizeof(head))
			return -EPROTO;
		memcpy(&head, info + at, sizeof(head));
		if (head.id != VFIO_REGION_INFO_CAP_SPARSE_MMAP)
			continue;
		*found = true;
		err = parse_sparse(region, info + at, argsz - at);
		if (err)
			return err;
	}
	return 0;
}

int usrpci_vfio_parse_region(struct usrpci_region *region, const struct vfio_region_info *info,
			     size_t argsz)
{
	bool sparse = false;
	int err = 0;

	*region = (struct usrpci_region){
		.flags = info->flags, .len = info->size, .offset = info->offset, .fd = -1,
	};
	if (!(info->flags & VFIO_REGION_INFO_FLAG_MMAP))
		return 0;
	if (info->flags & VFIO_REGION_INFO_FLAG_CAPS)
		err = parse_caps(region, (const unsigned char *)info, argsz, info->cap_offset,
				 &sparse);
	if (!err && !sparse)
		add_window(region, 0, region->len);
	return err;
}

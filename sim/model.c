// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What a model has to have: said at the start, before a program finds out. */
#include "device.h"
#include "interrupt.h"

#define SHORTEST_BAR	16U
#define MSI_MOST	32U
#define TABLE_ENTRY	16U

static bool is_power_of_two(uint64_t n)
{
	return n && !(n & (n - 1));
}

static const char *check_bar(const struct sim_bar *bar, bool last)
{
	if (!bar->len)
		return NULL;
	if (bar->len < SHORTEST_BAR || !is_power_of_two(bar->len))
		return "its table has a BAR whose length is no power of two from 16";
	if (!bar->wide && bar->len > UINT32_MAX)
		return "its table has a BAR that needs to be wide";
	if (bar->wide && (last || bar[1].len))
		return "its table has a wide BAR with none free after it for its upper half";
	return NULL;
}

/* Behind the table lie the pending bits, a quadword for 64 of them. */
static const char *check_vectors(const struct sim_device *device)
{
	const uint64_t table = (uint64_t)TABLE_ENTRY * device->nr_msix;
	const uint64_t end = device->msix_offset + table + 8ULL * ((device->nr_msix + 63) / 64);

	if (device->nr_msi && (device->nr_msi > MSI_MOST || !is_power_of_two(device->nr_msi)))
		return "its table has a number of MSI vectors that is no power of two up to 32";
	if (!device->nr_msix)
		return NULL;
	if (device->nr_msix > SIM_VECTORS)
		return "its table has more than 2048 MSI-X vectors";
	if (device->msix_bar >= SIM_BARS || device->msix_offset % 8 ||
	    end > device->bars[device->msix_bar].len)
		return "its table has no room for MSI-X at msix_offset of BAR msix_bar";
	return NULL;
}

const char *sim_device_check(const struct sim_device *device)
{
	const char *why = NULL;
	unsigned int i;

	if (!device->create || !device->reset || !device->read || !device->write)
		return "its table lacks create, reset, read or write";
	for (i = 0; i < SIM_BARS && !why; i++)
		why = check_bar(&device->bars[i], i == SIM_BARS - 1);
	return why ? why : check_vectors(device);
}

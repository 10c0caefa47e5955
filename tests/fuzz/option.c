// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What somebody asks a simulator for, and how its knobs are set. */
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"
#include "sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = calloc(1, len + 1);
	const char *why = NULL;
	struct sim *sim;

	if (len)
		memcpy(text, data, len);
	sim = sim_create(text, &why);
	must(!sim == !!why, "that it's said why there's no simulator");
	if (sim)
		sim_destroy(sim);
	free(text);
	return 0;
}

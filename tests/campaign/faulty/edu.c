// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include "edu.h"
#include "function.h"
#include "life.h"

#define FACTORIAL	0x08
#define DMA		0x80	/* from here on nothing is written: QEMU aborts */
#define STORM		300

/* Its factorial takes as many steps as the number says. */
static void write_any(struct life *l)
{
	unsigned int reg = 4 * life_below(l, DMA / 4);
	uint32_t value = (uint32_t)life_below(l, reg == FACTORIAL ? 1000 : 1ULL << 32);

	l->bar[reg / 4] = value;
}

static void read_any(struct life *l)
{
	(void)l->bar[life_below(l, 2 * PAGE / 4)];
}

/* Nobody acknowledges it. */
static void raise_irq(struct life *l)
{
	l->bar[EDU_RAISE / 4] = 1 + (uint32_t)life_below(l, 255);
}

static void storm(struct life *l)
{
	unsigned int i;

	for (i = 0; i < STORM; i++)
		raise_irq(l);
}

void mistake_edu(struct life *l)
{
	static void (* const all[])(struct life *l) = {
		write_any, write_any, read_any, raise_irq, raise_irq, storm,
	};

	if (l->bar)
		all[life_below(l, ARRAY_SIZE(all))](l);
}

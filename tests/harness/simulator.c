// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <sys/io.h>

#include "function.h"
#include "simulator.h"

/* Of the first; vm/simulator.sh. */
#define PORT	0x5e0
#define PORT_IS	0xe9

bool simulator_present(unsigned int number)
{
	return !ioperm(PORT + number, 1, 1) && inb(PORT + number) == PORT_IS;
}

void simulator_turn(unsigned int number, const char *knob)
{
	assert_true(simulator_present(number));
	for (; *knob; knob++)
		outb(*knob, PORT + number);
	outb('\n', PORT + number);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef SIM_SERVER_H
#define SIM_SERVER_H

#include "control.h"
#include "sim.h"

/**
 * struct sim_server - Who lets programs have a device.
 * @sim: the device
 * @listener: where programs connect, one after the other; -1: there's one alone
 * @control: for the knobs
 * @visitor: who came while another has the device; -1: nobody
 * @stop: a descriptor that ends it when it can be read
 */
struct sim_server {
	struct sim *sim;
	int listener;
	int visitor;
	struct sim_control control;
	int stop;
};

/* Serves @channel first, unless that's -1. Returns when there's nobody left to serve. */
void sim_server_run(struct sim_server *server, int channel);

#endif /* SIM_SERVER_H */

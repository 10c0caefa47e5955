// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "acts.h"
#include "scene.h"

static int act_open_close(struct scene *s)
{
	int err = open_it(s);

	close_it(s);
	return err;
}

static int act_info(struct scene *s)
{
	struct usrpci_ioc_info info = { .size = sizeof(info) };
	int err = function_call(s->fd, USRPCI_INFO, &info);

	return err ?: memcmp(&info, &s->info, sizeof(info)) ? -EBADMSG : 0;
}

static int act_bar(struct scene *s)
{
	struct usrpci_ioc_bar bar = { .size = sizeof(bar) };
	int err = function_call(s->fd, USRPCI_BAR, &bar);

	return err ?: memcmp(&bar, &s->bar, sizeof(bar)) ? -EBADMSG : 0;
}

int ask_bar(struct scene *s)
{
	s->bar = (struct usrpci_ioc_bar){ .size = sizeof(s->bar) };
	return function_call(s->fd, USRPCI_BAR, &s->bar);
}

static int act_mask(struct scene *s)
{
	return function_mask(s->fd, s->q->n);
}

static void undo_mask(struct scene *s)
{
	must(s, "mask", function_mask(s->fd, 32));
}

static int act_master(struct scene *s)
{
	return function_master(s->fd, 1);
}

static void undo_master(struct scene *s)
{
	must(s, "master off", function_master(s->fd, 0));
}

static int setup_master(struct scene *s)
{
	return setup_open(s) ?: function_master(s->fd, 1);
}

static int act_master_off(struct scene *s)
{
	return function_master(s->fd, 0);
}

static int act_reset(struct scene *s)
{
	return function_reset(s->fd);
}

static int act_poll(struct scene *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	int n = poll(&p, 1, 0);

	return n < 0 ? -errno : p.revents ? -EBADMSG : 0;
}

static int read_file(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	int err = n < 0 ? -errno : n ? 0 : -EBADMSG;

	if (fd >= 0)
		close(fd);
	return err;
}

static int act_look(struct scene *s)
{
	char holders[96], isolation[96], opener[96];

	snprintf(holders, sizeof(holders), "/sys/kernel/debug/usrpci/%s", s->bdf);
	snprintf(isolation, sizeof(isolation), "/sys/class/usrpci/%s/isolation", s->bdf);
	snprintf(opener, sizeof(opener), "/sys/class/usrpci/%s/opener", s->bdf);
	return read_file(holders) ?: read_file(isolation) ?: read_file(opener);
}

static const struct sequence sequences[] = {
	{ "open", EDU, .act = open_it, .undo = close_it },
	{ "open, nvme", NVME, .act = open_it, .undo = close_it },
	{ "open and close", EDU, .act = act_open_close },
	{ "open and close, nvme", NVME, .act = act_open_close },
	{ "info", EDU, OPENED, .act = act_info },
	{ "info, nvme", NVME, OPENED, .act = act_info },
	{ "bar", EDU, OPENED, .act = act_bar },
	{ "mask", EDU, .n = 28, OPENED, .act = act_mask, .undo = undo_mask },
	{ "mask, nvme", NVME, .n = 64, OPENED, .act = act_mask, .undo = undo_mask },
	{ "master", EDU, OPENED, .act = act_master, .undo = undo_master },
	{ "master off", EDU, .setup = setup_master, .end = close_it, .act = act_master_off },
	{ "reset", NVME, OPENED, .act = act_reset },
	{ "poll", EDU, OPENED, .act = act_poll },
	{ "look", EDU, OPENED, .act = act_look },
};

const struct group control_group = GROUP(sequences);

// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "control.h"

/* Whether somebody serves there; EAGAIN is one who has too many waiting already. */
static bool is_served(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool served;

	if (fd < 0)
		return true;
	served = !connect(fd, (const struct sockaddr *)address, sizeof(*address)) ||
		 errno == EAGAIN;
	close(fd);
	return served;
}

int sim_listen(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat st;
	int err, fd;

	if (!*path || strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	if (!lstat(path, &st) && S_ISSOCK(st.st_mode)) {
		if (is_served(&address))
			return -EADDRINUSE;
		unlink(path);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 4)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int sim_control_open(struct sim_control *control, const char *path)
{
	unsigned int i;

	*control = (struct sim_control){ .path = path, .listener = -1 };
	for (i = 0; i < SIM_CONTROL_CLIENTS; i++)
		control->clients[i] = -1;
	if (!path)
		return 0;
	control->listener = sim_listen(path);
	return control->listener < 0 ? control->listener : 0;
}

static void drop(struct sim_control *control, unsigned int client)
{
	close(control->clients[client]);
	control->clients[client] = -1;
	control->lens[client] = 0;
}

void sim_control_close(struct sim_control *control)
{
	unsigned int i;

	for (i = 0; i < SIM_CONTROL_CLIENTS; i++)
		if (control->clients[i] >= 0)
			drop(control, i);
	if (control->listener < 0)
		return;
	close(control->listener);
	unlink(control->path);
}

void sim_control_poll(const struct sim_control *control, struct pollfd *fds)
{
	unsigned int i;

	fds[0] = (struct pollfd){ .fd = control->listener, .events = POLLIN };
	for (i = 0; i < SIM_CONTROL_CLIENTS; i++)
		fds[1 + i] = (struct pollfd){ .fd = control->clients[i], .events = POLLIN };
}

static void add_number(struct json_object *to, const char *name, uint64_t value)
{
	json_object_object_add(to, name, json_object_new_uint64(value));
}

static struct json_object *describe(const struct sim *sim)
{
	struct json_object *all = json_object_new_object();
	struct json_object *faults = json_object_new_object();
	const char *name, *help;
	unsigned int i;
	uint64_t value;

	json_object_object_add(all, "device", json_object_new_string(sim->device->name));
	json_object_object_add(all, "connected", json_object_new_boolean(!!sim->connection));
	json_object_object_add(all, "bus_master",
			       json_object_new_boolean(sim_config_is_master(&sim->config)));
	add_number(all, "mappings", sim->memory.nr);
	add_number(all, "reads", sim->counts.reads);
	add_number(all, "writes", sim->counts.writes);
	add_number(all, "interrupts", sim->counts.interrupts);
	add_number(all, "dmas", sim->counts.dmas);
	add_number(all, "dma_bytes", sim->counts.dma_bytes);
	add_number(all, "dmas_refused", sim->counts.dmas_refused);
	add_number(all, "resets", sim->counts.resets);
	for (i = 0; sim_faults_get(&sim->faults, i, &name, &help, &value); i++)
		add_number(faults, name, value);
	json_object_object_add(all, "faults", faults);
	return all;
}

/* Nobody is waited for: who doesn't read misses it. */
static void say(int client, const char *text)
{
	char line[2048];
	int len = snprintf(line, sizeof(line), "%s\n", text);

	send(client, line, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void obey(struct sim *sim, int client, const char *line)
{
	struct json_object *status;

	if (!strcmp(line, "status")) {
		status = describe(sim);
		say(client, json_object_to_json_string_ext(status, JSON_C_TO_STRING_PLAIN));
		json_object_put(status);
		return;
	}
	switch (sim_faults_set(&sim->faults, line)) {
	case 0:
		say(client, "ok");
		break;
	case -ENOENT:
		say(client, "error: no such knob; see: usrpci-sim --help");
		break;
	default:
		say(client, "error: not a number that this knob can have");
	}
}

static void serve_client(struct sim_control *control, struct sim *sim, unsigned int i)
{
	const size_t room = sizeof(control->lines[i]) - 1 - control->lens[i];
	char *line = control->lines[i], *end;
	ssize_t got;

	got = room ? read(control->clients[i], line + control->lens[i], room) : 0;
	if (got <= 0) {
		drop(control, i);
		return;
	}
	control->lens[i] += (size_t)got;
	line[control->lens[i]] = '\0';
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		obey(sim, control->clients[i], line);
		line = end + 1;
	}
	control->lens[i] = strlen(line);
	memmove(control->lines[i], line, control->lens[i] + 1);
}

static void admit(struct sim_control *control)
{
	unsigned int i;
	int client = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC);

	for (i = 0; client >= 0 && i < SIM_CONTROL_CLIENTS; i++) {
		if (control->clients[i] >= 0)
			continue;
		control->clients[i] = client;
		return;
	}
	if (client >= 0)
		close(client);
}

void sim_control_serve(struct sim_control *control, struct sim *sim, const struct pollfd *fds)
{
	unsigned int i;

	for (i = 0; i < SIM_CONTROL_CLIENTS; i++)
		if (fds[1 + i].revents)
			serve_client(control, sim, i);
	if (fds[0].revents)
		admit(control);
}

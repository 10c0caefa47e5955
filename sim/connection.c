// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "connection.h"
#include "vfio-user/message.h"

/* A program that doesn't take or give a message for so long has no device any more. */
#define PATIENCE_MS	10000
/* Of somebody who is sent away: he has said it by now, or isn't waited for. */
#define NO_PATIENCE_MS	1

struct sim_connection *sim_connection_open(struct sim *sim, int channel)
{
	struct sim_connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return NULL;
	usrpci_message_set_patience(channel, PATIENCE_MS);
	connection->sim = sim;
	connection->channel = channel;
	connection->twin = -1;
	sim->connection = connection;
	return connection;
}

/*
 * A socket that is closed with something unread in it is an error for the other side, not an
 * end: of that QEMU (11.1) dies.
 */
static void hang_up(int channel)
{
	char rest[4096];

	shutdown(channel, SHUT_RDWR);
	while (recv(channel, rest, sizeof(rest), MSG_DONTWAIT) > 0)
		;
	close(channel);
}

void sim_connection_close(struct sim_connection *connection)
{
	unsigned int i;

	connection->sim->connection = NULL;
	hang_up(connection->channel);
	if (connection->twin >= 0)
		hang_up(connection->twin);
	for (i = 0; i < connection->nr_backlog; i++)
		usrpci_message_free(&connection->backlog[i]);
	usrpci_message_free(&connection->message);
	usrpci_message_free(&connection->answer);
	free(connection);
}

/* --- answers --- */

static int reply(struct sim_connection *c, const struct vfio_user_part *parts,
		 unsigned int nr_parts, const int *fds, unsigned int nr_fds)
{
	struct vfio_user_header header = {
		.id = c->message.header.id,
		.command = c->message.header.command,
		.flags = VFIO_USER_REPLY,
	};

	if (c->message.header.flags & VFIO_USER_NO_REPLY)
		return 0;
	return usrpci_message_send(c->channel, &header, parts, nr_parts, fds, nr_fds);
}

static int reply_error(struct sim_connection *c, int err)
{
	struct vfio_user_header header = {
		.id = c->message.header.id,
		.command = c->message.header.command,
		.flags = VFIO_USER_REPLY | VFIO_USER_ERROR,
		.error = (uint32_t)-err,
	};

	if (c->message.header.flags & VFIO_USER_NO_REPLY)
		return 0;
	return usrpci_message_send(c->channel, &header, NULL, 0, NULL, 0);
}

/* Its result, and nothing more. */
static int reply_result(struct sim_connection *c, int err)
{
	return err ? reply_error(c, err) : reply(c, NULL, 0, NULL, 0);
}

static int reply_struct(struct sim_connection *c, const void *data, size_t len)
{
	const struct vfio_user_part part = { data, len };

	return reply(c, &part, 1, NULL, 0);
}

/* --- commands --- */

static int send_version(struct sim_connection *c, int theirs)
{
	unsigned char payload[VFIO_USER_TEXT];
	const struct vfio_user_part part = {
		payload, usrpci_version_format(payload, theirs >= 0, theirs >= 0 ? 0 : -1),
	};

	return reply(c, &part, 1, &theirs, theirs >= 0);
}

static int do_version(struct sim_connection *c)
{
	int sockets[2], err;

	if (c->known)
		return -EPROTO;
	err = usrpci_version_parse(c->message.payload, c->message.len, &c->caps);
	if (err)
		return err;
	c->known = true;
	if (!c->caps.twin)
		return send_version(c, -1);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	usrpci_message_set_patience(sockets[0], PATIENCE_MS);
	c->twin = sockets[0];
	err = send_version(c, sockets[1]);
	close(sockets[1]);
	return err;
}

static int do_dma_map(struct sim_connection *c)
{
	struct vfio_user_dma_map map;
	int fd = c->message.nr_fds ? c->message.fds[0] : -1;

	memcpy(&map, c->message.payload, sizeof(map));
	return reply_result(c, sim_memory_map(&c->sim->memory, &map, fd));
}

static int do_dma_unmap(struct sim_connection *c)
{
	struct vfio_user_dma_unmap unmap;
	int err = 0;

	memcpy(&unmap, c->message.payload, sizeof(unmap));
	if (unmap.flags & VFIO_USER_DMA_UNMAP_ALL)
		sim_memory_unmap_all(&c->sim->memory);
	else
		err = sim_memory_unmap(&c->sim->memory, unmap.address, unmap.size);
	return err ? reply_error(c, err) : reply_struct(c, &unmap, sizeof(unmap));
}

static int do_device_info(struct sim_connection *c)
{
	const struct vfio_user_device_info info = {
		.argsz = sizeof(info),
		.flags = VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI,
		.num_regions = VFIO_PCI_NUM_REGIONS,
		.num_irqs = VFIO_PCI_NUM_IRQS,
	};

	return reply_struct(c, &info, sizeof(info));
}

static int do_region_info(struct sim_connection *c)
{
	struct vfio_region_info info;

	memcpy(&info, c->message.payload, sizeof(info));
	if (info.index >= VFIO_PCI_NUM_REGIONS)
		return reply_error(c, -EINVAL);
	info = (struct vfio_region_info){
		.argsz = sizeof(info),
		.index = info.index,
		.size = sim_region_len(c->sim, info.index),
	};
	if (info.size)
		info.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	return reply_struct(c, &info, sizeof(info));
}

static int do_irq_info(struct sim_connection *c)
{
	struct vfio_irq_info info;

	memcpy(&info, c->message.payload, sizeof(info));
	if (info.index >= VFIO_PCI_NUM_IRQS)
		return reply_error(c, -EINVAL);
	/* Who has none says so this way, as VFIO itself does; a count of 0 QEMU warns of. */
	if (info.index == VFIO_PCI_ERR_IRQ_INDEX)
		return reply_error(c, -EINVAL);
	info.argsz = sizeof(info);
	info.count = c->sim->irqs.kinds[info.index].count;
	info.flags = VFIO_IRQ_INFO_EVENTFD;
	if (info.index == VFIO_PCI_INTX_IRQ_INDEX)
		info.flags |= VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
	else
		info.flags |= VFIO_IRQ_INFO_NORESIZE;
	return reply_struct(c, &info, sizeof(info));
}

static int do_set_irqs(struct sim_connection *c)
{
	struct vfio_irq_set set;

	memcpy(&set, c->message.payload, sizeof(set));
	return reply_result(c, sim_irqs_set(&c->sim->irqs, &set, c->message.payload + sizeof(set),
					    c->message.fds, c->message.nr_fds));
}

static int do_region_read(struct sim_connection *c)
{
	struct vfio_user_region_access access;
	struct vfio_user_part parts[] = { { &access, sizeof(access) }, { 0 } };
	unsigned char few[64], *data = few;
	int err;

	memcpy(&access, c->message.payload, sizeof(access));
	if (access.count > sizeof(few))
		data = malloc(access.count);
	if (!data)
		return reply_error(c, -ENOMEM);
	err = sim_region_read(c->sim, access.region, access.offset, data, access.count);
	parts[1] = (struct vfio_user_part){ data, access.count };
	err = err ? reply_error(c, err) : reply(c, parts, 2, NULL, 0);
	if (data != few)
		free(data);
	return err;
}

static int do_region_write(struct sim_connection *c)
{
	struct vfio_user_region_access access;
	int err;

	memcpy(&access, c->message.payload, sizeof(access));
	err = sim_region_write(c->sim, access.region, access.offset,
			       c->message.payload + sizeof(access), access.count);
	return err ? reply_error(c, err) : reply_struct(c, &access, sizeof(access));
}

static int do_reset(struct sim_connection *c)
{
	return reply_result(c, sim_reset(c->sim));
}

static int (*const commands[])(struct sim_connection *c) = {
	[VFIO_USER_VERSION] = do_version,
	[VFIO_USER_DMA_MAP] = do_dma_map,
	[VFIO_USER_DMA_UNMAP] = do_dma_unmap,
	[VFIO_USER_DEVICE_GET_INFO] = do_device_info,
	[VFIO_USER_DEVICE_GET_REGION_INFO] = do_region_info,
	[VFIO_USER_DEVICE_GET_IRQ_INFO] = do_irq_info,
	[VFIO_USER_DEVICE_SET_IRQS] = do_set_irqs,
	[VFIO_USER_REGION_READ] = do_region_read,
	[VFIO_USER_REGION_WRITE] = do_region_write,
	[VFIO_USER_DEVICE_RESET] = do_reset,
};

static int carry_out(struct sim_connection *c)
{
	const struct vfio_user_message *m = &c->message;
	unsigned int command = m->header.command;
	int err;

	if (m->header.flags & VFIO_USER_REPLY)
		return -EPROTO;
	/* The version comes first. */
	if (!c->known && command != VFIO_USER_VERSION)
		return -EPROTO;
	err = usrpci_message_check_command(command, m->payload, m->len, m->nr_fds);
	if (!err && (command >= sizeof(commands) / sizeof(commands[0]) || !commands[command]))
		err = -ENOTSUP;
	return err ? reply_error(c, err) : commands[command](c);
}

void sim_connection_refuse(int channel)
{
	struct sim_connection visitor = { .channel = channel, .twin = -1 };

	usrpci_message_set_patience(channel, NO_PATIENCE_MS);
	if (!usrpci_message_receive(channel, &visitor.message))
		reply_error(&visitor, -EBUSY);
	usrpci_message_free(&visitor.message);
}

static void take_from_backlog(struct sim_connection *c)
{
	struct vfio_user_message empty = c->message;

	c->message = c->backlog[0];
	memmove(c->backlog, c->backlog + 1, --c->nr_backlog * sizeof(c->backlog[0]));
	c->backlog[c->nr_backlog] = (struct vfio_user_message){ 0 };
	usrpci_message_free(&empty);
}

int sim_connection_serve(struct sim_connection *c)
{
	int err = 0;

	if (c->nr_backlog)
		take_from_backlog(c);
	else
		err = usrpci_message_receive(c->channel, &c->message);
	if (!err)
		err = carry_out(c);
	usrpci_message_drop_fds(&c->message);
	return err ?: c->broken ? -EPIPE : 0;
}

/* --- the program's memory, by messages --- */

/*
 * While a processor of QEMU's waits for a register, it doesn't look at our commands: that it
 * waits for one would last till QEMU gives up.
 */
static bool cant_wait(const struct sim_connection *c, const struct vfio_user_message *message)
{
	return !c->nr_backlog && message->header.command == VFIO_USER_REGION_READ;
}

/* The command in @c->answer, amid that in @c->message. */
static int serve_between(struct sim_connection *c)
{
	struct vfio_user_message outer = c->message;
	int err;

	c->message = c->answer;
	err = carry_out(c);
	usrpci_message_drop_fds(&c->message);
	c->answer = c->message;
	c->message = outer;
	return err;
}

/* Sets @c->answer. Over the one socket, commands may come before it: most wait. */
static int await_answer(struct sim_connection *c)
{
	const int64_t end = usrpci_message_now_ms() + PATIENCE_MS;
	int err;

	if (c->twin >= 0) {
		err = usrpci_message_receive(c->twin, &c->answer);
		return err ?: c->answer.header.flags & VFIO_USER_REPLY ? 0 : -EPROTO;
	}
	for (;;) {
		err = usrpci_message_receive(c->channel, &c->answer);
		if (err || c->answer.header.flags & VFIO_USER_REPLY)
			return err;
		if (cant_wait(c, &c->answer)) {
			err = serve_between(c);
			if (err)
				return err;
			/* Else a program could go on reading, and never answer. */
			if (usrpci_message_now_ms() >= end)
				return -ETIMEDOUT;
			continue;
		}
		if (c->nr_backlog == SIM_BACKLOG)
			return -ENOBUFS;
		c->backlog[c->nr_backlog++] = c->answer;
		c->answer = (struct vfio_user_message){ 0 };
	}
}

static int converse(struct sim_connection *c, unsigned int command,
		    const struct vfio_user_part *parts, unsigned int nr_parts)
{
	struct vfio_user_header header = { .id = ++c->id, .command = (uint16_t)command };
	struct vfio_user_message *answer = &c->answer;
	int err;

	err = usrpci_message_send(c->twin >= 0 ? c->twin : c->channel, &header, parts, nr_parts,
				  NULL, 0);
	if (!err)
		err = await_answer(c);
	if (!err && (answer->header.id != header.id || answer->header.command != command))
		err = -EPROTO;
	if (!err && !(answer->header.flags & VFIO_USER_ERROR))
		err = usrpci_message_check_reply(command, answer->payload, answer->len,
						 answer->nr_fds);
	usrpci_message_drop_fds(answer);
	if (err)
		c->broken = true;
	else if (answer->header.flags & VFIO_USER_ERROR)
		err = -EFAULT;
	return err;
}

static int access_some(struct sim_connection *c, const struct vfio_user_dma_access *access,
		       void *to, const void *from)
{
	const struct vfio_user_part parts[] = {
		{ access, sizeof(*access) }, { from, access->count },
	};
	const size_t want = sizeof(*access) + access->count;
	int err;

	if (from)
		return converse(c, VFIO_USER_DMA_WRITE, parts, 2);
	err = converse(c, VFIO_USER_DMA_READ, parts, 1);
	if (!err && c->answer.len != want)
		err = -EFAULT;
	if (!err && to)
		memcpy(to, c->answer.payload + sizeof(*access), access->count);
	return err;
}

static int access_all(struct sim_connection *c, uint64_t address, char *to, const char *from,
		      size_t len)
{
	size_t done = 0;
	int err = 0;

	while (done < len && !err) {
		size_t rest = len - done, most = c->caps.max_transfer;
		const struct vfio_user_dma_access access = {
			.address = address + done, .count = rest < most ? rest : most,
		};

		if (c->broken)
			return -EPIPE;
		err = access_some(c, &access, to ? to + done : NULL, from ? from + done : NULL);
		done += access.count;
	}
	return err;
}

int sim_connection_read(struct sim_connection *c, uint64_t address, void *buf, size_t len)
{
	return access_all(c, address, buf, NULL, len);
}

int sim_connection_write(struct sim_connection *c, uint64_t address, const void *buf, size_t len)
{
	return access_all(c, address, NULL, buf, len);
}

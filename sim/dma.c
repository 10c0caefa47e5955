// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* What a device reads and writes of the program's memory. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "connection.h"
#include "sim.h"

/*
 * Whether an area holds @address; @len becomes what lies in it, and @here where it's mapped, or
 * NULL if the program has to be asked.
 */
static bool reach(struct sim *sim, uint64_t address, uint32_t flags, size_t *len,
		  unsigned char **here)
{
	struct sim_area *area = sim_memory_find(&sim->memory, address, flags);

	if (!area)
		return false;
	if (*len - 1 > area->iova.last - address)
		*len = area->iova.last - address + 1;
	*here = area->map ? area->map + (address - area->iova.first) : NULL;
	return true;
}

static int64_t read_some(struct sim *sim, uint64_t address, char *buf, size_t len)
{
	unsigned char *here;
	int err;

	if (!reach(sim, address, VFIO_USER_DMA_READABLE, &len, &here))
		return -EFAULT;
	err = here ? sim_memory_copy(buf, here, len) :
		     sim_connection_read(sim->connection, address, buf, len);
	return err ? err : (int64_t)len;
}

static int64_t write_some(struct sim *sim, uint64_t address, const char *buf, size_t len)
{
	unsigned char *here;
	int err;

	if (!reach(sim, address, VFIO_USER_DMA_WRITEABLE, &len, &here))
		return -EFAULT;
	err = here ? sim_memory_copy(here, buf, len) :
		     sim_connection_write(sim->connection, address, buf, len);
	return err ? err : (int64_t)len;
}

/*
 * It goes where nothing was mapped, past what this simulator checks: what the program's side
 * makes of it is up to that.
 */
static void stray(struct sim *sim, uint64_t address)
{
	static const char junk[64] = "stray";
	uint64_t there = address ^ (sim_faults_random(&sim->faults) << 12 & 0xfffffff000ULL);

	if (sim_memory_find(&sim->memory, there, ~0U) || !sim->connection)
		return;
	sim->counts.dmas++;
	if (sim_connection_write(sim->connection, there, junk, sizeof(junk)))
		sim->counts.dmas_refused++;
}

static int begin(struct sim *sim, size_t len)
{
	sim->counts.dmas++;
	sim->counts.dma_bytes += len;
	if (!sim->connection || !sim_config_is_master(&sim->config))
		return -EPERM;
	return 0;
}

static int end(struct sim *sim, const char *what, uint64_t address, size_t len, int err)
{
	sim_trace_dma(&sim->trace, what, address, len, err);
	if (err)
		sim->counts.dmas_refused++;
	else if (sim_faults_draw(&sim->faults, sim->faults.stray_dma))
		stray(sim, address);
	return err;
}

int sim_dma_read(struct sim *sim, uint64_t address, void *buf, size_t len)
{
	int64_t some = begin(sim, len);
	size_t done = 0;

	while (done < len && some >= 0) {
		some = read_some(sim, address + done, (char *)buf + done, len - done);
		done += some > 0 ? (size_t)some : 0;
	}
	if (done < len)
		memset((char *)buf + done, 0xff, len - done);
	return end(sim, "dma-read", address, len, some < 0 ? (int)some : 0);
}

int sim_dma_write(struct sim *sim, uint64_t address, const void *buf, size_t len)
{
	int64_t some = begin(sim, len);
	size_t done = 0;

	while (done < len && some >= 0) {
		some = write_some(sim, address + done, (const char *)buf + done, len - done);
		done += some > 0 ? (size_t)some : 0;
	}
	return end(sim, "dma-write", address, len, some < 0 ? (int)some : 0);
}

static int64_t read_file(int fd, uint64_t offset, void *buf, size_t len)
{
	ssize_t got = pread(fd, buf, len, (off_t)offset);

	if (got < 0 && errno == EFAULT)
		return -EFAULT;
	return got > 0 ? got : -EIO;
}

/* Straight into memory that is here, too. */
static int64_t write_some_file(struct sim *sim, uint64_t address, int fd, uint64_t offset,
			       size_t len)
{
	unsigned char *here;
	char buf[4096];
	int64_t got;
	int err;

	if (!reach(sim, address, VFIO_USER_DMA_WRITEABLE, &len, &here))
		return -EFAULT;
	if (here)
		return read_file(fd, offset, here, len);
	got = read_file(fd, offset, buf, len < sizeof(buf) ? len : sizeof(buf));
	if (got < 0)
		return got;
	err = sim_connection_write(sim->connection, address, buf, (size_t)got);
	return err ? err : got;
}

int sim_dma_write_file(struct sim *sim, uint64_t address, int fd, uint64_t offset, size_t len)
{
	int64_t some = begin(sim, len);
	size_t done = 0;

	while (done < len && some >= 0) {
		some = write_some_file(sim, address + done, fd, offset + done, len - done);
		done += some > 0 ? (size_t)some : 0;
	}
	return end(sim, "dma-write", address, len, some < 0 ? (int)some : 0);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/*
 * nbdkit usrpci-nvme device=ADDRESS: serves an NVMe disk to clients of NBD. All connections have
 * the same disk, whose queues are lent to the threads in which nbdkit calls.
 */
#define NBDKIT_API_VERSION	2
#include <nbdkit-plugin.h>
#include <errno.h>
#include <string.h>
#include "parameters.h"
#include "pool.h"

#ifndef USRPCI_VERSION
#define USRPCI_VERSION	"0.1.0"
#endif

#define THREAD_MODEL	NBDKIT_THREAD_MODEL_PARALLEL

/* nbdkit takes no more at once. */
#define MAX_REQUEST	(32U << 20)
#define GOOD_REQUEST	4096U
/* Of a request whose command was ended by a reset that another one needed. */
#define TRIES		3

static struct parameters parameters = {
	.open = { .queues = DEFAULT_QUEUES, .copy = DEFAULT_COPY },
};

static struct nvme *disk;
static struct pool pool;

/* --- start and end --- */

static int take_parameter(const char *key, const char *value)
{
	return parameters_set(&parameters, key, value);
}

static int check_parameters(void)
{
	return parameters_check(&parameters);
}

static int open_disk(void)
{
	struct nvme_options how = parameters.open;
	char why[512] = "";
	int err;

	how.why = why;
	how.why_len = sizeof(why);
	err = nvme_open(&disk, parameters.device, &how);
	if (!err)
		return 0;
	disk = NULL;
	if (err == -ENOTSUP)
		nbdkit_error("%s is no NVMe disk of a known kind, or has no such interrupt; run: "
			     "usrpci info %s", parameters.device, parameters.device);
	else if (err == -ENXIO && how.nsid)
		nbdkit_error("%s may have no namespace %u; %s", parameters.device, how.nsid, why);
	else
		nbdkit_error("%s", why);
	return -1;
}

static void close_disk(void)
{
	pool_close(&pool);
	nvme_close(disk);
	disk = NULL;
}

/*
 * What can't work is told while somebody listens. A device doesn't go along into the background,
 * so it's opened again there.
 */
static int try_disk(void)
{
	int err = open_disk();

	close_disk();
	return err;
}

static int start(void)
{
	if (open_disk())
		return -1;
	if (!pool_open(&pool, disk))
		return 0;
	nbdkit_error("out of memory");
	close_disk();
	return -1;
}

/* --- what the disk is --- */

static void *connect_client(int readonly)
{
	return NBDKIT_HANDLE_NOT_NEEDED;
}

static int64_t get_size(void *handle)
{
	return (int64_t)(nvme_info(disk)->blocks * nvme_info(disk)->block_size);
}

static int get_block_size(void *handle, uint32_t *minimum, uint32_t *preferred, uint32_t *maximum)
{
	const uint32_t block = nvme_info(disk)->block_size;

	*minimum = block;
	*preferred = block < GOOD_REQUEST ? GOOD_REQUEST : block;
	*maximum = MAX_REQUEST;
	return 0;
}

static int yes(void *handle)
{
	return 1;
}

static int can_fua(void *handle)
{
	return NBDKIT_FUA_NATIVE;
}

static int can_trim(void *handle)
{
	return !!(nvme_info(disk)->caps & NVME_CAN_DISCARD);
}

/* Else nbdkit writes zeroes, which isn't fast. */
static int can_zero(void *handle)
{
	return !!(nvme_info(disk)->caps & NVME_CAN_ZERO);
}

/* --- requests --- */

/** struct request - What a client asks for; @what: in words. */
struct request {
	const char *what;
	int (*run)(struct nvme_queue *queue, const struct request *request);
	void *buf;
	const void *from;
	uint32_t count;
	uint64_t offset;
	unsigned int flags;
};

/* NBD knows few errors; of others nbdkit would make EINVAL. */
static int nbd_error(int err)
{
	switch (err) {
	case -EROFS:
	case -EINVAL:
	case -ENOSPC:
	case -ENOMEM:
	case -EOPNOTSUPP:
		return err;
	case -EACCES:
		return -EPERM;
	default:
		return -EIO;
	}
}

static int refuse(const struct request *request, int err)
{
	nbdkit_error("%s of %u bytes at %llu: %s", request->what, request->count,
		     (unsigned long long)request->offset, strerror(-err));
	nbdkit_set_error(-nbd_error(err));
	return -1;
}

/* A part of a block would be read, changed and written, amid what other requests do to it. */
static bool is_whole(const struct request *request)
{
	return !((request->offset | request->count) & (nvme_info(disk)->block_size - 1));
}

static int serve(const struct request *request)
{
	struct nvme_queue *queue;
	int tries = 0, err;

	if (!is_whole(request)) {
		nbdkit_error("%s of %u bytes at %llu: the disk has blocks of %u; a client that "
			     "doesn't ask for that needs: nbdkit --filter=blocksize",
			     request->what, request->count, (unsigned long long)request->offset,
			     nvme_info(disk)->block_size);
		nbdkit_set_error(EINVAL);
		return -1;
	}
	queue = pool_take(&pool);
	do {
		err = request->run(queue, request);
	} while ((err == -ECANCELED || err == -EAGAIN) && ++tries < TRIES);
	pool_give(&pool, queue);
	return err ? refuse(request, err) : 0;
}

static unsigned int fua(uint32_t flags)
{
	return flags & NBDKIT_FLAG_FUA ? NVME_FUA : 0;
}

static int run_read(struct nvme_queue *queue, const struct request *request)
{
	return nvme_read(queue, request->offset, request->buf, request->count);
}

static int serve_read(void *handle, void *buf, uint32_t count, uint64_t offset, uint32_t flags)
{
	return serve(&(struct request){
		.what = "read", .run = run_read, .buf = buf, .count = count, .offset = offset,
	});
}

static int run_write(struct nvme_queue *queue, const struct request *request)
{
	return nvme_write(queue, request->offset, request->from, request->count, request->flags);
}

static int serve_write(void *handle, const void *buf, uint32_t count, uint64_t offset,
		       uint32_t flags)
{
	return serve(&(struct request){
		.what = "write", .run = run_write, .from = buf, .count = count, .offset = offset,
		.flags = fua(flags),
	});
}

static int run_flush(struct nvme_queue *queue, const struct request *request)
{
	return nvme_flush(queue);
}

static int serve_flush(void *handle, uint32_t flags)
{
	return serve(&(struct request){ .what = "flush", .run = run_flush });
}

static int run_zero(struct nvme_queue *queue, const struct request *request)
{
	return nvme_zero(queue, request->offset, request->count, request->flags);
}

static int serve_zero(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	return serve(&(struct request){
		.what = "zero", .run = run_zero, .count = count, .offset = offset,
		.flags = fua(flags) | (flags & NBDKIT_FLAG_MAY_TRIM ? NVME_MAY_DISCARD : 0),
	});
}

/* The command itself can't be told to be kept. */
static int run_trim(struct nvme_queue *queue, const struct request *request)
{
	int err = nvme_discard(queue, request->offset, request->count);

	return !err && request->flags & NVME_FUA ? nvme_flush(queue) : err;
}

static int serve_trim(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	return serve(&(struct request){
		.what = "trim", .run = run_trim, .count = count, .offset = offset,
		.flags = fua(flags),
	});
}

static struct nbdkit_plugin plugin = {
	.name = "usrpci-nvme",
	.longname = "NVMe disks by usrpci",
	.version = USRPCI_VERSION,
	.description = "Serves an NVMe disk that usrpci, VFIO or a simulator gives to a program",
	.config = take_parameter,
	.config_complete = check_parameters,
	.config_help = parameters_help,
	.magic_config_key = "device",
	.get_ready = try_disk,
	.after_fork = start,
	.cleanup = close_disk,
	.open = connect_client,
	.get_size = get_size,
	.block_size = get_block_size,
	.can_multi_conn = yes,	/* a flush is for what any queue has written */
	.can_flush = yes,
	.can_fua = can_fua,
	.can_trim = can_trim,
	.can_zero = can_zero,
	.can_fast_zero = can_zero,
	.pread = serve_read,
	.pwrite = serve_write,
	.flush = serve_flush,
	.zero = serve_zero,
	.trim = serve_trim,
};

NBDKIT_REGISTER_PLUGIN(plugin)

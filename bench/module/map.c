// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The usrpci authors */
/*
 * The least that mapping memory for a device takes: pinned, a scatterlist made of it, mapped,
 * unmapped, unpinned, in a loop with no system call in it. Nothing is accounted, checked or kept.
 */

#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "abi.h"
#include "map.h"

#define BENCH_MAP_REGIONS	64U

/**
 * struct bench_mapper - The one device.
 * @mutex: guards the rest
 * @pdev: the function, or NULL
 * @pages: room to pin a region
 * @tables: of regions that are mapped
 * @held: how many of them stay so
 */
struct bench_mapper {
	struct mutex mutex; /* see there */
	struct pci_dev *pdev;
	struct page **pages;
	struct sg_table tables[BENCH_MAP_REGIONS];
	u32 held;
};

static struct bench_mapper bench_mapper = {
	.mutex = __MUTEX_INITIALIZER(bench_mapper.mutex),
};

static void bench_unpin(struct sg_table *sgt)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(sgt, sg, i)
		unpin_user_page_range_dirty_lock(sg_page(sg), PFN_UP(sg->offset + sg->length),
						 true);
	sg_free_table(sgt);
}

static void bench_unmap(struct bench_mapper *m, u32 nr)
{
	while (nr--) {
		dma_unmap_sgtable(&m->pdev->dev, &m->tables[nr], DMA_BIDIRECTIONAL, 0);
		bench_unpin(&m->tables[nr]);
	}
}

static int bench_map_one(struct bench_mapper *m, unsigned long addr, size_t len,
			 struct sg_table *sgt)
{
	int nr = len >> PAGE_SHIFT, n, err;

	n = pin_user_pages_fast(addr, nr, FOLL_WRITE | FOLL_LONGTERM, m->pages);
	if (n != nr) {
		if (n > 0)
			unpin_user_pages(m->pages, n);
		return n < 0 ? n : -EFAULT;
	}
	err = sg_alloc_table_from_pages(sgt, m->pages, n, 0, len, GFP_KERNEL);
	if (err) {
		unpin_user_pages(m->pages, n);
		return err;
	}
	err = dma_map_sgtable(&m->pdev->dev, sgt, DMA_BIDIRECTIONAL, 0);
	if (err)
		bench_unpin(sgt);
	return err;
}

static int bench_map_all(struct bench_mapper *m, const struct bench_map *map)
{
	int err;
	u32 i;

	for (i = 0; i < map->nr; i++) {
		err = bench_map_one(m, map->addr + i * map->stride, map->len, &m->tables[i]);
		if (err) {
			bench_unmap(m, i);
			return err;
		}
	}
	return 0;
}

/* Under the mutex. */
static int bench_map_run(struct bench_mapper *m, const struct bench_map *map)
{
	u32 i;
	int err;

	if (!m->pdev)
		return -ENODEV;
	if (m->held)
		return -EBUSY;
	m->pages = kvmalloc_array(map->len >> PAGE_SHIFT, sizeof(*m->pages), GFP_KERNEL);
	if (!m->pages)
		return -ENOMEM;
	for (i = 0, err = 0; i < map->times && !err; i++) {
		err = bench_map_all(m, map);
		if (!err && !map->hold)
			bench_unmap(m, map->nr);
	}
	if (!err && map->hold)
		m->held = map->nr;
	kvfree(m->pages);
	return err;
}

static void bench_map_let_go(struct bench_mapper *m)
{
	bench_unmap(m, m->held);
	m->held = 0;
}

static long bench_map_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct bench_mapper *m = &bench_mapper;
	struct bench_map map;
	int err;

	if (cmd != BENCH_MAP_RUN)
		return -ENOTTY;
	if (copy_from_user(&map, (void __user *)arg, sizeof(map)))
		return -EFAULT;
	if (!map.len || map.nr > BENCH_MAP_REGIONS || (map.hold && map.times != 1))
		return -EINVAL;
	mutex_lock(&m->mutex);
	err = bench_map_run(m, &map);
	mutex_unlock(&m->mutex);
	return err;
}

static int bench_map_release(struct inode *inode, struct file *filp)
{
	struct bench_mapper *m = &bench_mapper;

	mutex_lock(&m->mutex);
	bench_map_let_go(m);
	mutex_unlock(&m->mutex);
	return 0;
}

static int bench_map_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct bench_mapper *m = &bench_mapper;
	int err;

	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(32));
	if (err)
		return err;
	mutex_lock(&m->mutex);
	if (m->pdev)
		err = -EBUSY;
	else
		m->pdev = pdev;
	mutex_unlock(&m->mutex);
	return err;
}

static void bench_map_remove(struct pci_dev *pdev)
{
	struct bench_mapper *m = &bench_mapper;

	mutex_lock(&m->mutex);
	bench_map_let_go(m);
	m->pdev = NULL;
	mutex_unlock(&m->mutex);
}

/* Of no device: driver_override names this driver. */
static const struct pci_device_id bench_map_ids[] = { {} };

static struct pci_driver bench_map_driver = {
	.name = "usrpci-map-floor",
	.id_table = bench_map_ids,
	.probe = bench_map_probe,
	.remove = bench_map_remove,
};

static const struct file_operations bench_map_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = bench_map_ioctl,
	.release = bench_map_release,
};

static struct miscdevice bench_map_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "usrpci-map-floor",
	.mode = 0600,
	.fops = &bench_map_fops,
};

int bench_map_init(void)
{
	int err;

	err = misc_register(&bench_map_device);
	if (err)
		return err;
	err = pci_register_driver(&bench_map_driver);
	if (err)
		misc_deregister(&bench_map_device);
	return err;
}

void bench_map_exit(void)
{
	pci_unregister_driver(&bench_map_driver);
	misc_deregister(&bench_map_device);
}

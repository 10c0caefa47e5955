// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The usrpci authors
/* Sentences on failures: the whole of each, since users act on them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <usrpci.h>
#include <cmocka.h>
#include "explain.h"
#include "fake.h"
#include "tree.h"

#define BDF	"0000:00:04.0"
#define FOLDER	"sys/bus/pci/devices/" BDF

static struct tree tree;

static int setup_tree(void **state)
{
	tree_make(&tree);
	tree_file(&tree, FOLDER "/class", "0x010802\n");
	tree_folder(&tree, "sys/bus/pci/drivers/usrpci");
	return 0;
}

static int teardown_tree(void **state)
{
	tree_free(&tree);
	return 0;
}

static void bind_to(const char *driver)
{
	char target[64];

	snprintf(target, sizeof(target), "../../drivers/%s", driver);
	tree_link(&tree, FOLDER "/driver", target);
}

__attribute__((format(printf, 3, 4)))
static void open_says(const char *address, int err, const char *format, ...)
{
	char sentence[512], wanted[512];
	va_list args;
	int len;

	va_start(args, format);
	vsnprintf(wanted, sizeof(wanted), format, args);
	va_end(args);
	len = usrpci_explain_open_from(usrpci_backends, tree.root, address, err,
				       sentence, sizeof(sentence));
	assert_string_equal(sentence, wanted);
	assert_int_equal(len, strlen(wanted));
}

static void test_open_address(void **state)
{
	open_says("nvme0", -EINVAL, "\"nvme0\" isn't the name of a PCI function, as 0000:00:04.0 "
		  "is; run: lspci -D");
	open_says("a\n\033[2J\x7f", -EINVAL, "\"a??[2J?\" isn't the name of a PCI function, as "
		  "0000:00:04.0 is; run: lspci -D");
	open_says(NULL, -EINVAL, "\"\" isn't the name of a PCI function, as 0000:00:04.0 is; "
		  "run: lspci -D");
	open_says("00:05.0", -ENOENT, "there is no PCI function 0000:00:05.0; run: lspci -D");
	/* It went before the error was looked into. */
	open_says("00:05.0", -ENXIO, "there is no PCI function 0000:00:05.0; run: lspci -D");
}

static void test_open_of_other_driver(void **state)
{
	open_says(BDF, -ENXIO, BDF " is bound to no driver; run: usrpci bind " BDF);
	bind_to("nvme");
	open_says("00:04.0", -ENXIO, BDF " is bound to nvme; run: usrpci bind " BDF);
	open_says(BDF, -EACCES, BDF " can't be taken from nvme without the right to write to /sys "
		  "and /run; as root, run: usrpci bind " BDF);
	open_says(BDF, -EOPNOTSUPP, "nvme doesn't let " BDF " go; as root, run: modprobe -r nvme");
	open_says(BDF, -EIO, BDF ": Input/output error; run: dmesg");
}

static void test_open_no_module(void **state)
{
	bind_to("nvme");
	open_says(BDF, -ENODEV, "usrpci can't take " BDF "; run: dmesg | grep " BDF);
	tree_file(&tree, FOLDER "/class", "0x060400\n");
	open_says(BDF, -ENODEV, BDF " is a bridge, which usrpci doesn't drive; for others, "
		  "run: usrpci list");
	tree_remove(&tree, "sys/bus/pci/drivers/usrpci");
	open_says(BDF, -ENODEV, "the usrpci module isn't loaded; run: modprobe usrpci");
}

static void test_open_busy(void **state)
{
	bind_to("usrpci");
	tree_file(&tree, "sys/class/usrpci/" BDF "/opener", "4711 my driver\n");
	open_says(BDF, -EBUSY, BDF " is open in process 4711 (my driver); to end that, "
		  "run: kill 4711");
	tree_file(&tree, "sys/class/usrpci/" BDF "/opener", "4711 \033c\n");
	open_says(BDF, -EBUSY, BDF " is open in process 4711 (?c); to end that, run: kill 4711");
	/* 0: in another pid namespace */
	tree_file(&tree, "sys/class/usrpci/" BDF "/opener", "0 hidden\n");
	open_says(BDF, -EBUSY, BDF ", or one of its BARs, is claimed, by none that can be seen "
		  "from here; run: fuser -v /dev/usrpci/" BDF "; grep -A1 " BDF " /proc/iomem");
	tree_file(&tree, "sys/class/usrpci/" BDF "/opener", "");
	open_says(BDF, -EBUSY, BDF ", or one of its BARs, is claimed, by none that can be seen "
		  "from here; run: fuser -v /dev/usrpci/" BDF "; grep -A1 " BDF " /proc/iomem");
}

static void test_open_access(void **state)
{
	bind_to("usrpci");
	open_says(BDF, -ENOENT, BDF " is bound to usrpci, but /dev/usrpci/" BDF " isn't there "
		  "(yet); run: udevadm settle");
	open_says(BDF, -EIO, BDF " couldn't be reset, or its link failed and hasn't recovered; as "
		  "root, run: echo 1 >/sys/bus/pci/devices/" BDF "/remove; "
		  "echo 1 >/sys/bus/pci/rescan; usrpci bind " BDF);
	tree_file(&tree, "dev/usrpci/" BDF, "");
	open_says(BDF, -EACCES, "/dev/usrpci/" BDF " belongs to user %u and group %u, with mode "
		  "0644; as root, run: usrpci bind --group %u " BDF, geteuid(), getegid(),
		  getegid());
}

static void test_open_isolation(void **state)
{
	char program[PATH_MAX] = "";

	assert_true(readlink("/proc/self/exe", program, sizeof(program) - 1) > 0);
	bind_to("usrpci");
	tree_file(&tree, "sys/class/usrpci/" BDF "/isolation", "lazy\n");
	open_says(BDF, -EPERM, "isolation of " BDF " is \"lazy\": the device can reach memory that "
		  "it wasn't handed, so opening it needs CAP_SYS_RAWIO; run it as root, or put the "
		  "device behind an IOMMU and boot with iommu.strict=1, or as root, run: setcap "
		  "cap_sys_rawio+ep %s", program);
	tree_file(&tree, "sys/class/usrpci/" BDF "/isolation", "strict\n");
	open_says(BDF, -EPERM, "a container's or service's device rules keep it from "
		  "/dev/usrpci/" BDF ", or its interrupts aren't remapped and it isn't root; "
		  "boot with intremap=on, or run: docker run --device=/dev/usrpci/" BDF " ...");
}

/* Both are EPERM: for want of a capability, or forbidden to all. */
static void test_open_require_strict(void **state)
{
	char program[PATH_MAX] = "";

	assert_true(readlink("/proc/self/exe", program, sizeof(program) - 1) > 0);
	bind_to("usrpci");
	tree_file(&tree, "sys/class/usrpci/" BDF "/isolation", "lazy\n");
	tree_file(&tree, "sys/module/usrpci/parameters/require_strict", "Y\n");
	open_says(BDF, -EPERM, "isolation of " BDF " is \"lazy\", and the usrpci module's "
		  "parameter require_strict forbids that, even to root; as root, run: usrpci bind --strict "
		  BDF ", or: echo N >/sys/module/usrpci/parameters/require_strict");
	tree_file(&tree, "sys/module/usrpci/parameters/require_strict", "N\n");
	open_says(BDF, -EPERM, "isolation of " BDF " is \"lazy\": the device can reach memory that "
		  "it wasn't handed, so opening it needs CAP_SYS_RAWIO; run it as root, or put the "
		  "device behind an IOMMU and boot with iommu.strict=1, or as root, run: setcap "
		  "cap_sys_rawio+ep %s", program);
	/* What is strict already isn't what the parameter forbids. */
	tree_file(&tree, "sys/module/usrpci/parameters/require_strict", "Y\n");
	tree_file(&tree, "sys/class/usrpci/" BDF "/isolation", "strict\n");
	open_says(BDF, -EPERM, "a container's or service's device rules keep it from "
		  "/dev/usrpci/" BDF ", or its interrupts aren't remapped and it isn't root; "
		  "boot with intremap=on, or run: docker run --device=/dev/usrpci/" BDF " ...");
}

static void add_to_group(const char *bdf, const char *class, const char *driver)
{
	char path[128], target[64];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/class", bdf);
	tree_file(&tree, path, class);
	snprintf(path, sizeof(path), "sys/kernel/iommu_groups/7/devices/%s/class", bdf);
	tree_file(&tree, path, class);
	if (!driver)
		return;
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/driver", bdf);
	snprintf(target, sizeof(target), "../../drivers/%s", driver);
	tree_link(&tree, path, target);
}

static void test_open_not_strict(void **state)
{
	open_says(BDF, -EXDEV, BDF " can't be isolated: there is no IOMMU before it, or it is off; "
		  "turn it on in the firmware's setup, and boot with intel_iommu=on");
	tree_link(&tree, FOLDER "/iommu_group", "../../../../kernel/iommu_groups/7");
	tree_file(&tree, "sys/kernel/iommu_groups/7/type", "DMA-FQ\n");
	add_to_group(BDF, "0x010802\n", NULL);
	add_to_group("0000:00:03.0", "0x060400\n", "pcieport");
	open_says(BDF, -EXDEV, BDF " can't be isolated strictly: the kernel keeps its IOMMU group "
		  "7 at DMA-FQ; boot with iommu.passthrough=0 iommu.strict=1");
	/* The same once it's usrpci's. */
	bind_to("usrpci");
	open_says(BDF, -EXDEV, BDF " can't be isolated strictly: the kernel keeps its IOMMU group "
		  "7 at DMA-FQ; boot with iommu.passthrough=0 iommu.strict=1");
	add_to_group("0000:00:04.1", "0x020000\n", "e1000e");
	open_says(BDF, -EXDEV, BDF " can't be isolated: it shares IOMMU group 7 with 0000:00:04.1 "
		  "(e1000e); put it into another slot, or as root, for each of the others, run: "
		  "echo 1 >/sys/bus/pci/devices/DDDD:BB:DD.F/remove");
}

static void bind_says(const char *driver, int err, const char *wanted)
{
	char sentence[512];

	usrpci_explain_bind_from(usrpci_backends, tree.root, BDF, driver, err, sentence,
				 sizeof(sentence));
	assert_string_equal(sentence, wanted);
}

static void test_bind_to_vfio(void **state)
{
	bind_to("nvme");
	bind_says("vfio-pci", -EXDEV, "vfio-pci needs an IOMMU, and there is none before " BDF
		  ", or it is off; usrpci's own module needs none; run: usrpci bind " BDF);
	bind_says("vfio-pci", -ENODEV, "the module vfio-pci isn't loaded; run: modprobe vfio-pci");
	tree_folder(&tree, "sys/bus/pci/drivers/vfio-pci");
	bind_says("vfio-pci", -ENODEV, "vfio-pci can't take " BDF "; run: dmesg | grep " BDF);
	bind_says("vfio-pci", -EACCES, BDF " can't be taken from nvme without the right to write "
		  "to /sys and /run; as root, run: usrpci bind --driver vfio-pci " BDF);
	bind_says("nvme\n", -EINVAL, "\"nvme?\" is no driver that functions are given to; run: "
		  "usrpci help bind");
	/* Of one that VFIO has, but usrpci was to get: nothing of VFIO's own. */
	bind_to("vfio-pci");
	bind_says("usrpci", -EACCES, BDF " can't be taken from vfio-pci without the right to write "
		  "to /sys and /run; as root, run: usrpci bind " BDF);
}

static void test_open_cut(void **state)
{
	char sentence[9] = "12345678";

	assert_int_equal(usrpci_explain_open_from(usrpci_backends, tree.root, "00:05.0", -ENOENT,
						  sentence, sizeof(sentence)), 52);
	assert_string_equal(sentence, "there is");
	assert_int_equal(usrpci_explain_open_from(usrpci_backends, tree.root, "00:05.0", -ENOENT,
						  NULL, 0), 52);
}

static struct fake fake;
static struct usrpci_backend backend;
static int fake_bind_err;

static int fake_bind(struct usrpci_device *dev, const struct usrpci_space_options *options,
		     struct usrpci_space **spacep)
{
	return fake_bind_err;
}

static int setup_fake(void **state)
{
	backend = fake_backend;
	backend.space_bind = fake_bind;
	fake_init(&fake, &backend);
	return 0;
}

static int teardown_fake(void **state)
{
	usrpci_close(&fake.base);
	return 0;
}

__attribute__((format(printf, 2, 3)))
static void says(int err, const char *format, ...)
{
	char sentence[512], wanted[512];
	va_list args;
	int len;

	len = snprintf(wanted, sizeof(wanted), BDF ": ");
	va_start(args, format);
	len += vsnprintf(wanted + len, sizeof(wanted) - len, format, args);
	va_end(args);
	assert_int_equal(usrpci_explain(&fake.base, err, sentence, sizeof(sentence)), len);
	assert_string_equal(sentence, wanted);
}

static int map_some(int err, unsigned int nr)
{
	struct usrpci_mapping maps[2] = {
		{ .addr = (void *)0x1000, .len = 8192 },
		{ .addr = (void *)0x4000, .len = 1 },
	};

	fake.fail = err;
	return usrpci_map(&fake.base, maps, nr);
}

static void test_map(void **state)
{
	int err = map_some(-EFAULT, 1);

	says(err, "memory at 0x1000 with 8192 bytes isn't all there, or may not be read or written "
	     "as its direction asks, or can't be pinned; run: cat /proc/%d/maps", getpid());
	says(map_some(-EFAULT, 2), "some of the 2 regions isn't there, or may not be read or "
	     "written as its direction asks, or can't be pinned; run: cat /proc/%d/maps", getpid());
	says(map_some(-ENOSPC, 1), "there are more bus addresses than nr_sg has room for; it now "
	     "says how many; see: usrpci_sg_room() in <usrpci/dma.h>");
	says(map_some(-ERANGE, 1), "memory lies where the DMA mask doesn't reach, and it may "
	     "not or "
	     "can't be bounced: drop USRPCI_NO_BOUNCE, use coherent memory, or boot with an "
	     "IOMMU; the mask tells: usrpci info " BDF);
	says(map_some(-EIO, 1), "the platform has no bus addresses or bounce buffers left; "
	     "run: dmesg | grep -i -e swiotlb -e iommu");
	says(map_some(-EINVAL, 0), "a region has no bytes, an unknown direction or flag, or there "
	     "are none or more than 4096; see: usrpci_map() in <usrpci/dma.h>");
	says(map_some(-ENOMEM, 1), "no memory is left; run: free");
}

static void test_memory_limit(void **state)
{
	const struct rlimit soft = { .rlim_cur = 64 * 1024, .rlim_max = 1024 * 1024 };
	const struct rlimit hard = { .rlim_cur = 64 * 1024, .rlim_max = 64 * 1024 };
	struct usrpci_coherent buf;

	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &soft), 0);
	fake.missing = 4096;
	says(map_some(-ENOMEM, 1), "needs 4 KiB more locked memory than the limit of 64 KiB; "
	     "run: ulimit -l 68");
	fake.missing = 960 * 1024;
	says(usrpci_coherent_alloc(&fake.base, 1, &buf), "needs 960 KiB more locked memory "
	     "than the "
	     "limit of 64 KiB; run: ulimit -l 1024");
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &hard), 0);
	fake.missing = 1;
	says(map_some(-ENOMEM, 1), "needs 1 KiB more locked memory than the limit of 64 KiB, which "
	     "this user can't raise; as root, run: prlimit --pid %d --memlock=66560", getppid());
	fake.missing = 0;
	says(usrpci_coherent_alloc(&fake.base, 5000, &buf), "no 5 KiB of coherent memory in "
	     "one run "
	     "are left within the coherent mask; run: cat /proc/buddyinfo");
}

static void test_registers(void **state)
{
	struct usrpci_regs opened;
	volatile void *regs;
	uint64_t value;

	fake.fail = -EPERM;
	says(usrpci_config_write(&fake.base, 0x10, 4, 0), "configuration space at 0x10 is the "
	     "kernel's to write: BARs, bus mastering, power and interrupts have their own calls; "
	     "run: lspci -vv -s " BDF);
	says(usrpci_bar_write(&fake.base, 0, 0x2000, 4, 0), "BAR 0 at 0x2000 is the MSI-X table, "
	     "where interrupts could be forged; boot with intremap=on behind an IOMMU, or see "
	     "usrpci_irq_setup(); run: usrpci info " BDF);
	says(usrpci_config_write(&fake.base, 0x11, 4, 0), "no access to configuration space can "
	     "have offset 0x11 and 4 bytes; run: lspci -vv -s " BDF);
	says(usrpci_bar_read(&fake.base, 0, 3, 8, &value), "BAR 0 has no register at 0x3 of 8 "
	     "bytes; run: usrpci info " BDF);
	says(usrpci_bar_map(&fake.base, 0, 0x2000, 0x1000, 0, &regs), "BAR 0 can't be mapped at "
	     "0x2000 with 0x1000 bytes and these flags; what can be mapped, tells: usrpci "
	     "info " BDF);
	says(usrpci_regs_open(&fake.base, 2, 0x10, 0, &opened), "BAR 2 can't be opened at 0x10 "
	     "with 0x0 bytes: it ends before, or no page starts there; run: usrpci info " BDF);
	fake.fail = -EIO;
	says(usrpci_bar_read(&fake.base, 4, 0, 4, &value), "it doesn't decode BAR 4: memory "
	     "or ports "
	     "are turned off, or it sleeps; run: lspci -vv -s " BDF);
}

/* By whichever call it's asked for. */
static void test_no_bar(void **state)
{
	struct usrpci_regs opened;
	volatile void *regs;
	uint64_t value;

	says(usrpci_regs_open(&fake.base, 1, 0, 0, &opened), "it has no BAR 1; which it has, "
	     "tells: usrpci info " BDF);
	says(usrpci_bar_map(&fake.base, 3, 0, 0, 0, &regs), "it has no BAR 3; which it has, "
	     "tells: usrpci info " BDF);
	says(usrpci_bar_read(&fake.base, 6, 0, 4, &value), "it has no BAR 6; which it has, "
	     "tells: usrpci info " BDF);
	fake.fail = -EINVAL;
	says(usrpci_bar_write(&fake.base, 5, 0, 4, 0), "it has no BAR 5; which it has, "
	     "tells: usrpci info " BDF);
}

static void test_interrupts(void **state)
{
	int fds[3] = { -1, -1, -1 };

	fake.fail = -EOPNOTSUPP;
	says(usrpci_irq_setup(&fake.base, USRPCI_MSIX, 1), "it has no MSI-X interrupts, but 0 "
	     "INTx, "
	     "4 MSI and 0 MSI-X; run: usrpci info " BDF);
	fake.fail = -ENOSPC;
	says(usrpci_irq_setup(&fake.base, USRPCI_MSI, 8), "there aren't 8 MSI vectors: it offers 0 "
	     "INTx, 4 MSI and 0 MSI-X, and the platform may have fewer; run: usrpci info " BDF);
	fake.fail = -EBUSY;
	says(usrpci_irq_setup(&fake.base, USRPCI_MSI, 1), "vectors are set up already: set up "
	     "USRPCI_NO_IRQ first; see: usrpci_irq_setup() in <usrpci/irq.h>");
	says(usrpci_irq_setup(&fake.base, USRPCI_INTX, 2), "INTx interrupts can't have 2 vectors; "
	     "see: usrpci_irq_setup() in <usrpci/irq.h>");
	fake.fail = -EINVAL;
	says(usrpci_irq_wire(&fake.base, 1, 3, fds), "vectors 1 to 3 aren't all set up, or a "
	     "descriptor is no eventfd; run: ls -l /proc/%d/fd", getpid());
	says(usrpci_irq_unmask(&fake.base, 3), "vector 3 isn't set up; "
	     "see: usrpci_irq_setup() in <usrpci/irq.h>");
	fake.fail = -EBADF;
	says(usrpci_irq_wire(&fake.base, 0, 1, fds), "a descriptor isn't open; "
	     "run: ls -l /proc/%d/fd", getpid());
}

static void test_others(void **state)
{
	uint32_t handle = 9;

	fake.fail = -EINVAL;
	says(usrpci_unmap(&fake.base, &handle, 1), "a handle isn't mapped, or stands there twice; "
	     "none was unmapped; see: usrpci_unmap() in <usrpci/dma.h>");
	says(usrpci_sync_for_cpu(&fake.base, 9, 16, 32), "handle 9 isn't mapped, or has no 32 "
	     "bytes "
	     "at 16; see: usrpci_sync_for_cpu() in <usrpci/dma.h>");
	fake.fail = -EIO;
	says(usrpci_set_dma_mask(&fake.base, 0xfff, 0xff), "the platform can't serve a DMA mask of "
	     "0xfff and a coherent one of 0xff; they are of the form 2^n - 1, and less than 32 "
	     "bits can be too few; run: dmesg");
	fake.fail = -EBUSY;
	says(usrpci_set_dma_mask(&fake.base, 1, 1), "the DMA mask can't change while memory "
	     "is mapped "
	     "or allocated: unmap it first; see: usrpci_set_dma_mask() in <usrpci/dma.h>");
	fake.fail = -EOPNOTSUPP;
	says(usrpci_reset(&fake.base), "it can't be reset without others beside it; "
	     "run: cat /sys/bus/pci/devices/" BDF "/reset_method");
	fake.fail = -ENODEV;
	says(usrpci_reset(&fake.base), "it was removed, or taken away by usrpci unbind; "
	     "run: lspci -D -k -s " BDF);
	fake.fail = -EPROTO;
	says(usrpci_reset(&fake.base), "Protocol error; run: dmesg");
	says(-ETIMEDOUT, "what was waited for didn't come in time; a device that isn't bus master "
	     "sends no MSI; see: usrpci_set_master() in <usrpci/device.h>");
}

static void bind_fails(int err, unsigned int flags, const char *how)
{
	const struct usrpci_space_options options = { .flags = flags };
	struct usrpci_space *space;

	fake_bind_err = err;
	assert_int_equal(usrpci_space_bind(&fake.base, &options, &space), err);
	says(err, "%s", how);
}

static void test_tlb(void **state)
{
	struct usrpci_tlb tlb = { 0 };

	assert_int_equal(usrpci_tlb_describe(&fake.base, NULL, 0), -EINVAL);
	says(-EINVAL, "no TLB is described, or a flag is unknown; see: usrpci_tlb_describe() in "
	     "<usrpci/space.h>");
	assert_int_equal(usrpci_tlb_describe(&fake.base, &tlb, 0), -EINVAL);
	says(-EINVAL, "the TLB can't be as described: misses.words is 0, of 1 to 4; see: "
	     "<usrpci/tlb.h>");
	bind_fails(-EINVAL, 0, "no TLB was described, or a flag is unknown, or pages around a miss "
		   "are more than 64 or asked for where the device chooses entries; see: "
		   "usrpci_space_bind() in <usrpci/space.h>");
	bind_fails(-ENOSPC, 0, "all of its tags are taken: close a space first; see: "
		   "usrpci_space_close() in <usrpci/space.h>");
	bind_fails(-EOPNOTSUPP, USRPCI_SPACE_MIRRORED, "pages can be mirrored only where the "
		   "kernel serves misses: drop USRPCI_SPACE_MIRRORED, or have usrpci's module "
		   "serve it; run: usrpci bind " BDF);
	bind_fails(-EOPNOTSUPP, 0, "misses are served by the library, in the process that "
		   "described the TLB, and no other can be bound; see: usrpci_space_bind() in "
		   "<usrpci/space.h>");
	bind_fails(-EIO, 0, "its TLB didn't forget what it was told to, so it gets no DMA till "
		   "it's closed and opened again; see: usrpci_space_forget() in <usrpci/space.h>");
}

/* An error of another call isn't explained by details of the last one. */
static void test_not_the_last(void **state)
{
	fake.missing = 4096;
	assert_int_equal(map_some(-ENOMEM, 1), -ENOMEM);
	says(-EIO, "Input/output error; run: dmesg");
	says(-ENOSPC, "No space left on device; run: dmesg");
}

#define OPEN(f) cmocka_unit_test_setup_teardown(f, setup_tree, teardown_tree)
#define CALL(f) cmocka_unit_test_setup_teardown(f, setup_fake, teardown_fake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPEN(test_open_address),
		OPEN(test_open_of_other_driver),
		OPEN(test_open_no_module),
		OPEN(test_open_busy),
		OPEN(test_open_access),
		OPEN(test_open_isolation),
		OPEN(test_open_require_strict),
		OPEN(test_open_not_strict),
		OPEN(test_bind_to_vfio),
		OPEN(test_open_cut),
		CALL(test_map),
		CALL(test_memory_limit),
		CALL(test_registers),
		CALL(test_no_bar),
		CALL(test_interrupts),
		CALL(test_others),
		CALL(test_tlb),
		CALL(test_not_the_last),
	};

	return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}

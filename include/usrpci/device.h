/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_DEVICE_H
#define USRPCI_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes that hold "DDDD:BB:DD.F" with any domain, and the final 0. */
#define USRPCI_BDF_LEN	24

/** Bytes that hold that, or "vfio-user:" and any path of a socket. */
#define USRPCI_ADDRESS_LEN	128

struct usrpci_device;

/**
 * enum usrpci_isolation - What stops the device reaching memory it wasn't handed.
 * @USRPCI_NO_ISOLATION: nothing: no IOMMU, or other functions in its group
 * @USRPCI_PASSTHROUGH: nothing: the IOMMU is there and doesn't translate
 * @USRPCI_LAZY: the IOMMU, some milliseconds after an unmap
 * @USRPCI_STRICT: the IOMMU, from the moment an unmap returns; of a device behind a
 *	socket: its server can read and write bytes that were handed out, and whole
 *	files of which mapped memory was
 */
enum usrpci_isolation {
	USRPCI_NO_ISOLATION,
	USRPCI_PASSTHROUGH,
	USRPCI_LAZY,
	USRPCI_STRICT,
};

/* usrpci_info.caps */
#define USRPCI_CAN_RESET	(1U << 0)	/* usrpci_reset() works */
#define USRPCI_CAN_REMAP_IRQ	(1U << 1)	/* interrupts are remapped: none can be forged */
#define USRPCI_CAN_BOUNCE	(1U << 2)	/* memory beyond the DMA mask is bounced */
#define USRPCI_CAN_QUIESCE	(1U << 3)	/* usrpci_quiesce() works */
#define USRPCI_CAN_DETACH	(1U << 4)	/* usrpci_coherent_detach() works */
#define USRPCI_CAN_COMBINE	(1U << 5)	/* so does USRPCI_WRITE_COMBINING */
#define USRPCI_CAN_MASK_STORM	(1U << 6)	/* a storm of interrupts is masked and told */
#define USRPCI_CAN_REWIRE	(1U << 7)	/* usrpci_irq_wire() loses no interrupt */
#define USRPCI_CAN_MIRROR	(1U << 8)	/* a space's pages can be mirrored */

/**
 * struct usrpci_info - What a function is.
 * @bdf: its name, "DDDD:BB:DD.F"; where it's no machine's, as much of its address as fits
 * @backend: name of the backend that serves it: "kernel", "vfio", "vfio-user"
 * @caps: USRPCI_CAN_*
 * @vendor: PCI vendor id
 * @device: PCI device id
 * @subvendor: subsystem vendor id
 * @subdevice: subsystem id
 * @class_code: 24 bits: base class, subclass, programming interface
 * @revision: revision id
 * @nr_intx: 1 if the function has an INTx pin, else 0
 * @nr_msi: MSI vectors offered
 * @nr_msix: MSI-X vectors offered
 * @isolation: enum usrpci_isolation
 * @iommu_group: number of its IOMMU group, -1 without
 * @numa_node: nearest NUMA node, -1 when unknown
 * @config_size: bytes of configuration space
 * @dma_mask: mask of streaming mappings in force
 * @coherent_mask: mask of coherent buffers in force
 * @max_mapping: most bytes in one scatterlist entry; UINT64_MAX: no limit
 */
struct usrpci_info {
	char bdf[USRPCI_ADDRESS_LEN];
	const char *backend;
	uint32_t caps;
	uint16_t vendor;
	uint16_t device;
	uint16_t subvendor;
	uint16_t subdevice;
	uint32_t class_code;
	uint8_t revision;
	unsigned int nr_intx;
	unsigned int nr_msi;
	unsigned int nr_msix;
	enum usrpci_isolation isolation;
	int iommu_group;
	int numa_node;
	uint32_t config_size;
	uint64_t dma_mask;
	uint64_t coherent_mask;
	uint64_t max_mapping;
};

/**
 * usrpci_open() - Open a function.
 * @devp: set to the device
 * @address: "DDDD:BB:DD.F", or "BB:DD.F" in domain 0; "vfio-user:PATH", a device that
 *	somebody plays behind a socket; "sim:NAME", one that usrpci-sim plays for this
 *	program alone
 *
 * The driver that the function is bound to says which backend serves it: usrpci, our own
 * module, or vfio-pci, the kernel's VFIO. The function is enabled and has been reset if it
 * can be; bus mastering is off. Only one may have it open at a time; with VFIO that goes for
 * all functions of its IOMMU group together, in this program too. A device behind a socket is of
 * no use to a child made by fork: calls give -ENODEV there.
 *
 * Return: 0; -EINVAL for an address that isn't one; -ENOENT no such function;
 * -ENXIO it isn't bound to a driver that a backend serves; -EBUSY it is open
 * already; -EACCES or -EPERM not allowed; -EIO it couldn't be reset, or its link
 * failed and hasn't recovered; -EXDEV vfio-pci has it, and there is no IOMMU; -ETIMEDOUT whoever
 * listens at a socket takes no connection; other negative errno. usrpci_explain_open() makes a
 * sentence of it.
 */
int usrpci_open(struct usrpci_device **devp, const char *address);

/**
 * usrpci_open_fd() - Use a descriptor that was opened elsewhere.
 * @devp: set to the device
 * @fd: from usrpci_fd() of a function that usrpci's own module has, in this process or passed
 *	from another; it stays the caller's and is not closed by usrpci_close()
 *
 * Return: 0, -EBADF, or -EINVAL if the descriptor is no PCI function's; that of a device behind
 * a socket isn't, either.
 */
int usrpci_open_fd(struct usrpci_device **devp, int fd);

/**
 * usrpci_close() - Let go of a device and of all that was mapped and allocated.
 * @dev: the device, or NULL
 *
 * BAR maps and coherent memory are unmapped from the process. The device is
 * stopped before any memory is given back. Where VFIO or a socket serves it, a
 * child made by fork only lets go of what it has inherited: the device stays
 * its parent's.
 */
void usrpci_close(struct usrpci_device *dev);

/**
 * usrpci_fd() - The descriptor behind a device.
 * @dev: the device
 *
 * It may be polled: POLLIN or POLLPRI, as the backend has it, says that usrpci_event() has
 * something to tell, POLLHUP that the function has gone. It stays the device's own: dup(2)
 * it to pass it on.
 *
 * Return: the descriptor, or -EOPNOTSUPP where the backend has none.
 */
int usrpci_fd(const struct usrpci_device *dev);

/**
 * usrpci_info() - Tell what a device is and what its platform offers.
 * @dev: the device
 * @info: filled in
 *
 * Return: 0 or a negative errno.
 */
int usrpci_info(struct usrpci_device *dev, struct usrpci_info *info);

/**
 * usrpci_set_master() - Let the device do DMA and send interrupts, or stop it.
 * @dev: the device
 * @on: whether it may
 *
 * Return: 0; -EIO its TLB didn't forget what it was told to; other negative errno.
 */
int usrpci_set_master(struct usrpci_device *dev, bool on);

/**
 * usrpci_reset() - Reset the function.
 * @dev: the device
 *
 * Its own registers are then as after power-on; configuration, mappings and
 * interrupt vectors stay.
 *
 * Return: 0; -EOPNOTSUPP if it can't be reset alone; other negative errno.
 */
int usrpci_reset(struct usrpci_device *dev);

/**
 * usrpci_config_read() - Read configuration space.
 * @dev: the device
 * @offset: bytes, a multiple of @width
 * @width: 1, 2 or 4 bytes
 * @value: set
 *
 * Return: 0; -EINVAL for a bad offset or width; other negative errno.
 */
int usrpci_config_read(struct usrpci_device *dev, unsigned int offset,
		       unsigned int width, uint32_t *value);

/**
 * usrpci_config_write() - Write configuration space.
 * @dev: the device
 * @offset: bytes, a multiple of @width
 * @width: 1, 2 or 4 bytes
 * @value: what to write
 *
 * Return: 0; -EPERM if that would change what only the kernel may change: a
 * BAR, bus mastering, the interrupt capabilities; -EINVAL for a bad offset or
 * width; other negative errno.
 */
int usrpci_config_write(struct usrpci_device *dev, unsigned int offset,
			unsigned int width, uint32_t value);

/**
 * usrpci_explain() - Say why the last call on a device failed, and what to do.
 * @dev: the device, which is open; if opening failed, see usrpci_explain_open()
 * @err: what the call returned
 * @buf: the sentence
 * @len: bytes of @buf; the sentence is cut to fit
 *
 * Return: length of the whole sentence.
 */
int usrpci_explain(struct usrpci_device *dev, int err, char *buf, size_t len);

/**
 * usrpci_explain_open() - Say why opening or binding a function failed, and what to do.
 * @address: as given to usrpci_open(), usrpci_bind() or usrpci_bind_strict()
 * @err: what it returned
 * @buf: the sentence
 * @len: bytes of @buf; the sentence is cut to fit
 *
 * Return: length of the whole sentence.
 */
int usrpci_explain_open(const char *address, int err, char *buf, size_t len);

/**
 * usrpci_parse_bdf() - Bring a function's name into its full form.
 * @address: "DDDD:BB:DD.F" or "BB:DD.F"
 * @bdf: room for USRPCI_BDF_LEN bytes
 *
 * Return: 0 or -EINVAL.
 */
int usrpci_parse_bdf(const char *address, char *bdf);

/**
 * usrpci_isolation_name() - Name an isolation level.
 * @isolation: the level
 *
 * Return: "strict", "lazy", "passthrough" or "none".
 */
const char *usrpci_isolation_name(enum usrpci_isolation isolation);

#ifdef __cplusplus
}
#endif
#endif /* USRPCI_DEVICE_H */

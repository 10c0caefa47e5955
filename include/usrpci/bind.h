/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The usrpci authors */
#ifndef USRPCI_BIND_H
#define USRPCI_BIND_H

#include <stddef.h>
#include <usrpci/device.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * usrpci_bind() - Take a function from its driver and give it to usrpci.ko.
 * @address: the function
 *
 * What had it before is remembered for usrpci_unbind(). Nothing is checked for
 * being in use: see the usrpci command for that. No harm if it's bound already.
 *
 * Return: 0; -EINVAL for an address that isn't one; -ENOENT no such function;
 * -ENODEV the module isn't loaded, or refuses the function; -EACCES or -EPERM
 * not allowed; other negative errno.
 */
int usrpci_bind(const char *address);

/**
 * usrpci_bind_driver() - Take a function from its driver and give it to one that is named.
 * @address: the function
 * @driver: "usrpci", as usrpci_bind() does, or "vfio-pci", the kernel's VFIO
 *
 * From one of the two to the other too: what was remembered of the first is kept.
 *
 * Return: 0; -EINVAL also for another driver; -EXDEV vfio-pci needs an IOMMU, and there
 * is none; others as usrpci_bind(). usrpci_explain_bind() makes a sentence of it.
 */
int usrpci_bind_driver(const char *address, const char *driver);

/**
 * usrpci_bind_strict() - As usrpci_bind(), with the function's isolation made strict.
 * @address: the function
 * @was: set to the isolation that it had, if all goes well; or NULL
 *
 * Its IOMMU group is moved to strict translation, and back by usrpci_unbind(). A
 * function that is bound to usrpci already leaves it for a moment, and gets a new
 * device file. If it can't be made strict, it stays with the driver that has it.
 *
 * Return: 0; -EXDEV if it can't be made strict: there is no IOMMU, its group has
 * others, or the kernel doesn't change the group; -EBUSY if it must leave usrpci
 * and is open; others as usrpci_bind(). usrpci_explain_open() says which it is.
 */
int usrpci_bind_strict(const char *address, enum usrpci_isolation *was);

/**
 * usrpci_unbind() - Take a function from usrpci.ko or vfio-pci and give it back.
 * @address: the function
 *
 * The driver that usrpci_bind() took it from gets it again. A process that has it open
 * through usrpci.ko meets -ENODEV; through vfio-pci it is told USRPCI_REMOVAL_ASKED, and
 * this waits till it closes.
 *
 * Return: 0; -ENXIO if it isn't bound to usrpci, or to vfio-pci by usrpci_bind_driver();
 * others as usrpci_bind().
 */
int usrpci_unbind(const char *address);

/**
 * usrpci_explain_bind() - Say why giving a function to a driver failed, and what to do.
 * @address: as given to usrpci_bind_driver()
 * @driver: the same; or "usrpci" for usrpci_bind() and usrpci_bind_strict()
 * @err: what it returned
 * @buf: the sentence
 * @len: bytes of @buf; the sentence is cut to fit
 *
 * Return: length of the whole sentence.
 */
int usrpci_explain_bind(const char *address, const char *driver, int err, char *buf, size_t len);

/**
 * usrpci_driver() - Name the driver that a function is bound to.
 * @address: the function
 * @name: set to the name, empty without a driver
 * @len: bytes of @name
 *
 * Return: 0; -EINVAL, -ENOENT; -ENAMETOOLONG.
 */
int usrpci_driver(const char *address, char *name, size_t len);

#ifdef __cplusplus
}
#endif
#endif /* USRPCI_BIND_H */

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# The kernel's VFIO in place of the usrpci module, in a VM of its own: the drivers' tests, and
# what is only so with VFIO.
set -u

cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
disk=$(mktemp)
trap 'rm -f "$disk"' EXIT
truncate -s 64M "$disk"

vm/run --kernel "${KERNEL:-stock}" --iommu strict --timeout 900 --mem 1024 --device edu \
	--drive "$disk" --device nvme,drive=drive0,serial=check --device i6300esb \
	--device virtio-net-pci,aer=on \
	--env DRIVER=vfio-pci --add tests/harness/guest.sh --add tests/kernel/run.sh \
	--add "$build/tests/drivers/edu_test" --add "$build/tests/drivers/nvme_test" -- sh -c '
modprobe -a vfio-pci vfio_iommu_type1
sh run.sh edu_test nvme_test'

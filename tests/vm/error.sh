#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# Errors of PCI Express, in a VM of their own: its functions can report them.
set -u

cd "$(dirname "$0")/../.." || exit 1
disk=$(mktemp)
trap 'rm -f "$disk"' EXIT
truncate -s 1M "$disk"

# A port of 5 GT/s doesn't tell whether its link is up, so that a reset of it succeeds.
vm/run --kernel "${KERNEL:-stock}" --iommu strict --timeout 600 --monitor --device edu --drive "$disk" \
	--device pcie-root-port,id=port1,chassis=1,slot=1,hotplug=off,x-speed=5 \
	--device virtio-net-pci,aer=on,bus=port1,id=victim1 \
	--device pcie-root-port,id=port2,chassis=2,slot=2,hotplug=off \
	--device virtio-net-pci,aer=on,bus=port2,id=victim2 \
	--device pcie-root-port,id=port3,chassis=3,slot=3,hotplug=off \
	--device virtio-net-pci,aer=on,bus=port3,addr=0.0,multifunction=on,id=victim3 \
	--device e1000e,bus=port3,addr=0.1 \
	--add tests/harness/guest.sh --add tests/kernel/run.sh \
	--add "${BUILD:-build}/tests/kernel/error_test" -- sh run.sh error_test

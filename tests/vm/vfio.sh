#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# The kernel's VFIO in place of the usrpci module, in VMs of their own: the drivers' tests, what
# is only so with VFIO, and the command, for a function alone in its IOMMU group, with a sibling,
# and without an IOMMU. KERNEL=recent has iommufd alone; the stock one has it not.
set -u

cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
kernel=${KERNEL:-stock}
disk=$(mktemp)
trap 'rm -f "$disk"' EXIT
truncate -s 64M "$disk"

ended() {
	[ "$1" -eq 0 ] || [ "$1" -eq 1 ] || echo "not ok - the VM ended with status $1"
}

# The watchdog is one that run.sh wants.
echo "# drivers"
vm/run --kernel "$kernel" --iommu strict --timeout 900 --mem 1024 --device edu \
	--drive "$disk" --device nvme,drive=drive0,serial=check --device i6300esb --monitor \
	--device pcie-root-port,id=port1,chassis=1,slot=1,hotplug=off,x-speed=5 \
	--device virtio-net-pci,aer=on,bus=port1,id=victim1 \
	--env DRIVER=vfio-pci --add tests/harness/guest.sh --add tests/kernel/run.sh \
	--add "$build/tests/drivers/edu_test" --add "$build/tests/drivers/nvme_test" \
	--add "$build/tests/vfio/vfio_test" -- sh -c '
modprobe -a vfio-pci
modprobe -q vfio_iommu_type1
sh run.sh vfio_test edu_test nvme_test'
ended $?

# The programs' library comes with one that isn't in a folder.
echo "# conformance"
vm/run --kernel "$kernel" --module none --iommu strict --timeout 900 --mem 1024 --device edu \
	--add "$build/tests/conformance" --add tests/conformance/run.sh:conformance/run.sh \
	--add tests/harness/guest.sh --add "$build/tests/vfio/vfio_test" -- sh -c '
modprobe -a vfio-pci
modprobe -q vfio_iommu_type1
sh conformance/run.sh driver:vfio-pci conformance/*_test'
ended $?

# command GROUP OPTION...: see tests/tools/vfio.sh.
command() {
	local group=$1
	shift
	echo "# command, $group"
	vm/run --kernel "$kernel" --timeout 300 --drive "$disk" --device edu,addr=05.0,multifunction=on \
		--add tests/tools --add "$build/tests/tools/jsoncheck" "$@" -- sh tools/vfio.sh "$group"
	ended $?
}

command alone --iommu lazy --device nvme,drive=drive0,serial=other,addr=06.0
command shared --iommu strict --device nvme,drive=drive0,serial=sibling,addr=05.1
command none --iommu none --device nvme,drive=drive0,serial=other,addr=06.0

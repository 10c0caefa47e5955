#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# Address spaces, on a device with a TLB that usrpci-sim plays: misses served by the module, and by
# the library on VFIO. The promises of the API on both, and the example.
# shellcheck disable=SC2016 # the dollar signs are for the VM's shell
set -u

cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
kernel=${KERNEL:-stock}
disk=$(mktemp) swap=$(mktemp)
trap 'rm -f "$disk" "$swap"' EXIT
truncate -s 64M "$disk"
truncate -s 256M "$swap"

# boot IOMMU ENTRIES OPTION... -- COMMAND...: an edu as well, which the other promises are about.
boot() {
	local iommu=$1 entries=$2
	shift 2
	vm/run --kernel "$kernel" --iommu "$iommu" --timeout 900 --mem 1024 --device edu \
		--device i6300esb --drive "$disk" --sim "htex,entries=$entries" \
		--add tests/harness/guest.sh "$@"
	[ $? -le 1 ] || echo "not ok - the VM ended with another status"
}

module() {
	echo "# the module, iommu $1, $2 entries"
	boot "$1" "$2" --add tests/kernel/run.sh --add "$build/tests/kernel/space_test" \
		--add "$build/tests/kernel/space_batch_test" --add "$build/tests/kernel/space_abi_test" \
		--add "$build/examples/pointer_chase" -- sh -c '
sh run.sh space_test space_batch_test space_abi_test
insmod "/lib/modules/$(uname -r)/extra/usrpci.ko" 2>/dev/null || modprobe usrpci
. ./guest.sh
bind "$(find_htexes)" && pointer_chase "$(find_htexes)" >out 2>&1 && echo "ok - pointer_chase" && exit
echo "not ok - pointer_chase"
sed "s/^/# /" out'
}

# ends IOMMU: what ends a space, one way or the other; with a second device, that is deaf.
ends() {
	echo "# ends, iommu $1"
	boot "$1" 64,engines=64 --sim htex,entries=64,deaf=1 --add tests/kernel/run.sh \
		--add "$build/tests/kernel/space_end_test" -- sh run.sh space_end_test
}

# swapping IOMMU ENTRIES: memory is short.
swapping() {
	echo "# swapping, iommu $1, $2 entries"
	boot "$1" "$2" --mem 512 --drive "$swap" --device nvme,drive=drive1,serial=swap \
		--add tests/kernel/run.sh --add "$build/tests/kernel/space_swap_test" -- \
		sh run.sh space_swap_test
}

# promises DRIVER IOMMU: the programs' library comes with one that isn't in a folder.
promises() {
	echo "# conformance, $1, iommu $2"
	boot "$2" 64 --add "$build/tests/conformance" --add tests/conformance/run.sh:conformance/run.sh \
		--add "$build/tests/vfio/vfio_test" -- sh -c "
[ $1 = usrpci ] || modprobe -a vfio-pci vfio_iommu_type1
sh conformance/run.sh driver:$1 conformance/space_test"
}

if [ "$kernel" = debug ]; then
	module strict 64
	ends strict
	exit
fi
module none 16
module strict 64
module lazy 4096
promises usrpci none
promises vfio-pci strict
ends none
ends strict
swapping none 64
swapping strict 4096

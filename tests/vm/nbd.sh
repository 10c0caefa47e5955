#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# QEMU's NVMe disk as a block device: nbdkit serves it by usrpci's plugin, and the VM's own kernel
# mounts it (tests/vm/nbd-guest.sh). NBD_TREE=FOLDER unpacks that tree on it and compares, as of a
# kernel's source, which takes some twenty minutes. MODES="none vfio" as below.
# shellcheck disable=SC2054 # the commas are QEMU's
set -u

cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
kernel=${KERNEL:-stock}
tree=${NBD_TREE:-}
modes=${MODES:-none vfio}
tmp=$(mktemp -d -p "$build")
trap 'rm -rf "$tmp"' EXIT
size=192M timeout=400 more=()
export PATH=$PATH:/usr/sbin:/sbin

# The tar is a disk of its own, of whole sectors.
if [ -n "$tree" ]; then
	[ -d "$tree" ] || { echo "nbd.sh: NBD_TREE: no folder $tree" >&2; exit 1; }
	tar -cf "$tmp/tree.tar" -C "$tree" . || exit 1
	(cd "$tree" && find . -type f -print0 | sort -z | xargs -0 md5sum) >"$tmp/sums"
	size=8G timeout=3000
	more=(--drive "$tmp/tree.tar" --device virtio-blk-pci,drive=drive1 --add "$tmp/sums")
fi
for name in nbdkit nbd-client fio mkfs.ext4 e2fsck fstrim; do
	more+=(--add "$(command -v $name)")
done

# in_vm DRIVER OPTION...
in_vm() {
	echo "# $*"
	rm -f "$tmp/disk"
	truncate -s "$size" "$tmp/disk"
	vm/run --kernel "$kernel" --mem 1024 --timeout "$timeout" --drive "$tmp/disk" \
		--device nvme,drive=drive0,serial=nbd "${@:2}" --env DRIVER="$1" "${more[@]}" \
		--add "$build/nbdkit/nbdkit-usrpci-nvme-plugin.so" --add tests/harness/guest.sh \
		--add tests/vm/nbd-guest.sh -- sh nbd-guest.sh
	local status=$?
	[ $status -le 1 ] || echo "not ok - the VM ended with status $status"
}

for mode in $modes; do
	case $mode in
	vfio) in_vm vfio-pci --iommu strict --module none ;;
	*) in_vm usrpci --iommu "$mode" ;;
	esac
done

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# list and info, on any machine with a PCI bus: nothing is bound.
# shellcheck source=tests/tools/tap.sh
. "$(dirname "$0")/tap.sh"

[ -n "$(ls /sys/bus/pci/devices 2>/dev/null)" ] || skip_all "no PCI bus"

exits 0 list --all
says '^ADDRESS *DRIVER *GROUP *ISOLATION *OPENED BY *FUNCTION$'
for dir in /sys/bus/pci/devices/*; do
	says "^${dir##*/} "
done
set -- /sys/bus/pci/devices/*
[ "$(wc -l <"$out")" -eq $(($# + 1)) ]
result $? "  and nothing else"

exits 0 list --all --json
for key in address vendor_id device_id vendor device class_id class driver iommu_group \
	isolation opener; do
	keys="$keys /0/$key"
done
# shellcheck disable=SC2086
json $keys

exits 0 list
! grep -q ' Host bridge: ' "$out"
result $? "  no bridges"
exits 0 list --json
json ""
exits 0 list --bound --json
json ""

bdf=${1##*/}
exits 0 info "$bdf" --json
json "/address=$bdf" "/vendor_id=$(cut -c 3- "/sys/bus/pci/devices/$bdf/vendor")" \
	/bars /interrupts/intx /dma_mask /max_mapping /can_reset /missing /numa_node
exits 0 info "$bdf"
says "^$bdf "
says '^ids  '
case $bdf in
0000:*)
	exits 0 info "${bdf#0000:}"
	says "^$bdf "
	;;
esac
finish

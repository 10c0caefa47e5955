#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# strict.sh ISOLATION: bind --strict of QEMU's edu where that is its isolation, or it is
# "shared" with a sibling, or lies behind a "bridge"; in a VM, as root, see tests/vm/strict.sh.
# shellcheck source=tests/tools/tap.sh
. "$(dirname "$0")/tap.sh"

isolation=$1
bdf=$(find_function 0x1234 0x11e8)
[ -n "$bdf" ] || skip_all "no edu device"
[ -d /sys/bus/pci/drivers/usrpci ] || skip_all "usrpci.ko isn't loaded"
[ "$(id -u)" -eq 0 ] || skip_all "not root"
folder=/sys/bus/pci/devices/$bdf
file=/dev/usrpci/$bdf
type=$folder/iommu_group/type

# has TYPE: the group is of this type.
has() {
	[ "$(cat "$type")" = "$1" ]
	result $? "  its group is $1"
}

# refused: nothing has changed.
refused() {
	[ ! -e "$folder/driver" ] && [ "$(cat "$folder/driver_override")" = "(null)" ] &&
		[ ! -e "/run/usrpci/$bdf" ] && [ ! -e "$file" ]
	result $? "  and the function is as before"
}

works() {
	usrpci-edu "$bdf" >"$out" 2>"$err"
	result $? "  DMA works"
}

is_strict() {
	exits 0 list --bound --json
	json "/0/address=$bdf" /0/isolation=strict
	exits 0 info "$bdf"
	says "^isolation *strict, IOMMU group [0-9]*\$"
}

# From $isolation, the group's type $former, and back.
moves() {
	former=$(cat "$type")
	exits 0 bind "$bdf" --strict
	says "^$bdf: no driver → usrpci, isolation $isolation → strict (IOMMU group [0-9]*), $file root:root 0600\$"
	! grep -q . "$err"
	result $? "  with no warning"
	has DMA
	is_strict
	works
	exits 0 bind "$bdf" --strict
	says "^$bdf: usrpci → usrpci, isolation strict already (IOMMU group [0-9]*), "
	exits 0 unbind "$bdf"
	has "$former"

	# Bound before: its file stays with its group.
	exits 0 bind "$bdf" --group 12345 --mode 0640
	says "isolation $isolation, "
	exec 3<"$file"
	exits 4 bind "$bdf" --strict
	complains "$bdf is open in process $$ "
	exec 3<&-
	has "$former"
	exits 0 bind "$bdf" --strict --json
	json "/0/address=$bdf" "/0/isolation_before=$isolation" /0/isolation=strict \
		/0/mode=0640
	[ "$(stat -c '%g %a' "$file")" = "12345 640" ]
	result $? "  its file is whose it was"
	is_strict
	works
	exits 0 unbind "$bdf"
	has "$former"
	refused
}

"$USRPCI" unbind "$bdf" >/dev/null 2>&1
case $isolation in
lazy | passthrough) moves ;;
strict)
	exits 0 bind "$bdf" --strict
	says "^$bdf: no driver → usrpci, isolation strict already (IOMMU group [0-9]*), "
	works
	exits 0 bind "$bdf" --json
	json /0/isolation_before=strict /0/isolation=strict
	exits 0 unbind "$bdf"
	has DMA
	;;
none)
	exits 1 bind "$bdf" --strict
	complains "$bdf can't be isolated: there is no IOMMU .* intel_iommu=on\$"
	refused
	;;
bridge)
	# Linux 6.1 changes no group of two devices; later ones do.
	if "$USRPCI" bind "$bdf" --strict >"$out" 2>"$err"; then
		says "isolation lazy → strict"
		works
	else
		complains "$bdf can't be isolated strictly: .* IOMMU group [0-9]* at DMA-FQ; "
		refused
		exits 0 bind "$bdf"
		says "isolation lazy, "
	fi
	;;
shared)
	exits 1 bind "$bdf" --strict
	complains "$bdf can't be isolated: it shares IOMMU group [0-9]* with ${bdf%.*}.1 (nvme); "
	refused
	[ -e "${folder%.*}.1/driver" ]
	result $? "  and its sibling keeps its driver"
	echo 1 >"${folder%.*}.1/remove"
	exits 0 bind "$bdf" --strict
	says "isolation lazy → strict"
	works
	;;
esac
finish

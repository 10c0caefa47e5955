# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# What the scripts that run tests in the VM share: QEMU's edu and nvme, given to usrpci and
# taken back, and what must not be left of it.

pci=/sys/bus/pci

# find_function FILE PATTERN: the first function whose FILE says so.
find_function() {
	for dir in "$pci"/devices/*; do
		if grep -q "$2" "$dir/$1"; then
			basename "$dir"
			return
		fi
	done
}

# find_ids VENDOR DEVICE
find_ids() {
	for dir in "$pci"/devices/*; do
		if grep -q "$1" "$dir/vendor" && grep -q "$2" "$dir/device"; then
			basename "$dir"
			return
		fi
	done
}

bind() {
	[ -n "$1" ] || return 0
	echo usrpci >"$pci/devices/$1/driver_override"
	[ ! -e "$pci/devices/$1/driver" ] || echo "$1" >"$pci/devices/$1/driver/unbind"
	echo "$1" >$pci/drivers_probe
	[ -e "/dev/usrpci/$1" ]
}

unbind() {
	[ -n "$1" ] || return 0
	[ -e "$pci/drivers/usrpci/$1" ] || return 0
	echo >"$pci/devices/$1/driver_override"
	echo "$1" >$pci/drivers/usrpci/unbind
	[ ! -e "/dev/usrpci/$1" ]
}

pinned() {
	echo 1 >/proc/sys/vm/stat_refresh
	awk '/^nr_foll_pin_acquired/ { n += $2 } /^nr_foll_pin_released/ { n -= $2 }
		END { print n + 0 }' /proc/vmstat
}

# Both, and how the programs find them.
bind_both() {
	command -v modprobe >/dev/null && modprobe -q nvme
	USRPCI_EDU=$(find_ids 0x1234 0x11e8)
	USRPCI_NVME=$(find_function class 0x0108)
	export USRPCI_EDU USRPCI_NVME
	bind "$USRPCI_EDU" && bind "$USRPCI_NVME"
}

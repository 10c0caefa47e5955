# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# What the scripts that run tests in the VM share: QEMU's edu and nvme, given to usrpci (or to
# $DRIVER) and taken back, and what must not be left of it.

pci=/sys/bus/pci
driver=${DRIVER:-usrpci}

# It checks each access.
SLOW_KERNEL=
case $(uname -r) in
*-debug) export SLOW_KERNEL=y ;;
esac

# find_functions FILE PATTERN: those whose FILE says so; find_function: the first.
find_functions() {
	for dir in "$pci"/devices/*; do
		! grep -q "$2" "$dir/$1" || basename "$dir"
	done
}

find_function() {
	find_functions "$@" | head -n 1
}

# find_ids VENDOR DEVICE: the functions that are it.
find_ids() {
	for dir in "$pci"/devices/*; do
		! grep -q "$1" "$dir/vendor" || ! grep -q "$2" "$dir/device" || basename "$dir"
	done
}

find_edus() { find_ids 0x1234 0x11e8; }
find_htexes() { find_ids 0x1234 0x7e01; }

is_bound() { [ -e "$pci/drivers/$driver/$1" ]; }

bind() {
	[ -n "$1" ] || return 0
	echo "$driver" >"$pci/devices/$1/driver_override"
	[ ! -e "$pci/devices/$1/driver" ] || echo "$1" >"$pci/devices/$1/driver/unbind"
	echo "$1" >$pci/drivers_probe
	is_bound "$1" && { [ "$driver" != usrpci ] || [ -e "/dev/usrpci/$1" ]; }
}

unbind() {
	[ -n "$1" ] || return 0
	is_bound "$1" || return 0
	echo >"$pci/devices/$1/driver_override"
	echo "$1" >"$pci/drivers/$driver/unbind"
	[ ! -e "/dev/usrpci/$1" ]
}

pinned() {
	echo 1 >/proc/sys/vm/stat_refresh
	awk '/^nr_foll_pin_acquired/ { n += $2 } /^nr_foll_pin_released/ { n -= $2 }
		END { print n + 0 }' /proc/vmstat
}

# The disk whose serial number is "swap" is for memory, and not for tests.
swap_on() {
	command -v modprobe >/dev/null && modprobe -q nvme
	for disk in /sys/class/nvme/*; do
		grep -q swap "$disk/serial" || continue
		USRPCI_SWAP=$(basename "$(readlink -f "$disk/device")")
		mkswap "/dev/${disk##*/}n1" >/dev/null && swapon "/dev/${disk##*/}n1"
		return
	done
	return 1
}

find_nvmes() { find_functions class 0x0108 | grep -vx "${USRPCI_SWAP:-none}"; }

# Both, and how the programs find them.
bind_both() {
	command -v modprobe >/dev/null && modprobe -q nvme
	USRPCI_EDU=$(find_edus | head -n 1)
	USRPCI_NVME=$(find_nvmes | head -n 1)
	export USRPCI_EDU USRPCI_NVME
	bind "$USRPCI_EDU" && bind "$USRPCI_NVME" || return
	# The programs take what has a name for something that there is.
	[ -n "$USRPCI_EDU" ] || unset USRPCI_EDU
	[ -n "$USRPCI_NVME" ] || unset USRPCI_NVME
}

# All of them, however many the VM has.
bind_all() {
	bind_both || return
	USRPCI_EDUS=$(find_edus | xargs)
	USRPCI_NVMES=$(find_nvmes | xargs)
	USRPCI_HTEXES=$(find_htexes | xargs)
	export USRPCI_EDUS USRPCI_NVMES USRPCI_HTEXES
	[ -z "$USRPCI_HTEXES" ] || export USRPCI_HTEX="${USRPCI_HTEXES%% *}"
	for function in $USRPCI_EDUS $USRPCI_NVMES $USRPCI_HTEXES; do
		is_bound "$function" || bind "$function" || return
	done
}

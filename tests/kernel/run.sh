#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
#
# Runs the test programs given on QEMU's edu and nvme, inside the VM; prints TAP.
# A program that crashes, or that tells of fewer tests than it planned, is a failure.

pci=/sys/bus/pci
tests=0
failed=0

result() {
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $tests - $2"
}

# find FILE PATTERN: the first function whose FILE says so.
find_function() {
	for dir in "$pci"/devices/*; do
		if grep -q "$2" "$dir/$1"; then
			basename "$dir"
			return
		fi
	done
}

find_edu() {
	for dir in "$pci"/devices/*; do
		if grep -q 0x1234 "$dir/vendor" && grep -q 0x11e8 "$dir/device"; then
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

# run PROGRAM: its lines renumbered, its name before each test's.
run() {
	out=/tmp/$1.tap
	start=$(cut -d. -f1 /proc/uptime)
	CMOCKA_MESSAGE_OUTPUT=TAP timeout -s KILL "${PROGRAM_TIMEOUT:-100}" "$1" >"$out"
	status=$?
	awk -v name="$1" -v n="$tests" '
		/^1\.\./ { next }
		/^(not )?ok .*# SKIP/ { sub(/.*# SKIP/, ""); print "ok " ++n " " name " -" $0 " # SKIP"; next }
		/^ok / { sub(/^ok [0-9]+/, ""); print "ok " ++n " " name $0; next }
		/^not ok / { sub(/^not ok [0-9]+/, ""); print "not ok " ++n " " name $0; next }
		{ print /^#/ ? $0 : "# " $0 }' "$out"
	planned=$(sed -n 's|^1\.\.\([0-9]*\).*|\1|p' "$out" | awk '{ n += $1 } END { print n }')
	told=$(grep -cE '^(not )?ok ' "$out")
	tests=$((tests + told))
	failed=$((failed + $(grep '^not ok ' "$out" | grep -vc '# SKIP')))
	echo "# $1: status $status, $told tests, $(($(cut -d. -f1 /proc/uptime) - start)) s"
	[ "$status" -ne 77 ] || return
	# cmocka gives the number of failures as its status.
	[ "$told" -eq "${planned:-0}" ] && [ "$status" -lt 128 ] && [ -n "$planned" ]
	result $? "$1 ends by itself with all its tests"
}

command -v modprobe >/dev/null && modprobe -q nvme
edu=$(find_edu)
nvme=$(find_function class 0x0108)
before=$(pinned)
bind "$edu"
result $? "edu $edu binds"
bind "$nvme"
result $? "nvme $nvme binds"
export USRPCI_EDU="$edu" USRPCI_NVME="$nvme"
case $(uname -r) in
*-debug) export SLOW_KERNEL=y PROGRAM_TIMEOUT=900 ;;
esac
for program; do
	run "$program"
done
unbind "$edu"
result $? "edu unbinds"
unbind "$nvme"
result $? "nvme unbinds"
rmmod usrpci
result $? "the module unloads"
! lsmod | grep -q '^usrpci '
result $? "lsmod doesn't show it"
[ ! -e /sys/kernel/debug/usrpci ] && [ ! -e /sys/class/usrpci ]
result $? "sysfs and debugfs don't show it"
after=$(pinned)
[ "$after" -eq "$before" ]
result $? "pages pinned before $before, after $after"
echo "1..$tests"
[ "$failed" -eq 0 ]

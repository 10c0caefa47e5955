#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
#
# Runs the test programs given on QEMU's edu, nvme and i6300esb, inside the VM; prints TAP.
# A program that crashes, or that tells of fewer tests than it planned, is a failure.

# shellcheck source=tests/harness/guest.sh
. ./guest.sh
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

# run PROGRAM: its lines renumbered, its name before each test's.
run() {
	out=/tmp/$1.tap
	start=$(cut -d. -f1 /proc/uptime)
	CMOCKA_MESSAGE_OUTPUT=TAP timeout -s KILL "${PROGRAM_TIMEOUT:-300}" "$1" >"$out"
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

before=$(pinned)
swap_on
bind_both
result $? "edu $USRPCI_EDU and nvme $USRPCI_NVME bind"
# A watchdog, whose BAR has 16 bytes.
USRPCI_SMALL=$(find_ids 0x8086 0x25ab)
export USRPCI_SMALL
bind "$USRPCI_SMALL"
result $? "the small one $USRPCI_SMALL binds"
# A simulated one, with a TLB.
USRPCI_HTEX=$(find_htexes | head -n 1)
export USRPCI_HTEX
[ -n "$USRPCI_HTEX" ] || unset USRPCI_HTEX
bind "${USRPCI_HTEX-}"
result $? "the one with a TLB ${USRPCI_HTEX-} binds"
# Another, which vm/run was told to make deaf.
USRPCI_HTEX_DEAF=$(find_htexes | sed -n 2p)
export USRPCI_HTEX_DEAF
[ -n "$USRPCI_HTEX_DEAF" ] || unset USRPCI_HTEX_DEAF
bind "${USRPCI_HTEX_DEAF-}"
result $? "the one that is deaf ${USRPCI_HTEX_DEAF-} binds"
[ -z "$SLOW_KERNEL" ] || export PROGRAM_TIMEOUT=900
for program; do
	run "$program"
done
unbind "$USRPCI_EDU"
result $? "edu unbinds"
unbind "$USRPCI_NVME"
result $? "nvme unbinds"
unbind "$USRPCI_SMALL"
result $? "the small one unbinds"
unbind "${USRPCI_HTEX-}" && unbind "${USRPCI_HTEX_DEAF-}"
result $? "those with a TLB unbind"
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

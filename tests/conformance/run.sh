#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
#
# usage: run.sh WHERE PROGRAM...
# Tries the promises of the API that PROGRAMs know on an edu, and those of its address spaces on
# an htex, if there is one: at $USRPCI_HTEX. Prints TAP that scripts/conformance makes a table
# of. WHERE is the edu's address, such as sim:edu; or
#   socket       usrpci-sim plays it, for whoever connects
#   driver:NAME  the machine's first one, given to that driver; as root, in a VM
# QEMU's keeps its registers over a reset; USRPCI_KEEPS says so. Exits 77 where no backend of
# the library serves WHERE.

where=$1
shift
tests=0
failed=0

tell() {
	tests=$((tests + 1))
	[ "$1" = ok ] || failed=$((failed + 1))
	echo "$1 $tests - $2"
}

# run PROGRAM: its lines renumbered, with its noun, a skip with its reason.
run() {
	noun=$(basename "$1" _test)
	out=$(mktemp)
	CMOCKA_MESSAGE_OUTPUT=TAP timeout -s KILL "${PROGRAM_TIMEOUT:-200}" "$1" >"$out"
	status=$?
	awk -v noun="$noun" -v n="$tests" '
		/^1\.\./ { next }
		/^# because / { sub(/^# because /, ""); why = $0; next }
		function tell(how, promise) { print how, ++n, "- conformance " noun ": " promise }
		/^(not )?ok .*# SKIP/ { sub(/^.*# SKIP /, ""); tell("ok", $0 " # SKIP " why); next }
		/^ok / { sub(/^ok [0-9]+ - /, ""); tell("ok", $0); next }
		/^not ok / { sub(/^not ok [0-9]+ - /, ""); tell("not ok", $0); next }
		{ print /^#/ ? $0 : "# " $0 }' "$out"
	planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$out")
	told=$(grep -cE '^(not )?ok ' "$out")
	tests=$((tests + told))
	failed=$((failed + $(grep '^not ok ' "$out" | grep -vc '# SKIP')))
	rm -f "$out"
	# The library has no backend for who serves it.
	[ "$status" -ne 77 ] || exit 77
	# cmocka gives the number of failures as its status.
	[ "$status" -ge 128 ] || [ "$told" -ne "${planned:-0}" ] || [ "$told" -eq 0 ] || return
	tell "not ok" "conformance $noun: ends by itself with all its promises (status $status)"
}

# A server, and how to take it away and bring it back.
serve() {
	folder=$(mktemp -d)
	export USRPCI_EDU="vfio-user:$folder/socket"
	export USRPCI_REMOVE="kill -9 \$(cat $folder/pid)"
	export USRPCI_RESTORE="rm -f $folder/socket; usrpci-sim edu --socket $folder/socket &
		echo \$! >$folder/pid
		for i in \$(seq 100); do [ -S $folder/socket ] || sleep 0.1; done"
	trap 'kill -9 $htex; sh -c "$USRPCI_REMOVE"; rm -rf "$folder"' EXIT
	sh -c "$USRPCI_RESTORE"
	export USRPCI_HTEX="vfio-user:$folder/htex"
	usrpci-sim htex --socket "$folder/htex" &
	htex=$!
	for _ in $(seq 100); do [ -S "$folder/htex" ] || sleep 0.1; done
}

# give DRIVER: it gets an edu, and an htex if there is one.
give() {
	DRIVER=$1
	# shellcheck source=tests/harness/guest.sh
	. ./guest.sh
	[ -z "$SLOW_KERNEL" ] || export PROGRAM_TIMEOUT=900
	USRPCI_EDU=$(find_edus | head -n 1)
	USRPCI_HTEX=$(find_htexes | head -n 1)
	export USRPCI_EDU USRPCI_HTEX USRPCI_KEEPS=y
	[ -n "$USRPCI_EDU" ] || return
	[ -e "$pci/drivers/$1" ] || modprobe -q "$1" || insmod "/lib/modules/$(uname -r)/extra/$1.ko"
	[ -e "$pci/drivers/$1" ] || return
	[ -n "$USRPCI_HTEX" ] || unset USRPCI_HTEX
	bind "$USRPCI_EDU" && bind "${USRPCI_HTEX-}"
}

take_back() {
	unbind "$USRPCI_EDU"
	unbind "${USRPCI_HTEX-}"
}

case $where in
socket) serve ;;
driver:*)
	give "${where#driver:}" || {
		tell "not ok" "there is an edu that ${where#driver:} takes"
		set --
	}
	trap take_back EXIT ;;
sim:*) export USRPCI_EDU="$where" USRPCI_HTEX="${USRPCI_HTEX-sim:htex}" ;;
*) export USRPCI_EDU="$where" ;;
esac
for program; do
	run "$program"
done
echo "1..$tests"
[ "$failed" -eq 0 ]

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# The programs of examples/, as their first lines say they are started; in the VM.

tests=0 failed=0

for function in /sys/bus/pci/devices/*; do
	[ "$(cat "$function/device")" != 0x11e8 ] || edu=$(basename "$function")
done
[ -n "${edu-}" ] || { echo "1..0 # SKIP no edu device"; exit 77; }
[ -d /sys/bus/pci/drivers/usrpci ] || insmod "/lib/modules/$(uname -r)/extra/usrpci.ko"

# prints PATTERN COMMAND...
prints() {
	pattern=$1
	shift
	out=$("$@" 2>&1)
	status=$?
	tests=$((tests + 1))
	if [ $status -eq 0 ] && echo "$out" | grep -qe "$pattern"; then
		echo "ok $tests - $*"
	else
		echo "not ok $tests - $* ended with status $status"
		echo "$out" | sed 's/^/# /'
		failed=1
	fi
}

slot=${edu#*:*:}
usrpci bind "$edu" 2>/dev/null
prints '^10! = 3628800$' ./edu_factorial "$edu"
prints 'same' ./dma_roundtrip "$edu"
usrpci unbind "$edu" >/dev/null
# The 2005 interface claims a function that has no driver by itself.
prints 'bus' ./usrdrv_2005 0 "$((0x${slot%.*}))" "${slot#*.}"
echo "1..$tests"
exit $failed

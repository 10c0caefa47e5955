#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# Without the module: in a VM with QEMU's edu and vm/run's --module none, as root.
# shellcheck source=tests/tools/tap.sh
. "$(dirname "$0")/tap.sh"

bdf=$(find_function 0x1234 0x11e8)
[ -n "$bdf" ] || skip_all "no edu device"
[ ! -d /sys/bus/pci/drivers/usrpci ] || skip_all "usrpci.ko is loaded"
[ "$(id -u)" -eq 0 ] || skip_all "not root"

exits 6 bind "$bdf"
complains "$bdf"
[ ! -e "/sys/bus/pci/devices/$bdf/driver" ]
result $? "  and it has no driver, as before"
for arguments in "unbind $bdf" "read $bdf bar0 0" "write $bdf bar0 4 1" "reset $bdf"; do
	# shellcheck disable=SC2086
	exits 6 $arguments
	complains "$bdf"
done
exits 0 info "$bdf" --json
json /driver=null /max_mapping=null /isolation
! "$JSONCHECK" /missing=null <"$out" 2>/dev/null
result $? "  it says why part is missing"
exits 0 list --bound --json
json ""
finish

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# Everything with a device: in a VM with the module and QEMU's edu, as root.
# shellcheck source=tests/tools/tap.sh
. "$(dirname "$0")/tap.sh"

bdf=$(find_function 0x1234 0x11e8)
[ -n "$bdf" ] || skip_all "no edu device"
[ -d /sys/bus/pci/drivers/usrpci ] || skip_all "usrpci.ko isn't loaded"
[ "$(id -u)" -eq 0 ] || skip_all "not root"
file=/dev/usrpci/$bdf

# --- not bound ---
"$USRPCI" unbind "$bdf" >/dev/null 2>&1
exits 6 unbind "$bdf"
complains "$bdf isn't bound to usrpci or vfio-pci, but to no driver; there is nothing to give back\$"
for arguments in "read $bdf bar0 0" "write $bdf bar0 4 1" "reset $bdf"; do
	# shellcheck disable=SC2086
	exits 6 $arguments
	complains "usrpci bind $bdf"
done
exits 0 info "$bdf"
complains "usrpci bind $bdf"
says '^largest mapping *unknown'
exits 0 info "$bdf" --json
json /driver=null /max_mapping=null /bars/0/size=1048576

# --- bound ---
exits 0 bind "$bdf" --group 12345
says "^$bdf: no driver → usrpci, isolation [a-z]*, $file root:12345 0660\$"
[ "$(stat -c '%g %a' "$file")" = "12345 660" ]
result $? "  and so it is"
exits 0 bind "$bdf" --mode 0600 --group 0 --json
json "/0/address=$bdf" /0/previous_driver=usrpci /0/driver=usrpci "/0/path=$file" \
	/0/owner=root /0/group=root /0/mode=0600 /0/isolation
exits 0 list --bound --json
json "/0/address=$bdf" /0/driver=usrpci /0/opener=null /0/device_id=11e8
exits 0 list --bound
says "^$bdf  usrpci "
exits 0 info "$bdf"
says '^BAR 0 *1 MiB of memory .*, mappable$'
says '^driver *usrpci$'
exits 0 info "$bdf" --json
json /missing=null /bars/0/mappable/0/size=1048576 /interrupts/msi /opener=null

# --- registers ---
exits 0 read "$bdf" bar0 0
says '^0x010000ed$'
exits 0 read "$bdf" config 0 --width 2
says '^0x1234$'
exits 0 read "$bdf" config 0x2 --width 2 --json
json /values/0=4584 /target=config /offset=2 /width=2
exits 0 read "$bdf" config 0 --count 5
says '^00000000: 11e81234 [0-9a-f]* [0-9a-f]* [0-9a-f]*$'
says '^00000010: [0-9a-f]*$'
exits 0 write "$bdf" bar0 4 0x12345678
quiet
exits 0 read "$bdf" bar0 4
says '^0xedcba987$'
exits 5 write "$bdf" config 0x10 0
complains "$bdf"
for arguments in "read $bdf bar0 0x100000" "read $bdf bar1 0" "read $bdf config 4092"; do
	# shellcheck disable=SC2086
	exits 1 $arguments
	complains "$bdf"
done

# --- open elsewhere: in this shell ---
exec 3<"$file"
result $? "$file opens"
exits 4 read "$bdf" bar0 0
complains "$bdf"
exits 4 reset "$bdf"
exits 0 list --bound --json
json "/0/opener/pid=$$" /0/opener/command
exits 0 info "$bdf" --json
json "/opener/pid=$$" /max_mapping=null
exits 0 unbind "$bdf"
says "^$bdf: usrpci → no driver\$"
complains "taken from process $$ "
exec 3<&-
[ ! -e "$file" ]
result $? "$file is gone"

# --- all or nothing ---
exits 3 bind fffe:fe:1e.7 "$bdf"
says "^$bdf: "
exits 0 unbind "$bdf" --json
json "/0/address=$bdf" /0/driver=null
finish

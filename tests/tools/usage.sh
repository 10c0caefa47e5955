#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# Usage, on any machine: nothing of its own is opened or bound.
# shellcheck source=tests/tools/tap.sh
. "$(dirname "$0")/tap.sh"

# There is hardly a machine with this one.
absent=fffe:fe:1e.7

exits 0 --help
says '^usage: usrpci SUBCOMMAND'
exits 0 help
exits 0 --version
says '^usrpci [0-9]*\.[0-9]*\.[0-9]*$'
exits 2
complains 'usrpci --help$'
exits 2 frobnicate
complains 'no subcommand "frobnicate"; see: usrpci --help$'
exits 2 help frobnicate

for command in list bind unbind info read write reset; do
	exits 0 help $command
	says "^usage: usrpci $command"
	exits 0 $command --help
	says "^usage: usrpci $command"
	exits 2 $command --frobnicate
	complains "$command doesn't know --frobnicate; see: usrpci help $command\$"
done
for command in bind unbind info read write reset; do
	exits 2 $command
	complains "see: usrpci help $command\$"
done
for command in bind unbind info reset; do
	for name in nvme0 04.0 0000:00:04 0000:00:04.8 0000:00:20.0 "00:04.0 " ""; do
		exits 2 $command "$name"
		complains "names no function.* usrpci list\$"
	done
	exits 3 $command $absent
	complains "$absent"
done

for command in bind unbind; do
	exits 2 $command sim:edu
	complains "PCI functions of this machine; see: usrpci info sim:edu\$"
done
exits 2 list $absent
exits 2 info $absent $absent
exits 2 reset $absent $absent
exits 2 bind --mode
complains 'wants a value after --mode'
for mode in 8 0999 rw 1777 -1 ""; do
	exits 2 bind --mode "$mode" $absent
	complains 'bind '
done
exits 2 bind --group no-such-group $absent
complains 'there is no group "no-such-group"; see which there are: getent group$'
exits 3 bind $absent --group 0 --mode 640
exits 2 bind --driver nvme $absent
complains "can't make sense of nvme"
exits 3 bind --driver vfio-pci $absent
complains "$absent"
exits 3 bind --strict $absent
complains "$absent"
exits 2 unbind --strict $absent

for target in bar6 bar config0 bar00 BAR0 ""; do
	exits 2 read $absent "$target" 0
	complains 'neither config nor bar0 to bar5'
done
for offset in 0x zero -4 0xfffffffffffffffff 08 "" " 4" 4k; do
	exits 2 read $absent bar0 "$offset"
done
for width in 0 3 16 x ""; do
	exits 2 read $absent bar0 0 --width "$width"
	complains "can't make sense of"
done
exits 2 read $absent bar0 2
complains "no multiple of the width, 4"
exits 2 read $absent config 0 --width 8
exits 2 read $absent config 4096
exits 2 read $absent bar0 0 --count 0
exits 2 read $absent bar0 0 --count 0xffffffffffffffff
exits 3 read $absent bar0 0
exits 3 read $absent bar0 0 --width 8 --count 4
exits 3 read $absent config 0 --json
exits 2 write $absent bar0 0 0x100000000
complains "doesn't fit into 4 bytes"
exits 2 write $absent bar0 0 256 --width 1
exits 2 write $absent bar0 0 ff
exits 3 write $absent bar0 0 0xffffffff
exits 3 write $absent bar0 0 255 --width 1

# What is played can be looked at.
exits 0 info sim:edu
says '\[1234:11e8\]$'
says '^BAR 0 *1 MiB of memory'
exits 0 info sim:nvme,size=16M --json
json /address=sim:nvme,size=16M /vendor_id=1b36 /device_id=0010 /interrupts/intx=1 /driver=null
exits 0 read sim:edu bar0 0
says '^0x010000ed$'
exits 0 write sim:edu bar0 4 1
exits 0 reset sim:edu
says '^sim:edu: reset$'
exits 1 read sim:edu bar1 0
complains 'no BAR 1; which it has, tells: usrpci info sim:edu$'
exits 3 read vfio-user:/nowhere bar0 0
complains 'no server listens at "/nowhere"'

# Each one is tried, and the worst is what counts.
exits 3 bind $absent nonsense.0 fffe:fe:1e.6
[ "$(wc -l <"$err")" -eq 3 ]
result $? "  one sentence for each function"
exits 3 unbind --json $absent
json ""

[ ! -c /dev/full ] || { "$USRPCI" --help >/dev/full; } 2>"$err"
[ $? -eq 1 ] || [ ! -c /dev/full ]
result $? "a full disk is noticed"
finish

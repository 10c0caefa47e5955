#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# Disks and networks in use: in a VM with an empty NVMe disk and a network card, as root.
# shellcheck source=tests/tools/tap.sh
. "$(dirname "$0")/tap.sh"

disk=/dev/nvme0n1
[ -d /sys/bus/pci/drivers/usrpci ] || skip_all "usrpci.ko isn't loaded"
[ -b $disk ] || skip_all "no disk $disk"
[ "$(id -u)" -eq 0 ] || skip_all "not root"
# vm/run makes it; elsewhere this would write to somebody's disk.
[ -e /vm/settings ] || skip_all "not in a VM"
nvme=$(basename "$(readlink -f /sys/class/nvme/nvme0/device)")

mkswap $disk >/dev/null 2>&1
swapon $disk
result $? "swap on $disk"
exits 4 bind "$nvme"
complains "$nvme is in use: $disk is used as swap; run: swapoff $disk\$"
swapoff $disk

mke2fs $disk >/dev/null 2>&1
if mkdir -p /tmp/disk && mount -t ext4 $disk /tmp/disk 2>/dev/null ||
	mount -t ext2 $disk /tmp/disk 2>/dev/null; then
	exits 4 bind "$nvme"
	complains "$nvme is in use: $disk is mounted on /tmp/disk; run: umount /tmp/disk\$"
	[ -b $disk ]
	result $? "  the disk is still there"
	umount /tmp/disk
fi

exits 0 bind "$nvme"
says "^$nvme: nvme → usrpci"
[ ! -e $disk ]
result $? "  the disk is gone"
exits 0 unbind "$nvme"
says "^$nvme: usrpci → nvme\$"

for net in /sys/class/net/*; do
	[ -e "$net/device" ] || continue
	name=${net##*/}
	card=$(readlink -f "$net" | grep -o '[0-9a-f]*:[0-9a-f]*:[0-9a-f]*\.[0-7]' | tail -n 1)
	ip link set "$name" up
	exits 4 bind "$card"
	complains "$card is in use: network interface $name is up; run: ip link set $name down\$"
	exits 0 bind --force "$card"
	exits 0 unbind "$card"
	break
done
finish

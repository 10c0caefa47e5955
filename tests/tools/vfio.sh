#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
#
# usrpci bind --driver vfio-pci in a VM. Its argument is what edu's IOMMU group is like: alone,
# shared (with an NVMe disk), or none.

# shellcheck source=tests/tools/tap.sh
. "$(dirname "$0")/tap.sh"

edu=0000:00:05.0 sibling=0000:00:05.1
pci=/sys/bus/pci/devices

driver() { basename "$(readlink $pci/$edu/driver)" 2>/dev/null; }

if [ "$1" = none ]; then
	modprobe vfio-pci
	exits 1 bind --driver vfio-pci $edu
	complains "vfio-pci needs an IOMMU, .*run: usrpci bind $edu\$"
	exits 0 bind $edu
	finish
fi

exits 6 bind --driver vfio-pci $edu
complains "the module vfio-pci isn't loaded; run: modprobe vfio-pci\$"
modprobe -a vfio-pci
modprobe -q vfio_iommu_type1
group=$(basename "$(readlink $pci/$edu/iommu_group)")

# Whose file it is, when it's bound: the group's, or its own if the kernel has no groups.
file() {
	for name in /dev/vfio/"$group" /dev/vfio/devices/"$(ls $pci/$edu/vfio-dev 2>/dev/null)"; do
		[ ! -c "$name" ] || { echo "$name"; return; }
	done
}

exits 0 bind --driver vfio-pci --group user $edu
says "^$edu: no driver → vfio-pci, isolation strict, $(file) root:user 0660\$"
exits 0 list --bound
says "^$edu  *vfio-pci  *$group  *strict "
exits 0 list --bound --json
json "/0/address=$edu" /0/driver=vfio-pci /0/isolation=strict

if [ "$1" = shared ]; then
	exits 0 info $edu
	complains "only if no other driver has a part of it, but there is $sibling (nvme);"
	exits 0 bind --driver vfio-pci $sibling
fi
if [ ! -e /dev/vfio/vfio ]; then
	su user -c "usrpci info $edu" >"$out" 2>"$err"
	complains "/dev/iommu belongs to .* run: chgrp 1000 /dev/iommu && chmod g+rw /dev/iommu"
	chgrp user /dev/iommu && chmod g+rw /dev/iommu
fi
su user -c "usrpci info $edu" >"$out" 2>"$err" && [ ! -s "$err" ]
result $? "a user of its group opens it"
says "mappable"
exits 0 read $edu bar0 0
says "0x010000ed\|010000ed"

exits 0 bind $edu
says "^$edu: vfio-pci → usrpci"
[ -e /dev/usrpci/$edu ]
result $? "from VFIO to usrpci"
exits 0 bind --driver vfio-pci --json $edu
json /0/driver=vfio-pci /0/previous_driver=usrpci "/0/path=$(file)"
exits 0 unbind $edu
says "^$edu: vfio-pci → no driver\$"
[ "$(driver)" = "" ]
result $? "and back to no driver"
exits 6 unbind $edu
if [ "$1" = shared ]; then
	exits 0 unbind $sibling
	says "^$sibling: vfio-pci → nvme\$"
fi
finish

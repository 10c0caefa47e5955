#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# Two functions of one IOMMU group, in a VM of their own: neither is isolated, whoever has
# the other, and users may not open them.
set -u

cd "$(dirname "$0")/../.." || exit 1
disk=$(mktemp)
trap 'rm -f "$disk"' EXIT
truncate -s 1M "$disk"

# shellcheck disable=SC2016 # for the VM's shell
vm/run --iommu strict --drive "$disk" \
	--device edu,addr=05.0,multifunction=on \
	--device nvme,addr=05.1,drive=drive0,serial=sibling -- sh -c '
edu=0000:00:05.0 nvme=0000:00:05.1 tests=0 failed=0
is() {
	tests=$((tests + 1))
	[ "$1" = "$2" ] && echo "ok $tests - $3" && return
	echo "not ok $tests - $3"
	echo "# \"$1\", not \"$2\""
	failed=1
}
group() { basename "$(readlink /sys/bus/pci/devices/$1/iommu_group)"; }
isolation() { cat /sys/class/usrpci/$edu/isolation; }
opens() { su user -c "exec 3<>/dev/usrpci/$edu" 2>/dev/null && echo yes || echo no; }

is "$(group $edu)" "$(group $nvme)" "the two are one group"
usrpci bind $edu >/dev/null 2>&1
chmod 666 /dev/usrpci/$edu
is "$(isolation)" none "with nvme beside it, it is not isolated"
is "$(opens)" no "and a user may not open it"
usrpci bind $nvme >/dev/null 2>&1
is "$(isolation)" none "with usrpci beside it, neither: another user may have that"
is "$(opens)" no "and a user may still not"
usrpci unbind $nvme >/dev/null
echo 1 >/sys/bus/pci/devices/$nvme/remove
is "$(isolation)" strict "alone in its group, it is"
is "$(opens)" yes "and a user may"
echo "1..$tests"
exit $failed
'

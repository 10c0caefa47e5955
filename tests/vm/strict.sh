#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# usrpci bind --strict where the IOMMU starts out lazy, doesn't translate, has a function
# with a sibling or a bridge, and isn't there: a VM for each, in which tests/tools/strict.sh runs.
set -u

cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
disk=$(mktemp)
trap 'rm -f "$disk"' EXIT
truncate -s 1M "$disk"

# in_vm MODE WANTED [OPTION]...: WANTED is the isolation that there is before.
in_vm() {
	local mode=$1 wanted=$2
	shift 2
	echo "# iommu $mode, isolation $wanted"
	vm/run --iommu "$mode" --drive "$disk" --add tests/tools \
		--add "$build/tests/tools/jsoncheck" "$@" -- sh tools/strict.sh "$wanted"
	status=$?
	[ $status -eq 0 ] || echo "not ok - the VM ended with status $status"
}

in_vm lazy lazy --device edu
in_vm passthrough passthrough --device edu
in_vm strict strict --device edu
in_vm none none --device edu
in_vm lazy bridge --device pcie-pci-bridge,id=bridge --device edu,bus=bridge,addr=1
in_vm lazy shared --device edu,addr=05.0,multifunction=on \
	--device nvme,addr=05.1,drive=drive0,serial=sibling

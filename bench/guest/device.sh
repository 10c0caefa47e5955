#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# shellcheck disable=SC1091,SC2046,SC2086 # it lies beside this one in the VM; words are meant to split
# In the VM: device.sh GROUP:CASE,CASE...

. ./guest.sh
insmod ./usrpci-bench.ko || exit 1
modprobe -qa vfio-pci vfio_iommu_type1 uio_pci_generic
echo 160 >/proc/sys/vm/nr_hugepages
BENCH_EDU=$(find_edus | head -n 1)
BENCH_NVME=$(find_nvmes | head -n 1)
export BENCH_EDU BENCH_NVME
for work; do
	group=${work%%:*}
	cases=${work#*:}
	./"$group" "$group.json" $(echo "$cases" | tr , ' ') || status=1
done
exit ${status:-0}

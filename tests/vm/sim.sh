#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# A device that usrpci-sim plays, as a kernel in the VM has it: what works, what goes wrong when
# it's asked to, how it goes away; and what vm/run makes of a simulator that ends.
# shellcheck disable=SC2016 # the dollar signs are for the VM's shell
set -u

cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
out=$(mktemp) err=$(mktemp)
trap 'rm -f "$out" "$err"' EXIT
failed=0

result() {
	local status=$?
	if [ $status -eq 0 ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		sed 's/^/# /' "$out" "$err"
		failed=1
	fi
}

in_vm() {
	echo "# iommu $1"
	vm/run --sim edu,dma-us=1000 --iommu "$1" --mem 1024 --timeout 400 --add tests/harness/guest.sh \
		--add tests/kernel/run.sh --add "$build/tests/drivers/edu_test" \
		--add "$build/tests/drivers/simulated_test" -- sh -c '
usrpci bind 00:01.0 2>/dev/null
for irq in msi intx poll; do
	usrpci-edu --irq $irq 00:01.0 >out 2>&1 && echo "ok - usrpci-edu --irq $irq" && continue
	echo "not ok - usrpci-edu --irq $irq"
	sed "s/^/# /" out
done
sh run.sh edu_test simulated_test' 2>"$err"
	result "the VM with iommu $1 lives on without its device"
}

# refuses TEXT ARGUMENT...
refuses() {
	local text=$1
	shift
	vm/run "$@" -- true >"$out" 2>"$err"
	[ $? -eq 126 ] && grep -q "$text" "$err"
}

# A VM in which nothing happens; its pid comes in $run, its simulator's in $sim.
start_vm() {
	: >"$out"
	vm/run --sim edu -- sh -c 'echo up; sleep 5; echo alive' >"$out" 2>"$err" &
	run=$!
	until grep -q up "$out" || ! kill -0 $run; do sleep 0.1; done 2>/dev/null
	for sim in /proc/[0-9]*; do
		# shellcheck disable=SC2034 # its pid, name and state come before
		read -r _ name _ parent _ <"$sim/stat" || continue
		[ "$name" != '(usrpci-sim)' ] || [ "$parent" -ne $run ] || break
	done 2>/dev/null
	sim=${sim#/proc/}
}

in_vm none
in_vm strict
vm/run --sim edu --iommu strict -- sh -c 'usrpci bind 00:01.0 && usrpci-edu 00:01.0' >"$out" 2>"$err" &&
	! grep -q qemu-system "$err"
result "QEMU has nothing to complain of"
refuses 'no such device' --sim nonsense
result "a device that there isn't is refused"
QEMU=true refuses 'needs a QEMU with vfio-user-pci' --sim edu
result "so is a QEMU that can't have one"
start_vm
kill -KILL "$sim"
wait $run
[ $? -eq 122 ] && grep -q 'simulator of edu ended with status 137' "$err" && grep -q alive "$out"
result "a simulator's death is told, and the VM lives on"
start_vm
kill -TERM $run
wait $run
[ $? -eq 143 ] && ! kill -0 "$sim" 2>/dev/null
result "it ends with a vm/run that is interrupted"
exit $failed

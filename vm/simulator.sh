# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# shellcheck shell=bash disable=SC2034,SC2154 # the variables are vm/run's
# Simulated devices: a usrpci-sim for each --sim, which QEMU reaches by vfio-user.

# What is written to I/O port SIM_PORT + N goes to the knobs of the N-th (tests/harness/simulator.h).
SIM_PORT=0x5e0

sim_pids=() sims_gone='' sims_crashed=''

has_vfio_user() {
	command -v "$1" >/dev/null && "$1" -device vfio-user-pci,help 2>/dev/null | grep -q .
}

# The QEMU that was asked for, or the host's own, or a newer one.
choose_qemu() {
	! has_vfio_user "${QEMU:-qemu-system-x86_64}" || return 0
	[ -z "${QEMU-}" ] || die "--sim needs a QEMU with vfio-user-pci (10.1 or newer), which $QEMU isn't; unset QEMU"
	QEMU=$("$root/scripts/qemu") || exit 126
}

# It reaches the VM's memory by itself if that is a file.
add_shared_memory() {
	qemu+=(-object "memory-backend-memfd,id=memory,size=${mem}M,share=on" -machine memory-backend=memory)
}

start_simulator() {
	local name=$2 socket=$tmp/sim$1 device
	background "$build/bin/usrpci-sim" "$name" --socket "$socket" --control "$socket.control" </dev/null
	sim_pids+=("$pid")
	until [ -S "$socket" ]; do
		kill -0 "$pid" 2>/dev/null || die "--sim $name: it can't be simulated"
		sleep 0.02
	done
	[ -z "$verbose$shell" ] || echo "vm/run: the knobs of $name: $socket.control" >&2
	printf -v device '{"driver":"vfio-user-pci","id":"sim%d","socket":{"type":"unix","path":"%s"}}' "$1" "$socket"
	qemu+=(-device "$device"
		-chardev "socket,id=knobs$1,path=${socket//,/,,}.control"
		-device "isa-debugcon,iobase=$((SIM_PORT + $1)),chardev=knobs$1")
}

add_simulators() {
	local i
	[ -x "$build/bin/usrpci-sim" ] || die "--sim: no $build/bin/usrpci-sim; run: make"
	add_shared_memory
	for i in "${!sims[@]}"; do start_simulator "$i" "${sims[i]}"; done
}

# Ends them, and says which ended before. Sets $sims_gone if one did, $sims_crashed if it wasn't
# in good order.
stop_simulators() {
	local i status
	for i in "${!sim_pids[@]}"; do
		if ! kill "${sim_pids[i]}" 2>/dev/null; then
			echo "vm/run: the simulated ${sims[i]} went away before the VM" >&2
			sims_gone=y
		fi
		status=0
		wait "${sim_pids[i]}" || status=$?
		[ $status -ne 0 ] || continue
		echo "vm/run: the simulator of ${sims[i]} ended with status $status" >&2
		sims_crashed=y
	done
}

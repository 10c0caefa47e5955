#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# All tests that need a kernel, one after the other, in the VM; see scripts/check.
# Everything they print is TAP. Started in the directory that they were added to. $BRIEF: only the
# programs that know the module or a driver.

# A script that stops early must show as well as one that says "not ok".
run() {
	echo "# $*"
	"$@"
	status=$?
	[ $status -eq 0 ] || [ $status -eq 1 ] || [ $status -eq 77 ] ||
		echo "not ok - $* ended with status $status"
	[ $status -ne 77 ] || echo "ok - $* # SKIP"
}

programs=$(for file in *_test; do [ -x "$file" ] && echo "$file"; done)

# shellcheck disable=SC2086 # a list of names
if [ -n "${BRIEF-}" ]; then
	run sh run.sh $programs
	exit
fi
run sh tools/inuse.sh
run sh tools/device.sh
# shellcheck disable=SC2086 # a list of names
run sh run.sh $programs
run sh conformance/run.sh driver:usrpci conformance/*_test
run sh examples.sh
rmmod usrpci 2>/dev/null
run sh tools/nomodule.sh

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# What vm/run promises to who calls it.
# shellcheck disable=SC2016 # the dollar signs are for the VM's shell
set -u

cd "$(dirname "$0")/../.." || exit 1
out=$(mktemp) err=$(mktemp)
trap 'rm -f "$out" "$err"' EXIT
tests=0 failed=0
JSONCHECK=${JSONCHECK:-build/tests/tools/jsoncheck}

result() {
	local status=$?
	tests=$((tests + 1))
	if [ $status -eq 0 ]; then
		echo "ok $tests - $1"
	else
		echo "not ok $tests - $1"
		sed 's/^/# /' "$err"
		failed=1
	fi
}

# exits STATUS ARGUMENT...
exits() {
	local want=$1
	shift
	vm/run "$@" >"$out" 2>"$err"
	[ $? -eq "$want" ]
}

# What is fetched, the first time, is told on stderr.
vm/run -- true >/dev/null 2>&1
exits 3 --device edu -- sh -c 'cat /proc/version; echo "$1|$2"; echo aside >&2; exit 3' x 'a  "b"' '$c'
result "a command's status is the run's"
[ "$(wc -l <"$out")" -eq 2 ] && [ "$(tail -n 1 "$out")" = 'a  "b"|$c' ]
result "its output comes alone, its arguments arrive as they are"
[ "$(cat "$err")" = aside ]
result "its errors come as errors"
exits 0 --device edu --iommu strict -- usrpci list --json &&
	"$JSONCHECK" /0/address <"$out" && grep -q '"11e8"' "$out"
result "usrpci list --json is JSON, with the edu function"
exits 0 --add README.md:/tmp/x/readme -- sh -c 'sha256sum </tmp/x/readme' &&
	[ "$(cat "$out")" = "$(sha256sum <README.md)" ]
result "an added file is there"
exits 125 -- sh -c 'echo "WARNING: CPU: 0 PID: 1 at x" >/dev/kmsg; sleep 1'
result "a warning of the kernel fails the run"
grep -q 'WARNING: CPU: 0 PID: 1 at x' "$err"
result "and is shown"
exits 124 --timeout 5 -- sleep 60
result "a hang fails the run"
exits 126 --add /nonexistent -- true
result "a file that isn't there fails the run"
exits 126 --nonsense 1 -- true
result "so does an option that isn't one"
exits 126 --device nosuch -- true
result "so does a device that QEMU hasn't"
grep -q "'nosuch' is not a valid device" "$err" && ! grep -q 'could not start the kernel' "$err"
result "and QEMU says so"
echo "1..$tests"
exit $failed

# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
#
# What the tests of the command share; they print TAP and run in busybox too.
# USRPCI and JSONCHECK name the programs.

USRPCI=${USRPCI:-usrpci}
JSONCHECK=${JSONCHECK:-jsoncheck}
tests=0
failed=0
out=$(mktemp)
err=$(mktemp)

# result STATUS DESCRIPTION
result() {
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $tests - $2"
	sed 's/^/# stdout: /' "$out"
	sed 's/^/# stderr: /' "$err"
}

# exits STATUS ARGUMENT...: usrpci with these arguments exits so.
exits() {
	want=$1
	shift
	"$USRPCI" "$@" >"$out" 2>"$err"
	got=$?
	[ "$got" -eq "$want" ]
	result $? "usrpci $* exits with $want (was $got)"
}

# says PATTERN: and that went to standard output.
says() {
	grep -qe "$1" "$out"
	result $? "  it prints $1"
}

# complains PATTERN: a sentence on standard error, of one line each, by usrpci.
complains() {
	grep -qe "$1" "$err" && ! grep -qv '^usrpci: ' "$err"
	result $? "  it complains with $1"
}

# quiet: nothing went to either.
quiet() {
	[ ! -s "$out" ] && [ ! -s "$err" ]
	result $? "  it says nothing"
}

# json [POINTER[=TEXT]]...: what was printed is JSON, and has these.
json() {
	"$JSONCHECK" "$@" <"$out" 2>"$err"
	result $? "  it prints JSON${*:+ with $*}"
}

# The function with these ids, or nothing.
find_function() {
	for dir in /sys/bus/pci/devices/*; do
		if grep -qx "$1" "$dir/vendor" && grep -qx "$2" "$dir/device"; then
			basename "$dir"
			return
		fi
	done
}

skip_all() {
	rm -f "$out" "$err"
	echo "1..0 # SKIP $*"
	exit 77
}

finish() {
	rm -f "$out" "$err"
	echo "1..$tests"
	[ "$failed" -eq 0 ]
	exit
}

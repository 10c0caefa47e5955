# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
#
# What the shell tests of the library share; they print TAP and run from anywhere.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
BUILD=${BUILD:-build}
tests=0
failed=0

# check DESCRIPTION COMMAND...: what it prints is told when it fails.
check() {
	local description=$1 output
	shift
	tests=$((tests + 1))
	if output=$("$@" 2>&1); then
		echo "ok $tests - $description"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $tests - $description"
	[ -z "$output" ] || printf '%s\n' "$output" | sed 's/^/# /'
}

# same WANTED GOT: two texts are the same, and not both empty.
same() {
	[ -n "$1" ] && diff <(echo "$1") <(echo "$2")
}

finish() {
	echo "1..$tests"
	[ "$failed" -eq 0 ]
	exit
}

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
#
# The sessions that docs/debugging.md shows, played again: each command prints what stands there.

# Functions are called by check, and backquotes are what they look like.
# shellcheck disable=SC2016,SC2317
# shellcheck source=tests/unit/tap.bash
. "$(dirname "$0")/../unit/tap.bash"

doc=docs/debugging.md

# What differs from one build or run to the next: addresses, line numbers, threads.
steady() {
	sed -E '/^(\[|Using host|$)/d; s/0x[0-9a-f]{4,}/0x.../g; s/line [0-9]+/line N/
		s/(\.c):[0-9]+/\1:N/; s/^[0-9]+\t/N\t/' | grep -v '^warning: '
}

# The lines of all sessions, commands and answers.
sessions() {
	sed -n '/^```session$/,/^```$/p' "$doc" | grep -v '^```'
}

play() {
	bash -c "$1" 2>&1 | steady
}

# What shows no answer has to succeed, and say nothing.
answers() {
	if [ -z "$2" ]; then
		bash -c "$1" && [ -z "$(play "$1")" ]
		return
	fi
	same "$(steady <<<"$2")" "$(play "$1")"
}

command='' answer=''
ask() {
	[ -z "$command" ] || check "$(cut -c -60 <<<"$command")" answers "$command" "$answer"
}
while IFS= read -r line; do
	if [[ $line == '$ '* ]]; then
		ask
		command=${line#'$ '} answer=''
	else
		answer+=$line$'\n'
	fi
done < <(sessions)
ask
finish

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
#
# The sessions that docs/ shows, played again: each command prints what stands there.

# Functions are called by check, and backquotes are what they look like.
# shellcheck disable=SC2016,SC2317
# shellcheck source=tests/unit/tap.bash
. "$(dirname "$0")/../unit/tap.bash"

docs=(docs/debugging.md docs/simulator.md)
PATH=$PWD/$BUILD/bin:$PATH
said=$(mktemp)
trap 'rm -f "$said"' EXIT

# What differs from one build or run to the next: addresses, line numbers, threads.
steady() {
	sed -E '/^(\[|Using host|$)/d; s/0x[0-9a-f]{4,}/0x.../g; s/line [0-9]+/line N/
		s/(\.c):[0-9]+/\1:N/; s/^[0-9]+\t/N\t/' | grep -v '^warning: '
}

# The lines of all sessions, commands and answers.
sessions() {
	sed -n '/^```session$/,/^```$/p' "${docs[@]}" | grep -v '^```'
}

# What goes on in the background has a moment to begin, as it has where somebody types.
play() {
	bash -c "$1" >"$said" 2>&1 </dev/null || return
	[[ $1 != *\& ]] || sleep 1
}

# What shows no answer has to succeed, and say nothing.
answers() {
	play "$1" || [ -n "$2" ] || return
	if [ -n "$2" ]; then
		same "$(steady <<<"$2")" "$(steady <"$said")"
	else
		cat "$said"
		[ ! -s "$said" ]
	fi
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

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# What bash completes, on any machine.

# shellcheck source=tools/completion/usrpci.bash
. "$(dirname "$0")/../../tools/completion/usrpci.bash"

tests=0 failed=0

# completes LINE [WORD...]: with the cursor at LINE's end, these are offered.
completes() {
	local line=$1 word want
	shift
	COMP_LINE=$line COMP_POINT=${#line}
	# As readline cuts it: at spaces, and a colon is a word of its own.
	read -ra COMP_WORDS <<<"${line//:/ : }"
	[[ $line != *[[:space:]:] ]] || COMP_WORDS+=("")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_usrpci
	want=$*
	tests=$((tests + 1))
	word="not ok"
	[ "${COMPREPLY[*]}" != "$want" ] || word=ok
	[ "$word" = ok ] || failed=$((failed + 1))
	echo "$word $tests - \"$line\" offers ${want:-nothing} (was ${COMPREPLY[*]})"
}

completes "usrpci " list bind unbind info read write reset help --help --version
completes "usrpci li" list
completes "usrpci list --" --all --bound --json --help
completes "usrpci bind --f" --force
completes "usrpci bind --s" --strict
completes "usrpci bind --d" --driver
completes "usrpci bind --driver v" vfio-pci
completes "usrpci bind 00:04.0 --mode " 0600 0660 0666
completes "usrpci read --width " 1 2 4 8
completes "usrpci read 00:04.0 b" bar0 bar1 bar2 bar3 bar4 bar5
completes "usrpci read 00:04.0 c" config
completes "usrpci help wr" write
completes "usrpci info fffe:fe:1e.7"

bdf=
for dir in /sys/bus/pci/devices/0000:*; do
	[ ! -e "$dir" ] || bdf=${dir##*/}
done
if [ -n "$bdf" ]; then
	completes "usrpci info $bdf" "${bdf##*:}"
	completes "usrpci bind ${bdf#0000:}" "${bdf##*:}"
fi
echo "1..$tests"
[ "$failed" -eq 0 ]

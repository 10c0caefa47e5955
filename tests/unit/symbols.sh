#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
#
# What the libraries show to a linker: every public function and nothing else, no
# global that changes, and nothing that prints, exits or reads the environment.

# Functions are called by check.
# shellcheck disable=SC2317
# shellcheck source=tests/unit/tap.bash
. "$(dirname "$0")/tap.bash"

LIB=$BUILD/lib/libusrpci.a
SO=$BUILD/lib/libusrpci.so.0
USRDRV=$BUILD/lib/libusrdrv.a
USRDRVSO=$BUILD/lib/libusrdrv.so.0

# declared PREFIX HEADER...: functions that headers declare, not those they define.
declared() {
	local prefix=$1
	shift
	"${CC:-cc}" -E -P -Iinclude "$@" | tr '\n' ' ' |
		sed 's/{[^{}]*}/;/g; s/{[^{}]*}/;/g' | tr ';' '\n' |
		grep -vw static | grep -oE "\b${prefix}[a-z0-9_]+ ?\(" | tr -d ' (' | sort -u
}

exported() {
	nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u
}

# Those of the map, too, since a name that isn't defined passes unnoticed.
mapped() {
	sed -n '/global:/,/local:/s/^\t\([a-z_0-9]*\);$/\1/p' "$1" | sort -u
}

# Symbols of sections that can be written when a program runs: data, bss and common,
# but not tables of pointers, which are constant once they are relocated.
variables() {
	nm -f sysv "$1" | awk -F '[ \t]*[|][ \t]*' \
		'$3 ~ /^[BbCDdGgSs]$/ && $7 !~ /^\.data\.rel\.ro/ { print $1 }'
}

# only VARIABLES LIBRARY
only() {
	[ "$(variables "$2")" = "$1" ] || { variables "$2"; false; }
}

no_calls() {
	! nm -u "$1" | grep -wE 'exit|_exit|abort|__assert_fail|printf|puts|perror|stdout|stderr|getenv|secure_getenv|system|popen'
}

# Every name in the static library can't clash with a user's.
prefixed() {
	! nm --defined-only -g "$1" | awk 'NF == 3 { print $3 }' | grep -v "^$2"
}

check "libusrpci.so exports what <usrpci.h> declares" \
	same "$(declared usrpci_ include/usrpci.h)" "$(exported "$SO")"
check "libusrpci.map lists what it exports" \
	same "$(mapped lib/libusrpci.map)" "$(exported "$SO")"
check "libusrdrv.so exports what <usrdrv.h> declares" \
	same "$(declared usr_pci_ include/usrdrv.h)" "$(exported "$USRDRVSO")"
check "libusrdrv.map lists what it exports" \
	same "$(mapped lib/usrdrv/libusrdrv.map)" "$(exported "$USRDRVSO")"
check "libusrpci has no variables" only "" "$LIB"
check "libusrdrv has one: its registry" only registry "$USRDRV"
check "libusrpci prints nothing and never exits" no_calls "$LIB"
check "libusrdrv prints nothing and never exits" no_calls "$USRDRV"
check "names of libusrpci start with usrpci_" prefixed "$LIB" usrpci_
check "names of libusrdrv start with usr_pci_ or usrdrv_" prefixed "$USRDRV" 'usr\(_pci\|drv\)_'
finish

#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
#
# Each public header compiles alone and twice, in C and in C++, with a user's warnings.

# Functions are called by check.
# shellcheck disable=SC2317
# shellcheck source=tests/unit/tap.bash
. "$(dirname "$0")/tap.bash"

flags=(-Iinclude -Wall -Wextra -Wpedantic -Werror -fsyntax-only)

# compiles HEADER COMPILER LANGUAGE STANDARD
compiles() {
	printf '#include <%s>\n' "$1" "$1" | "$2" "${flags[@]}" -x "$3" -std="$4" -
}

cd include || exit 1
headers=(usrpci.h usrdrv.h usrpci/*.h)
cd ..
for header in "${headers[@]}"; do
	check "$header in C11" compiles "$header" "${CC:-cc}" c gnu11
	check "$header in C99" compiles "$header" "${CC:-cc}" c gnu99
	check "$header in C++11" compiles "$header" "${CXX:-c++}" c++ gnu++11
	check "$header in C++20" compiles "$header" "${CXX:-c++}" c++ gnu++20
done
flags+=(-Iinclude/uapi)
check "linux/usrpci.h in C11" compiles linux/usrpci.h "${CC:-cc}" c gnu11
check "linux/usrpci.h in C++11" compiles linux/usrpci.h "${CXX:-c++}" c++ gnu++11
finish

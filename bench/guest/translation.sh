#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# shellcheck disable=SC1091 # it lies beside this one in the VM
# In the VM: translation.sh CASE...

. ./guest.sh
insmod ./usrpci-bench.ko || exit 1
# In the order of vm/run's --sim.
BENCH_LARGE=$(find_htexes | sed -n 1p)
BENCH_SMALL=$(find_htexes | sed -n 2p)
export BENCH_LARGE BENCH_SMALL
./translation results.json marks.json "$@"

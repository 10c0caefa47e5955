#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
#
# Runs one campaign in the VM: run.sh PROGRAM ARG... Afterwards nothing may be left of it: the
# module unloads, and no page is pinned.

# shellcheck source=tests/harness/guest.sh
. ./guest.sh

before=$(pinned)
swap_on
bind_all || { echo "campaign: the devices can't be bound" >&2; exit 1; }
program=$1
shift
# Some bear the name of a shell's own command.
"./$program" "$@"
status=$?
[ $status -le 1 ] || echo "campaign: $program ended with status $status" >&2
for function in $USRPCI_EDUS $USRPCI_NVMES $USRPCI_HTEXES; do
	unbind "$function" || { echo "campaign: $function can't be unbound" >&2; status=1; }
done
! lsmod | grep -q '^usrpci ' || rmmod usrpci || status=1
after=$(pinned)
[ "$after" -eq "$before" ] || {
	echo "campaign: pages pinned before $before, after $after" >&2
	status=1
}
exit $status

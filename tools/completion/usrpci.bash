# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
#
# Completes usrpci's command line in bash: subcommands, options, functions.

_usrpci_subcommands="list bind unbind info read write reset"

# _usrpci_functions FOLDERS WORD: functions, or only those bound to a driver. A colon ends a
# word in bash, so what comes before the last one is left out of what it completes.
_usrpci_functions() {
	local dir bdf found=()
	for dir in $1; do
		for bdf in "/sys/bus/pci/$dir"/*:*:*.*; do
			[ -e "$bdf" ] && found+=("${bdf##*/}" "${bdf##*/0000:}")
		done
	done
	local word=$2 before=
	[[ $COMP_WORDBREAKS == *:* && $word == *:* ]] && before=${word%:*}:
	mapfile -t COMPREPLY < <(compgen -W "${found[*]}" -- "$word" | sort -u)
	COMPREPLY=("${COMPREPLY[@]#"$before"}")
}

# The word at the cursor, put together again where bash cut it at a colon.
_usrpci_word() {
	local line=${COMP_LINE:0:COMP_POINT}
	printf '%s' "${line##*[[:space:]]}"
}

_usrpci_complete() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

# Each subcommand's options.
_usrpci_options() {
	case $1 in
	list) echo --all --bound --json --help ;;
	bind) echo --driver --force --group --mode --strict --json --help ;;
	unbind | info) echo --json --help ;;
	read) echo --width --count --json --help ;;
	write) echo --width --help ;;
	reset) echo --help ;;
	esac
}

_usrpci_arguments() {
	local targets="config bar0 bar1 bar2 bar3 bar4 bar5" bound="drivers/usrpci drivers/vfio-pci"
	case $1 in
	help) _usrpci_complete "$_usrpci_subcommands" "$2" ;;
	bind | info) _usrpci_functions devices "$2" ;;
	unbind) _usrpci_functions "$bound" "$2" ;;
	read | write | reset)
		# Once there is a function, it's the turn of the target.
		if [[ $1 != reset && $COMP_LINE =~ [0-9a-f]+:[0-9a-f]+\.[0-7][[:space:]] ]]; then
			_usrpci_complete "$targets" "$2"
		else
			_usrpci_functions "$bound" "$2"
		fi
		;;
	esac
}

_usrpci() {
	local word previous=${COMP_WORDS[COMP_CWORD-1]}
	word=$(_usrpci_word)
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		_usrpci_complete "$_usrpci_subcommands help --help --version" "$word"
		return
	fi
	case $previous in
	--driver) _usrpci_complete "usrpci vfio-pci" "$word"; return ;;
	--group) mapfile -t COMPREPLY < <(compgen -g -- "$word"); return ;;
	--width) _usrpci_complete "1 2 4 8" "$word"; return ;;
	--mode) _usrpci_complete "0600 0660 0666" "$word"; return ;;
	--count) return ;;
	esac
	case $word in
	-*) _usrpci_complete "$(_usrpci_options "${COMP_WORDS[1]}")" "$word" ;;
	*) _usrpci_arguments "${COMP_WORDS[1]}" "$word" ;;
	esac
}

complete -F _usrpci usrpci

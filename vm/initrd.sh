# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# shellcheck shell=bash disable=SC2154 # the variables are vm/run's
# What goes into the VM: an archive that stays from run to run, and after it one for this run.

# Kernel modules the VM can load, where the kernel has them; their dependencies come along.
MODULES="nvme ext4 crc32c-intel crc32c_generic vfio-pci vfio_iommu_type1 uio_pci_generic e1000e igb
	virtio_pci virtio_net virtio_blk virtio_rng loop nbd"

pack() { (cd "$1" && find . -mindepth 1 -printf '%P\0' | cpio --quiet -0 -o -H newc -R 0:0) >"$2"; }

# In Debian's layout these are links, and a library found below them must stay reachable there.
make_layout() {
	local name
	mkdir -p "$1"/usr/{bin,lib,lib64,sbin}
	for name in bin lib lib64 sbin; do ln -s "usr/$name" "$1/$name"; done
}

# make_base FILE: what doesn't change from run to run, once for each kernel release.
make_base() {
	local dir=$tmp/base file name
	make_layout "$dir"
	mkdir -p "$dir"/{dev,proc,sys,run,tmp,root,vm,etc,mnt,home/user,var,usr/share/misc,usr/local/bin}
	ln -s ../run "$dir/var/run"
	chmod 1777 "$dir/tmp"
	cp "$(command -v busybox)" "$dir/bin/busybox"
	"$dir/bin/busybox" --list | while read -r name; do
		[ "$name" = busybox ] || ln -s busybox "$dir/bin/$name"
	done
	ln -s ../bin/modprobe "$dir/sbin/modprobe"
	cp "$root/vm/init" "$dir/init"
	printf '%s\n' root:x:0:0:root:/root:/bin/sh user:x:1000:1000:user:/home/user:/bin/sh \
		nobody:x:65534:65534:nobody:/:/bin/sh >"$dir/etc/passwd"
	printf '%s\n' root:x:0: tty:x:5: user:x:1000: nogroup:x:65534: >"$dir/etc/group"
	for file in /usr/share/misc/pci.ids /usr/share/misc/pci.ids.gz; do
		[ ! -e "$file" ] || cp "$file" "$dir/usr/share/misc/"
	done
	make_modules "$dir"
	mkdir -p "${1%/*}"
	pack "$dir" "$1.$$"
	mv "$1.$$" "$1"
}

# The host may have options for its own modules, which would come after their names.
make_modules() {
	local from to=$1/usr/lib/modules/$release name file
	from=$("$root/scripts/kernel" "$kernel" modules)
	mkdir -p "$to"
	cp "$from"/modules.{builtin,builtin.modinfo,order} "$to/"
	for name in $MODULES; do
		modprobe -C /dev/null -d "${from%/lib/modules/*}" -S "$release" \
			--show-depends "$name" 2>/dev/null || true
	done | sed -n 's/^insmod //p' | sort -u | while read -r file; do
		install -D -m 644 "$file" "$to/${file#"$from"/}"
	done
	depmod -b "$1" "$release"
}

quote() {
	local word
	for word; do printf " '%s'" "${word//\'/\'\\\'\'}"; done
}

# add FILE PATH: a copy, and the libraries that the dynamic linker finds for it.
add() {
	local lib name
	mkdir -p "$(dirname "$stage$2")"
	cp -rL "$1" "$stage$2"
	chmod -R a+rX "$stage$2"
	while read -r name lib; do
		case $lib in
		/lib/* | /lib64/* | /usr/lib/*) name=$lib ;;
		*) name=/usr/lib/${lib##*/} ;;
		esac
		[ -e "$stage$name" ] || { mkdir -p "$stage${name%/*}" && cp -L "$lib" "$stage$name"; }
	done < <(libraries "$1")
}

libraries() {
	[ -f "$1" ] || return 0
	LD_LIBRARY_PATH=$build/lib ldd "$1" 2>/dev/null |
		sed -nE 's,^\s(\S+ => )?(/\S+) \(0x.*,\1 \2,p' | sed 's/ => / /; s/^  */- /'
}

add_tools() {
	local file
	for file in "$build"/bin/*; do
		[ ! -f "$file" ] || [ ! -x "$file" ] || add "$file" "/usr/bin/${file##*/}"
	done
	for file in "$build"/lib/*.so*; do
		[ ! -f "$file" ] || add "$file" "/usr/lib/${file##*/}"
	done
	# Loaded by name when a thread is cancelled, so ldd doesn't see it.
	file=/lib/x86_64-linux-gnu/libgcc_s.so.1
	[ ! -e "$file" ] || add "$file" "$file"
}

add_files() {
	local spec file path
	for spec in "${adds[@]}"; do
		file=${spec%%:*} path=
		[ "$file" = "$spec" ] || path=${spec#*:}
		[ -r "$file" ] || die "--add: no file $file, or not readable"
		case $path in
		/*/) path+=${file##*/} ;;
		/*) ;;
		*) path=/root/${path:-$(basename "$file")} ;;
		esac
		add "$file" "$path"
	done
}

make_stage() {
	stage=$tmp/stage
	make_layout "$stage"
	mkdir -p "$stage/vm" "$stage/root"
	add_tools
	add_files
	if [ "$module" != none ]; then
		install -D -m 644 "$module" "$stage/usr/lib/modules/$release/extra/usrpci.ko"
		echo "module=y depends='$(modinfo -F depends "$module" | tr , ' ')'"
	else
		echo "module= depends="
	fi >"$stage/vm/settings"
	{ echo "shell=$shell coldplug=$coldplug deadline=$timeout"
	  local pair
	  for pair in "${envs[@]}"; do echo "export ${pair%%=*}=$(quote "${pair#*=}" | cut -c 2-)"; done
	} >>"$stage/vm/settings"
	[ -n "$shell" ] || echo "exec$(quote "${command[@]}")" >"$stage/vm/command"
	[ ${#gets[@]} -eq 0 ] || printf '%s\n' "${gets[@]%%:*}" >"$stage/vm/get"
	# A directory named again takes the mode it has here.
	[ ! -d "$stage/tmp" ] || chmod 1777 "$stage/tmp"
	pack "$stage" "$tmp/stage.cpio"
	cat "$base" "$tmp/stage.cpio" >"$tmp/initrd"
}

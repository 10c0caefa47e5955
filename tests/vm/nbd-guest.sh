#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The usrpci authors
# In the VM: an NVMe disk, which nbdkit serves by usrpci's plugin, is mounted, filled, compared,
# checked; and again after its server was killed amid all that. Prints TAP. The file "sums", if
# there, lists a tree whose tar is on /dev/vda. $DRIVER as in guest.sh.

# shellcheck source=tests/harness/guest.sh
. ./guest.sh
socket=/run/nbd.sock
mnt=/mnt/disk
tests=0 failed=0 server=
READERS=16

result() {
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $tests - $2"
	sed 's/^/# /' /tmp/out
}

# check NAME COMMAND...
check() {
	name=$1
	shift
	start=$(cut -d. -f1 /proc/uptime)
	"$@" >/tmp/out 2>&1
	result $? "$name"
	echo "# $(($(cut -d. -f1 /proc/uptime) - start)) s"
}

serve() {
	rm -f "$socket"
	nbdkit -f -U "$socket" ./nbdkit-usrpci-nvme-plugin.so "device=$disk" >>/tmp/nbdkit.log 2>&1 &
	server=$!
	wait_for [ -S "$socket" ]
}

# wait_for COMMAND...: till it succeeds, for 20 s.
wait_for() {
	for _ in $(seq 200); do
		! "$@" || return 0
		sleep 0.1
	done
	return 1
}

has_size() { [ "$(cat /sys/block/nbd0/size)" -gt 0 ]; }
is_free() { [ ! -e /sys/block/nbd0/pid ]; }

# Two connections, each of which takes many requests. By ioctl, since what was set up by netlink
# waits for a server that has died, and then the kernel complains of whoever waits for it.
attach() {
	nbd-client -nonetlink -unix "$socket" /dev/nbd0 -C 2 && wait_for has_size
}

detach() {
	nbd-client -d /dev/nbd0
	wait_for is_free
}

stop_server() {
	kill "$server"
	wait "$server"
}

make_filesystem() {
	mkfs.ext4 -q -F /dev/nbd0 && mkdir -p "$mnt"
}

attach_and_mount() {
	attach && mount -t ext4 -o discard /dev/nbd0 "$mnt"
}

let_go() {
	umount "$mnt" && detach && stop_server
}

# NAME SIZE: random places, each read back and compared.
fio_verify() {
	fio --name="$1" --directory="$mnt" --size="$2" --rw=randwrite --bsrange=4k-128k --direct=1 \
		--ioengine=psync --numjobs=2 --verify=crc32c --verify_fatal=1 --do_verify=1 \
		--randseed=7 --fsync=64
}

# A tree from a tar, or some of what the VM consists of.
make_tree() {
	mkdir "$mnt/tree" || return
	if [ -e /root/sums ]; then
		tar -xf /dev/vda -C "$mnt/tree" && cp /root/sums /tmp/sums
	else
		cp -a /usr/bin /etc "$mnt/tree/" &&
			(cd /usr && find bin -type f -exec md5sum {} + && cd / &&
				find etc -type f -exec md5sum {} +) >/tmp/sums
	fi && sync
}

# After the caches were dropped. Files are small, and each costs a few turns between client and
# server, in which one reader does nothing but wait: many of them share the list.
compare_tree() {
	echo 3 >/proc/sys/vm/drop_caches
	rm -rf /tmp/parts && mkdir /tmp/parts &&
		awk -v len=$(($(wc -l </tmp/sums) / READERS + 1)) \
			'{ print >("/tmp/parts/" int(NR / len)) }' /tmp/sums || return
	bad=0 readers=
	for part in /tmp/parts/*; do
		(cd "$mnt/tree" && md5sum -c "$part" >"$part.out" 2>&1) &
		readers="$readers $!"
	done
	for reader in $readers; do wait "$reader" || bad=1; done
	[ "$(cat /tmp/parts/*.out | grep -c ': OK$')" -eq "$(wc -l </tmp/sums)" ] || bad=1
	[ "$bad" -eq 0 ] || grep -hv ': OK$' /tmp/parts/*.out | head
	return "$bad"
}

delete_and_trim() {
	rm -rf "$mnt"/verify* && fstrim -v "$mnt"
}

fsck_clean() {
	e2fsck -f -n /dev/nbd0
}

# Files that are there for sure, once their names are in the list.
write_files() {
	n=0
	while :; do
		n=$((n + 1))
		seq "$n" $((n + 2000)) >/tmp/one
		dd if=/tmp/one of="$mnt/sure/$n" conv=fsync 2>/dev/null || break
		echo "$n" >>/tmp/sure
	done
}

# fsync of a file says nothing of its folder's entry on all file systems; on ext4 it does.
kill_under_load() {
	mkdir "$mnt/sure" && sync && : >/tmp/sure || return
	fio_verify load 24M >/tmp/load.out 2>&1 &
	load=$!
	write_files &
	writer=$!
	for _ in $(seq 600); do
		[ "$(wc -l </tmp/sure)" -lt 40 ] || break
		sleep 0.1
	done
	loaded=y
	kill -0 "$load" || loaded=
	kill -KILL "$server"
	wait "$server" "$load" "$writer"
	echo "$(wc -l </tmp/sure) files were synced"
	[ -n "$loaded" ] && [ "$(wc -l </tmp/sure)" -ge 40 ]
}

# Nothing can be written any more, which umount may say.
let_go_of_what_is_dead() {
	umount "$mnt" || umount -l "$mnt"
	detach
}

compare_files() {
	while read -r n; do
		seq "$n" $((n + 2000)) | cmp - "$mnt/sure/$n" || return
	done </tmp/sure
}

again() {
	serve && attach_and_mount
}

before=$(pinned)
command -v modprobe >/dev/null && modprobe -q -a nbd ext4 nvme "${DRIVER:-usrpci}"
[ "$driver" = usrpci ] || modprobe -q vfio_iommu_type1
disk=$(find_function class 0x0108)
: >/tmp/out
bind "$disk"
result $? "the disk $disk binds to $driver"
check "it's served" serve
check "a client has it" attach
check "mkfs.ext4" make_filesystem
check "it's mounted" mount -t ext4 -o discard /dev/nbd0 "$mnt"
check "fio writes and verifies" fio_verify verify 4M
check "a tree of files is there" make_tree
check "and is what it was" compare_tree
check "files are deleted, and their blocks discarded" delete_and_trim
check "it's let go" let_go
check "a new server has it" serve
check "and a client" attach
check "fsck finds nothing" fsck_clean
for turn in 1 2; do
	check "it's mounted, $turn" mount -t ext4 /dev/nbd0 "$mnt"
	check "the server is killed under load, $turn" kill_under_load
	grep '^[0-9]' /tmp/out | sed 's/^/# /'
	check "what is left is let go, $turn" let_go_of_what_is_dead
	check "a new server has the disk, and its journal is replayed, $turn" again
	check "what was synced is there, $turn" compare_files
	[ "$turn" -eq 1 ] || check "and so is the tree" compare_tree
	rm -rf "$mnt/sure" "$mnt"/load*
	check "it's unmounted, $turn" umount "$mnt"
	check "fsck finds nothing, $turn" fsck_clean
done
check "the client lets go" detach
check "the server ends" stop_server
unbind "$disk"
result $? "the disk unbinds"
after=$(pinned)
[ "$after" -eq "$before" ]
result $? "pages pinned before $before, after $after"
[ "$failed" -eq 0 ] || sed 's/^/# nbdkit: /' /tmp/nbdkit.log
echo "1..$tests"
[ "$failed" -eq 0 ]

# SPDX-License-Identifier: GPL-2.0-or-later
# xl destroy while the guest reads its disks ends in under 10 s, leaves no zombie, and the devices are free for the next guest.
# lab: flavour=fast backend=usb timeout=240
# shellcheck shell=bash

busid=$(use_device $DISK_ID)
reserve "$busid"
truncate -s 32M "$LAB_RUN/disk.img"
usb_guest guest11
id=$(domid guest11)
attach_controller guest11
attach_device guest11 "$busid" 1
attach_model guest11 2 "disk,file=$LAB_RUN/disk.img"
wait_in_guest guest11 /dev/sda
wait_in_guest guest11 /dev/sdb
domu guest11 'for disk in sda sdb; do setsid sh -c "while :; do /usr/bin/dd if=/dev/$disk of=/dev/null bs=120k iflag=direct; done" >/dev/null 2>&1 </dev/null & done'
moved() { (($(usb_counter guest11 urb_bytes_in) > 4000000)); }
expect "the guest reads" poll 30 moved

before=${EPOCHREALTIME/./}
expect "xl destroy" timeout $((30 * LAB_PATIENCE)) xl destroy guest11
took=$(((${EPOCHREALTIME/./} - before) / 1000))
log "xl destroy under load took $took ms"
at_most "$took" 9999 "milliseconds of xl destroy"
gone() { ! guest_ids | grep -qx "$id"; }
expect "no zombie domain" poll 5 gone
expect "its backend directory is gone" poll 5 no_usb_dir "$id"
kept() { [[ -z $(configuration "$busid") ]]; }
expect "the disk is kept for the next guest" poll 10 kept

usb_guest guest12
attach_controller guest12
attach_device guest12 "$busid" 1
wait_in_guest guest12 /dev/sda
same_as_host guest12 0 4 "4 MiB in the next guest"

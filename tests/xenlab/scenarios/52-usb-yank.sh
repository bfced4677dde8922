# SPDX-License-Identifier: GPL-2.0-or-later
# Somebody pulls the disk out while the guest reads: an error there, xl goes on everywhere, and the disk comes back by policy.
# lab: flavour=fast backend=usb timeout=300
# shellcheck shell=bash

busid=$(use_device $DISK_ID)
reserve "$busid"
usb_guest guest11
usb_guest guest12
attach_controller guest11
attach_controller guest12
attach_device guest11 "$busid" 1
wait_in_guest guest11 /dev/sda
(DOMU_TIMEOUT=60 domu guest11 'while /usr/bin/dd if=/dev/sda of=/dev/null bs=120k iflag=direct 2>/tmp/err; do :; done; cat /tmp/err' >"$LAB_RUN/read" 2>&1) &
reader=$!
moved() { (($(usb_counter guest11 urb_bytes_in) > 2000000)); }
expect "the guest reads" poll 30 moved
unplug_disk
expect "the disk leaves the guest" poll 30 guest_lacks guest11 /dev/sda
wait "$reader" || fail "the reader hangs: $(cat "$LAB_RUN/read")"
expect "port 1 is free again" poll 15 usb_port_is guest11 1 ""
expect "xl usb-list works" grep -q 'Port 1:' <<<"$(xl usb-list guest11)"

# Named by its ids it comes back by itself, on the port that its policy names.
xenbackctl usb attach guest12 $DISK_ID 3 || fail "xenbackctl usb attach guest12 $DISK_ID"
expect "no disk yet" guest_lacks guest12 /dev/sda
plug_disk
wait_in_guest guest12 /dev/sda 60
same_as_host guest12 0 4 "4 MiB after the return"
unplug_disk
expect "pulled out of guest12" poll 30 guest_lacks guest12 /dev/sda
plug_disk
wait_in_guest guest12 /dev/sda 60
same_as_host guest12 8 4 "4 MiB after the second return"

# The next domain's xl must not stumble over what was left behind.
xenbackctl usb detach guest12 3 || fail "xenbackctl usb detach guest12 3"
expect "the disk leaves guest12" poll 20 guest_lacks guest12 /dev/sda
busid=$(use_device $DISK_ID)
reserve "$busid"
attach_device guest11 "$busid" 2
wait_in_guest guest11 /dev/sda
guest_fine guest11
guest_fine guest12

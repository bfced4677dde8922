# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 of usbback in mid copy, twice: the guest may see an error and try again; it never hangs, and every byte is right.
# lab: flavour=fast backend=usb timeout=400
# shellcheck shell=bash

busid=$(use_device $DISK_ID)
reserve "$busid"
usb_guest guest11
attach_controller guest11
attach_device guest11 "$busid" 1
wait_in_guest guest11 /dev/sda
copy_start guest11 48
for at in 4 20; do
    expect "the copy is under way" poll 60 copy_reached guest11 $at
    before=${EPOCHREALTIME/./}
    kill_usbback
    expect "the backend stays in state 4" usb_state_is guest11 4
    start_usbback
    log "daemon back after $(((${EPOCHREALTIME/./} - before) / 1000)) ms"
done
copy_end guest11 48 150
log "errors in the guest, where and how many: ${COPY_AGAIN:-none}"
expect "the port still has its device" usb_port_is guest11 1 "$busid"
xl usbdev-detach guest11 0 1 || fail "xl usbdev-detach after the restarts"
expect "the disk leaves the guest" poll 20 guest_lacks guest11 /dev/sda
guest_fine guest11

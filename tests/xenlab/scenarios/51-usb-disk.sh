# SPDX-License-Identifier: GPL-2.0-or-later
# A disk by unmodified xl: kept for guests when plugged in, read, written, a file system; detached, and attached again.
# lab: flavour=fast backend=usb timeout=400
# shellcheck shell=bash

disk_gone() { ! has_device $DISK_ID; }

# Plugged in under our eyes: another scenario of this boot may have had it.
use_device $DISK_ID >/dev/null
unplug_disk
expect "the disk can be unplugged" poll 10 disk_gone
mkdir -p /etc/xenback
echo $DISK_ID >/etc/xenback/usb-reserve.conf
plug_disk
busid=$(use_device $DISK_ID)
kept() { [[ -z $(configuration "$busid") ]]; }
expect "usbback-reserve keeps the disk for guests" poll 10 kept
usb_guest guest11
id=$(domid guest11)
attach_controller guest11
attach_device guest11 "$busid" 1
expect "port 1 says $busid" usb_port_is guest11 1 "$busid"
expect "xl usb-list shows it" grep -q 'Port 1: Bus' <<<"$(xl usb-list guest11)"
wait_in_guest guest11 /dev/sda

started=$SECONDS
same_as_host guest11 0 64 "64 MiB read"
log "64 MiB read in $((SECONDS - started)) s, $(usb_counter guest11 urbs) requests were $(usb_counter guest11 host_transfers) transfers"
want=$(domu guest11 '/usr/bin/dd if=/dev/urandom of=/tmp/w bs=1M count=16 2>/dev/null
    /usr/bin/dd if=/tmp/w of=/dev/sda bs=1M seek=80 oflag=direct 2>/dev/null && sync && sha256sum </tmp/w | cut -d" " -f1; rm /tmp/w')
got=$(hostctl usb_sum 80 16)
expect "16 MiB written are on the host ($got, the guest wrote $want)" test "$got" = "$want"

DOMU_TIMEOUT=120 domu guest11 'mkdir -p /tmp/m && /usr/bin/mke2fs -q -t ext4 -F /dev/sda && mount -t ext4 /dev/sda /tmp/m && cp /usr/bin/* /tmp/m/ &&
    (cd /usr/bin && sha256sum *) >/tmp/sums && umount /tmp/m' || fail "a file system cannot be made and filled"
xl usbdev-detach guest11 0 1 || fail "xl usbdev-detach"
expect "the disk leaves the guest" poll 20 guest_lacks guest11 /dev/sda
expect "the device is kept for the next guest" poll 10 kept
attach_device guest11 "$busid" 2
wait_in_guest guest11 /dev/sda
DOMU_TIMEOUT=120 domu guest11 'mount -t ext4 /dev/sda /tmp/m && cd /tmp/m && sha256sum -c /tmp/sums >/tmp/report && cd / && umount /tmp/m' ||
    fail "the files are not what was copied: $(domu guest11 'grep -v OK /tmp/report; dmesg | tail -5')"
guest_fine guest11

xl usbctrl-detach guest11 0 || fail "xl usbctrl-detach"
expect "its backend directory is gone" poll 5 no_usb_dir "$id"
expect "the device is still kept" poll 10 kept

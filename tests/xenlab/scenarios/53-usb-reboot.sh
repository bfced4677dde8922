# SPDX-License-Identifier: GPL-2.0-or-later
# The policy belongs to the VM: after the guest rebooted its real and its software disk are back.
# lab: flavour=fast backend=usb timeout=300
# shellcheck shell=bash

busid=$(use_device $DISK_ID)
reserve "$busid"
head -c 8M /dev/urandom >"$LAB_RUN/disk.img"
want=$(sha256sum <"$LAB_RUN/disk.img" | cut -d' ' -f1)
usb_guest guest11 "usbctrl = ['type=pv,version=2,ports=4']"
expect "its controller is connected" poll 20 usb_state_is guest11 4
xenbackctl usb attach guest11 "$busid" 1 || fail "xenbackctl usb attach guest11 $busid"
wait_in_guest guest11 /dev/sda
attach_model guest11 2 "disk,file=$LAB_RUN/disk.img,readonly"
wait_in_guest guest11 /dev/sdb
old=$(domid guest11)
domu_try 1 guest11 'reboot -f' || true

new_id() { local id; id=$(domid guest11) && [[ -n $id && $id != "$old" ]]; }
expect "guest comes back with a new id" poll 60 new_id
wait_guest guest11
expect "its controller is connected" poll 20 usb_state_is guest11 4
wait_in_guest guest11 /dev/sda 60
wait_in_guest guest11 /dev/sdb
expect "the old backend directory is gone" no_usb_dir "$old"
# Which of both was found first is open.
got=$(domu guest11 'for disk in sda sdb; do /usr/bin/dd if=/dev/$disk bs=1M count=8 iflag=direct 2>/dev/null | sha256sum; done')
grep -q "$want" <<<"$got" || fail "the software disk reads as something else: $got, wanted $want"
grep -q "$(hostctl usb_sum 0 8)" <<<"$got" || fail "the real disk reads as something else: $got"
guest_fine guest11

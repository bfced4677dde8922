# SPDX-License-Identifier: GPL-2.0-or-later
# systemd starts usbback, udev keeps a listed disk for guests from the start, kill -9 is repaired, stop and start lose no device.
# lab: flavour=systemd backend=self timeout=400
# shellcheck shell=bash

unit=usbback.service
unit_pid() { systemctl show -P MainPID "$unit"; }
unit_active() { [[ $(systemctl is-active "$unit") == active ]]; }
poll 60 unit_active || {
    systemctl status "$unit" --no-pager || true
    journalctl -b -u "$unit" --no-pager | tail -30
    fail "$unit is '$(systemctl is-active "$unit")'"
}
# As after a boot with the list in place: the disk appears, its driver is there.
busid=$(use_device $DISK_ID)
unplug_disk
gone() { ! has_device $DISK_ID; }
expect "the disk is pulled out" poll 20 gone
echo $DISK_ID >/etc/xenback/usb-reserve.conf
modprobe -a usb-storage sd_mod
plug_disk
busid=$(use_device $DISK_ID)
kept() { [[ -z $(configuration "$busid") ]]; }
expect "udev keeps it for guests" poll 20 kept

usb_guest guest11
attach_controller guest11
attach_device guest11 "$busid" 1
wait_in_guest guest11 /dev/sda
install -m 600 /dev/null /var/lib/xenback/disk.img
head -c 8M /dev/urandom >/var/lib/xenback/disk.img
attach_model guest11 2 disk,file=/var/lib/xenback/disk.img
wait_in_guest guest11 /dev/sdb
same_as_host guest11 0 8 "8 MiB"

copy_start guest11 32
expect "the copy is under way" poll 60 copy_reached guest11 3
old=$(unit_pid)
kill -KILL "$old"
restarted() { unit_active && [[ $(unit_pid) != "$old" && $(unit_pid) != 0 ]]; }
expect "systemd restarts the daemon" poll 30 restarted
expect "the copy goes on" poll 60 copy_reached guest11 16
systemctl restart "$unit"
copy_end guest11 32 150
log "errors in the guest, where and how many: ${COPY_AGAIN:-none}"
same_as_host guest11 8 8 "8 MiB at the end"
systemctl stop "$unit"
expect "stop works" test "$(systemctl is-active "$unit")" = inactive
systemctl start "$unit"
expect "start works" poll 20 unit_active
got=$(domu guest11 '/usr/bin/dd if=/dev/sdb bs=1M count=8 iflag=direct 2>/dev/null | sha256sum | cut -d" " -f1') || true
expect "the software disk works after stop and start" test "$got" = "$(sha256sum </var/lib/xenback/disk.img | cut -d' ' -f1)"
guest_fine guest11
log "$(systemd-analyze security "$unit" --no-pager 2>/dev/null | tail -1)"

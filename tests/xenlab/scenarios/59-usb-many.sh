# SPDX-License-Identifier: GPL-2.0-or-later
# Four devices on one controller work at the same time; xl usb-list, and detaching a busy one, disturb no other.
# lab: flavour=fast backend=usb timeout=400
# shellcheck shell=bash

disk=$(use_device $DISK_ID)
line=$(use_device $LINE_ID)
reserve "$disk"
reserve "$line"
head -c 16M /dev/urandom >"$LAB_RUN/disk.img"
want=$(sha256sum <"$LAB_RUN/disk.img" | cut -d' ' -f1)
usb_guest guest11
attach_controller guest11 8
attach_device guest11 "$disk" 1
wait_in_guest guest11 /dev/sda
attach_device guest11 "$line" 2
wait_in_guest guest11 /dev/ttyUSB0
attach_model guest11 3 "disk,file=$LAB_RUN/disk.img"
wait_in_guest guest11 /dev/sdb
attach_model guest11 8 source-sink
usbtest_up guest11 alt=1

copy_start guest11 24
(line_speed guest11 /dev/ttyUSB0 15 in >"$LAB_RUN/line") &
line_reader=$!
(DOMU_TIMEOUT=90 domu guest11 'for i in 1 2 3 4 5 6 7 8; do testusb -a -t 2 -c 50 -s 4096 || exit 1; testusb -a -t 16 -c 20 -s 4096 -g 4 || exit 1; done' >"$LAB_RUN/testusb") &
tester=$!
for round in 1 2; do
    got=$(DOMU_TIMEOUT=120 domu guest11 '/usr/bin/dd if=/dev/sdb bs=1M count=16 iflag=direct 2>/dev/null | sha256sum | cut -d" " -f1') || true
    expect "round $round: the software disk reads as it is ($got)" test "$got" = "$want"
    expect "xl usb-list shows four devices" test "$(xl usb-list guest11 | grep -c 'Bus .* Device')" -ge 2
done
wait "$tester" || fail "the test device failed beside the others: $(cat "$LAB_RUN/testusb")"
# A disk that is read right now goes.
(DOMU_TIMEOUT=60 domu guest11 'while /usr/bin/dd if=/dev/sdb of=/dev/null bs=120k iflag=direct 2>/dev/null; do :; done' >/dev/null 2>&1) &
reader=$!
xenbackctl usb detach guest11 3 || fail "xenbackctl usb detach guest11 3"
expect "the software disk leaves the guest" poll 30 guest_lacks guest11 /dev/sdb
wait "$reader" || fail "its reader hangs"
wait "$line_reader" || fail "the serial adapter hangs"
read -r rate bad _ <"$LAB_RUN/line"
at_least "${rate%.*}" 1 "KB/s in over the serial adapter"
expect "its numbers follow each other (out of order: $bad)" test "$bad" = 0
copy_end guest11 24 120
expect "the copy saw no error (${COPY_AGAIN:-none})" test -z "$COPY_AGAIN"
guest_fine guest11

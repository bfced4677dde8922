# SPDX-License-Identifier: GPL-2.0-or-later
# A serial adapter: a stream in each direction, nothing lost, nothing twice.
# lab: flavour=fast backend=usb timeout=240
# shellcheck shell=bash

busid=$(use_device $LINE_ID)
reserve "$busid"
usb_guest guest11
attach_controller guest11
attach_device guest11 "$busid" 1
wait_in_guest guest11 /dev/ttyUSB0
read -r rate bad _ <<<"$(line_speed guest11 /dev/ttyUSB0 10 in)"
at_least "${rate%.*}" 1 "KB/s in"
expect "numbers follow each other (out of order: $bad)" test "$bad" = 0

read -r before _ <<<"$(hostctl usb_line 0)"
want=$(DOMU_TIMEOUT=120 domu guest11 'stty -F /dev/ttyUSB0 raw -echo 3000000; seq 10000 >/tmp/out; cat /tmp/out >/dev/ttyUSB0; sha256sum </tmp/out | cut -d" " -f1')
arrived() { [[ $(hostctl usb_line "$before") == *" $want" ]]; }
poll 30 arrived || fail "what was written is not what arrived: $(hostctl usb_line "$before"), wanted $((before + 48894)) $want"
log "serial adapter: $rate KB/s in; 49 KB out unchanged"
guest_fine guest11

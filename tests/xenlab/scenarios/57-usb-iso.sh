# SPDX-License-Identifier: GPL-2.0-or-later
# 60 seconds of isochronous data each way at 1 MB/s, a packet every millisecond: none is lost.
# lab: flavour=fast backend=usb timeout=400
# shellcheck shell=bash

usb_guest guest11
attach_controller guest11
attach_model guest11 1 source-sink
usbtest_up guest11 alt=1
for case in 15 16; do
    # Requests of 8 packets, 8 of them in the queue; 7500 requests are 60,000 packets.
    out=$(DOMU_TIMEOUT=150 DOMU_QUIET=60 domu guest11 "dmesg -c >/dev/null; testusb -a -t $case -c 938 -s 8192 -g 8 2>&1; dmesg") || true
    took=$(sed -n "s/.*test $case, *\([0-9]*\)\.\([0-9]\{3\}\).*/\1\2/p" <<<"$out")
    due=$(sed -n 's/.*total \([0-9]*\) msec.*/\1/p' <<<"$out")
    [[ -n $took && -n $due ]] || fail "case $case: $out"
    at_least "$due" 60000 "milliseconds of data"
    # usbtest itself tolerates 10 % of packets that failed or were short, and says so.
    lost=$(sed -n 's/.*during the test, \([0-9]*\) errors out of.*/\1/p' <<<"$out")
    expect "case $case: no packet failed or was short (${lost:-0})" test -z "$lost"
    # Only to be read: a device waits for a request that comes too late, so a busy machine makes the stream longer.
    log "case $case: $due packets in $took ms, late by $((took - due)) ms"
done
expect "the backend counted no failed packet" test "$(usb_counter guest11 iso_errors)" = 0
at_least "$(usb_counter guest11 iso_packets)" 120000 "packets that the backend counted"
guest_fine guest11

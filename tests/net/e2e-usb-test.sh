#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Source/sink tests in a guest, with the numbers that Linux's usbtest gives them; an isochronous stream that loses nothing; a storm
# of unlinks, resets. XENBACK_ISO_SECONDS: of the stream (10).
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
. "$SRC/tests/net/usb.sh"
net_enter "$@"
box_start

SECONDS_ISO=${XENBACK_ISO_SECONDS:-10}
# 2048 is a page of two packets of 1024 bytes at high speed; interval=1 is a packet in each microframe, 8000 a second.
ok 'the daemon starts' usb_start
ok 'a guest with source/sink devices' usb_boot_with 1 model:source-sink model:source-sink,pattern=1 \
    model:source-sink,speed=full,pattern=1 model:source-sink,interval=1
usb_guest 1
# cases PORT PATTERN: all of them, one test a case.
cases() {
    local line
    usb_ask 1 120 test "0-$1" "pattern=$2" iterations=50 length=2048
    while read -r line; do
        if [[ $line =~ ^([0-9]+)\ +(.*[^\ ])\ +(passed|skipped|FAILED)\ +(.*)$ ]]; then
            is "port $1, case ${BASH_REMATCH[1]}, ${BASH_REMATCH[2]}: ${BASH_REMATCH[4]}" "${BASH_REMATCH[3]}" passed
        fi
    done <<<"$ANSWER"
    like "port $1: all cases" "$ANSWER" '30 passed, 0 failed, 0 skipped'
}
cases 1 0
cases 2 1
cases 3 1
ok 'ten thousand transfers, many of them unlinked' usb_ask 1 60 unlink 0-1 10000
diag "$(head -n 1 <<<"$ANSWER")"
ok 'twenty resets' usb_ask 1 60 reset 0-1 20
ok 'and it works' usb_ask 1 30 test 0-1 1 2 24

ok "a stream from the device of $SECONDS_ISO s" usb_ask 1 $((SECONDS_ISO + 30)) iso 0-4 "$SECONDS_ISO" in pattern=0
diag "$(head -n 1 <<<"$ANSWER")"
like 'nothing is lost' "$ANSWER" ' 0 lost, 0 empty, 0 wrong'
PACKETS=$(sed -n 's/.* \([0-9]*\) packets.*/\1/p' <<<"$ANSWER")
ok 'at 8000 packets a second, nearly' test "$PACKETS" -ge $((SECONDS_ISO * 7000))
ok 'a stream to the device' usb_ask 1 30 iso 0-4 2 out
like 'nothing of it is lost' "$ANSWER" ' 0 lost'
ok 'its statistics' usb_ask 1 10 stats
like 'the backend kept every rule' "$ANSWER" 'complaints 0'
ok 'the guest ends' usb_guest_end 1
ok 'the daemon stops cleanly' daemon_stop
done_testing

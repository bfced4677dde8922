#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A serial port and a keyboard in a guest: bytes both ways, reports as they are typed, and requests that wait for a long time.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
. "$SRC/tests/net/usb.sh"
net_enter "$@"
box_start

TTY=/run/xenback/tty0 KEYS=/run/xenback/keys
mkdir -p /run/xenback
ok 'the daemon starts' usb_start
ok 'a guest' usb_boot_with 1 "model:serial,link=$TTY" "model:keyboard,input=$KEYS"

printf 'hello from the guest\n' >"$DIR/out"
"$GUEST_USB" --domid 1 serial 0-1 6 <"$DIR/out" >"$DIR/in" 2>"$DIR/serial.log" &
GUEST=$!
ok 'the port appears' wait_for 20 test -e "$TTY"
timeout 20 head -n 1 "$TTY" >"$DIR/seen" &
READER=$!
ok 'what the guest sends arrives' wait "$READER"
is 'as it is' "$(<"$DIR/seen")" 'hello from the guest'
head -c 20000 /dev/urandom >"$DIR/bytes"
timeout 10 cat "$DIR/bytes" >"$TTY"
ok 'the guest ends after its time' wait "$GUEST"
is 'what was sent to it arrived, all of it' "$(sha256sum <"$DIR/in")" "$(sha256sum <"$DIR/bytes")"

ok 'it boots again' usb_boot 1 guest1 "$(usb_uuid 1)" 8
"$GUEST_USB" --domid 1 input 0-2 4 >"$DIR/reports" 2>"$DIR/input.log" &
GUEST=$!
ok 'the keyboard is attached' wait_for 20 usb_state 1 2 attached
sleep 1
ok 'keys are typed' bash -c "printf 'type Ab\n' | socat -t 1 - UNIX-SENDTO:$KEYS,bind=$DIR/answer"
ok 'the guest ends after its time' wait "$GUEST"
is 'a, shifted; b' "$(grep -v '00 00 00 00 00 00 00 00' "$DIR/reports" | tr '\n' '|')" \
    '02 00 04 00 00 00 00 00|00 00 05 00 00 00 00 00|'
ok 'the daemon stops cleanly' daemon_stop
done_testing

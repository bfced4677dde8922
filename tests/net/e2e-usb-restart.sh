#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usbback is killed, or stopped, and started again while guests copy: a guest may see an error and try again, its data is right, it
# never hangs; and so are guests that die or come meanwhile.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
. "$SRC/tests/net/usb.sh"
net_enter "$@"
box_start

IMAGE=$DIR/stick.img
usb_image "$IMAGE" 64
SUM=$(sum_of "$IMAGE")
usb_image "$DIR/written.img" 64
usb_image "$DIR/new" 64
ok 'the daemon starts' usb_start
ok 'guest 1' usb_boot_with 1 "model:disk,file=$IMAGE" model:source-sink
ok 'guest 2' usb_boot_with 2 "model:disk,file=$DIR/written.img"
usb_guest 1
usb_guest 2
ok 'guest 1 reads' usb_ask 1 60 read 0-1 sha256
ok 'guest 2 has its disk' usb_ask 2 60 disk 0-1

# A driver that is left waiting gives up after 30 s (xenbox-guest-usb --help, --timeout); nobody may have to.
no_timeout() { ! grep -E ' (read|written) in [0-9]{2,}\.' "$DIR"/usb[12].log; }

ROUNDS=4
for ((round = 1; round <= ROUNDS; round++)); do
    usb_do 1 "read 0-1 sha256"
    usb_do 2 "write 0-1 $DIR/new"
    sleep "0.$((round + 1))"
    daemon_kill
    is "kill $round: the backend's state stays" "$(store_read "$(usb_backend 1)/state")" 4
    sleep 0.2
    ok "kill $round: a successor starts" usb_start
    ok "kill $round: guest 1 goes on" usb_ask 1 200 read 0-1 sha256
    ok "kill $round: guest 2 goes on" usb_ask 2 200 disk 0-1
    is "kill $round: guest 1 noticed no change of state" "$(store_read "$(usb_frontend 1)/state")" 4
done
is 'every read was right' "$(grep -cxF "$SUM" "$DIR/usb1.log")" $((1 + 2 * ROUNDS))
is 'no read was wrong' "$(grep -xE '[0-9a-f]{64}' "$DIR/usb1.log" | grep -vcxF "$SUM")" 0
is 'every write ended' "$(grep -c '^0-1: 64 MiB written' "$DIR/usb2.log")" "$ROUNDS"
ok 'and was right' cmp "$DIR/new" "$DIR/written.img"
ok 'nobody waited for a time-out' no_timeout

usb_do 1 'read 0-1 sha256'
sleep 0.1
ok 'stop in mid read: it ends with status 0' daemon_stop
is 'stop: the state stays' "$(store_read "$(usb_backend 1)/state")" 4
ok 'stop: a successor starts' usb_start
ok 'stop: guest 1 goes on' usb_ask 1 200 read 0-1 sha256

# In mid stream: packets are lost, the next stream is whole.
usb_do 1 'iso 0-2 2'
sleep 1
daemon_kill
ok 'kill in mid stream: a successor starts' usb_start
ok 'kill in mid stream: the next one is whole' usb_ask 1 60 iso 0-2 1

# A guest that dies while nobody serves it, and one that comes.
daemon_kill
kill -KILL "${USB_GUEST[2]}"
usb_guest_end 2
"$XENBOX_XL" create late 3 "$(usb_uuid 3)"
usb_policy "$(usb_uuid 3)" 1 device model:source-sink
"$XENBOX_XL" usbctrl-attach 3 type=pv >"$DIR/xl.log" 2>&1 &
XL=$!
sleep 0.5
ok 'a successor starts' usb_start
ok 'attach that waited for it succeeds' wait "$XL"
ok 'the dead guest is closed' wait_for 15 store_is "$(usb_backend 2)/state" 6
usb_guest 3
ok 'the new guest is served' usb_ask 3 60 test 0-1 1 2
ok 'guest 1 is served' usb_ask 1 60 read 0-1 sha256
ok 'its statistics' usb_ask 1 10 stats
like 'no daemon broke a rule' "$ANSWER" 'complaints 0'
ok 'the new guest ends' usb_guest_end 3
ok 'the daemon lives' daemon_alive
done_testing

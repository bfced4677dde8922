#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Devices and controllers that go in mid transfer: the guest is told at once, nobody hangs, others go on, and all may come back.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
. "$SRC/tests/net/usb.sh"
net_enter "$@"
box_start

IMAGE=$DIR/stick.img
usb_image "$IMAGE" 64
SUM=$(sum_of "$IMAGE")
ok 'the daemon starts' usb_start
ok 'a guest with a disk and a source/sink device' usb_boot_with 1 "model:disk,file=$IMAGE" model:source-sink
usb_guest 1 --wait 4
ok 'it reads' usb_ask 1 60 read 0-1 sha256

# Some reads, one of which loses its device.
for round in 1 2 3; do
    for _ in 1 2 3; do usb_do 1 'read 0-1 sha256'; done
    sleep "0.$((round + 1))"
    ok "yank $round: the device goes in mid read" ctl usb detach 1 1
    ok "yank $round: the guest sees it go" usb_ask 1 60 wait 0-1 gone
    ok "yank $round: its other device works" usb_ask 1 30 test 0-2 1 2 13
    is "yank $round: the port is free" "$(usb_node 1 1)" ''
    usb_policy "$(usb_uuid 1)" 1 device "model:disk,file=$IMAGE"
    ok "yank $round: it comes back, and is read" usb_ask 1 60 read 0-1 sha256
    is "yank $round: rightly" "$(grep -xE '[0-9a-f]{64}' <<<"$ANSWER")" "$SUM"
done
is 'no read was wrong' "$(grep -xE '[0-9a-f]{64}' "$DIR/usb1.log" | grep -vcxF "$SUM")" 0

# In mid stream, and while URBs are asked back.
usb_do 1 'iso 0-2 5'
sleep 1
ok 'the device goes in mid stream' ctl usb detach 1 2
ok 'the stream ends' usb_ask 1 20 wait 0-2 gone
like 'the guest knows why' "$(<"$DIR/usb1.log")" 'the stream ended: No such device'
usb_policy "$(usb_uuid 1)" 2 device model:source-sink
usb_do 1 'unlink 0-2 10000000'
sleep 1
ok 'the device goes while transfers are unlinked' ctl usb detach 1 2
ok 'they end' usb_ask 1 20 wait 0-2 gone
usb_policy "$(usb_uuid 1)" 2 device model:source-sink
ok 'it comes back' usb_ask 1 30 test 0-2 1 2 24

# The image goes, and a broken one comes.
ok 'the disk goes' ctl usb detach 1 1
ok 'for the guest, too' usb_ask 1 30 wait 0-1 gone
mv "$IMAGE" "$IMAGE.away"
usb_policy "$(usb_uuid 1)" 1 device "model:disk,file=$IMAGE"
ok 'an image that is missing: it fails' wait_for 10 usb_state 1 1 failed
like 'and says why' "$(ctl usb explain 1 1)" "stick\.img.*No such file"
mv "$IMAGE.away" "$IMAGE"
ok 'detach and attach' ctl usb detach 1 1
usb_policy "$(usb_uuid 1)" 1 device "model:disk,file=$IMAGE"
ok 'it is there again' usb_ask 1 60 read 0-1 sha256
truncate -s 1M "$IMAGE"
usb_ask 1 60 read 0-1 sha256
like 'an image that shrinks: an error of the disk' "$ANSWER" 'cannot be read: Input/output error'
ok 'the device lives' usb_ask 1 60 read 0-1 size=1M sha256

# The controller, from under the guest.
usb_do 1 'unlink 0-2 10000000'
sleep 1
ok 'xl usbctrl-detach in mid transfer' "$XENBOX_XL" usbctrl-detach 1 0
ok 'the guest ends' wait_for 20 usb_said 1 'failed: unlink 0-2 10000000'
usb_guest_end 1
ok 'nothing is left of the controller' store_lacks "$(usb_backend 1)"
ok 'it boots again' usb_boot 1 guest1 "$(usb_uuid 1)" 8
usb_guest 1
ok 'and has its devices' usb_ask 1 60 test 0-2 1 2
ok 'its statistics' usb_ask 1 10 stats
like 'the backend kept every rule' "$ANSWER" 'complaints 0'
ok 'the guest ends' usb_guest_end 1
ok 'the daemon stops cleanly' daemon_stop
done_testing

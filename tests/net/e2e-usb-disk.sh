#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A USB disk in a guest: what it reads is what is in the image, what it writes gets there, however its requests are split; and many
# requests become few transfers.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
. "$SRC/tests/net/usb.sh"
net_enter "$@"
box_start

IMAGE=$DIR/stick.img
usb_image "$IMAGE" 64
cp "$IMAGE" "$DIR/locked.img"
usb_image "$DIR/new" 16
ok 'the daemon starts' usb_start
ok 'a guest with a disk and a read-only one' usb_boot_with 1 "model:disk,file=$IMAGE" "model:disk,file=$DIR/locked.img,readonly"
usb_guest 1
ok 'the guest has the disk' usb_ask 1 30 disk 0-1
like 'of the right size' "$ANSWER" '64 MiB, 131072 blocks of 512 bytes'
ok 'it lists its devices' usb_ask 1 30 list
like 'the disk is a disk' "$ANSWER" '0-1 +high speed.*mass storage +bulk'
ok 'it reads all of it' usb_ask 1 120 read 0-1 sha256
is 'what is in the image' "$(grep -xE '[0-9a-f]{64}' <<<"$ANSWER")" "$(sum_of "$IMAGE")"
like 'without an error' "$ANSWER" '0 resets'

# pipe ENDPOINT FIELD: a counter of port 1.
pipe() { ctl --json usb show 1 | jq ".ports[] | select(.port == 1).pipes[] | select(.endpoint == \"$1\").$2"; }
URBS=$(pipe 0x81 urbs) TRANSFERS=$(pipe 0x81 transfers)
diag "$URBS requests of the guest were $TRANSFERS transfers"
ok 'requests are merged' test "$URBS" -gt $((2 * TRANSFERS))

ok 'it writes 16 MiB' usb_ask 1 120 write 0-1 "$DIR/new" skip=8MiB
ok 'which are in the image' cmp -i 8388608:0 -n 16777216 "$IMAGE" "$DIR/new"
ok 'and reads them back' usb_ask 1 60 read 0-1 "$DIR/back" skip=8MiB size=16MiB
ok 'the same' cmp "$DIR/new" "$DIR/back"
cp "$IMAGE" "$DIR/before"
head -c 1000 "$DIR/new" >"$DIR/odd"
ok 'it writes a file that is no whole block' usb_ask 1 60 write 0-1 "$DIR/odd" skip=1MiB
is 'no byte more is written' "$(cmp -l "$IMAGE" "$DIR/before" | awk '{ if ($1 <= 1048576 || $1 > 1049576) print }')" ''
ok 'no byte less' cmp -i 1048576:0 -n 1000 "$IMAGE" "$DIR/odd"

ok 'a read-only disk is read' usb_ask 1 60 read 0-2 sha256
usb_ask 1 60 write 0-2 "$DIR/odd"
like 'and not written' "$ANSWER" 'cannot be written: Read-only file system'
is 'its image is as it was' "$(sum_of "$DIR/locked.img")" "$(head -c 67108864 "$DIR/locked.img" | sha256sum | cut -d ' ' -f 1)"
usb_ask 1 60 read 0-1 size=65MiB
like 'no more is read than there is' "$ANSWER" 'has but 64 MiB'
ok 'its statistics' usb_ask 1 10 stats
like 'the backend kept every rule' "$ANSWER" 'complaints 0'
usb_guest_end 1
is 'it ends, and knows that two commands failed' $? 1

# The same disk as another driver would use it: large requests, pages granted for each of them.
ok 'the guest boots again' usb_boot 1 guest1 "$(usb_uuid 1)" 8
usb_guest 1 --urb-bytes 65536 --grant-each
ok 'large requests: it reads all of it' usb_ask 1 120 read 0-1 sha256
is 'large requests: what is in the image' "$(grep -xE '[0-9a-f]{64}' <<<"$ANSWER")" "$(sum_of "$IMAGE")"
ok 'large requests: it writes' usb_ask 1 60 write 0-1 "$DIR/new" skip=32MiB
ok 'large requests: into the image' cmp -i 33554432:0 -n 16777216 "$IMAGE" "$DIR/new"
ok 'it ends, with no complaint' usb_guest_end 1
ok 'the daemon stops cleanly' daemon_stop
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bytes arrive as they were sent: files by TCP out, in and from guest to guest; datagrams of many sizes.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
net_enter "$@"
net_up
box_start
team_set members 'nic0 nic1'
daemon_start
ok 'guest 1 is up' guest_up 1
ok 'guest 2 is up' guest_up 2
ok 'guest 1 reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"
ok 'guest 1 reaches guest 2' wait_for 10 reaches 1 "$(guest_ip 2)"

head -c 32M /dev/urandom >"$DIR/sent"
SUM=$(sha256sum <"$DIR/sent")

# file TEXT RECEIVER... -- SENDER... -- IP
file() {
    local text=$1 receiver=() sender=() got
    shift
    while [[ $1 != -- ]]; do receiver+=("$1"); shift; done
    shift
    while [[ $1 != -- ]]; do sender+=("$1"); shift; done
    shift
    rm -f "$DIR/received"
    "${receiver[@]}" timeout 60 socat -u TCP-LISTEN:7100,reuseaddr "OPEN:$DIR/received,creat" &
    got=$!
    wait_for 5 listening 7100 "${receiver[@]}"
    "${sender[@]}" timeout 60 socat -u "OPEN:$DIR/sent" "TCP:$1:7100"
    wait "$got"
    is "$text: same checksum" "$(sha256sum <"$DIR/received")" "$SUM"
}

file '32 MiB, guest to network' in_outside -- in_guest 1 -- "$OUTSIDE_IP"
file '32 MiB, network to guest' in_guest 1 -- in_outside -- "$(guest_ip 1)"
file '32 MiB, guest to guest' in_guest 2 -- in_guest 1 -- "$(guest_ip 2)"

for size in 0 1 17 18 46 47 1000 1471 1472; do
    ok "echo of $size bytes, guest to network" in_guest 1 ping -q -c 2 -i 0.01 -W 2 -s "$size" "$OUTSIDE_IP"
done
ok 'echo of 8000 bytes in fragments' in_guest 1 ping -q -c 2 -i 0.01 -W 2 -s 8000 "$OUTSIDE_IP"
ok 'echo of 8000 bytes in fragments, guest to guest' in_guest 1 ping -q -c 2 -i 0.01 -W 2 -s 8000 "$(guest_ip 2)"
ok 'flood of 2000 echoes loses none' in_guest 1 ping -q -c 2000 -i 0.001 -W 5 "$OUTSIDE_IP"
ok 'the daemon lives' daemon_alive
done_testing

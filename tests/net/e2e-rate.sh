#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The toolstack's rate= limits what a guest sends, a new value counts at once, and what a guest receives is not limited.
# Only upper bounds are judged: a busy machine is slower, never faster.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
net_enter "$@"
net_up
box_start
team_set members 'nic0 nic1'
daemon_start
ok 'attach with rate=16Mb/s' guest_up 1 rate=16Mb/s
ok 'the guest reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"

RATE=$(backend_dir 1)/rate
# Mbit/s that arrive outside in about 3 s.
sends() {
    in_outside iperf3 -s -1 -p 5300 >/dev/null 2>&1 &
    wait_for 5 listening 5300 in_outside
    in_guest 1 timeout 30 iperf3 -c "$OUTSIDE_IP" -p 5300 -t 3 --json "$@" >"$DIR/iperf.json"
    iperf_mbit "$DIR/iperf.json"
}
# below TEXT MBIT MAX: sent something, but not more than MAX.
below() {
    diag "$1: $2 Mbit/s"
    ok "$1" test "$2" -ge 1 -a "$2" -le "$3"
}

is 'xl wrote bytes per interval' "$(store_read "$RATE")" 100000,50000
below 'at 16 Mbit/s the guest stays below 24' "$(sends)" 24
store_write "$RATE" 25000,50000
sleep 0.3
below 'at 4 Mbit/s, changed live, it stays below 7' "$(sends)" 7
in=$(sends -R)
diag "network to guest: $in Mbit/s"
ok 'what it receives is not limited' test "$in" -gt 7
for bad in 12 a,b -5,50000 99999999999999999999,50000 500000 '5 5' ''; do
    store_write "$RATE" "$bad"
done
sleep 0.3
below 'wrong values are not taken: still below 7' "$(sends)" 7
store_write "$RATE" 1250000,50000
sleep 0.3
fast=$(sends)
diag "at 200 Mbit/s: $fast Mbit/s"
ok 'at 200 Mbit/s it is faster than at 4' test "$fast" -gt 7
ok 'and below 300' test "$fast" -lt 300
ok 'the daemon lives' daemon_alive
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The active NIC loses its link, gets it back, both lose it: traffic goes on where it can, no connection is lost.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
net_enter "$@"
net_up
box_start
team_set members 'nic0:200 nic1'
team_set failback_hold 300ms
daemon_start
ok 'guest 1 is up' guest_up 1
ok 'it reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"

active() { ctl --json team show team0 | tr -d ' \n' | sed -n 's/.*"active":"\([^"]*\)".*/\1/p'; }
active_is() { [[ $(active) == "$1" ]]; }
mode_is() { ctl team show team0 | grep -q "mode.*$1"; }

is 'the member of higher priority is active' "$(active)" nic0
in_outside "$GAPMETER" tcp-serve 7001 60 &
wait_for 5 listening 7001 in_outside
in_guest 1 "$GAPMETER" tcp-hold "$OUTSIDE_IP" 7001 4 12 >"$DIR/tcp" &
HOLD=$!
sleep 1
carrier_cut 0
ok 'cut: the other member becomes active' wait_for 5 active_is nic1
ok 'cut: the guest reaches the network' wait_for 5 reaches 1 "$OUTSIDE_IP"
BEFORE=$(switch_frames 1)
reaches 1 "$OUTSIDE_IP" >/dev/null
ok 'cut: its frames leave by nic1' test "$(switch_frames 1)" -gt "$BEFORE"

carrier_back 0
ok 'back: the preferred member becomes active again' wait_for 15 active_is nic0
ok 'back: the guest reaches the network' wait_for 5 reaches 1 "$OUTSIDE_IP"

carrier_cut 0
carrier_cut 1
ok 'both cut: no member is active' wait_for 5 active_is none
carrier_back 1
ok 'one back: it is active' wait_for 15 active_is nic1
ok 'one back: the guest reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"
carrier_back 0
wait "$HOLD"
like 'no TCP connection was lost' "$(<"$DIR/tcp")" '^connections 4 lost 0 '
like 'the log names the failover' "$(<"$DIR/netback-team.log")" 'nic0.*nic1|nic1.*nic0'

team_set mode round-robin
ok 'round-robin: taken over live' wait_for 5 mode_is round-robin
wait_for 10 reaches 1 "$OUTSIDE_IP"
A=$(switch_frames 0) B=$(switch_frames 1)
in_guest 1 ping -q -c 40 -i 0.01 -W 2 "$OUTSIDE_IP" >"$DIR/ping.log"
ok 'round-robin: nic0 carries frames' test "$(switch_frames 0)" -ge $((A + 15))
ok 'round-robin: nic1 carries frames' test "$(switch_frames 1)" -ge $((B + 15))
like 'round-robin: all echoes are answered' "$(<"$DIR/ping.log")" '40 received'
ok 'the daemon lives' daemon_alive
done_testing

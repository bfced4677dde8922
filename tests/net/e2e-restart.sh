#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The daemon is killed, or stopped, and started again: guests keep their state, their rings and their connections.
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

in_outside "$GAPMETER" tcp-serve 7001 60 &
wait_for 5 listening 7001 in_outside
in_guest 2 "$GAPMETER" tcp-serve 7001 60 &
wait_for 5 listening 7001 in_guest 2
in_guest 1 "$GAPMETER" tcp-hold "$OUTSIDE_IP" 7001 4 10 >"$DIR/tcp-out" &
HOLD_OUT=$!
in_guest 1 "$GAPMETER" tcp-hold "$(guest_ip 2)" 7001 4 10 >"$DIR/tcp-guest" &
HOLD_GUEST=$!
sleep 1
for round in 1 2 3; do
    daemon_kill
    is "kill $round: the backend's state stays" "$(store_read "$(backend_dir 1)/state")" 4
    ok "kill $round: a successor starts" daemon_start
    ok "kill $round: guest 1 is served again" wait_for 10 reaches 1 "$OUTSIDE_IP"
    is "kill $round: guest 1 noticed nothing" "$(store_read "$(frontend_dir 1)/state")" 4
done
ok 'stop: it ends with status 0' daemon_stop
is 'stop: the state stays' "$(store_read "$(backend_dir 1)/state")" 4
ok 'stop: a successor starts' daemon_start
ok 'stop: guest 1 is served again' wait_for 10 reaches 1 "$OUTSIDE_IP"

wait "$HOLD_OUT" "$HOLD_GUEST"
like 'no connection to the network was lost' "$(<"$DIR/tcp-out")" '^connections 4 lost 0 '
like 'no connection to the other guest was lost' "$(<"$DIR/tcp-guest")" '^connections 4 lost 0 '

# A guest that dies while nobody serves it.
daemon_kill
guest_die 2
ok 'a successor starts beside a dead guest' daemon_start
ok 'the dead guest is cleaned up' wait_for 15 store_is "$(backend_dir 2)/state" 6
ok 'guest 1 is served' wait_for 10 reaches 1 "$OUTSIDE_IP"
ok 'what is left of it can be removed' "$XENBOX_XL" network-detach 2 0

# A guest that was attached while nobody was there.
daemon_kill
guest_start 2
"$XENBOX_XL" network-attach 2 script=vif-team bridge=team0 "mac=$(guest_mac 2)" >"$DIR/xl.log" 2>&1 &
XL=$!
sleep 0.5
daemon_start
ok 'attach that waited for the daemon succeeds' wait "$XL"
ok 'and connects' wait_for 20 guest_connected 2
ok 'the daemon lives' daemon_alive
done_testing

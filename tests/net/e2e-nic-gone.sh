#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An interface vanishes (driver unloaded, card pulled) and comes back under its name; members are added and removed live.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
net_enter "$@"
net_up
box_start
team_set members 'nic0 nic1'
team_set failback_hold 300ms
daemon_start
ok 'guest 1 is up' guest_up 1
ok 'it reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"
member_up() { ctl team show team0 | grep -w "$1" | grep -qiE 'active|standby'; }
not_member() { ! ctl team show team0 | grep -qw "$1"; }
in_outside "$GAPMETER" tcp-serve 7001 60 &
wait_for 5 listening 7001 in_outside
in_guest 1 "$GAPMETER" tcp-hold "$OUTSIDE_IP" 7001 4 10 >"$DIR/tcp" &
HOLD=$!
sleep 0.5

ip link del nic0
ok 'nic0 vanishes: the guest is served' wait_for 5 reaches 1 "$OUTSIDE_IP"
nic_add 0
ok 'nic0 is back: it is a member again' wait_for 10 member_up nic0
ip link del nic1
ok 'nic1 vanishes: the guest is served by nic0' wait_for 10 reaches 1 "$OUTSIDE_IP"
team_set members 'nic0 nic2'
nic_add 2
ok 'nic2 becomes a member' wait_for 10 member_up nic2
ip link set nic0 down
ok 'nic0 is set down: the guest is served by nic2' wait_for 10 reaches 1 "$OUTSIDE_IP"
team_set members nic2
ok 'nic0 is no member any more' wait_for 10 not_member nic0
ip link del nic2
nic_add 2
ok 'the only member vanishes and returns: the guest is served' wait_for 15 reaches 1 "$OUTSIDE_IP"
wait "$HOLD"
like 'no TCP connection was lost' "$(<"$DIR/tcp")" '^connections 4 lost 0 '
ok 'the daemon lives' daemon_alive
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Members whose link is up but dead, that are drained, that flap, of which there are too few.
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

team() { ctl --json team show team0; }
active_is() { [[ $(team | jq -r .active) == "$1" ]]; }
# member NIC FIELD
member() { team | jq -r --arg nic "$1" --arg field "$2" '.members[] | select(.name == $nic) | .[$field]'; }
member_is() { [[ $(member "$1" "$2") == "$3" ]]; }
# A stream of 1 kHz from the guest while COMMAND... runs; what the receiver says is in STREAM.
stream() {
    in_outside "$GAPMETER" udp-recv 7000 12 >"$DIR/stream" 2>>"$DIR/gap.log" &
    local receiver=$!
    wait_for 5 sh -c "ip netns exec outside ss -lunH 'sport = :7000' | grep -q ."
    in_guest 1 "$GAPMETER" udp-send "$OUTSIDE_IP" 7000 3 2>>"$DIR/gap.log" &
    local sender=$!
    sleep 1
    "$@" >>"$DIR/commands.log" 2>&1
    wait "$sender" "$receiver"
    STREAM=$(<"$DIR/stream")
}
# Frames of the guest that we dropped. (Some of the stream may be lost in the guest, where this machine is slow.)
lost_here() { ctl --json vif show 1.0 | jq '[.counters | to_entries[] | select(.key | test("^tx_(no_member|too_big|refused|errors)")) | .value] | add'; }
# Frames from nicN go nowhere although its link is up, and back again.
silence() { ip -n switch link set "sw$1" nomaster; }
speak() { ip -n switch link set "sw$1" master br0; }

# ---- drained ----
is 'the preferred member is active' "$(team | jq -r .active)" nic0
LOST=$(lost_here)
stream ctl team drain team0 nic0
diag "drained in mid stream: $STREAM"
ok 'drain: the other member is active' active_is nic1
ok 'drain: its state' member_is nic0 state drained
is 'drain: we lose no frame' "$(lost_here)" "$LOST"
is 'drain: none is overtaken' "$(field reordered "$STREAM")" 0
is 'drain: the key says so' "$(store_read /local/domain/0/xenback/team/team0/drained)" nic0
OUT=$(ctl team drain team0 nic1 2>&1) && OUT="accepted: $OUT"
like 'drain: the last member stays' "$OUT" 'only usable member'
OUT=$(ctl team drain team0 nic7 2>&1) && OUT="accepted: $OUT"
like 'drain: a stranger is refused' "$OUT" 'nic7.*not one of its members'
ok 'undrain' ctl team undrain team0 nic0
ok 'undrain: it is preferred again' wait_for 10 active_is nic0
team_set drained nic0
ok 'the key alone drains as well' wait_for 5 active_is nic1
team_set drained ''
ok '... and takes it back' wait_for 10 active_is nic0
LOST=$(lost_here)
stream ctl team remove team0 nic0
diag "removed in mid stream: $STREAM"
is 'remove: we lose no frame' "$(lost_here)" "$LOST"
is 'remove: none is overtaken' "$(field reordered "$STREAM")" 0
ok 'add' ctl team add team0 nic0:200
ok 'add: it takes over' wait_for 10 active_is nic0

# ---- up, but dead ----
team_set probe arp
ok 'probes without targets are refused' wait_for 5 store_has /local/domain/0/xenback/team/team0/error
like 'and the error says what is needed' "$(store_read /local/domain/0/xenback/team/team0/error)" 'probe_targets: "".*1 to 4 IPv4'
team_set probe_targets "$OUTSIDE_IP"
ok 'the target answers on both members' wait_for 10 member_is nic1 probe answered
stream silence 0
diag "silent failure, probes every 50 ms: $STREAM"
ok 'silent failure: the other member is active' wait_for 10 active_is nic1
is 'silent failure: its carrier is there' "$(member nic0 carrier)" true
like 'silent failure: the reason' "$(member nic0 reason)" 'probes are missed'
ok 'silent failure: the guest is served' wait_for 5 reaches 1 "$OUTSIDE_IP"
speak 0
ok 'it answers again: failback' wait_for 10 active_is nic0
ip -n outside link set eth0 down
ok 'the target is gone: nobody answers' wait_for 10 member_is nic0 probe missed
ok 'the target is gone: the member stays' active_is nic0
ip -n outside link set eth0 up
ok 'the target is back' wait_for 10 member_is nic0 probe answered
nic_add 2
ok 'a third member' ctl team add team0 nic2
team_set probe beacon
silence 0
ok 'beacons: the one that is cut off is down' wait_for 10 member_is nic0 state down
ok 'beacons: another one is active' wait_for 5 active_is nic1
speak 0
ok 'beacons: it is heard again' wait_for 10 active_is nic0
team_set probe off

# ---- flaps ----
team_set damping_half_life 3600s # however slow this machine is
team_set damping yes
ok 'damping is on, from no penalty' wait_for 5 member_is nic0 damping_penalty 0
for round in 1 2 3; do # a flap that comes before damping, or out of DOWN, would not count
    carrier_cut 0
    ok "flap $round: down" wait_for 5 member_is nic0 state down
    carrier_back 0
    ok "flap $round: up again" wait_for 5 member_is nic0 carrier true
done
ok 'a member that flaps is kept out' wait_for 5 member_is nic0 state damped
ok 'and the guest is served' wait_for 5 reaches 1 "$OUTSIDE_IP"
team_set damping no
ok 'without damping it is back' wait_for 10 active_is nic0

# ---- too few ----
team_set min_links 3
carrier_cut 2
ok 'min_links: with too few members the team is down' wait_for 5 active_is none
ok 'min_links: it says so' test "$(team | jq -r .state)" == down
not_served() { ! reaches 1 "$OUTSIDE_IP"; }
ok 'min_links: the guest is not served' not_served
carrier_back 2
ok 'min_links: enough again' wait_for 10 active_is nic0
ok 'min_links: the guest is served' wait_for 10 reaches 1 "$OUTSIDE_IP"
ok 'the daemon lives' daemon_alive
done_testing

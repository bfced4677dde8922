#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Reserve members: they carry nothing until a guest is failed over to them, by command or by the reaction to an attack; that guest's
# frames go and come there, none twice, whatever the other members do; without them it goes on with the others.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
net_enter "$@"
net_up 3
box_start

PROFILES=/local/domain/0/xenback/dos
TEAM=/local/domain/0/xenback/team/team0
team() { ctl --json team show team0 | jq -r "$1"; }
team_is() { [[ $(team "$1") == "$2" ]]; }
member() { team ".members[] | select(.name == \"$1\") | .$2"; }
member_is() { [[ $(member "$1" "$2") == "$3" ]]; }
# The port on which the switch knows a guest, as the number of the NIC.
learned_on() { in_switch bridge fdb show br br0 | awk -v mac="$(guest_mac "$1")" '$1 == mac && /master/ { sub("sw", "", $3); print $3 }'; }
is_learned_on() { [[ $(learned_on "$1") == "$2" ]]; }
# sends_on N NIC: ten frames of guest N to the outside leave there, and none elsewhere.
sends_on() {
    local -A before=()
    local nic
    for nic in nic0 nic1 nic2; do before[$nic]=$(member "$nic" tx_packets); done
    in_guest "$1" ping -q -c 10 -i 0.02 -W 1 "$OUTSIDE_IP" >/dev/null || return 1
    for nic in nic0 nic1 nic2; do
        if [[ $nic == "$2" ]]; then
            (($(member "$nic" tx_packets) - before[$nic] >= 10)) || return 1
        else
            (($(member "$nic" tx_packets) - before[$nic] < 5)) || return 1
        fi
    done
}
# pings N: how many of 50 were answered, and how many answers came twice.
pings() { in_guest "$1" ping -n -c 50 -i 0.01 -W 1 "$OUTSIDE_IP" | awk '/DUP!/ { dup++ } /bytes from/ { n++ } END { print (n - dup >= 45 ? "most" : n + 0), dup + 0 }'; }
# explained GUEST JQ-CONDITION: some frame of its trace is so.
explained() {
    in_guest "$1" ping -q -c 3 -i 0.05 -W 1 "$OUTSIDE_IP"
    ctl --json explain vm "$1/0" | jq -e "any(.frames[]; $2)"
}
# A switch that knows nobody sends everything everywhere.
forgetful() {
    local i
    for i in 0 1 2; do
        in_switch bridge link set dev "sw$i" learning "$1"
        ip netns exec switch ip link set dev "sw$i" type bridge_slave fdb_flush
    done
}
asks_anew() { ip -n outside neigh flush all; }

team_set members 'nic0 nic1'
team_set reserve_members nic2
daemon_start
ok 'guest 1 is up' guest_up 1
ok 'guest 2 is up' guest_up 2
ok 'guest 1 reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"
ok 'guest 2 reaches the network' wait_for 10 reaches 2 "$OUTSIDE_IP"

# At rest.
ok 'the reserve is watched' wait_for 10 member_is nic2 state standby
is 'it is shown as what it is, for nobody' "$(member nic2 reserve_for)" 0
ok 'guest 1 sends on the active member' sends_on 1 nic0
is 'the reserve sent nothing' "$(member nic2 tx_packets)" 0
is 'shares know the speed of one member' "$(ctl --json qos show | jq '[.. | .capacity_bps? // empty] | max')" 10000000000
team_set reserve_members 'nic2 nic1'
ok 'a member of both kinds is refused' wait_for 5 error_is "$TEAM" 'reserve_members: "nic2 nic1": nic1 is in members, too'
team_set reserve_members 'nic2:999'
ok 'so is a wrong word' wait_for 5 error_is "$TEAM" 'reserve_members: "nic2:999": at "nic2:999"'
team_set reserve_members 'nic[2-9]'
ok 'a pattern is not' wait_for 5 no_error "$TEAM"
ok 'and finds it' wait_for 5 member_is nic2 state standby
like 'it does not become active by hand' "$(ctl team failover team0 nic2 2>&1)" 'nic2 is a reserve member'

# By command.
like 'failover' "$(ctl dos failover 1.0)" '^1\.0: failed over to nic2$'
ok 'the switch hears of it, without a frame of the guest' wait_for 5 is_learned_on 1 2
ok 'guest 1 sends on the reserve' wait_for 5 sends_on 1 nic2
ok 'guest 2 does not' sends_on 2 nic0
is 'the reserve is for one' "$(member nic2 reserve_for)" 1
like 'dos show says where it is' "$(ctl dos show 1.0)" 'failed_over_to +nic2'
like 'so do the metrics' "$(ctl metrics)" 'guests_on_reserve\{[^}]*\} 1'
ok 'and the events' events_say 'vif1\.0.*any.*nic2.*failed over to the least used reserve member'
ok 'and explain vm, of what it sends' wait_for 10 explained 1 \
    '.member == "nic2" and (.chain | any(test("member: nic2, the guest is bound to it: .*reserve")))'
ok 'and of what it gets' wait_for 10 explained 1 '.direction == "rx" and .result == "delivered" and (.chain | any(. == "from: nic2"))'
like 'vm show knows it, too' "$(ctl vm show)" 'vif1\.0.* nic2 '
sleep 1.2 # both sides count for a second
is 'no answer twice' "$(pings 1)" 'most 0'
forgetful off
is 'nor from a switch that sends everything everywhere' "$(pings 1)" 'most 0'
is 'nor for the guest beside' "$(pings 2)" 'most 0'
asks_anew
ok 'who asks for the guest finds it' wait_for 5 in_outside ping -c 1 -W 1 -q "$(guest_ip 1)"
forgetful on

# Without the reserve, and without the others.
carrier_cut 2
ok 'without the reserve it goes on' wait_for 5 sends_on 1 nic0
is 'which is said' "$(dos 1 .failed_over_to)" 'none is usable'
ok 'also by events' events_say 'vif1\.0.*nic2.*any.*no reserve member is usable'
carrier_back 2
ok 'it returns with the reserve' wait_for 10 sends_on 1 nic2
carrier_cut 0
carrier_cut 1
ok 'without the others it stays' wait_for 5 reaches 1 "$OUTSIDE_IP"
asks_anew
ok 'and is found' wait_for 5 in_outside ping -c 1 -W 1 -q "$(guest_ip 1)"
ok 'the guest beside is cut off' eval '! reaches 2 "$OUTSIDE_IP"'
carrier_back 0
carrier_back 1
ok 'until the others are back' wait_for 10 reaches 2 "$OUTSIDE_IP"

# Back.
ctl dos failback 1.0 >"$DIR/failback"
like 'failback' "$(<"$DIR/failback")" 'back where it belongs'
ok 'the switch hears of that, too' wait_for 5 eval '[[ $(learned_on 1) != 2 ]]'
is 'the reserve is for nobody' "$(member nic2 reserve_for)" 0
ok 'guest 1 sends with the others' wait_for 10 eval '! sends_on 1 nic2 && reaches 1 "$OUTSIDE_IP"'

# By the reaction, in a mode that spreads.
for one in 'mode fixed' 'alarm_n 1' 'alarm_m 1' 'clear_time 2s' 'to_pps 60' 'second_team yes' 'second_team_after 0' 'second_team_min 0'; do
    store_write "$PROFILES/strict/${one% *}" "${one##* }"
done
team_set mode slb
team_set dos strict
ok 'the guests are watched' wait_for 5 dos_is 1 .state calm
ok 'in slb the reserve carries nothing either' eval '! sends_on 1 nic2 && ! sends_on 2 nic2'
background timeout 20 ip netns exec outside bash -c \
    "while :; do head -c 15000 /dev/zero | socat -u -b 100 - UDP:$(guest_ip 1):9999 2>/dev/null; sleep 0.1; done"
FLOOD=$BG
ok 'an attacked guest fails over' wait_for 10 dos_is 1 .failed_over_to nic2
is 'by the reaction' "$(dos 1 '.failed_over_by + " " + (.reactions | map(.action) | join(" "))')" 'reaction second-team'
ok 'the flood comes there' wait_for 5 is_learned_on 1 2
is 'the guest beside is where it was' "$(dos 2 '.failed_over_to // "no"')" no
like 'what a reaction did is not undone by hand' "$(ctl dos failback 1.0 2>&1)" 'a reaction to an attack keeps it there'
background_end "$FLOOD"
ok 'it is back after the attack' wait_for 15 dos_is 1 '.failed_over_to // "no"' no
is 'no answer twice' "$(pings 1)" 'most 0'

ctl dos failover 1.0 >/dev/null
ok 'by hand, in slb' wait_for 5 is_learned_on 1 2
sleep 1.2
forgetful off
is 'no answer twice from a switch that knows nobody' "$(pings 1)" 'most 0'
forgetful on
ctl dos failback 1.0 >/dev/null

# From one kind to the other, live.
team_set members 'nic*'
team_set reserve_members 'nic2 nic1'
ok 'a member becomes a reserve' wait_for 10 member_is nic1 reserve_for 0
ok 'and carries nothing then' eval '! sends_on 1 nic1 && ! sends_on 2 nic1 && reaches 1 "$OUTSIDE_IP"'
team_set reserve_members nic2
ok 'and back' wait_for 10 eval 'member_is nic1 reserve_for null && member_is nic1 state active'
team_set members 'nic0 nic1'
team_set reserve_members ''
ok 'the reserve leaves' wait_for 5 team_is '.members | map(.name) | join(" ")' 'nic0 nic1'
background timeout 10 ip netns exec outside bash -c \
    "while :; do head -c 15000 /dev/zero | socat -u -b 100 - UDP:$(guest_ip 1):9999 2>/dev/null; sleep 0.1; done"
FLOOD=$BG
ok 'the reaction fails without one, and says why' wait_for 10 \
    dos_is 1 '[.history[] | select(.what == "second-team failed")][0].why' 'its team has no reserve_members, nor any of second_team_members'
background_end "$FLOOD"
like 'without one nobody fails over' "$(ctl dos failover 1.0 2>&1)" 'no reserve_members'
ok 'guest 1 reaches the network at the end' reaches 1 "$OUTSIDE_IP"
ok 'the daemon lives' daemon_alive
done_testing

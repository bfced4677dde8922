#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What people and monitoring see while things happen: events, the chain of decisions for a guest's frames, tables of all VMs, counters
# by HTTP. Each is compared with what was done.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
net_enter "$@"
net_up
box_start
team_set members 'nic0 nic1'
team_set mode active-backup
daemon_start
ok 'guest 1 is up' guest_up 1
ok 'guest 2 is up' guest_up 2
ok 'guest 1 reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"

# ---- events

# event KIND WHO NEW: such an event is there.
event() {
    ctl --json events | jq -se --arg kind "$1" --arg who "$2" --arg new "$3" \
        'any(.[]; .kind == $kind and .who == $who and .new == $new)'
}
ok 'events: the team came' event team '' present
ok 'events: its members joined' event member nic1 member
ok 'events: a link came up' event member nic0 active
ok 'events: a guest connected' event vif vif1.0 connected
"$XENBACKCTL" events --follow --json >"$DIR/follow.json" 2>"$DIR/follow.log" &
FOLLOW=$!
carrier_cut 0
ok 'events: a cut link is one' wait_for 5 event member nic0 down
ok 'events: and the other member takes over' wait_for 5 event active '' nic1
team_set failback_hold 1s
ok 'events: a key changed' wait_for 5 event config failback_hold 1s
is 'events: and what it was before is told' "$(ctl --json events | jq -r 'select(.who == "failback_hold").old')" 5s
team_set mode slow
ok 'events: a wrong value is refused' wait_for 5 event error '' refused
team_set mode active-backup
ok 'events: and right again' wait_for 5 event error '' valid
carrier_back 0
ok 'events: back again' wait_for 10 event active '' nic0
is 'events: numbers are in order' "$(ctl --json events | jq -s 'map(.number) == (map(.number) | unique)')" true
like 'events: for people' "$(ctl events)" 'warning  team0     member  nic0: active -> down \(link down'
ok 'events: --follow saw all of it' wait_for 5 grep -q '"kind":"active".*"new":"nic0"' "$DIR/follow.json"
kill "$FOLLOW"
wait "$FOLLOW" 2>/dev/null
is 'events: --follow is JSON lines, none twice' "$(jq -s 'map(.number) == (map(.number) | unique)' "$DIR/follow.json")" true
is 'events: --since a moment ago: none' "$(sleep 0.3; ctl --json events --since=100ms)" ''
like 'events: --since: a wrong time is refused' "$(ctl events --since=soon 2>&1 || echo "status $?")" 'since: "soon".*status 2'
mirror() { store_read "/local/domain/0/xenback/status/events/$1"; }
mirrored() { [[ $(mirror "$(($(mirror last) % 16))" | jq .number) == "$(ctl --json events | tail -n 1 | jq .number)" ]]; }
ok 'events: the newest is in xenstore' wait_for 5 mirrored

# ---- explain vm

# explained GUEST JQ-CONDITION: some frame of its trace is so.
explained() { ctl --json explain vm "$1/0" | jq -e "any(.frames[]; $2)" >/dev/null; }
# while_pinging GUEST ADDRESS COMMAND...: the guest talks meanwhile.
while_pinging() {
    local guest=$1 address=$2 rc=0
    shift 2
    in_guest "$guest" ping -q -i 0.05 "$address" >/dev/null 2>&1 &
    local pid=$!
    "$@" || rc=$?
    kill "$pid"
    wait "$pid" 2>/dev/null
    return "$rc"
}
ok 'explain vm: sent, by the active member' while_pinging 1 "$OUTSIDE_IP" wait_for 5 explained 1 \
    '.direction == "tx" and .result == "sent" and .member == "nic0" and (.chain | any(test("member: nic0, the active member")))'
ok 'explain vm: the flow is named' explained 1 ".flow == \"$(guest_ip 1) > $OUTSIDE_IP icmp\""
ok 'explain vm: the answers were delivered' explained 1 \
    '.direction == "rx" and .result == "delivered" and (.chain | any(. == "from: nic0"))'
ok 'explain vm: to another guest' while_pinging 1 "$(guest_ip 2)" wait_for 5 explained 1 \
    '.result == "local" and (.chain | any(. == "switch: to vif2.0"))'
in_guest 1 ip link add link eth0 name spoof type macvlan mode bridge
in_guest 1 ip addr add 10.77.0.99/24 dev spoof
in_guest 1 ip link set spoof up
in_guest 1 ping -q -c 3 -i 0.1 -W 1 -I spoof "$OUTSIDE_IP" >/dev/null 2>&1
in_guest 1 ip link del spoof
ok 'explain vm: spoofed frames, all of them' wait_for 5 explained 1 '.result == "dropped-spoofed"'
team_set mode hash
ok 'mode hash' wait_for 5 event config mode hash
ok 'explain vm: by a bucket of the mode' while_pinging 1 "$OUTSIDE_IP" wait_for 5 explained 1 \
    '.result == "sent" and (.chain | any(test("member: nic[01], where bucket [0-9]+ of mode hash is")))'
UUID=$(store_read /local/domain/1/vm) UUID=${UUID##*/}
store_write "/local/domain/0/xenback/vm/$UUID/vif/0/pin" nic1
ok 'explain vm: bound to a NIC, and why' while_pinging 1 "$OUTSIDE_IP" wait_for 5 explained 1 \
    '.member == "nic1" and (.chain | any(test("the guest is bound to it: the first of its list")))'
ok 'events: the guest moved' event move vif1.0 nic1
TEXT=$(ctl explain vm 1)
like 'explain vm: for people' "$TEXT" '^vif1\.0.*: team team0, mode hash'
like 'explain vm: with the keys that are set' "$TEXT" 'keys set: pin nic1'
like 'explain vm: and the chain' "$TEXT" 'sent on nic1.*switch: to the team.*member: nic1'
carrier_cut 0
carrier_cut 1
members_down() { [[ $(ctl --json team show team0 | jq -r '[.members[].state] | unique | join(" ")') == down ]]; }
ok 'all links are cut' wait_for 5 members_down
# A neighbour that does not answer would keep the guest silent.
in_guest 1 ip neigh replace 10.77.0.77 lladdr 02:00:00:00:00:77 dev eth0
ok 'explain vm: nobody could take it' while_pinging 1 10.77.0.77 wait_for 5 explained 1 '.result | test("no-member|waits")'
carrier_back 0
carrier_back 1
like 'explain vm: a domain that is not there' "$(ctl explain vm 9 2>&1 || echo "status $?")" 'domain 9 has no interface here.*status 1'
like 'explain vm: what is no domain' "$(ctl explain vm /0 2>&1 || echo "status $?")" 'status 2'

ok 'the daemon lives' daemon_alive
done_testing

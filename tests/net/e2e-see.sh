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
export XENBACK_HOOKS=$DIR/hooks
mkdir -m 700 "$XENBACK_HOOKS"
printf '#!/bin/sh\ncat >>%s/hooked\n' "$DIR" >"$XENBACK_HOOKS/mail-me"
chmod 700 "$XENBACK_HOOKS/mail-me"
team_set event_hook mail-me
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

# hooked KIND WHO NEW: the program was told of such an event.
hooked() { jq -se --arg kind "$1" --arg who "$2" --arg new "$3" 'any(.[]; .kind == $kind and .who == $who and .new == $new)' <"$DIR/hooked"; }
ok 'events: the hook heard of the cut link' wait_for 5 hooked member nic0 down
ok 'events: and of the other member' wait_for 5 hooked active '' nic0
team_set event_hook ../mail-me
ok 'events: a hook elsewhere is refused' wait_for 5 error_is /local/domain/0/xenback/team/team0 'event_hook: "\.\./mail-me": allowed is'
team_set event_hook ''
ok 'events: none is none' wait_for 5 no_error /local/domain/0/xenback/team/team0
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
vif_set 1 pin nic1
ok 'explain vm: bound to a NIC, and why' while_pinging 1 "$OUTSIDE_IP" wait_for 5 explained 1 \
    '.member == "nic1" and (.chain | any(test("the guest is bound to it: the first of its list")))'
ok 'events: the guest moved' event move vif1.0 nic1
TEXT=$(ctl explain vm 1)
like 'explain vm: for people' "$TEXT" '^vif1\.0.*: team team0, mode hash'
like 'explain vm: with the keys that are set' "$TEXT" 'keys set: pin nic1'
like 'explain vm: and the chain' "$TEXT" 'sent on nic1.*switch: to the team.*member: nic1'
vif_set 1 rate 1Mbit
ok 'events: a limit changed' wait_for 5 event config 'vif1.0 rate' 1Mbit
limited() {
    in_guest 1 ping -q -f -s 1400 -w 1 "$OUTSIDE_IP" >/dev/null 2>&1
    explained 1 '.result == "waits" and (.chain | any(test("schedule: .*queued-average")))'
}
ok 'explain vm: held back by its limit' wait_for 10 limited
ok 'explain vm: by which rule a frame went' explained 1 '.result == "sent" and (.chain | any(test("schedule: .*sent-")))'
xenstore-rm "$(policy_dir 1)/rate"
vif_set 1 rx_avg 1Mbit
vif_set 1 rx_burst 10000
limited_in() {
    in_outside ping -q -f -s 1400 -w 1 "$(guest_ip 1)" >/dev/null 2>&1
    explained 1 '.direction == "rx" and .result == "waits" and (.chain | any(test("queue: .*queued-average")))'
}
ok 'explain vm: what comes in is held back by its limit' wait_for 10 limited_in
xenstore-rm "$(policy_dir 1)/rx_burst"
xenstore-rm "$(policy_dir 1)/rx_avg"

# ---- tables and metrics

is 'vm show: both guests' "$(ctl --json vm show | jq -r 'map(.vm) | sort | join(" ")')" 'guest1 guest2'
is 'vm show: what was lost' "$(ctl --json vm show | jq '.[] | select(.vif == "vif1.0") | .lost > 0')" true
like 'vm show: for people' "$(ctl vm show)" 'VM +VIF.*guest1 +vif1\.0 +Connected +team0 +nic1.*tx-spoofed.*pin nic1'
in_guest 2 ping -q -i 0.02 "$OUTSIDE_IP" >/dev/null 2>&1 &
PING=$!
TOP=$(ctl top --batch)
sed 's/^/# /' <<<"$TOP"
like 'top --batch: NICs' "$TOP" 'nic1 +team0 +hash +active'
like 'top --batch: VMs' "$TOP" 'guest1 +vif1\.0'
ok 'top --batch: the guest that sends has a rate' awk '$1 == "guest2" && $6 !~ /^0$/ { found = 1 } END { exit !found }' <<<"$TOP"
is 'top --json: the team' "$(ctl --json top | jq -r '.[0].name')" team0
like 'top: without a terminal it says what to do' "$(ctl top 2>&1 </dev/null || echo "status $?")" 'no terminal; --batch.*status 2'
if command -v script >/dev/null; then
    # Its screen as bytes: sorted, one team, another size, and the terminal is given back.
    (sleep 1.5; printf 'd'; sleep 0.5; printf '\t'; sleep 0.5; printf 'q') |
        TERM=xterm COLUMNS=80 LINES=24 timeout 20 script -qec "stty rows 24 cols 80; '$XENBACKCTL' top; echo status=\$?" "$DIR/typescript" >/dev/null 2>&1
    SCREEN=$(tr -d '\r' <"$DIR/typescript")
    like 'top: draws NICs and VMs' "$SCREEN" 'NICs up.*guest2'
    like 'top: q ends it' "$SCREEN" 'status=0'
    like 'top: the terminal is given back' "$SCREEN" $'\033\\[\\?1049l'
else
    skip 'top on a terminal' 'no script(1)'
fi
kill "$PING"
wait "$PING" 2>/dev/null
METRICS=$(ctl metrics)
ok 'metrics: valid OpenMetrics' "$BUILD/tests/unit/openmetrics-stdin" <<<"$METRICS"
like 'metrics: a NIC' "$METRICS" 'xb_member_up\{team="team0",member="nic1"\} 1'
like 'metrics: losses by reason' "$METRICS" 'xb_vif_lost_frames_total\{team="team0",vif="vif1\.0",reason="tx-spoofed"\} [1-9]'
no_lines 'the dashboard names metrics that exist' "$(
    comm -23 <(jq -r '.. | .expr? // empty' "$SRC/tools/grafana-xenback.json" | grep -oE '\bxb_[a-z0-9_]+' | LC_ALL=C sort -u) \
        <(awk '$2 == "TYPE" { print $3 ($4 == "counter" ? "_total" : "") }' <<<"$METRICS" | LC_ALL=C sort -u))"
"$XENBACKCTL" metrics --listen=127.0.0.1:9717 >"$DIR/exporter.log" 2>&1 &
EXPORTER=$!
scrape() { curl -sf -o "$DIR/scrape" -D "$DIR/headers" http://127.0.0.1:9717/metrics; }
ok 'metrics: by HTTP' wait_for 10 scrape
like 'metrics: by HTTP: the type of the content' "$(tr -d '\r' <"$DIR/headers")" 'application/openmetrics-text; version=1\.0\.0; charset=utf-8'
ok 'metrics: by HTTP: valid' "$BUILD/tests/unit/openmetrics-stdin" <"$DIR/scrape"
is 'metrics: another page is not there' "$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:9717/)" 404
is 'metrics: nothing can be sent' "$(curl -s -o /dev/null -w '%{http_code}' -d x http://127.0.0.1:9717/metrics)" 405
like 'metrics: the port is taken: says so' "$(ctl metrics --listen=127.0.0.1:9717 2>&1 || echo "status $?")" 'cannot listen on 127.0.0.1:9717.*status 1'
kill "$EXPORTER"
wait "$EXPORTER"
is 'metrics: the exporter ends in good order' "$?" 0

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

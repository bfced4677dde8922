#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest is flooded from outside: the alarm comes with its reason, a hook is told, the limit begins and ends with the attack, and
# the guest beside it notices nothing. A dry run does nothing. Profiles, signatures and names of profiles are changed while traffic
# runs, and mistakes are refused.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
net_enter "$@"
net_up
box_start

# What a hook gets, a file an alarm.
export XENBACK_HOOKS=$DIR/hooks
mkdir -m 700 "$XENBACK_HOOKS"
printf '#!/bin/sh\ncat >%s/part.$$ && mv %s/part.$$ %s/told.$$\n' "$DIR" "$DIR" "$DIR" >"$XENBACK_HOOKS/tell"
# told FILTER: what jq makes of all that was told about guest 1.
told() { cat "$DIR"/told.* 2>/dev/null | jq -rs "map(select(.vif == \"vif1.0\")) | $1"; }
told_is() { [[ $(told "$1") == "$2" ]]; }
chmod 700 "$XENBACK_HOOKS/tell"

PROFILES=/local/domain/0/xenback/dos
profile_set() { store_write "$PROFILES/strict/$1" "$2"; }
team_set members 'nic0 nic1'
daemon_start
ok 'guest 1 is up' guest_up 1
ok 'guest 2 is up' guest_up 2
ok 'guest 1 reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"
ok 'guest 2 reaches the network' wait_for 10 reaches 2 "$OUTSIDE_IP"

dos_like() { [[ $(dos "$1" "$2") =~ $3 ]]; }
counter() { ctl --json vif show "$1.0" | jq -r ".counters.$2"; }

# flood TENTHS PACKETS: UDP of 100 bytes to a closed port of guest 1, so many every tenth of a second.
flood() {
    local i
    for ((i = 0; i < $1; i++)); do
        head -c $(($2 * 100)) /dev/zero | in_outside socat -u -b 100 - "UDP:$(guest_ip 1):9999" 2>/dev/null
        sleep 0.1
    done
}

ok 'guests are watched by default' dos_is 1 .state calm
flood 5 20
is 'and some traffic is no attack' "$(dos 1 '.history | length')" 0

# Fixed and low, so that a small flood is one: 150 packets a second that nobody answers.
for setting in 'mode fixed' 'alarm_n 1' 'alarm_m 1' 'clear_time 2s' 'to_unanswered 150' 'to_closed none' 'hook yes' 'hook_program tell'; do
    profile_set "${setting% *}" "${setting##* }"
done
ok 'a mistake in a profile is refused' wait_for 5 error_is "$PROFILES/strict" 'to_closed'
profile_set to_closed 0
ok 'and the error goes with it' wait_for 5 no_error "$PROFILES/strict"
team_set dos strict
ok 'the profile is taken over live' wait_for 5 dos_is 1 '.meters[] | select(.direction == "to-guest" and .metric == "unanswered") | .threshold' 150
flood 15 150
ok 'the flood is an attack' wait_for 5 dos_is 1 '.alarms | join(" ")' 'unanswered in'
like 'its history says why' "$(dos 1 '.history[0].why')" 'packets/s, threshold 150; most from 10\.77\.0\.1'
ok 'the guest beside is calm' dos_is 2 .state calm
is 'and nothing was noted about it' "$(dos 2 '.history | length')" 0
like 'the log tells' "$(<"$DIR/netback-team.log")" 'vif1\.0: attack on the guest: unanswered: [0-9]+ packets/s, threshold 150; most from 10\.77\.0\.1 \([0-9]+ %\), to port 9999'
ok 'the hook was run' wait_for 5 told_is length 1
is 'with the alarm' "$(told '.[0] | [.event, .alarm, .peers[0].address] | join(" ")')" 'raised unanswered 10.77.0.1'
like 'events have it' "$(ctl events)" 'attack on it raised: unanswered'
like 'dos show tells people' "$(ctl dos show)" 'vif1\.0 +team0 +attack +unanswered in'
ok 'it ends with the flood' wait_for 15 dos_is 1 .state calm
ok 'the hook is told of the end' wait_for 5 told_is 'map(.event) | sort | join(" ")' 'cleared raised'

# The limit, while guest 2 talks to the outside.
profile_set limit yes
profile_set limit_pps 50
(flood 40 150) &
FLOOD=$!
ok 'the limit begins' wait_for 10 dos_is 1 '.reactions | map(.action) | join(" ")' limit
in_guest 2 ping -q -c 50 -i 0.01 -W 2 "$OUTSIDE_IP" >"$DIR/ping.log"
# One of 50 was lost once, beside a busy machine, and not by the daemon's counters: those are judged to the frame.
PONGS=$(grep -oE '[0-9]+ received' "$DIR/ping.log")
diag "the guest beside: 50 pings, $PONGS"
is 'of the guest beside nothing is dropped' "$(ctl --json vm show | jq '[.[] | select(.vif == "vif2.0") | .lost] | add')" 0
ok 'and it has its answers' test "${PONGS% *}" -ge 45
ok 'the attack goes on being seen' dos_is 1 .state attack
wait "$FLOOD"
ok 'the limit dropped frames of the flood' test "$(counter 1 rx_limited)" -gt 500
is 'and none of the guest beside' "$(counter 2 rx_limited)" 0
store_write "$PROFILES/strict/limit_min" 0
ok 'the limit ends after the attack' wait_for 20 dos_is 1 '.reactions | length' 0
ok 'guest 1 reaches the network' wait_for 5 reaches 1 "$OUTSIDE_IP"

# What the host has to do: nobody serves it here, and that is told.
profile_set pause yes
profile_set pause_when to-guest
profile_set pause_after 0
profile_set limit no
flood 15 150
ok 'a pause that nobody carries out is told' wait_for 10 dos_like 1 '.history | map(.what) | join(",")' 'pause failed'
profile_set pause no
# The second in which the flood ended is not over: it is no attack again.
profile_set to_unanswered 1000000
ctl dos clear 1.0 >"$DIR/clear"
like 'dos clear' "$(<"$DIR/clear")" 'alarms and reactions ended'
is 'and nothing is under way' "$(dos 1 '.state + (.reactions | length | tostring)')" calm0
profile_set to_unanswered 150

# A dry run, by a profile of the guest's own.
store_write "$PROFILES/try/mode" fixed "$PROFILES/try/alarm_n" 1 "$PROFILES/try/alarm_m" 1 "$PROFILES/try/to_unanswered" 150 \
    "$PROFILES/try/limit" yes "$PROFILES/try/limit_pps" 10 "$PROFILES/try/dry_run" yes
vif_set 1 dos nosuch
ok 'an unknown profile is refused' wait_for 5 error_is "$(policy_dir 1)" 'dos: "nosuch"'
vif_set 1 dos try
ok "the guest's own profile counts" wait_for 5 dos_is 1 .dry_run true
BEFORE=$(counter 1 rx_limited) TOLD=$(told length)
flood 15 150
ok 'dry run: the limit would begin' wait_for 5 dos_like 1 '.history | map(.what) | join(",")' 'limit taken'
is 'dry run: nothing is dropped' "$(counter 1 rx_limited)" "$BEFORE"
is 'dry run: nobody is told' "$(told length)" "$TOLD"

# Signatures.
RULE='alert udp any any -> any 9999 (msg:"zeros"; content:"|00 00 00 00|"; threshold:pps 100;'
printf '%s\n' "$RULE" >"$DIR/rules"
team_set dos_signatures "$DIR/rules"
ok 'a wrong rule is refused' wait_for 5 error_is /local/domain/0/xenback/team/team0 'dos_signatures: .*line 1, column'
printf '%s)\n' "$RULE" >"$DIR/rules"
team_set dos_signatures "$DIR/rules"
vif_set 1 dos ''
ok 'a good one is not' wait_for 5 no_error /local/domain/0/xenback/team/team0
flood 15 150
ok 'its alarm has its name' wait_for 5 dos_like 1 '.alarms | join(",")' zeros

# The same file with other rules: read again when told to, and a mistake in it changes nothing.
printf '%s)\n' "${RULE/zeros/nulls}" >"$DIR/rules"
kill -HUP "$DAEMON_PID"
flood 15 150
ok 'reload: the alarm has its new name' wait_for 10 dos_like 1 '.alarms | join(",")' nulls
printf '%s\n' "$RULE" >"$DIR/rules"
kill -HUP "$DAEMON_PID"
ok 'reload: a mistake is told' wait_for 5 error_is /local/domain/0/xenback/team/team0 'dos_signatures: .*line 1, column'
ok 'reload: the alarm ends' wait_for 15 dos_is 1 .state calm
flood 15 150
ok 'reload: the old rules stay' wait_for 10 dos_like 1 '.alarms | join(",")' nulls

vif_set 1 dos off
ok 'off: nobody watches' wait_for 5 dos_is 1 .state off
ok 'guest 1 reaches the network at the end' wait_for 5 reaches 1 "$OUTSIDE_IP"
ok 'the daemon lives' daemon_alive
done_testing

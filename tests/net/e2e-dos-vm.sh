#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Reactions that are done to the guest itself, by the service: an attack pauses it through socket, rules, ledger and helper; its time,
# the end of the attack, or that of the last of several attacks lets it go on; migrate calls xl. What the service refuses is told.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
. "$SRC/tests/net/vmctl.sh"
net_enter "$@"
net_up
box_start
vmctl_prepare

# Here, a guest that is paused does stand still.
stand_still() {
    local was=0 now
    while sleep 0.05; do
        now=$(pauses 1)
        if [[ $now && $now != "$was" ]]; then
            if ((now)); then kill -STOP "${GUEST_PID[1]}"; else kill -CONT "${GUEST_PID[1]}"; fi
            was=$now
        fi
    done
}
reasons_are() { [[ $("$VMCTL" --json list | jq -r '.[] | select(.domid == 1) | .reasons | sort | join(" ")') == "$1" ]]; }
rules() { vmctl_rules '[vmctl]' 'migrate_to = *.lan' 'times = 1000' "$@"; }

PROFILES=/local/domain/0/xenback/dos
setting() { store_write "$PROFILES/$1/$2" "$3"; }
# n_events EVENT [DEVID]: how often it is in the history of that interface of guest 1. happened EVENT TIMES
n_events() { dos 1 "[.history[] | select(.what == \"$1\")] | length" "${2:-0}"; }
happened() { (($(n_events "$1") >= $2)); }
calm() { dos_is 1 .state calm; }
reset() {
    wait_for 20 calm
    ctl dos clear 1.0 >/dev/null
}

# flood SECONDS ADDRESS: UDP to a closed port, 1500 packets a second, in the background; FLOOD is its process.
flood() {
    background timeout "$1" ip netns exec outside bash -c \
        "while :; do head -c 15000 /dev/zero | socat -u -b 100 - UDP:$2:9999 2>/dev/null; sleep 0.1; done"
    FLOOD=$BG
}
flood_end() { background_end "$FLOOD"; }

team_set members 'nic0 nic1'
daemon_start
ok 'guest 1 is up' guest_up 1
ok 'guest 2 is up' guest_up 2
ok 'guest 1 reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"
ok 'guest 2 reaches the network' wait_for 10 reaches 2 "$OUTSIDE_IP"
# A guest that stands still answers no ARP, and the flood is to go on.
neighbour() { ip -n outside neigh replace "$1" lladdr "$2" dev eth0 nud permanent; }
neighbour "$(guest_ip 1)" "$(guest_mac 1)"

vm_add 1 web1 "$(uuid_of 1)"
vm_add 2 web2 "$(uuid_of 2)"
rules '[vm web*]' 'allow = pause migrate' 'max_pause = 60s' 'times = 100' 'interval = 1s'
ok 'the service runs' vmctl_start
background stand_still
WATCHER=$BG
for one in 'mode fixed' 'alarm_n 1' 'alarm_m 1' 'clear_time 1s' 'to_pps 60' \
    'pause yes' 'pause_when to-guest' 'pause_after 0' 'pause_min 0' 'pause_max 8s' 'pause_times 1'; do
    setting strict "${one% *}" "${one##* }"
    setting long "${one% *}" "${one##* }"
done
team_set dos strict
ok 'the guest is watched' wait_for 10 calm

# A pause that its time ends.
flood 40 "$(guest_ip 1)"
ok 'an attack pauses the guest' wait_for 10 paused 1
like 'the service says for whom' "$("$VMCTL" list)" 'web1 .* paused, goes on in [0-9]+ s; paused by vif1\.0'
ok 'it stands still' wait_for 5 eval '! reaches 1 "$OUTSIDE_IP"'
ok 'the guest beside does not' reaches 2 "$OUTSIDE_IP"
is 'and is not paused' "$(pauses 2)" 0
ok 'its time ends the pause' wait_for 20 not_paused 1
is 'while the attack goes on' "$(dos 1 .state)" attack
ok 'both are in the history' happened 'pause undone' 1
is 'begin and end, once' "$(n_events 'pause taken') $(n_events 'pause undone') $(n_events 'pause failed')" '1 1 0'
ok 'a second pause is held back' wait_for 10 happened 'pause held-back' 1
ok 'the guest goes on' wait_for 10 not_paused 1
flood_end
ok 'the attack ends' reset
ok 'guest 1 reaches the network again' wait_for 10 reaches 1 "$OUTSIDE_IP"

# One that ends with the attack.
setting strict pause_interval 1s
setting strict pause_times 16
setting strict pause_max 60s
flood 20 "$(guest_ip 1)"
ok 'the next attack pauses it, too' wait_for 10 paused 1
flood_end
ok 'until it is over' wait_for 10 not_paused 1
is 'no pause failed' "$(n_events 'pause failed')" 0

# The operator ends it.
reset
flood 20 "$(guest_ip 1)"
ok 'it is paused again' wait_for 10 paused 1
ctl dos clear 1.0 >/dev/null
ok 'dos clear lets it go on' wait_for 5 not_paused 1
flood_end
setting strict pause no
ok 'nothing of it stays' wait_for 10 not_paused 1
reset

# Two interfaces of one guest under attack: it stands still until both are at peace.
SECOND_MAC=00:16:3e:00:01:01
ip -n outside addr add 10.77.1.1/24 dev eth0
vif_set 1 dos long 1
ok 'a second interface' guest_attach 1 devid=1 mac="$SECOND_MAC"
ok 'is connected' wait_for 20 store_is "$(backend_dir 1 1)/state" 4
ok 'and is there' wait_for 10 ip -n guest1 link show eth1
ip -n guest1 addr add 10.77.1.11/24 dev eth1
ip -n guest1 link set eth1 up
neighbour 10.77.1.11 "$SECOND_MAC"
ok 'it reaches the network' wait_for 10 reaches 1 10.77.1.1
# What else this machine does makes holes in the flood, which are no end of the attack.
for one in 'clear_time 3s' 'pause_interval 1s' 'pause_times 16' 'pause_max 60s'; do setting long "${one% *}" "${one##* }"; done
setting strict pause_max 5s
setting strict pause_min 5s
ctl dos clear 1.1 >/dev/null
setting strict pause yes
flood 60 10.77.1.11
OTHER=$FLOOD
ok 'an attack on the second one' wait_for 10 paused 1
flood 60 "$(guest_ip 1)"
ok 'and one on the first are two reasons' wait_for 10 reasons_are 'vif1.0 vif1.1'
ok 'the time of one is up, the other one stays' wait_for 10 reasons_are vif1.1
is 'the guest stands still' "$(pauses 1)" 1
flood_end
FLOOD=$OTHER
flood_end
ok 'it goes on when the last one is over' wait_for 15 not_paused 1
is 'nothing failed' "$(n_events 'pause failed')$(n_events 'pause failed' 1)" 00
vif_set 1 dos off 1
reset

# What the rules do not allow, and what is too often.
setting strict pause_min 0
setting strict pause_max 2s
rules '[vm db]' 'allow = pause'
flood 5 "$(guest_ip 1)"
ok 'a guest without rules is not paused' wait_for 10 happened 'pause failed' 1
ok 'and that is told' wait_for 5 events_say 'refused by xenback-vmctl.*not allowed, no section \[vm GUEST\]'
flood_end
is 'it goes on' "$(pauses 1)" 0
reset
rules '[vm web*]' 'allow = pause' 'times = 1' 'interval = 3600s'
flood 10 "$(guest_ip 1)"
ok 'once is allowed' wait_for 10 paused 1
ok 'its time ends it' wait_for 10 not_paused 1
ok 'a second time is too often' wait_for 10 events_say 'too often \(times and interval of'
flood_end
setting strict pause no
reset
is 'nobody is left paused' "$(pauses 1)$(pauses 2)" 00

# Migration. How often something was done, a new service does not know.
vmctl_end
rules '[vm web*]' 'allow = pause migrate' 'times = 100' 'interval = 1s'
ok 'the service runs again' vmctl_start
for one in 'migrate_after 0' 'migrate_times 16' 'migrate_interval 1s' 'migrate_host evil.net' 'migrate yes'; do
    setting strict "${one% *}" "${one##* }"
done
flood 5 "$(guest_ip 1)"
ok 'a host that the rules do not name is refused' wait_for 10 events_say '"evil\.net" is not allowed by .migrate_to.'
flood_end
reset
setting strict migrate_host away.lan
flood 5 "$(guest_ip 1)"
ok 'what xl says is told' wait_for 10 events_say 'migrate: xl failed \(3\): libxl: error: ssh: connect to host away\.lan'
flood_end
reset
ok 'the guest is still here' reaches 1 "$OUTSIDE_IP"
setting strict migrate_host b.lan
flood 5 "$(guest_ip 1)"
ok 'the guest is migrated' wait_for 10 eval '[[ ! -e $VMCTL_DOUBLE/guests/1 ]]'
flood_end
is 'xl was called with these words' "$(sort -u "$VMCTL_DOUBLE/calls" | paste -sd '|')" 'migrate 1 away.lan|migrate 1 b.lan'

background_end "$WATCHER"
vmctl_end
ok 'the daemon lives' daemon_alive
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A team that has lost a member and is too small now: guests that may be paused for that are, by the service, the lowest priority first,
# until the member is back, or their time is over. Who did not agree is left alone, and so are all while nobody has to wait.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
. "$SRC/tests/net/vmctl.sh"
net_enter "$@"
net_up
box_start
vmctl_prepare

all_pauses() { printf '%s%s%s' "$(pauses 1)" "$(pauses 2)" "$(pauses 3)"; }
pauses_are() { [[ $(all_pauses) == "$1" ]]; }
capacity_is() { figure_is 1 tx .capacity_bps "$1"; }

team_set members 'nic0 nic1'
team_set mode hash
team_set pace 2Mbit
team_set shortage_after 1s
daemon_start
for n in 1 2 3; do
    ok "guest $n is up" guest_up $n
    ok "guest $n reaches the network" wait_for 10 reaches $n "$OUTSIDE_IP"
    vm_add $n web$n "$(uuid_of $n)"
done
vmctl_rules '[vmctl]' 'times = 1000' '[vm web*]' 'allow = pause' 'max_pause = 120s' 'times = 100' 'interval = 1s'
ok 'the service runs' vmctl_start
vif_set 1 priority 3
vif_set 2 priority 2
vif_set 2 shortage_pause 100s
vif_set 3 priority 4
vif_set 3 shortage_pause 100s
ok 'priorities are taken over' wait_for 5 figure_is 3 tx .priority 4

# All send as fast as they can, without an end.
for n in 1 2 3; do
    background in_guest $n socat -u -b 1400 OPEN:/dev/zero "UDP-DATAGRAM:$OUTSIDE_IP:$((7000 + n))"
    SENDER[n]=$BG
done
ok 'with all members' wait_for 10 capacity_is 4000000
sleep 3
is 'full, but nothing is lost: nobody is paused' "$(all_pauses)" 000
carrier_cut 1
ok 'a member is lost' wait_for 5 capacity_is 2000000
ok 'the lowest priority of those who may be is paused' wait_for 20 pauses_are 010
ok 'and then, as that changes nothing, the next one' wait_for 20 pauses_are 011
is 'qos show says so' "$(figure 2 tx .paused_in_shortage) $(figure 2 tx .waits_for)" 'true members'
is 'of the others, too' "$(figure 1 tx .paused_in_shortage)" false
like 'the service says for what' "$("$VMCTL" list)" 'web2 .*paused by vif2\.0:shortage'
ok 'it is an event' events_say 'vif2\.0.*paused.*members are lost'
carrier_back 1
ok 'the member is back: all go on' wait_for 10 pauses_are 000
ok 'which is an event' events_say 'vif2\.0.*goes on'
is 'and told' "$(figure 2 tx .paused_in_shortage)" false

# The daemon dies meanwhile, and its successor finds all members there.
carrier_cut 1
ok 'lost once more: paused' wait_for 20 pauses_are 011
daemon_kill
carrier_back 1
daemon_start
ok 'a successor: all go on' wait_for 10 pauses_are 000
ok 'with all members' wait_for 10 capacity_is 4000000

# Its time, and a key that changes.
vif_set 2 shortage_pause 2s
carrier_cut 1
ok 'lost again: paused again' wait_for 20 pauses_are 010
ok 'its time is over, somebody else is paused' wait_for 20 pauses_are 001
sleep 3
is 'it is not paused again' "$(all_pauses)" 001
vif_set 3 shortage_pause 0
ok 'no longer allowed: it goes on' wait_for 10 pauses_are 000
carrier_back 1
ok 'the member is back' wait_for 5 capacity_is 4000000

# What the service refuses, and who leaves while paused.
vmctl_rules '[vm web3]' 'allow = pause' 'max_pause = 120s' 'times = 100' 'interval = 1s'
vif_set 2 shortage_pause 100s
vif_set 3 shortage_pause 100s
carrier_cut 1
ok 'one is refused, another one is paused instead' wait_for 20 pauses_are 001
ok 'which is told' events_say 'vif2\.0.*refused by xenback-vmctl'
ok 'its interface is taken away' "$XENBOX_XL" network-detach 3 0
ok 'a guest without an interface goes on' wait_for 10 pauses_are 000
for n in 1 2 3; do background_end "${SENDER[n]}"; done
vmctl_end
ok 'the daemon lives' daemon_alive
done_testing

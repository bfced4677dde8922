# SPDX-License-Identifier: GPL-2.0-or-later
# A team that has lost a link and is too small has real Xen pause the guest that may be, until the link is back.
# lab: flavour=fast backend=team timeout=300
# shellcheck shell=bash

vmctl_prepare shortage-pause <<CONF
[vmctl]
save_dir = $LAB_RUN/shortage-pause/save
[vm guest*]
allow = pause
max_pause = $((300 * LAB_PATIENCE))s
times = 100
CONF
needs() { poll "$1" "${@:3}" || { xenbackctl qos show; tail -n 5 "$VMCTL_LOG" "$TEAM_LOG"; fail "$2"; }; }
says_capacity() { xenbackctl --json qos show | grep -q "\"capacity_bps\": *$1\b"; }
events_say() { xenbackctl events | grep -q "$1"; }
# sends NAME: more than the team carries, until the guest ends.
sends() { domu "$1" "iperf3 -c $OUTSIDE4 -p $(iperf_server) -u -b 8M -l 1400 -t 500 >/dev/null 2>&1 &"; }

vmctl_start
trap vmctl_stop EXIT
xenstore-write "$TEAM_TREE/mode" hash "$TEAM_TREE/pace" 2Mbit
for name in guest11 guest12; do
    create_guest $name
    wait_connected $name
    expect "$name reaches the outside host" ping_outside $name
done
uuid=$(xl domid guest12) && uuid=$(xenstore-read "/local/domain/$uuid/vm")
xenstore-write "/local/domain/0/xenback/vm/${uuid##*/}/vif/0/shortage_pause" "$((200 * LAB_PATIENCE))s"
needs 10 "both links count" says_capacity 4000000
sends guest11
sends guest12
expect "both run" eval 'goes_on guest11 && goes_on guest12'
hostctl set_link nic1 off
needs 10 "half of the capacity is lost" says_capacity 2000000
needs 30 "Xen says that the guest that may be is paused" paused guest12
expect "the other one is not" goes_on guest11
needs 10 "it is an event" events_say 'paused.*members are lost'
hostctl set_link nic1 on
needs 20 "the link is back: it goes on" goes_on guest12
needs 10 "which is an event, too" events_say 'goes on'
expect "it answers" poll 30 guest_answers guest12
at_most "$(xenback-vmctl list | grep -c 'paused by' || true)" 0 "pauses left behind"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Patterns in the key `members`: interfaces join when they appear, never those of another team, nor what cannot be a member.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
net_enter "$@"
net_up
box_start
team_set members 'nic[0-9]:150'
daemon_start
members() { ctl --json team show "${1:-team0}" | jq -r '[.members[].name] | sort | join(" ")'; }
members_are() { [[ $(members "${2:-team0}") == "$1" ]]; }
member_up() { ctl team show team0 | grep -w "$1" | grep -qE 'active|standby'; }
error_of() { store_read "/local/domain/0/xenback/team/$1/error"; }
has_error() { [[ -n $(error_of "$1") ]]; }

ok 'what matches at the start joins' wait_for 10 members_are 'nic0 nic1'
ok 'guest 1 is up' guest_up 1
ok 'it reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"
nic_add 2
ok 'a new interface joins' wait_for 10 members_are 'nic0 nic1 nic2'
ok 'and works' wait_for 10 member_up nic2
ip link del nic0
ok 'one that vanishes leaves' wait_for 10 members_are 'nic1 nic2'
ok 'the guest is served' wait_for 10 reaches 1 "$OUTSIDE_IP"
nic_add 0
ok 'one that returns joins' wait_for 10 members_are 'nic0 nic1 nic2'

# The other team names nic3, and wants all that begins with nic.
team_set members 'nic3 nic*' other
ok 'another team' wait_for 10 ctl team show other
nic_add 3
ok 'a name counts more than a pattern' wait_for 10 members_are nic3 other
sleep 1
is 'and no team takes what another one has' "$(members)" 'nic0 nic1 nic2'
ip link add nic4 type bridge
ip link add nic5 type veth peer name far5
ip addr add 10.99.0.1/24 dev nic5
nic_add 6
ok 'another interface joins' wait_for 10 members_are 'nic0 nic1 nic2 nic6'
is 'but no bridge, and none with an address of the host' "$(members)" 'nic0 nic1 nic2 nic6'
is 'which is no error' "$(error_of team0)" ''
ip addr flush dev nic5
ip link set nic5 up
ok 'without its address it joins' wait_for 10 members_are 'nic0 nic1 nic2 nic5 nic6'

team_set members nic3 other
MAC=$(cat /sys/class/net/nic1/address)
team_set members "mac:$MAC:7"
ok 'by its MAC' wait_for 10 members_are nic1
ok 'the guest is served' wait_for 10 reaches 1 "$OUTSIDE_IP"
ip link add nic7 type veth peer name sw7 netns switch
ok 'add a pattern' ctl team add team0 'mac:02:00:00:00:00:07'
ip link set nic7 address 02:00:00:00:00:07
ok 'one that gets the MAC joins' wait_for 10 members_are 'nic1 nic7'
ok 'remove a pattern' ctl team remove team0 'mac:02:00:00:00:00:07'
ok 'and it has left' wait_for 5 members_are nic1
team_set members 'pci:0000:3b:*'
ok 'nothing is on that bus' wait_for 10 members_are ''
is 'which is no error' "$(error_of team0)" ''
team_set members 'pci:0000:3b'
ok 'a bad pattern is an error' wait_for 5 has_error team0
like 'that names it and what is allowed' "$(error_of team0)" 'pci:0000:3b.*allowed are.*pci:DOMAIN:BUS'

# ---- what stands behind a member ----
member() { ctl --json team show team0 | jq -r --arg nic "$1" --arg field "$2" '.members[] | select(.name == $nic) | .[$field]'; }
member_is() { [[ $(member "$1" "$2") == "$3" ]]; }
team_set mode hash
team_set members 'nic0/weight=3/speed=2500Mbit nic[1]/weight=1'
ok 'weight: buckets go by it' wait_for 10 member_is nic0 buckets 192
is 'weight: the map of buckets agrees' "$(ctl --json team show team0 | jq '.distribution.bucket_map | map(select(. == "nic0")) | length')" 192
ok 'weight: the pattern has the rest' member_is nic1 buckets 64
is 'weight: it is shown' "$(member nic0 weight)" 3
is 'speed: what was set counts' "$(member nic0 speed_used_mbps)" 2500
ok 'speed: the other one has its own' test "$(member nic1 speed_used_mbps)" != 2500
team_set members 'nic0/weight=1 nic[1]/weight=1'
ok 'weight: changed live' wait_for 10 member_is nic0 buckets 128
ok 'speed: back to what the driver tells' test "$(member nic0 speed_used_mbps)" != 2500
team_set members 'nic0/weight=101 nic1'
ok 'a weight out of range is an error' wait_for 5 has_error team0
like 'that names it and what is allowed' "$(error_of team0)" 'weight.*101.*1 to 100'
team_set members 'nic0 nic[1]/colour=red'
ok 'so is what nobody knows, behind a pattern, too' wait_for 5 error_is /local/domain/0/xenback/team/team0 colour
is 'both change nothing' "$(member nic0 buckets)" 128
team_set members 'nic0 nic1/weight=2'
ok 'remove: by the name alone' ctl team remove team0 nic1
ok 'remove: it has left' wait_for 5 members_are nic0
ok 'add: with a weight' ctl team add team0 nic1/weight=3
ok 'add: it counts' wait_for 5 member_is nic1 weight 3
team_set members 'nic0 nic1'
ok 'no error is left' wait_for 5 no_error /local/domain/0/xenback/team/team0

# ---- max_links ----
team_set max_links 1
ok 'max_links: one of two stands by' wait_for 5 member_is nic1 state standby
is 'max_links: it says why' "$(member nic1 reason)" 'max_links others are in use'
ok 'max_links: the guest is served' wait_for 10 reaches 1 "$OUTSIDE_IP"
ip -n switch link set sw0 down
ok 'max_links: it comes in when the other one fails' wait_for 5 member_is nic1 state active
ip -n switch link set sw0 up
ok 'max_links: which then stands by' wait_for 5 member_is nic0 state standby
team_set min_links 2
ok 'max_links: fewer than min_links is an error' wait_for 5 has_error team0
like 'max_links: that names both' "$(error_of team0)" 'min_links: 2 is more than max_links, 1'
ok 'the daemon lives' daemon_alive
done_testing

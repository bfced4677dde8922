# SPDX-License-Identifier: GPL-2.0-or-later
# LACP with Linux bonding as the partner: negotiates, carries traffic, survives a cut link, a mute one, and a restart.
# lab: flavour=fast backend=team timeout=300
# shellcheck shell=bash

# A namespace of Dom0 plays the switch: la0 and la1 are the team's, lb0 and lb1 the bond's.
PEER4=10.77.0.200

peer() { ip netns exec peer "$@"; }
bond() { peer cat /proc/net/bonding/bond0; }

peer_up() {
    local i
    modprobe bonding max_bonds=0 || skip "no bonding module"
    ip netns add peer
    ip -n peer link set lo up
    ip -n peer link add bond0 type bond mode 802.3ad lacp_rate fast miimon 50
    for i in 0 1; do
        ip link add "la$i" type veth peer name "lb$i" netns peer
        ip -n peer link set "lb$i" down
        ip -n peer link set "lb$i" master bond0
    done
    ip -n peer addr add "$PEER4/24" dev bond0
    ip -n peer link set bond0 up
}

peer_down() {
    ip netns del peer 2>/dev/null || true
    ip link del la0 2>/dev/null || true
    ip link del la1 2>/dev/null || true
}

# how many links distribute, by our own account and by the partner's
ours() { xenbackctl --json lacp show team0 | grep -c '"mux": *"distributing"'; }
ours_are() { [[ $(ours) == "$1" ]]; }
# 0x3f is 63: all is well, fast
theirs() { bond | grep -c 'port state: 63$'; }
agreed() { ours_are 2 && [[ $(theirs) == 4 ]]; }

# Netfilter between: LACPDUs of one link vanish, its carrier stays.
mute() { peer tc qdisc add dev "$1" clsact && peer tc filter add dev "$1" egress matchall action drop; }
unmute() { peer tc qdisc del dev "$1" clsact; }

ping_peer() { domu "$1" "ping -c 3 -i 0.2 -W 1 -q $PEER4" | grep -q ' 0% packet loss'; }

trap peer_down EXIT
peer_down
peer_up
xenstore-write "$TEAM_TREE/lacp_rate" fast "$TEAM_TREE/members" "la0 la1" "$TEAM_TREE/mode" lacp
create_guest guest11
if ! poll 20 agreed; then
    bond
    xenbackctl lacp show
    fail "both links in use on both sides"
fi
xenbackctl lacp show
expect "guest reaches the peer" poll 10 ping_peer guest11

# A link loses its carrier.
ip -n peer link set lb0 down
expect "la0 is out of use" poll 5 ours_are 1
expect "guest reaches the peer over la1" poll 5 ping_peer guest11
ip -n peer link set lb0 up
expect "both links again" poll 20 agreed

# A link falls silent while its carrier stays: 3 s by LACP.
if mute lb0; then
    expect "the mute link is out of use" poll 8 ours_are 1
    expect "guest reaches the peer over the other one" poll 5 ping_peer guest11
    unmute lb0
    expect "both links once more" poll 20 agreed
else
    log "no tc clsact here: the mute link is left out"
fi

# A successor takes over.
stop_team
start_team
expect "both links after a restart" poll 10 agreed
expect "guest reaches the peer after a restart" poll 10 ping_peer guest11

# Churn, expiries: nothing of it in the end.
bond | grep -i churn || true
destroy_all_guests
stop_team

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# LACP with DPDK's bond: it negotiates, frames go both ways over both links, a link that dies and a partner that freezes are
# noticed, and both come back.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
. "$SRC/tests/net/lacp.sh"
command -v gcc >/dev/null && pkg-config --exists libdpdk 2>/dev/null || skip_all 'DPDK is missing (package dpdk-dev)'
net_enter "$@"
lacp_net_up 2
# shellcheck disable=SC2046 # several options
gcc -O1 -o "$DIR/bondpeer" "$SRC/tests/net/bondpeer.c" $(pkg-config --cflags --libs libdpdk) -lrte_net_bond >"$DIR/gcc.log" 2>&1 ||
    skip_all "a program with DPDK cannot be built: $(head -n 1 "$DIR/gcc.log")"

# Debian 12's DPDK says slave, later ones member.
peer_start() {
    local word=slave
    pkg-config --atleast-version=23.11 libdpdk && word=member
    (exec ip netns exec switch "$DIR/bondpeer" -l 0 --no-huge -m 256 --no-pci --no-telemetry --file-prefix=xb \
        --vdev=net_af_packet0,iface=sw0 --vdev=net_af_packet1,iface=sw1 \
        "--vdev=net_bonding0,mode=4,$word=net_af_packet0,$word=net_af_packet1") >"$DIR/bondpeer.log" 2>&1 &
    PEER_PID=$!
    wait_for 20 grep -q '^ready' "$DIR/bondpeer.log" || skip_all "DPDK does not run here: $(tail -n 1 "$DIR/bondpeer.log")"
}

box_start
peer_start
team_set members 'nic0 nic1'
team_set lacp_rate fast
team_set mode lacp
daemon_start
ok 'guest 1 is up' guest_up 1
no_offload guest1
in_guest 1 ip neigh replace "$OUTSIDE_IP" lladdr 02:00:00:00:00:99 dev eth0

ok 'both links distribute' wait_for 20 all_distribute
diag "partner: $(lacp '[.ports[].partner | .state_octet + " " + .state] | join("; ")')"
ok 'the partner is in sync' wait_for 5 lacp_is '[.ports[].partner.state | test("sync,collecting,distributing")] | all' true
is 'one partner, one aggregator' "$(lacp '[.ports[].aggregator] | unique | length')" 1
ok 'frames go out and come back' wait_for 10 reaches 1 "$OUTSIDE_IP"
flows_use_both

carrier_cut 0
ok 'cut: noticed' wait_for 5 lacp_is '.ports[0].receive' port-disabled
# DPDK's af_packet ports do not notice a lost carrier, so some of its answers are lost for as long as that lasts.
mark 0 1
flows 20
ok 'cut: all of ours goes over nic1' test "$(over 1)" -ge 20 -a "$(over 0)" -le 2
carrier_back 0
ok 'back: both distribute' wait_for 20 all_distribute
ok 'back: frames go' wait_for 5 reaches 1 "$OUTSIDE_IP"

kill -STOP "$PEER_PID"
ok 'frozen: noticed within 4 s' wait_for 4 lacp_is '[.ports[].receive == "expired"] | any' true
ok 'frozen: nothing is sent there' wait_for 5 lacp_is '[.ports[] | select(.mux == "distributing")] | length' 0
kill -CONT "$PEER_PID"
ok 'thawed: both distribute' wait_for 20 all_distribute
ok 'thawed: frames go' wait_for 10 reaches 1 "$OUTSIDE_IP"

team_set lacp_mode passive
ok 'passive: both go on' wait_for 20 all_distribute
kill -KILL "$PEER_PID"
ok 'dead: noticed' wait_for 5 lacp_is '[.ports[] | select(.mux == "distributing")] | length' 0
peer_start
ok 'started again: both distribute' wait_for 20 all_distribute
ok 'started again: frames go' wait_for 10 reaches 1 "$OUTSIDE_IP"
ok 'the daemon lives' daemon_alive
done_testing

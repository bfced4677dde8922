#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Contents of LACPDUs, with Open vSwitch's dummy datapath as oracle: it takes ours and shows what they say, we take its own
# and read the same as it shows. Time is virtual on both sides.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
. "$SRC/tests/net/lacp.sh"
ovs_needs
net_enter "$@"
namespace switch
ovs_start --enable-dummy
for port in 1 2; do PCAP[port]=$OVS_DIR/p$port.pcap; done
ovs_vsctl add-br br0 -- set bridge br0 datapath_type=dummy -- \
    add-bond br0 bond0 p1 p2 lacp=active bond_mode=balance-tcp other_config:lacp-time=fast other_config:lacp-system-id=aa:bb:cc:dd:ee:ff \
    other_config:lacp-system-priority=77 -- \
    set interface p1 type=dummy options:tx_pcap="${PCAP[1]}" other_config:lacp-port-id=11 other_config:lacp-port-priority=111 \
    other_config:lacp-aggregation-key=999 -- \
    set interface p2 type=dummy options:tx_pcap="${PCAP[2]}" other_config:lacp-port-id=12 other_config:lacp-port-priority=112 \
    other_config:lacp-aggregation-key=999
ok 'the oracle runs' wait_for 10 test -s "${PCAP[2]}"
ovs_appctl time/stop >/dev/null

coproc ORACLE { exec "$BUILD/tests/net/lacp-oracle"; }
# ask COMMAND...: the answer's lines in ANSWER
ask() {
    local line
    ANSWER=()
    echo "$*" >&"${ORACLE[1]}"
    while IFS= read -r -t 20 line <&"${ORACLE[0]}" && [[ $line != . ]]; do ANSWER+=("$line"); done
}
SENT=0
# deliver: frames in ANSWER go to the oracle.
deliver() {
    local line
    for line in "${ANSWER[@]}"; do
        ovs_appctl netdev-dummy/receive "p$((${line:3:1} + 1))" "${line:5}" >/dev/null
        SENT=$((SENT + 1))
    done
}
# steps N [mute]: 200 ms each, on both sides; frames go both ways, or (mute) only from us.
steps() {
    local i port
    for ((i = 0; i < $1; i++)); do
        ask run 200
        deliver
        ovs_appctl time/warp 200 100 >/dev/null
        [[ ${2:-} == mute ]] || for port in 1 2; do ask pcap $((port - 1)) "${PCAP[port]}"; done
    done
}
# shown PORT WORD: what the oracle says, "actor ..." or "partner ..." in the order of our own words
shown() {
    ovs_appctl lacp/show bond0 | awk -v port="p$1:" -v end="$2" '
        $1 == "member:" { on = $2 == port }
        on && $1 == end { sub(/.*: /, ""); print }' | awk '
        NR == 1 { id = $1 } NR == 2 { sys = $1 } NR == 3 { n = $1 } NR == 4 { prio = $1 } NR == 5 { key = $1 } NR == 6 { state = $0 }
        END { print sys, id, "key", key, "priority", prio, "port", n, state }'
}
# states in the oracle's words
translate() {
    sed 's/active/activity/; s/passive//; s/fast/timeout/; s/slow//; s/aggregatable/aggregation/; s/individual//; s/,sync/,synchronized/
        s/,,*/ /g; s/ *$//'
}

ask up
is 'one LACPDU on each port at once' "${#ANSWER[@]}" 2
deliver
steps 25
ask show
diag "$(printf '%s; ' "${ANSWER[@]}")"
like 'port 0 distributes' "${ANSWER[0]}" '^0 distributing current bad 0'
like 'port 1 distributes' "${ANSWER[3]}" '^1 distributing current bad 0'
is 'p1: its actor is our partner' "$(translate <<<"${ANSWER[2]#partner }")" "$(shown 1 actor)"
is 'p2: its actor is our partner' "$(translate <<<"${ANSWER[5]#partner }")" "$(shown 2 actor)"
is 'p1: its partner is our actor' "$(translate <<<"${ANSWER[1]#actor }")" "$(shown 1 partner)"
is 'p2: its partner is our actor' "$(translate <<<"${ANSWER[4]#actor }")" "$(shown 2 partner)"
is 'what we read is what it was told' "$(grep -oE '77 aa:bb:cc:dd:ee:ff key 999 priority 11[12] port 1[12]' <<<"${ANSWER[2]} ${ANSWER[5]}" | wc -l)" 2
is 'it negotiated with both' "$(ovs_appctl lacp/show bond0 | grep -cE 'member: p[12]: current attached')" 2
like 'none of our frames was bad' "$(ovs_appctl lacp/show-stats bond0 | grep -i bad | sort -u | tr '\n' ' ')" ': 0 $'
SENT=0
steps 50
diag "$SENT LACPDUs in 10 s to a partner in a hurry"
ok 'fast: one a second and port' test "$SENT" -ge 18 -a "$SENT" -le 24
ovs_vsctl set port bond0 other_config:lacp-time=slow
wait_for 5 bash -c "ovs-appctl -t '$OVS_DIR/vsw.ctl' lacp/show bond0 | grep -q 'lacp_time: slow'"
steps 10
SENT=0
steps 50
diag "$SENT LACPDUs in 10 s to a partner that has time"
ok 'slow: hardly any' test "$SENT" -le 4
ovs_vsctl set port bond0 other_config:lacp-time=fast
wait_for 5 bash -c "ovs-appctl -t '$OVS_DIR/vsw.ctl' lacp/show bond0 | grep -q 'lacp_time: fast'"
steps 10
steps 17 mute
ask show
like 'a partner that falls silent is expired' "${ANSWER[0]}" ' expired '
is 'and it reads that, too' "$(ovs_appctl lacp/show bond0 | grep -c 'partner state: .*expired')" 2
steps 25
ask show
like 'and it comes back' "${ANSWER[0]}${ANSWER[3]}" '^0 distributing current.*1 distributing current'
done_testing

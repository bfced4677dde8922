#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How exactly the rate of a guest is kept, beside tc's tbf and htb with the same rate and burst, in one run: what arrives behind a
# veth, by the kernel's receive timestamps (bench-shape). Senders always have more. Frames of 1514 bytes, at 10 Gbit/s GSO frames of
# 64 KiB. The burst is what the rate brings in 10 ms.
# Usage: bench-shape.sh [SECONDS [JSON-FILE]], in the build tree (XENBACK_BUILD).
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/../net/lib.sh"
net_enter "$@"
seconds=${1:-4}
json=${2:-}
SHAPE=$BUILD/tests/bench/bench-shape
LOAD=$BUILD/tests/bench/bench-vif-load
SINK_MAC=02:58:42:00:00:02

step() { printf '[%3d s] %s\n' "$SECONDS" "$*" >&2; }

# meter WHO RATE BURST MODE [OPTION...]: a line of JSON for the table, from what arrives.
meter() {
    local who=$1 rate=$2 burst=$3 mode=$4
    shift 4
    ip netns exec sink "$SHAPE" --meter sink0 --seconds "$seconds" --rate "$rate" --burst "$burst" "$@" >"$DIR/meter.json" || exit 1
    jq -c --arg who "$who" --arg mode "$mode" --argjson rate "$rate" --argjson burst "$burst" \
        '{who: $who, frames: $mode, rate_bps: $rate, burst_bytes: $burst} + .' "$DIR/meter.json" >>"$DIR/rows"
}

# qdisc KIND RATE BURST [PEAK]
qdisc() {
    tc qdisc del dev nic0 root 2>/dev/null
    case $1 in
        tbf) tc qdisc add dev nic0 root tbf rate "$2bit" burst "$3b" limit 4000000b ${4:+peakrate "$4bit" mtu 1540} ;;
        htb)
            tc qdisc add dev nic0 root handle 1: htb default 1 &&
                tc class add dev nic0 parent 1: classid 1:1 htb rate "$2bit" burst "$3b" cburst "$3b" quantum 60000
            ;;
        none) ;;
    esac || exit 1
}

# kernel KIND RATE BURST MODE [PEAK]
kernel() {
    local kind=$1 rate=$2 burst=$3 mode=$4 peak=${5:-} gso=''
    [[ $mode != bulk ]] || gso=--gso
    qdisc "$kind" "$rate" "$burst" "$peak"
    background "$SHAPE" --blast nic0 --seconds $((seconds + 3)) $gso
    meter "$kind" "$rate" "$burst" "$mode" ${peak:+--peak "$peak"}
    background_end "$BG"
    qdisc none
}

# guest N MODE: a guest that always has more, with its VM's policy in POLICY; until background_end "$BG".
guest() {
    local uuid
    background "$LOAD" --domid "$1" --dir "$XENBOX_DIR" --seconds 600 --mode "$2" --dst $SINK_MAC
    "$XENBOX_XL" network-attach "$1" script=vif-team bridge=team0 "mac=$(guest_mac "$1")" >"$DIR/attach.log" 2>&1 ||
        { cat "$DIR/attach.log" >&2; exit 1; }
    uuid=$(store_read "/local/domain/$1/vm")
    POLICY=/local/domain/0/xenback/vm/${uuid##*/}/vif/0
}

# ours RATE BURST MODE [PEAK]
ours() {
    store_write "$POLICY/avg" "$1bit" "$POLICY/burst" "$2B" "$POLICY/peak" "${4:-0}bit"
    sleep 0.5
    meter ours "$1" "$2" "$3" ${4:+--peak "$4"}
}

namespace sink
ip link add nic0 type veth peer name sink0 netns sink
ip link set nic0 up
ip -n sink link set sink0 up
ethtool -K nic0 gro off >/dev/null 2>&1
: >"$DIR/rows"
box_start
team_set members nic0
team_set unit byte
daemon_start || exit 1

for rate in 10000000 100000000 1000000000 10000000000; do
    mode=full
    ((rate < 10000000000)) || mode=bulk
    for kind in tbf htb; do
        step "$kind, $((rate / 1000000)) Mbit/s"
        kernel $kind $rate $((rate / 800)) $mode
    done
done
step "tbf, 100 Mbit/s, peak 200 Mbit/s"
kernel tbf 100000000 1250000 full 200000000

guest 1 full
for rate in 10000000 100000000 1000000000; do
    step "netback-team, $((rate / 1000000)) Mbit/s"
    ours $rate $((rate / 800)) full
done
step "netback-team, 100 Mbit/s, peak 200 Mbit/s"
ours 100000000 1250000 full 200000000
background_end "$BG"
guest 2 bulk
step "netback-team, 10000 Mbit/s"
ours 10000000000 12500000 bulk
background_end "$BG"

jq -s 'sort_by(.rate_bps, .who)' "$DIR/rows" >"$DIR/shape.json"
[[ -z $json ]] || cp "$DIR/shape.json" "$json"
step "done; errors in percent: of the window in the middle, and of the one furthest off"
jq -r '(["Mbit/s", "frames", "by", "got", "1 s", "worst", "100 ms", "worst", "beyond burst B", "beyond peak B"]),
    (.[] | [.rate_bps / 1e6, .frames, .who, .mbit_s, .error_1s_pct, .worst_1s_pct, .error_100ms_pct, .worst_100ms_pct,
        .beyond_burst_bytes, .beyond_peak_bytes]) | @tsv' "$DIR/shape.json" | column -t -s "$(printf '\t')"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How exactly the rate of a guest is kept, beside tc's tbf and htb with the same rate and burst, in one run: what arrives behind a
# veth, by the kernel's receive timestamps (bench-shape). Senders always have more. Frames of 1514 bytes, at 10 Gbit/s GSO frames of
# 64 KiB. The burst is what the rate brings in 10 ms.
# A guest that receives is a real one (tap), behind a sender with a quarter more than the rate. The daemon's session goes before
# the others here as CPUWeight= of its unit lets it go before services.
# Usage: bench-shape.sh [SECONDS [JSON-FILE [ROWS]]], in the build tree (XENBACK_BUILD); ROWS: a regular expression, e.g. "peak|tbf, 10 "
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/../net/lib.sh"
net_enter "$@"
seconds=${1:-4}
json=${2:-}
rows=${3:-.}
SHAPE=$BUILD/tests/bench/bench-shape
LOAD=$BUILD/tests/bench/bench-vif-load
SINK_MAC=02:58:42:00:00:02

# row NAME COMMAND...: if it was asked for.
row() {
    local name=$1
    shift
    [[ "$name " =~ $rows ]] || return 0
    printf '[%3d s] %s\n' "$SECONDS" "$name" >&2
    "$@"
}

# Ticks of processor time of the daemon so far.
daemon_ticks() { awk '{ print $14 + $15 }' "/proc/$DAEMON_PID/stat"; }

# meter WHO RATE BURST MODE [OPTION...]: a line of JSON for the table, from what arrives at METER_IFACE in METER_NETNS.
meter() {
    local who=$1 rate=$2 burst=$3 mode=$4 ticks cpu
    shift 4
    ticks=$(daemon_ticks)
    ip netns exec "${METER_NETNS:-sink}" "$SHAPE" --meter "${METER_IFACE:-sink0}" --seconds "$seconds" --rate "$rate" \
        --burst "$burst" "$@" >"$DIR/meter.json" || exit 1
    cpu=$((($(daemon_ticks) - ticks) * 100 / $(getconf CLK_TCK) / (seconds + 1)))
    [[ $who == ours* ]] || cpu=null
    jq -c --arg who "$who" --arg mode "$mode" --argjson rate "$rate" --argjson burst "$burst" --argjson cpu "$cpu" \
        '{who: $who, frames: $mode, rate_bps: $rate, burst_bytes: $burst, daemon_cpu_pct: $cpu} + .' "$DIR/meter.json" >>"$DIR/rows"
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

# guest N MODE: a guest that always has more; until background_end "$BG". POLICY is where its VM's keys are.
guest() {
    background "$LOAD" --domid "$1" --dir "$XENBOX_DIR" --seconds 600 --mode "$2" --dst $SINK_MAC
    "$XENBOX_XL" network-attach "$1" script=vif-team bridge=team0 "mac=$(guest_mac "$1")" >"$DIR/attach.log" 2>&1 ||
        { cat "$DIR/attach.log" >&2; exit 1; }
    POLICY=$(policy_dir "$1")
}

# limited DIRECTION AVERAGE BURST PEAK PERIOD-NS: some guest's limit is that, all in bits, bytes and ns.
limited() {
    ctl --json qos show | jq -e --arg direction "$1" --argjson limit "[$2, $3, $4, $5]" \
        'any(.[]; .direction == $direction and [.avg_bps, .burst_bytes, .peak_bps, .period_ns] == $limit)'
}

# slack TIME COMMAND...: with that timer_slack.
slack() {
    local time=$1
    shift
    team_set timer_slack "$time"
    SLACK=", slack $time" "$@"
    team_set timer_slack 0ms
}

# ours RATE BURST MODE [PEAK [PERIOD-MS]]
ours() {
    store_write "$POLICY/avg" "$1bit" "$POLICY/burst" "$2B" "$POLICY/peak" "${4:-0}bit" "$POLICY/period" "${5:-0}ms"
    wait_for 10 limited tx "$1" "$2" "${4:-0}" "$((${5:-0} * 1000000))" || exit 1
    sleep 0.5
    meter "ours${5:+, period $5 ms}${SLACK:-}" "$1" "$2" "$3" ${4:+--peak "$4"} ${5:+--period "${5}000000"}
}

# receives RATE BURST MODE: what guest 3 gets.
receives() {
    local gso=''
    [[ $3 != bulk ]] || gso=--gso
    store_write "$POLICY/rx_avg" "$1bit" "$POLICY/rx_burst" "$2B"
    wait_for 10 limited rx "$1" "$2" 0 0 || exit 1
    ip netns exec sink tc qdisc add dev sink0 root tbf rate "$(($1 * 5 / 4))bit" burst "$2b" limit 4000000b || exit 1
    background ip netns exec sink "$SHAPE" --blast sink0 --seconds $((seconds + 3)) --dst "$(guest_mac 3)" $gso
    METER_NETNS=guest3 METER_IFACE=eth0 meter 'ours, to the guest' "$1" "$2" "$3" --dst "$(guest_mac 3)"
    background_end "$BG"
    ip netns exec sink tc qdisc del dev sink0 root
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
daemon_start_apart || exit 1
net_prefer -10 "$DAEMON_PID"

for rate in 10000000 100000000 1000000000 10000000000; do
    mode=full
    ((rate < 10000000000)) || mode=bulk
    for kind in tbf htb; do
        row "$kind, $((rate / 1000000)) Mbit/s" kernel $kind $rate $((rate / 800)) $mode
    done
done
for avg in 100 150; do
    row "tbf, $avg Mbit/s, peak 200 Mbit/s" kernel tbf ${avg}000000 1250000 full 200000000
done

guest 1 full
for rate in 10000000 100000000 1000000000; do
    row "netback-team, $((rate / 1000000)) Mbit/s" ours $rate $((rate / 800)) full
done
row 'netback-team, 1000 Mbit/s, slack' slack 100us ours 1000000000 1250000 full
for avg in 100 150; do
    row "netback-team, $avg Mbit/s, peak 200 Mbit/s" ours ${avg}000000 1250000 full 200000000
    row "netback-team, $avg Mbit/s, peak 200 Mbit/s over 10 ms" ours ${avg}000000 1250000 full 200000000 10
done
background_end "$BG"
guest 2 bulk
row "netback-team, 10000 Mbit/s" ours 10000000000 12500000 bulk
background_end "$BG"
guest_up 3 || exit 1
POLICY=$(policy_dir 3)
for rate in 10000000 100000000 1000000000; do
    mode=full
    ((rate < 1000000000)) || mode=bulk
    row "netback-team to a guest, $((rate / 1000000)) Mbit/s" receives $rate $((rate / 800)) $mode
done

jq -s 'sort_by(.rate_bps, .peak_bps, .who)' "$DIR/rows" >"$DIR/shape.json"
[[ -z $json ]] || cp "$DIR/shape.json" "$json"
printf '[%3d s] done; errors in percent: of the window in the middle, and of the one furthest off\n' "$SECONDS" >&2
jq -r '(["Mbit/s", "peak", "frames", "by", "got", "1 s", "worst", "100 ms", "worst", "beyond burst B", "beyond peak B", "CPU %"]),
    (.[] | [.rate_bps / 1e6, .peak_bps / 1e6, .frames, .who, .mbit_s, .error_1s_pct, .worst_1s_pct, .error_100ms_pct, .worst_100ms_pct,
        .beyond_burst_bytes, .beyond_peak_bytes, .daemon_cpu_pct]) | @tsv' "$DIR/shape.json" | column -t -s "$(printf '\t')"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How exactly shares are kept with real traffic: the worked examples of sharing, through netback-team in the box. Two members of 200
# Mbit/s each (pace) in mode hash, guests that always have more (bench-vif-load), frames of 60, 600, 1514 bytes and 64 KiB GSO mixed;
# 100 Mbit/s and no GSO where 100 ms are looked at, in which a GSO frame is more than 1 %.
# What each VM gets is counted twice: by the daemon (bytes that it scheduled) and behind the members (bench-shares --meter), in the same
# windows of a second: those in which nobody ran dry who should always have more, as the daemon says, or htb's senders themselves.
# Beside it, where it can be said there, tc's htb on one interface of 400 Mbit/s: a class a VM, rates and quanta in the ratio of the
# shares, packet sockets that always have more. Each is judged in its own unit: wire bytes, and for htb those of Ethernet frames.
# Usage: bench-shares.sh [SECONDS [JSON-FILE]], in the build tree (XENBACK_BUILD).
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/../net/lib.sh"
net_enter "$@"
seconds=${1:-5}
json=${2:-}
SHARES=$BUILD/tests/bench/bench-shares
LOAD=$BUILD/tests/bench/bench-vif-load
SINK_MAC=02:58:42:00:00:02
MEMBER=200000000 # bit/s of each
ROUNDS=3         # of an example in which something happens
declare -A LOAD_ID=()

step() { printf '[%3d s] %s\n' "$SECONDS" "$*" >&2; }

# ---- senders: a VM is a number from 1 to 31 ----

# sender_guest VM MIX SHARES [RATE]: a guest of the box with its VM's shares.
sender_guest() {
    background "$LOAD" --domid "$1" --dir "$XENBOX_DIR" --seconds 600 --mode "$2" --dst $SINK_MAC ${4:+--rate "$4"}
    LOAD_ID[$1]=$BG
    "$XENBOX_XL" network-attach "$1" script=vif-team bridge=team0 "mac=$(guest_mac "$1")" >"$DIR/attach.log" 2>&1 ||
        { cat "$DIR/attach.log" >&2; exit 1; }
    vif_set "$1" shares "$3"
    wait_for 20 sends "$1" "$3" || { step "guest $1 does not send"; exit 1; }
}
sends() {
    ctl --json qos show | jq -e --argjson vm "$1" --argjson shares "$2" \
        'any(.[]; .domid == $vm and .direction == "tx" and .shares == $shares and .sent_packets > 0)'
}

# sender_class VM MIX SHARES [RATE]: a class of htb that borrows what others leave, and a socket that fills it.
sender_class() {
    tc class replace dev nic0 parent 1:1 classid "1:1$1" htb rate "$(($3 * 2 * MEMBER / 5000))bit" ceil "$((2 * MEMBER))bit" \
        quantum "$(($3 * 70))" burst 200kb cburst 200kb || exit 1
    background "$SHARES" --blast nic0 --vm "$1" --class "$(printf '1%04x' "0x1$1")" --frames "$2" --seconds 600 \
        ${4:+--rate "$4"} >>"$DIR/dry"
    LOAD_ID[$1]=$BG
}

sender_end() {
    background_end "${LOAD_ID[$1]}"
    unset "LOAD_ID[$1]"
}
# Stopped, a sender has nothing more as soon as its ring or its class is empty.
sender_stop() { kill -STOP -- "-${LOAD_ID[$1]}"; }
sender_wake() { kill -CONT -- "-${LOAD_ID[$1]}"; }

# ---- counting ----

# What the daemon has scheduled, a line for each call: the same form as the meter's.
sample() {
    ctl --json qos show | jq -c '[.[] | select(.direction == "tx")] as $tx | {t: now, wakes: [range(32)] | map(0), bytes: [range(32)] | map(0)} |
        reduce $tx[] as $v (.; .bytes[$v.domid] = $v.minimum_bytes + $v.share_bytes + $v.floor_bytes | .wakes[$v.domid] = $v.wakes)'
}

meter_start() {
    ip netns exec sink "$SHARES" --meter sink0 --meter sink1 --seconds "$1" >"$DIR/meter" &
    METER=$!
}

# Functions for jq. A list of VM=SHARES[:RATE], and what they are entitled to of what went in a window: a VM with a rate that brings
# less than its part should have its rate, and the others share what it left.
JUDGE='
    def vms: map(split("=") | {vm: (.[0] | tonumber)} + (.[1] | split(":") | {shares: (.[0] | tonumber), rate: ((.[1] // "0") | tonumber)}));
    def entitled($vms; $all): ($vms | map(.shares) | add) as $shares |
        ([$vms[] | select(.rate > 0 and .brings < .shares * $all / $shares)]) as $low |
        ($vms - $low | map(.shares) | add) as $left | ($low | map(.brings) | add // 0) as $used |
        $vms | map({key: "\(.vm)", value: (if . as $v | any($low[]; . == $v) then .should
            else ($all - $used) * .shares / $left end * 100 / $all)}) | from_entries;
    # Between two samples: percent of each VM, and what it should be; a rate by time where that is exact.
    def window(f; $vms; $a; $b): ($b | f) as $to | ($a | f) as $from | ([$vms[].vm | $to[.] - $from[.]] | add) as $all |
        select($all > 0) | {all: $all,
            want: entitled($vms | map(.brings = $to[.vm] - $from[.vm] |
                .should = if $b.wakes then .brings else .rate / 8 * ($b.t - $a.t) end); $all),
            got: ($vms | map({key: "\(.vm)", value: (($to[.vm] - $from[.vm]) * 100 / $all)}) | from_entries)};
    # How often somebody ran dry who always has more: as the daemon counts, or by the lines of the senders.
    def dry($vms; $a; $b): [$vms[] | select(.rate == 0).vm | . as $vm | if $a.wakes then $b.wakes[.] - $a.wakes[.]
        else [$dry[] | select(.vm == $vm and .t > $a.t - 0.02 and .t < $b.t + 0.02)] | length end] | add;
    def median: if length == 0 then null else sort | .[length / 2 | floor] end;
    def figures($vm): "\($vm)" as $k | map({got: .got[$k], want: .want[$k], error: ((.got[$k] / .want[$k] - 1) * 100)}) |
        (max_by(.error | fabs) // {}) as $worst | {windows: length, entitled_pct: (map(.want) | median), used_pct: (map(.got) | median),
            used_worst_pct: $worst.got, error_pct: (map(.error) | median), error_worst_pct: $worst.error};'

# steady EXAMPLE WHO MIX VM=SHARES[:RATE]...: measures now; rows of the table, one for each VM.
steady() {
    local example=$1 who=$2 mix=$3 unit=wire i
    shift 3
    [[ $who == ours ]] || unit=bytes
    step "$who: $example, frames $mix"
    sleep 1
    meter_start "$((seconds + 2))"
    : >"$DIR/samples"
    for ((i = 0; i <= seconds; i++)); do
        sleep 1
        if [[ $who == ours ]]; then sample >>"$DIR/samples"; fi
    done
    wait "$METER"
    jq -n -c --slurpfile meter "$DIR/meter" --slurpfile samples "$DIR/samples" --slurpfile dry "$DIR/dry" --arg example "$example" \
        --arg who "$who" --arg mix "$mix" --arg unit "$unit" "$JUDGE"'
        def bin($sample): ($sample.t - $meter[0].t) * 100 | round;
        ($ARGS.positional | vms) as $vms |
        (if $samples != [] then $samples else [range(0; $meter | length; 100) | $meter[.]] end) as $marks |
        [range(0; ($marks | length) - 1) | [$marks[.], $marks[. + 1]] |
            select(bin(.[0]) >= 0 and bin(.[1]) < ($meter | length) and dry($vms; .[0]; .[1]) == 0)] as $full |
        ($full | map(. as [$a, $b] | window(.[$unit]; $vms; $meter[bin($a)]; $meter[bin($b)]))) as $arrived |
        ($full | map(. as [$a, $b] | window(.bytes; $vms; $a; $b))) as $scheduled |
        $vms[] | . as $v | {example: $example, who: $who, frames: $mix, vm: $v.vm} + ($arrived | figures($v.vm)) +
            {daemon: (if $samples == [] then null else $scheduled | figures($v.vm) end), ran_dry: dry([$v]; $marks[0]; $marks[-1]),
             mbit_s: (($vms | map($meter[-1][$unit][.vm] - $meter[0][$unit][.vm]) | add) * 8e-6 / ($meter[-1].t - $meter[0].t))}' \
        --args "$@" >>"$DIR/rows" || exit 1
}

# happening EXAMPLE WHO MIX COMMAND VM=SHARES...: runs it in the middle of a measurement. Since then, or since the first frame of the
# first VM if that was silent: when the first 100 ms began in which it had its part within 1 %, and what all got in the first 100 ms.
happening() {
    local example=$1 who=$2 mix=$3 run=$4 unit=wire at
    shift 4
    [[ $who == ours ]] || unit=bytes
    step "$who: $example, frames $mix"
    meter_start 4
    sleep 1.5
    : >"$DIR/samples"
    at=$(date +%s.%N)
    $run
    sleep 0.2
    if [[ $who == ours ]]; then sample >>"$DIR/samples"; fi
    sleep 1
    if [[ $who == ours ]]; then sample >>"$DIR/samples"; fi
    wait "$METER"
    jq -n -c --slurpfile meter "$DIR/meter" --slurpfile samples "$DIR/samples" --slurpfile dry "$DIR/dry" --arg example "$example" \
        --arg who "$who" --arg mix "$mix" --arg unit "$unit" --argjson at "$at" "$JUDGE"'
        ($ARGS.positional | vms) as $vms | $vms[0].vm as $vm | "\($vm)" as $k |
        def sent: .[$unit][$vm];
        def from($a; $n): window(.[$unit]; $vms; $meter[$a]; $meter[$a + $n]);
        ([range($meter | length) | select($meter[.].t > $at)][0]) as $event | ($meter[$event - 1] | sent) as $before |
        ([range($event; $meter | length) | select($meter[.] | sent > $before)][0]) as $first |
        (if ($meter[$event - 50] | sent) == $before then $first - 1 else $event end) as $from |
        ([range($from; ($meter | length) - 10) | select(from(.; 10) | .got[$k] / .want[$k] - 1 | fabs <= 0.01)][0]) as $good |
        from($from; 10) as $soon | from($from + 10; 100) as $later |
        {example: $example, who: $who, frames: $mix, vm: $vm, entitled_pct: $later.want[$k],
         before_pct: (from($event - 101; 100).got[$k]), first_100ms_pct: $soon.got[$k], next_1s_pct: $later.got[$k],
         others_least_pct: ([$vms[1:][].vm | "\(.)" | $soon.got[.] * 100 / $soon.want[.]] | min),
         within_1pct_after_ms: (if $good then ($good - $from) * 10 else null end),
         ran_dry: (if $samples == [] then dry($vms; $meter[$from + 10]; $meter[$from + 110]) else dry($vms; $samples[0]; $samples[1]) end)}' \
        --args "$@" >>"$DIR/events" || exit 1
}

# ---- the examples ----

# examples WHO: with sender_guest or sender_class.
examples() {
    local who=$1 kind=guest
    [[ $who == ours ]] || kind=class
    sender_$kind 1 mixed 2000
    sender_$kind 2 mixed 2000
    sender_$kind 3 mixed 1000
    steady '2000:2000:1000 shares' "$who" mixed 1=2000 2=2000 3=1000
    sender_stop 2
    steady 'one stopped' "$who" mixed 1=2000 3=1000
    sender_wake 2
    sender_end 2
    sender_$kind 4 mixed 2000 $((2 * MEMBER / 5))
    steady 'one uses 20 %' "$who" mixed 1=2000 4=2000:$((2 * MEMBER / 5)) 3=1000
    sender_end 1
    sender_end 3
    sender_end 4
}

# waking WHO
waking() {
    local who=$1 kind=guest i
    [[ $who == ours ]] || kind=class
    sender_$kind 5 frames 2000
    sender_$kind 6 frames 2000
    sender_$kind 7 frames 1000
    for ((i = 0; i < ROUNDS; i++)); do
        sender_stop 5
        sleep 0.6
        happening 'one wakes' "$who" frames 'sender_wake 5' 5=2000 6=2000 7=1000
    done
    for i in 5 6 7; do sender_end "$i"; done
}

sizes_apart() {
    sender_guest 8 bulk 2000
    sender_guest 9 full 2000
    sender_guest 10 frames 1000
    steady '8: GSO, 9: 1514, 10: others' ours apart 8=2000 9=2000 10=1000
    for i in 8 9 10; do sender_end "$i"; done
}

link_lost() { ip -n sink link set sink1 down; }

# member_lost MIX VM: it sends 15 % of the team's capacity; four more of the same shares.
member_lost() {
    local mix=$1 vm=$2 i all=()
    sender_guest "$vm" "$mix" 1000 $((MEMBER * 3 / 10))
    for i in 1 2 3 4; do sender_guest $((vm + i)) "$mix" 1000; done
    for i in 0 1 2 3 4; do all+=("$((vm + i))=1000"); done
    for ((i = 0; i < ROUNDS; i++)); do
        sleep 1
        happening '15 % used, half the team lost' ours "$mix" link_lost "${all[@]}"
        ip -n sink link set sink1 up
    done
    for i in 0 1 2 3 4; do sender_end $((vm + i)); done
}

namespace sink
for i in 0 1; do
    ip link add "nic$i" type veth peer name "sink$i" netns sink
    ip link set "nic$i" up
    ip -n sink link set "sink$i" up
    ethtool -K "nic$i" gro off >/dev/null 2>&1
done
: >"$DIR/rows"
: >"$DIR/events"
: >"$DIR/dry"

step "tc's htb first"
tc qdisc add dev nic0 root handle 1: htb || exit 1
link_class() {
    tc class replace dev nic0 parent 1: classid 1:1 htb rate "$((2 * MEMBER))bit" ceil "$((2 * MEMBER))bit" quantum 60000 \
        burst 200kb cburst 200kb || exit 1
}
link_class
examples htb
# Small frames are many: half the rate, so that a busy machine keeps up.
MEMBER=100000000
link_class
waking htb
tc qdisc del dev nic0 root

MEMBER=200000000
box_start
team_set members 'nic0 nic1'
team_set mode hash
team_set pace "${MEMBER}bit"
daemon_start || exit 1
examples ours
member_lost mixed 16
MEMBER=100000000
team_set pace "${MEMBER}bit"
waking ours
sizes_apart
member_lost frames 11

jq -n --slurpfile rows "$DIR/rows" --slurpfile events "$DIR/events" '{steady: $rows, events: $events}' >"$DIR/shares.json"
[[ -z $json ]] || cp "$DIR/shares.json" "$json"
step "done; percent of what all sent: the window of 1 s in the middle, and the one furthest off; errors in percent of what is entitled"
ROUND='def r: if type == "number" then . * 100 | round / 100 elif . == null then "-" else . end;'
jq -r "$ROUND"'(["example", "frames", "by", "VM", "entitled", "used", "worst 1 s", "error", "worst", "daemon: used", "worst 1 s", "error",
        "worst", "windows", "ran dry", "Mbit/s"]),
    (.steady[] | [.example, .frames, .who, .vm, .entitled_pct, .used_pct, .used_worst_pct, .error_pct, .error_worst_pct,
        .daemon.used_pct, .daemon.used_worst_pct, .daemon.error_pct, .daemon.error_worst_pct, .windows, .ran_dry, .mbit_s] |
        map(r)) | @tsv' "$DIR/shares.json" | column -t -s "$(printf '\t')"
printf '\n'
jq -r "$ROUND"'(["example", "frames", "by", "VM", "before", "entitled then", "first 100 ms", "next 1 s", "least of others, % of theirs",
        "100 ms within 1 % after ms", "ran dry"]),
    (.events[] | [.example, .frames, .who, .vm, .before_pct, .entitled_pct, .first_100ms_pct, .next_1s_pct, .others_least_pct,
        .within_1pct_after_ms, .ran_dry] | map(r)) | @tsv' "$DIR/shares.json" | column -t -s "$(printf '\t')"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What attack detection and each reaction are worth, with real traffic: netback-team in the box, guests with a network stack of their
# own, a flood from outside (to-guest) or by a guest (from-guest).
#
# Effect: round trips and TCP throughput of the guest beside the attacked one, without an attack, then with the attack and each
# reaction; the kernel's bridge (what xen-netback has) in the same run, with the same flood, bare and with a tbf of as many packets a
# second on the attacked port. `elsewhere` is the same flood to a port of the switch behind which nobody is: the flood's own cost on
# this machine, and the best that a reaction could reach. A reaction is in force when the guest beside is looked at. Paused is a guest
# of the box by SIGSTOP, asked for by way of xenback-vmctl's service. Medians of the rounds.
# Detection: from the first frame of a flood to the daemon's event `attack`, and innocent peaks, which must raise none. All as by
# default, except that a guest's usual traffic is learned for 2 s instead of 60: that takes its thresholds to the lowest at once.
#
# Usage: bench-defence.sh [ROUNDS [JSON-FILE [innocent|detect|to-guest|from-guest...]]], in the build tree (XENBACK_BUILD).
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/../net/lib.sh"
net_enter "$@"
rounds=${1:-3}
json=${2:-}
parts=("${@:3}")
((${#parts[@]})) || parts=(innocent detect to-guest from-guest)
FLOOD=$BUILD/tests/bench/bench-defence
LOAD=$BUILD/tests/bench/bench-vif-load
VMCTL=$BUILD/tests/net/vmctl-double
HOLE_MAC=02:00:00:00:00:fe
HOLE_IP=10.77.0.254
REACTIONS=(alert limit delay second_team pause)
LIMIT_PPS=20000
FLOODER=5 # a guest that only floods; 3 and 4 are those of the kernel's bridge

step() { printf '[%3d s] %s\n' "$SECONDS" "$*" >&2; }
die() {
    step "$*"
    exit 1
}

# ---- the world ----

# The usual one, and behind a third port of the switch nobody; no namespace forwards.
world_up() {
    net_up
    sysctl -qw net.ipv4.ip_forward=0
    in_outside sysctl -qw net.ipv4.ip_forward=0
    ip -n switch link add hole type veth peer name nobody
    ip -n switch link set hole master br0 up
    ip -n switch link set nobody up
    in_switch bridge fdb add $HOLE_MAC dev hole master static
}

# guest_kernel N: a guest as the kernel would have it, on the bridge xenbr.
guest_kernel() {
    namespace "guest$1"
    ip link add "kvif$1" type veth peer name eth0 address "$(guest_mac "$1")" netns "guest$1"
    ip link set "kvif$1" master xenbr up
    guest_address "$1"
}

kernel_up() {
    ip link add xenbr type bridge stp_state 0 forward_delay 0 mcast_snooping 0
    ip link set xenbr up
    nic_add 9
    ip link set nic9 master xenbr
    guest_kernel 3
    guest_kernel 4
}

# profile NAME KEY VALUE...
profile() {
    local path=/local/domain/0/xenback/dos/$1
    shift
    while (($#)); do
        store_write "$path/$1" "$2"
        shift 2
    done
}

# Reactions begin with the alarm, as often as the rounds ask for it. The alarm has a low threshold and does not depend on what was
# learned: what a reaction does is looked at, not when it begins, and a busy machine's flood is a small one.
profiles() {
    local reaction
    profile quick learn 2s
    for reaction in "${REACTIONS[@]}"; do
        profile "$reaction" mode fixed alarm_n 1 alarm_m 1 to_unanswered 1000 from_unanswered 1000 alert no \
            "$reaction" yes "${reaction}_when" both "${reaction}_times" 16 \
            "${reaction}_interval" 1s
        case $reaction in
            alert) ;;
            *) profile "$reaction" "${reaction}_after" 0 ;;
        esac
    done
    profile limit limit_pps $LIMIT_PPS
    profile second_team second_team_members nic1
    # A guest that stands still floods nobody: it must not go on before it was looked at.
    profile pause pause_min 60s pause_max 90s
}

# The service, and a hypervisor for it that stops processes.
vmctl_up() {
    export VMCTL_DOUBLE=$DIR/vm
    mkdir -p "$VMCTL_DOUBLE/guests"
    printf '[vmctl]\ntimes = 1000\n[vm *]\nallow = pause\nmax_pause = 600s\ntimes = 1000\n' >"$VMCTL_DOUBLE/conf"
    "$VMCTL" serve --conf="$VMCTL_DOUBLE/conf" 2>"$DIR/vmctl.log" &
    wait_for 10 "$VMCTL" list || die 'xenback-vmctl does not start'
}

# can_pause N
can_pause() { printf '00000000-0000-4000-8000-%012d guest%d 0\n' "$1" "$1" >"$VMCTL_DOUBLE/guests/$1"; }

hypervisor() {
    local n pauses was=()
    while sleep 0.02; do
        for n in 1 $FLOODER; do
            read -r _ _ pauses 2>/dev/null <"$VMCTL_DOUBLE/guests/$n" || continue
            [[ $pauses != "${was[n]:-0}" ]] || continue
            was[n]=$pauses
            if ((pauses)); then kill -STOP "${GUEST_PID[$n]}"; else kill -CONT "${GUEST_PID[$n]}"; fi
        done
    done
}

# A guest without a network stack that sends small frames to nobody whenever it is not stopped.
flooder_up() {
    "$LOAD" --domid $FLOODER --dir "$XENBOX_DIR" --seconds 3600 --mode small --dst $HOLE_MAC >"$DIR/flooder.log" 2>&1 &
    GUEST_PID[$FLOODER]=$!
    guest_attach $FLOODER >"$DIR/attach.log" 2>&1 && wait_for 20 guest_connected $FLOODER || die 'the flooding guest does not connect'
    kill -STOP "${GUEST_PID[$FLOODER]}"
    vif_set $FLOODER pin nic0
    vif_set $FLOODER dos off
}

# Two guests on one NIC; a server that answers is on guest 1, and one that accepts connections.
guests_up() {
    local n
    for n in 1 2; do
        guest_up "$n" || die "guest $n does not connect"
        vif_set "$n" pin nic0
    done
    for n in 1 2 3 4; do ip -n "guest$n" route add default via "$OUTSIDE_IP"; done
    for n in 1 3; do
        in_guest "$n" "$FLOOD" --echo 5353 &
        in_guest "$n" socat TCP-LISTEN:443,fork,reuseaddr /dev/null &
    done
    for n in 1 2 3 4; do wait_for 10 reaches "$n" "$OUTSIDE_IP" || die "guest $n does not reach the network"; done
}

# ---- measuring ----

# latency N: of round trips to the outside, "P50_US P99_US LOST_PERCENT"; a lost one took for ever (null).
latency() {
    local n=500
    in_guest "$1" ping -n -c $n -i 0.002 -W 1 -w 5 "$OUTSIDE_IP" >"$DIR/ping.log"
    sed -nE 's/.* time=([0-9.]+) ms$/\1/p' "$DIR/ping.log" | sort -n | awk -v n="$(sed -nE 's/^([0-9]+) packets.*/\1/p' "$DIR/ping.log")" '
        { us[NR] = $1 * 1000 }
        function at(p,  i) { i = int(n * p + 0.999999); return i <= NR ? us[i] : "null" }
        END { if (!n) print "null null 100"; else print at(0.5), at(0.99), (n - NR) * 100 / n }'
}

# throughput N [OPTION...]: Mbit/s of a TCP stream of the guest's; -R: to it.
throughput() {
    local n=$1 server
    shift
    background in_outside iperf3 -s -1 >/dev/null 2>&1
    server=$BG
    wait_for 5 listening 5201 in_outside
    in_guest "$n" timeout 6 iperf3 -c "$OUTSIDE_IP" -t 2 --connect-timeout 2000 --json "$@" >"$DIR/iperf.json" 2>&1
    background_end "$server"
    jq -r '(.end.sum_received.bits_per_second // 0) / 1e6' "$DIR/iperf.json" 2>/dev/null || echo 0
}

# measure PART BY ROW N: a line of JSON about guest N
measure() {
    local p50 p99 lost mbit direction=()
    [[ $1 != to-guest ]] || direction=(-R)
    read -r p50 p99 lost < <(latency "$4")
    mbit=$(throughput "$4" "${direction[@]}")
    jq -cn --arg part "$1" --arg by "$2" --arg row "$3" --argjson p50_us "$p50" --argjson p99_us "$p99" --argjson lost_pct "$lost" \
        --argjson mbit_s "${mbit:-0}" '$ARGS.named' >>"$DIR/rows"
}

# flood_begin KIND MAC IP [RATE]: from outside
flood_begin() {
    flood_from outside "$1" "$2" "$3" "${4:-0}"
}
# flood_from NAMESPACE KIND MAC IP RATE: 0 = as fast as it goes
flood_from() {
    background ip netns exec "$1" "$FLOOD" --attack "$2" --iface eth0 --mac "$3" --ip "$4" --rate "$5" --seconds 120 >"$DIR/flood.json"
    FLOODING=$BG
}
flood_end() { background_end "$FLOODING"; }
# The last row has the flood's speed, too.
flood_note() {
    sed -i "\$s/}\$/,\"attack_kpps\":$(jq .kpps "$DIR/flood.json")}/" "$DIR/rows"
}

# in_force N REACTION: alert: the alarm
in_force() {
    local action=${2/_/-}
    [[ $action != alert ]] || action=''
    [[ $(dos "$1" '[.state, (.reactions[] | .action)] | join(" ")') == "attack${action:+ $action}" ]]
}

# unwatch N: nothing is known about it and nothing in force
unwatch() {
    vif_set "$1" dos off
    wait_for 5 dos_is "$1" .state off
}

# ---- effect ----

# row_ours PART ROW: an attack is under way; ROW is none, a reaction, or what there is without one
row_ours() {
    local attacked=1
    [[ $1 == to-guest ]] || attacked=$FLOODER
    if [[ " ${REACTIONS[*]} " == *" $2 "* ]]; then
        vif_set $attacked dos "$2"
        wait_for 10 in_force $attacked "$2" || step "$1: $2 did not begin: $(dos $attacked '[.state, .reactions, .history[0:3]] | tojson')"
    fi
    sleep 0.5
    measure "$1" ours "$2" 2
}

# half_speed: of what this machine sends to nobody, in packets a second: who floods from outside is not slowed down by what becomes of
# it, so all rows have the same flood, and processors are left for the rest.
half_speed() {
    flood_begin small $HOLE_MAC $HOLE_IP
    sleep 2
    flood_end
    jq '.kpps * 500 | ceil' "$DIR/flood.json"
}

effect_to_guest() {
    local row pps
    pps=$(half_speed)
    step 'to-guest, netback-team: no attack'
    row_ours to-guest none
    flood_begin small $HOLE_MAC $HOLE_IP "$pps"
    step 'to-guest, netback-team: attack elsewhere'
    row_ours to-guest elsewhere
    flood_end
    flood_note
    for row in off "${REACTIONS[@]}"; do
        step "to-guest, netback-team: $row"
        flood_begin small "$(guest_mac 1)" "$(guest_ip 1)" "$pps"
        row_ours to-guest "$row"
        flood_end
        flood_note
        unwatch 1
    done
    step 'to-guest, bridge: no attack'
    measure to-guest bridge none 4
    for row in off tbf; do
        step "to-guest, bridge: $row"
        [[ $row == off ]] || tc qdisc add dev kvif3 root tbf rate $((LIMIT_PPS * 60 * 8))bit burst 60000b limit 60000b || die tbf
        flood_begin small "$(guest_mac 3)" "$(guest_ip 3)" "$pps"
        sleep 0.5
        measure to-guest bridge "$row" 4
        flood_end
        flood_note
    done
    tc qdisc del dev kvif3 root
}

# Frames that the flooding guest got rid of.
flooded() { ctl --json vif show $FLOODER.0 | jq '.counters | .tx_packets + .tx_limited'; }

effect_from_guest() {
    local row frames us
    step 'from-guest, netback-team: no attack'
    row_ours from-guest none
    for row in off "${REACTIONS[@]}"; do
        step "from-guest, netback-team: $row"
        frames=$(flooded) us=$(date +%s%6N)
        kill -CONT "${GUEST_PID[$FLOODER]}"
        row_ours from-guest "$row"
        jq -n --argjson n "$(($(flooded) - frames))" --argjson us "$(($(date +%s%6N) - us))" '{kpps: ($n * 1000 / $us)}' >"$DIR/flood.json"
        flood_note
        unwatch $FLOODER
        sleep 0.1 # the hypervisor has let it go on
        kill -STOP "${GUEST_PID[$FLOODER]}"
    done
    step 'from-guest, bridge: no attack'
    measure from-guest bridge none 4
    for row in off tbf; do
        step "from-guest, bridge: $row"
        [[ $row == off ]] ||
            ip netns exec guest3 tc qdisc add dev eth0 root tbf rate $((LIMIT_PPS * 60 * 8))bit burst 60000b limit 60000b || die tbf
        flood_from guest3 small $HOLE_MAC $HOLE_IP 0
        sleep 0.5
        measure from-guest bridge "$row" 4
        flood_end
        flood_note
    done
    ip netns exec guest3 tc qdisc del dev eth0 root
}

# ---- detection ----

# watch N: anew, and what is usual has been learned
watch() {
    unwatch "$1"
    vif_set "$1" dos quick
    wait_for 5 dos_is "$1" .state calm
    in_guest "$1" ping -q -i 0.1 -w 4 "$OUTSIDE_IP" >/dev/null
    in_guest "$1" bash -c "for _ in {1..20}; do echo >/dev/udp/$OUTSIDE_IP/53; done"
}

# alarms SINCE_US [N]: attacks on guest N and by it that were raised since then; without N: on and by anybody, the team too
alarms() {
    ctl --json events | jq -c --arg vif "${2:+vif$2.0}" --argjson since "$1" \
        'select(.kind == "dos" and .time_us >= $since and (.new | test("^attack .* raised")) and ($vif == "" or .who == $vif))'
}
raised() { [[ -n $(alarms "$@") ]]; }

# detect KIND RATE
detect() {
    local start
    watch 1
    start=$(date +%s%6N)
    flood_begin "$1" "$(guest_mac 1)" "$(guest_ip 1)" "$2"
    wait_for 10 raised "$start" 1 || step "$1, $2 a second: not seen"
    flood_end
    alarms "$start" 1 | head -n 1 | jq -cs --slurpfile flood "$DIR/flood.json" --argjson rate "$2" '
        {part: "detect", row: $flood[0].attack, rate: (if $rate > 0 then "slow" else "full" end), attack_kpps: $flood[0].kpps,
         detected_ms: (if length > 0 then (.[0].time_us - $flood[0].start_us) / 1000 else null end),
         by: (if length > 0 then .[0].new | sub("^attack on it raised: "; "") else null end)}' >>"$DIR/rows"
}

detect_all() {
    local kind
    # The least rates of tests/sim/sim-dos.c, where the machine has them.
    local -A slow=([syn]=5000 [udp]=15000 [small]=70000 [spoofed]=15000 [flows]=6000 [amplification]=15000)
    for kind in syn udp small spoofed flows amplification; do
        step "detection: $kind, ${slow[$kind]} a second"
        detect "$kind" "${slow[$kind]}"
        step "detection: $kind, full speed"
        detect "$kind" 0
    done
}

# stream DIRECTION STREAMS
stream() { throughput 2 -t 5 -P "$2" ${1:+"$1"} >/dev/null; }
peak_backup() { stream '' 1; }
peak_speed_test() { stream -R 16 && stream '' 16; }
peak_migration() { stream -R 1; }
peak_incast() {
    local i round clients
    for round in {1..5}; do
        clients=()
        for i in {1..16}; do
            head -c 4M /dev/zero | in_outside timeout 5 socat -u - "TCP:$(guest_ip 2):9000" 2>/dev/null &
            clients+=($!)
        done
        wait "${clients[@]}"
        sleep 0.2
    done
}

innocent_all() {
    local peak start
    in_guest 2 socat -u TCP-LISTEN:9000,fork,reuseaddr,backlog=64 OPEN:/dev/null 2>/dev/null &
    for peak in backup speed_test incast migration; do
        step "innocent: ${peak/_/ }"
        watch 2
        start=$(date +%s%6N)
        "peak_$peak"
        alarms "$start" | jq -cs --arg row "${peak/_/ }" '{part: "innocent", row: $row, alarms: length, which: map(.new)}' >>"$DIR/rows"
    done
    vif_set 2 dos off
}

# ---- all of it ----

world_up
kernel_up
box_start
team_set members 'nic0 nic1'
team_set mode slb
profiles
vmctl_up
daemon_start || die 'the daemon does not start'
# Its unit gives it ten times a service's part of the CPUs; ten steps of nice are as much.
for task in "/proc/$DAEMON_PID/task"/*; do renice -n $(($(nice) - 10)) -p "${task##*/}" >/dev/null; done
guests_up
flooder_up
can_pause 1
can_pause $FLOODER
hypervisor &
for n in 1 2; do unwatch "$n"; done
: >"$DIR/rows"
for part in "${parts[@]}"; do
    case $part in
        detect) detect_all ;;
        innocent) innocent_all ;;
        to-guest | from-guest) for ((round = 0; round < rounds; round++)); do "effect_${part/-/_}"; done ;;
        *) die "no part \"$part\": innocent, detect, to-guest, from-guest" ;;
    esac
done

jq -s '
    def median: sort_by(. // infinite) | if length == 0 then null else .[(length - 1) / 2 | floor] end;
    def over(b): if . == null or b == null or b == 0 then null else . / b end;
    map(select(.part == "detect" or .part == "innocent")) as $events |
    (map(select(.part | endswith("guest"))) | group_by([.part, .by, .row]) | map({part: .[0].part, by: .[0].by, row: .[0].row,
        p50_us: map(.p50_us) | median, p99_us: map(.p99_us) | median, lost_pct: map(.lost_pct) | median,
        mbit_s: map(.mbit_s) | median, attack_kpps: map(.attack_kpps // empty) | median})) as $rows |
    {detection: ($events | map(select(.part == "detect"))), innocent: ($events | map(select(.part == "innocent"))),
     effect: [$rows[] | . as $r | ($rows[] | select(.part == $r.part and .by == $r.by and .row == "none")) as $none |
        $r + {p50_ratio: $r.p50_us | over($none.p50_us), p99_ratio: $r.p99_us | over($none.p99_us),
              mbit_ratio: $r.mbit_s | over($none.mbit_s)}]}' "$DIR/rows" >"$DIR/defence.json" || exit 1
[[ -z $json ]] || cp "$DIR/defence.json" "$json"
step 'done; ratios are to the row "none" of the same switch'
jq -r 'def r: if type == "number" then . * 100 | round / 100 else . // "-" end;
    (.detection | select(length > 0) | (["attack", "kpps", "seen after ms", "by"], (.[] | [.row, .attack_kpps, .detected_ms, .by])) | map(r) | @tsv),
    (.innocent | select(length > 0) | (["peak", "alarms", "which"], (.[] | [.row, .alarms, (.which | join(", ") | if . == "" then null else . end)])) | map(r) | @tsv)' \
    "$DIR/defence.json" | column -t -s "$(printf '\t')"
jq -r 'def r: if type == "number" then . * 100 | round / 100 else . // "-" end;
    ["none", "elsewhere", "off", "tbf", "alert", "limit", "delay", "second_team", "pause"] as $order |
    .effect | select(length > 0) | sort_by(.part, .by, (.row as $row | $order | index($row))) |
    (["attack", "switch", "reaction", "p50 us", "ratio", "p99 us", "ratio", "lost %", "Mbit/s", "ratio", "flood kpps"],
     (.[] | [.part, .by, .row, .p50_us, .p50_ratio, .p99_us, .p99_ratio, .lost_pct, .mbit_s, .mbit_ratio, .attack_kpps])) |
    map(r) | @tsv' "$DIR/defence.json" | column -t -s "$(printf '\t')"

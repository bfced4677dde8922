#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ./dev demo: what netback-team and usbback do, seen from outside. Two guests, a team of two NICs, faults in mid transfer; then a
# guest with a USB disk.
#
# Ends with a table; exit status 1 when a limit is not kept. Limits: 0 TCP connections lost; no hole over 30 ms in a 1 kHz
# stream when the active NIC loses its carrier; none over 1 s when the daemon is killed and started again; every checksum
# of the USB disk is right.
set -u
SECONDS=${XENBACK_SECONDS:-0}
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/usb.sh"

CARRIER_MAX_MS=30 RESTART_MAX_MS=1000
# A hole over its limit while the machine stood still for longer than this (a host took its processors away) says nothing of us:
# then once more.
NOISE_MAX_MS=10 TRIES=3
CONNECTIONS=8
IPERF_S=4
# During faults: enough to be in mid transfer always, not so much that two processors are all that is measured.
BULK_RATE=1G
TABLE=() VIOLATED=0

say() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }

fail() {
    printf 'demo: %s\n' "$*" >&2
    exit 1
}

# row WHAT VALUE UNIT [LIMIT]: for the table; VALUE over LIMIT is a violation.
row() {
    local verdict='' limit=''
    if (($# > 3)); then
        limit="<= $4"
        if awk -v v="$2" -v max="$4" 'BEGIN { exit !(v != "" && v + 0 <= max + 0) }'; then
            verdict=ok
        else
            verdict='TOO MUCH'
            VIOLATED=1
        fi
    fi
    TABLE+=("$(printf '%-62s %9s %-7s %8s  %s' "$1" "${2:-none}" "$3" "$limit" "$verdict")")
}

rule() { printf '%.0s-' {1..99}; printf '\n'; }

# transfer NAME WHERE-SERVER... -- WHERE-CLIENT... -- IP [IPERF-OPTION...]: prints Mbit/s.
transfer() {
    local name=$1 server=() client=()
    shift
    while [[ $1 != -- ]]; do server+=("$1"); shift; done
    shift
    while [[ $1 != -- ]]; do client+=("$1"); shift; done
    shift
    "${server[@]}" iperf3 -s -1 -p 5300 >"$DIR/iperf-server-$name.log" 2>&1 &
    wait_for 5 listening 5300 "${server[@]}" || return 1
    "${client[@]}" timeout 60 iperf3 -c "$1" -p 5300 -t "$IPERF_S" --json "${@:2}" >"$DIR/iperf-$name.json" 2>"$DIR/iperf-$name.log" || return 1
    iperf_mbit "$DIR/iperf-$name.json"
}

speed() {
    local text=$1 mbit
    shift
    mbit=$(transfer "$@") || fail "$text: no transfer: $(cat "$DIR/iperf-$1.log" "$DIR/iperf-$1.json" 2>/dev/null | tail -n 5)"
    say "$text: $mbit Mbit/s"
    row "$text" "$mbit" Mbit/s
}

# start_load SECONDS: a 1 kHz stream each way, connections that talk, bulk TCP, all at once.
start_load() {
    LOAD=()
    in_outside "$GAPMETER" udp-recv 7000 $(($1 + 10)) >"$DIR/out" 2>>"$DIR/gap.log" & LOAD+=($!)
    in_guest 1 "$GAPMETER" udp-recv 7000 $(($1 + 10)) >"$DIR/in" 2>>"$DIR/gap.log" & LOAD+=($!)
    background in_outside "$GAPMETER" tcp-serve 7001 $(($1 + 70)) 2>>"$DIR/gap.log"
    SERVE=$BG
    in_outside iperf3 -s -1 -p 5300 >"$DIR/bulk-server.log" 2>&1 & LOAD+=($!)
    wait_for 5 listening 7001 in_outside && wait_for 5 listening 5300 in_outside || fail 'the receivers do not start'
    "$GAPMETER" noise "$1" >"$DIR/noise" 2>>"$DIR/gap.log" & LOAD+=($!)
    in_guest 1 "$GAPMETER" udp-send "$OUTSIDE_IP" 7000 "$1" 2>>"$DIR/gap.log" & LOAD+=($!)
    in_outside "$GAPMETER" udp-send "$(guest_ip 1)" 7000 "$1" 2>>"$DIR/gap.log" & LOAD+=($!)
    in_guest 1 "$GAPMETER" tcp-hold "$OUTSIDE_IP" 7001 "$CONNECTIONS" "$1" >"$DIR/tcp" 2>>"$DIR/gap.log" & LOAD+=($!)
    in_guest 1 timeout $(($1 + 60)) iperf3 -c "$OUTSIDE_IP" -p 5300 -t "$1" -b "$BULK_RATE" --json >"$DIR/bulk.json" 2>>"$DIR/gap.log" & BULK=$!
}

# finish_load: waits for the ends; the results are in OUT, IN, TCP, NOISE, LOST.
finish_load() {
    local bulk_lost=0 lost
    wait "${LOAD[@]}"
    wait "$BULK" || bulk_lost=1
    background_end "$SERVE"
    OUT=$(<"$DIR/out") IN=$(<"$DIR/in") TCP=$(<"$DIR/tcp") NOISE=$(field longest_stall_ms "$(<"$DIR/noise")")
    lost=$(field lost "$TCP")
    LOST=$((${lost:-$CONNECTIONS} + bulk_lost))
    say "  guest to network: $OUT"
    say "  network to guest: $IN"
    say "  TCP: $TCP; bulk transfer: $(iperf_mbit "$DIR/bulk.json") Mbit/s over all of it"
    say "  the machine itself stood still for up to $NOISE ms"
}

# measure TEXT MAX_MS SECONDS FAULT-FUNCTION: the fault happens under load; rows for the table.
measure() {
    local try
    for ((try = 1; try <= TRIES; try++)); do
        start_load "$3"
        "$4"
        finish_load
        awk -v out="$(field longest_hole_ms "$OUT")" -v in_="$(field longest_hole_ms "$IN")" -v max="$2" -v noise="$NOISE" \
            -v noise_max="$NOISE_MAX_MS" 'BEGIN { exit !((out > max || in_ > max) && noise > noise_max) }' || break
        ((LOST == 0 && try < TRIES)) || break
        say '  that was the machine: once more'
    done
    row "$1: longest hole, guest to network" "$(field longest_hole_ms "$OUT")" ms "$2"
    row "$1: longest hole, network to guest" "$(field longest_hole_ms "$IN")" ms "$2"
    row "$1: machine itself stood still" "$NOISE" ms
    row "$1: TCP connections lost, of $((CONNECTIONS + 1))" "$LOST" '' 0
}

demo_attach() {
    local t0 n
    say 'start the box (a Xen without Xen), a switch, an outside host, a team of nic0 and nic1'
    net_up 2
    box_start
    team_set members 'nic0 nic1'
    team_set mode active-backup
    team_set failback_hold 1s
    daemon_start || fail "netback-team does not start: $(tail -n 3 "$DIR/netback-team.log")"
    for n in 1 2; do
        guest_start "$n"
        t0=${EPOCHREALTIME/./}
        guest_attach "$n" || fail "xl network-attach failed for guest $n"
        wait_for 20 guest_connected "$n" || fail "guest $n does not connect: $(ctl explain vif "$n.0" 2>&1)"
        row "attach of guest $n: from xl to connected" "$(((${EPOCHREALTIME/./} - t0) / 1000))" ms
        guest_address "$n" || fail "guest $n has no eth0"
        wait_for 10 reaches "$n" "$OUTSIDE_IP" || fail "guest $n does not reach the network"
        say "guest $n is attached and reaches the network"
    done
    ctl team show team0 | sed '/^options:/,$d'
}

demo_speed() {
    speed 'guest 1 to network, TCP' out in_outside -- in_guest 1 -- "$OUTSIDE_IP"
    speed 'network to guest 1, TCP' in in_guest 1 -- in_outside -- "$(guest_ip 1)"
    speed 'guest 1 to guest 2, TCP' local in_guest 2 -- in_guest 1 -- "$(guest_ip 2)"
}

fault_carrier() {
    sleep 3
    say '  cut:  nic0'
    carrier_cut 0
    sleep 3
    say '  back: nic0'
    carrier_back 0
}

demo_carrier() {
    say 'transfer in both directions; then the active NIC loses its link'
    measure 'NIC lost and back' "$CARRIER_MAX_MS" 10 fault_carrier
    ctl team show team0 | sed '/^options:/,$d'
}

fault_restart() {
    sleep 3
    say '  kill -9'
    daemon_kill
    daemon_start || fail "netback-team does not start again: $(tail -n 3 "$DIR/netback-team.log")"
    say '  it is back'
}

demo_restart() {
    say 'transfer in both directions; then the daemon is killed (-9) and started again'
    measure 'daemon killed and restarted' "$RESTART_MAX_MS" 8 fault_restart
}

# ---- USB: guest 3 ----

USB_MIB=64

# usb_tell COMMAND...: the guest does it, or the demo ends.
usb_tell() { usb_ask 3 60 "$@" || fail "the guest with the USB disk: $* fails: $(tail -n 3 <<<"$ANSWER")"; }
usb_sum() { grep -xE '[0-9a-f]{64}' <<<"$1"; }
# usb_pipes FIELD: of all pipes of the disk.
usb_pipes() { ctl --json usb show 3 | jq "[.ports[] | select(.port == 1).pipes[].$1] | add"; }

demo_usb_attach() {
    local t0
    say "a guest with a USB disk ($USB_MIB MiB, random bytes) and a test device"
    usb_image "$DIR/stick.img" "$USB_MIB"
    USB_SUM=$(sum_of "$DIR/stick.img")
    usb_start || fail "usbback does not start: $(tail -n 3 "$DIR/usbback.log")"
    usb_boot_with 3 "model:disk,file=$DIR/stick.img" model:source-sink || fail 'xl usbctrl-attach failed'
    usb_guest 3
    t0=${EPOCHREALTIME/./}
    usb_tell disk 0-1
    row 'USB disk: from the guest'\''s start to its first use' "$(((${EPOCHREALTIME/./} - t0) / 1000))" ms
    usb_tell list
    sed '/^done:/d' <<<"$ANSWER"
}

demo_usb_read() {
    local urbs transfers
    urbs=$(usb_pipes urbs) transfers=$(usb_pipes transfers)
    usb_tell read 0-1 sha256
    urbs=$(($(usb_pipes urbs) - urbs)) transfers=$(($(usb_pipes transfers) - transfers))
    say "  $(head -n 1 <<<"$ANSWER")"
    say "  the guest's $urbs requests were $transfers transfers"
    row "USB disk: $USB_MIB MiB read in requests of 4 KiB" "$(sed -n 's/.*, \([0-9.]*\) MB\/s.*/\1/p' <<<"$ANSWER")" MB/s
    row 'USB disk: requests of the guest per host transfer' "$(awk -v u="$urbs" -v t="$transfers" 'BEGIN { printf "%.1f", u / t }')" ''
    USB_WRONG=0
    [[ $(usb_sum "$ANSWER") == "$USB_SUM" ]] || USB_WRONG=1
    usb_tell test 0-2 iterations=20
    say "  test device: $(grep passed, <<<"$ANSWER")"
    row 'USB test device: cases failed, of 30' "$(sed -n 's/.*passed, \([0-9]*\) failed.*/\1/p' <<<"$ANSWER")" '' 0
    usb_tell iso 0-2 3
    say "  $(head -n 1 <<<"$ANSWER")"
    row 'USB isochronous stream, 3 s: packets lost' "$(sed -n 's/.*, \([0-9]*\) lost.*/\1/p' <<<"$ANSWER")" '' 0
}

demo_usb_faults() {
    local t0
    say 'the guest reads its disk; usbback is killed (-9) and started again'
    usb_do 3 'read 0-1 sha256'
    sleep 0.1
    daemon_kill
    t0=${EPOCHREALTIME/./}
    usb_start || fail "usbback does not start again: $(tail -n 3 "$DIR/usbback.log")"
    row 'usbback killed and restarted: until it serves again' "$(((${EPOCHREALTIME/./} - t0) / 1000))" ms
    usb_tell read 0-1 sha256
    if usb_said 3 'failed: read'; then USB_WRONG=$((USB_WRONG + 1)); fi
    USB_WRONG=$((USB_WRONG + $(grep -xE '[0-9a-f]{64}' "$DIR/usb3.log" | grep -vcxF "$USB_SUM")))
    row 'USB disk: reads that failed or were wrong, of 3' "$USB_WRONG" '' 0
    say 'the guest reads its disk, which is unplugged'
    usb_do 3 'read 0-1 sha256'
    sleep 0.1
    t0=${EPOCHREALTIME/./}
    ctl usb detach 3 1 >/dev/null || fail 'xenbackctl usb detach failed'
    usb_tell wait 0-1 gone
    row 'USB disk unplugged in mid read: until the guest knows' "$(((${EPOCHREALTIME/./} - t0) / 1000))" ms
    usb_tell stats
    row 'rules of the protocol that usbback broke' "$(sed -n 's/.* complaints //p' <<<"$ANSWER" | head -n 1)" '' 0
    usb_guest_end 3
}

net_enter "$@"
net_prefer
demo_attach
demo_speed
demo_carrier
demo_restart
daemon_stop || fail 'netback-team does not stop cleanly'
demo_usb_attach
demo_usb_read
demo_usb_faults
daemon_stop || fail 'usbback does not stop cleanly'

printf '\n%-62s %9s %-7s %8s\n' 'what' 'measured' '' 'limit'
rule
printf '%s\n' "${TABLE[@]}"
rule
if ((VIOLATED)); then
    say 'a limit was not kept'
    exit 1
fi
say 'all limits kept'

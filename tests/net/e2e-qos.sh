#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two guests of 2000 and 1000 shares on one card that is paced get 2:1, by bytes; new shares count at once. Limits are judged by each
# other's bytes, not by time. A wrong value is refused by name. What a guest receives is limited on its own. Then the worked examples
# of sharing, with guests that send frames of all sizes: judged where the daemon says that nobody ran dry.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
net_enter "$@"
net_up 1
box_start
team_set members nic0
team_set pace 4Mbit
daemon_start
ok 'guest 1 is up' guest_up 1
ok 'guest 2 is up' guest_up 2
ok 'guest 1 reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"
ok 'guest 2 reaches the network' wait_for 10 reaches 2 "$OUTSIDE_IP"

# Bytes that both guests have sent, as their backend counts them, to A and B.
sent() { read -r A B < <(ctl --json vif list | jq -r 'sort_by(.domid) | map(.tx_bytes) | join(" ")'); }
# passed A B BYTES: both guests have sent so many since they had sent A and B.
passed() { sent && ((A - $1 >= $3 && B - $2 >= $3)); }

# Both send UDP as fast as they can, without an end.
for n in 1 2; do
    background in_guest "$n" socat -u -b 1400 OPEN:/dev/zero "UDP-DATAGRAM:$OUTSIDE_IP:$((7000 + n))"
    SENDER[n]=$BG
done
# ratio TEXT: what guest 1 sends for 1000 bytes of guest 2, while both send 400 kB and more.
ratio() {
    local a b
    sent
    a=$A b=$B
    wait_for 60 passed "$a" "$b" 400000
    RATIO=$(((A - a) * 1000 / (B - b)))
    diag "$1: $RATIO : 1000"
}

vif_set 1 shares 2000
vif_set 2 shares 1000
ok 'shares are taken over' wait_for 5 figure_is 1 tx .shares 2000
ok 'both guests send' wait_for 20 passed 0 0 30000
ratio '2000 to 1000 shares'
ok '2000 to 1000 shares: 2 to 1 by bytes' test "$RATIO" -ge 1900 -a "$RATIO" -le 2100
like 'entitled: two thirds' "$(figure 1 tx .entitled_percent)" '^66\.[67]'
like 'entitled: one third' "$(figure 2 tx .entitled_percent)" '^33\.3'
vif_set 2 shares 6000
ok 'new shares are taken over' wait_for 5 figure_is 2 tx .shares 6000
ratio '2000 to 6000 shares'
ok '2000 to 6000 shares: 1 to 3 by bytes' test "$RATIO" -ge 317 -a "$RATIO" -le 350

# Two limits, nothing else: late wake-ups of a busy machine hit both alike, and their bursts make up for them.
vif_set 1 avg 1Mbit
vif_set 1 burst 25000
vif_set 2 avg 2Mbit
vif_set 2 burst 50000
ok 'limits are taken over' wait_for 5 figure_is 2 tx .burst_bytes 50000
team_set pace none
ratio 'limits of 1 and 2 Mbit'
ok 'limits of 1 and 2 Mbit: 1 to 2 by bytes' test "$RATIO" -ge 475 -a "$RATIO" -le 525
ok 'waiting for its average is counted' test "$(figure 1 tx '.reasons["queued-average"]')" -gt 0
team_set pace 4Mbit

vif_set 1 peak 500kbit
ok 'a peak below the average is refused' wait_for 5 store_has "$(policy_dir 1)/error"
like 'and the error says so' "$(store_read "$(policy_dir 1)/error")" 'peak is below avg.*avg=1Mbit.*peak=500kbit'
is 'the old values stay' "$(figure 1 tx .peak_bps)" 0
xenstore-rm "$(policy_dir 1)/peak"
ok 'taken back: no error' wait_for 5 no_error "$(policy_dir 1)"
xenstore-rm "$(policy_dir 2)/burst"
xenstore-rm "$(policy_dir 2)/avg"
vif_set 2 min 3100kbit
ok 'a minimum over 75 % of the capacity is refused' wait_for 5 store_has "$(policy_dir 2)/error"
like 'and the error says so' "$(store_read "$(policy_dir 2)/error")" 'sum of all min.*min=3100kbit'
team_set pace 5Mbit
ok 'with more capacity it is granted' wait_for 5 figure_is 2 tx .min_granted_bps 3100000
ok 'and there is no error any more' wait_for 5 no_error "$(policy_dir 2)"
team_set pace 4Mbit
vif_set 2 min 2500kbit
ok 'a smaller one is granted' wait_for 5 figure_is 2 tx .min_granted_bps 2500000
like 'qos show tells people' "$(ctl qos show)" 'VIF.*ENTITLED.*USED.*SENT.*QUEUED'
for n in 1 2; do background_end "${SENDER[n]}"; done

xenstore-rm "$(policy_dir 1)/burst"
xenstore-rm "$(policy_dir 1)/avg"
team_set pace none
ok 'limits are lifted' wait_for 5 figure_is 1 tx .avg_bps 0

# What comes in: never more than 10 Mbit and its burst.
vif_set 1 rx_avg 10Mbit
ok 'a limit of what comes in is taken over' wait_for 5 figure_is 1 rx .avg_bps 10000000
receives() {
    in_guest 1 iperf3 -s -1 -p 5300 >/dev/null 2>&1 &
    wait_for 20 listening 5300 in_guest 1
    in_outside timeout 60 iperf3 -c "$(guest_ip 1)" -p 5300 -t 3 --json >"$DIR/iperf.json"
    MBIT=$(iperf_mbit "$DIR/iperf.json")
}
receives
# On a starved machine iperf3 may give up its own connection.
[[ -n $MBIT ]] || { diag "iperf3: $(jq -r .error "$DIR/iperf.json")"; receives; }
diag "to a guest with rx_avg=10Mbit: $MBIT Mbit/s"
ok 'what it receives is limited' test "$MBIT" -ge 1 -a "$MBIT" -le 11
ok 'frames waited for it' test "$(figure 1 rx '.reasons["queued-average"]')" -gt 0
ok 'how long is told' test "$(figure 1 rx .delay_p99_us)" -gt 0 -a "$(figure 1 rx .delay_p50_us)" -le "$(figure 1 rx .delay_p99_us)"
is 'the most that waits is what 5 ms bring, at least 128 KiB' "$(figure 1 rx .queue_max_bytes)" 131072
vif_set 1 rx_queue 256KiB
ok 'another bound is taken over' wait_for 5 figure_is 1 rx .queue_max_bytes 262144
vif_set 1 rx_queue 100KiB
ok 'one that is too small is refused, by name' wait_for 5 error_is "$(policy_dir 1)" 'rx_queue is neither 0 nor from 128KiB to 512KiB.*rx_queue=100KiB'
vif_set 1 rx_queue 0
ok 'as before' wait_for 5 figure_is 1 rx .queue_max_bytes 131072

# The worked examples of sharing, on two cards of 50 Mbit each. Guests without a network stack that keep their rings full with frames of
# 60, 600, 1514 bytes and 64 KiB GSO in turn: a ring lasts for 100 ms and more, so that a guest may come late.
guest_stop 1
guest_stop 2
nic_add 1
team_set members 'nic0 nic1'
team_set mode hash
team_set pace 50Mbit
FRAME=68670 # the largest one on the wire
OUTSIDE_MAC=$(in_outside cat /sys/class/net/eth0/address)
# load_start N SHARES [BITS]: guest N sends all it can, or so much a second.
load_start() {
    background "$BUILD/tests/bench/bench-vif-load" --domid "$1" --dir "$XENBOX_DIR" --seconds 600 --mode mixed --dst "$OUTSIDE_MAC" \
        ${3:+--rate "$3"}
    SENDER[$1]=$BG
    guest_attach "$1"
    vif_set "$1" shares "$2"
    wait_for 20 load_runs "$1" "$2"
}
load_runs() { figure_is "$1" tx .shares "$2" && (($(figure "$1" tx .sent_packets) > 100)); }
snapshot() { ctl --json qos show | jq -c 'map(select(.direction == "tx") | {key: "\(.domid)", value: {
    bytes: (.minimum_bytes + .share_bytes + .floor_bytes), by_time_packets, wakes, waits: .waits_for}}) | from_entries' >"$DIR/$1"; }
# between EXPRESSION VM=SHARES...: of the snapshots $a and $b, for VMs $vms.
between() {
    local expression=$1
    shift
    jq -n -r --slurpfile from "$DIR/from" --slurpfile to "$DIR/to" --argjson frame "$FRAME" "\$from[0] as \$a | \$to[0] as \$b |
        (\$ARGS.positional | map(split(\"=\") | {vm: .[0], w: (.[1] | tonumber)})) as \$vms |
        def sent(\$v): \$b[\$v.vm].bytes - \$a[\$v.vm].bytes; $expression" --args "$@"
}
# full_window BYTES VM=SHARES...: two snapshots between which these VMs sent so much, had frames all the time, and it was the cards that
# were short, not the time of the daemon; 1: the machine was too busy for that.
full_window() {
    local bytes=$1 try end
    shift
    for try in 1 2 3 4; do
        snapshot from
        end=$((SECONDS + 30))
        until snapshot to && (($(between '[$vms[] | sent(.)] | add' "$@") >= bytes)); do
            ((SECONDS < end)) || return 1
            sleep 0.2
        done
        [[ $(between 'all($vms[]; $a[.vm].wakes == $b[.vm].wakes and
            $a[.vm].by_time_packets == $b[.vm].by_time_packets and $a[.vm].waits == "turn" and $b[.vm].waits == "turn")' "$@") != true ]] ||
            return 0
        diag "try $try: a guest ran dry ($(between 'any($vms[]; $a[.vm].wakes < $b[.vm].wakes)' "$@")), or the daemon had no time (by time: $(
            between '[$vms[] | $b[.vm].by_time_packets - $a[.vm].by_time_packets] | add' "$@"))"
    done
    return 1
}
# Service by shares of any two differs by no more than the largest frame of each: percent of that. The bound itself is reached, so
# whole numbers are divided, once: of fractions 100 became 100.00000000000001, and 101.
LAG='[$vms[] as $i | $vms[] as $j | select($i != $j) | (sent($i) * $j.w - sent($j) * $i.w) * 100 / ($frame * ($i.w + $j.w))] | max | ceil'
# Furthest from its part of what these sent: percent of that part.
ERROR='([$vms[] | sent(.)] | add) as $all | ([$vms[].w] | add) as $w |
    [$vms[] | (sent(.) / $all * $w / .w - 1) * 100 | fabs * 1000 | round / 1000] | max'
PARTS='([$vms[] | sent(.)] | add) as $all | [$vms[] | sent(.) / $all * 1000 | round / 10 | "\(.) %"] | join(", ")'
# shared TEXT BYTES VM=SHARES...: two checks.
shared() {
    local text=$1
    shift
    if ! full_window "$@"; then
        skip "$text: within 1 %" 'the guests did not keep their rings full on this machine'
        skip "$text: lag" 'the guests did not keep their rings full on this machine'
        return
    fi
    shift
    diag "$text: $(between "$PARTS" "$@"), at most $(between "$ERROR" "$@") % off, lag $(between "$LAG" "$@") % of its bound"
    ok "$text: within 1 %" eval "[[ $(between "$ERROR" "$@" | jq '. <= 1') == true ]]"
    ok "$text: lag of any two at most their largest frames" test "$(between "$LAG" "$@")" -le 100
}
ok 'guest 11 sends' load_start 11 2000
ok 'guest 12 sends' load_start 12 2000
ok 'guest 13 sends' load_start 13 1000
# So much that a largest frame more or less is below 1 %.
shared '2000, 2000, 1000 shares: 40, 40, 20 %' 52000000 11=2000 12=2000 13=1000
kill -STOP -- "-${SENDER[12]}"
wait_for 5 figure_is 12 tx .waits_for nothing
shared 'one stopped: 67, 33 %' 32000000 11=2000 13=1000
kill -CONT -- "-${SENDER[12]}"
background_end "${SENDER[12]}"
ok 'guest 14 sends, 20 % of the team' load_start 14 2000 20000000
shared 'one uses 20 %, the others 53.3 and 26.7 %: 2 to 1' 32000000 11=2000 13=1000
diag "with guest 14: $(between "$PARTS" 11=2000 13=1000 14=2000)"
for n in 11 13 14; do background_end "${SENDER[n]}"; done

# 15 % used, 20 % of the shares; half of the team goes, and that is 30 % of the rest.
team_set pace 100Mbit
for n in 21 22 23 24; do ok "guest $n sends" load_start "$n" 1000; done
ok 'guest 25 sends, 15 % of the team' load_start 25 1000 30000000
OTHERS=('21=1000' '22=1000' '23=1000' '24=1000')
carrier_cut 1
ok 'half of the capacity is gone' wait_for 5 figure_is 25 tx .capacity_bps 100000000
# From now on it is never further ahead of another one than a frame of each, whether it has frames or not.
if full_window 20000000 "${OTHERS[@]}"; then
    AHEAD=$(between '[$vms[] | ($b["25"].bytes - $a["25"].bytes - sent(.)) * 100 / (2 * $frame)] | max | ceil' "${OTHERS[@]}")
    ok "15 % used, half the team lost: held at once ($AHEAD % of the bound)" test "$AHEAD" -le 100
else
    skip '15 % used, half the team lost: held at once' 'the guests did not keep their rings full on this machine'
fi
shared '15 % used, half the team lost: 20 %' 72000000 25=1000 "${OTHERS[@]}"
for n in 21 22 23 24 25; do background_end "${SENDER[n]}"; done
ok 'the daemon lives' daemon_alive
done_testing

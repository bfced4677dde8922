#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two guests of 2000 and 1000 shares on one card that is paced get 2:1, by bytes; new shares count at once. Limits are judged by each
# other's bytes, not by time. A wrong value is refused by name. What a guest receives is limited on its own.
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

uuid() { local path; path=$(store_read "/local/domain/$1/vm") && printf '%s' "${path##*/}"; }
U1=$(uuid 1) U2=$(uuid 2)
vif_dir() { local u=U$1; printf '/local/domain/0/xenback/vm/%s/vif/0' "${!u}"; }
vif_set() { store_write "$(vif_dir "$1")/$2" "$3"; }
# figure DOMAIN DIRECTION NAME: of qos show
figure() { ctl --json qos show | jq -r ".[] | select(.domid == $1 and .direction == \"$2\") | $3"; }
figure_is() { [[ $(figure "$1" "$2" "$3") == "$4" ]]; }
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
error1() { store_read "$(vif_dir 1)/error"; }
ok 'a peak below the average is refused' wait_for 5 store_has "$(vif_dir 1)/error"
like 'and the error says so' "$(error1)" 'peak is below avg.*avg=1Mbit.*peak=500kbit'
is 'the old values stay' "$(figure 1 tx .peak_bps)" 0
xenstore-rm "$(vif_dir 1)/peak"
ok 'taken back: no error' wait_for 5 eval '! store_has "$(vif_dir 1)/error"'
xenstore-rm "$(vif_dir 2)/burst"
xenstore-rm "$(vif_dir 2)/avg"
vif_set 2 min 3100kbit
ok 'a minimum over 75 % of the capacity is refused' wait_for 5 store_has "$(vif_dir 2)/error"
like 'and the error says so' "$(store_read "$(vif_dir 2)/error")" 'sum of all min.*min=3100kbit'
vif_set 2 min 2500kbit
ok 'a smaller one is granted' wait_for 5 figure_is 2 tx .min_granted_bps 2500000
like 'qos show tells people' "$(ctl qos show)" 'VIF.*ENTITLED.*USED.*SENT.*QUEUED'
for n in 1 2; do background_end "${SENDER[n]}"; done

xenstore-rm "$(vif_dir 1)/burst"
xenstore-rm "$(vif_dir 1)/avg"
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
ok 'the daemon lives' daemon_alive
done_testing

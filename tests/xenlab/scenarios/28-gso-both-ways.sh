# SPDX-License-Identifier: GPL-2.0-or-later
# Large TCP segments pass whole in both directions, IPv4 and IPv6: counted by their mean size.
# lab: flavour=fast backend=team timeout=150
# shellcheck shell=bash

# mean_sizes BEFORE AFTER: of received and of sent frames, from two sets of counters
mean_sizes() {
    paste -d' ' <(echo "$1") <(echo "$2") | awk '{
        printf "%d %d\n", ($6 - $2) / ($5 - $1 + 1), ($8 - $4) / ($7 - $3 + 1)}'
}

# whole WHAT SENT RECEIVED: how large the sender made its frames is up to its TCP;
# nobody on the way may have cut them, and without GSO none exceeds the MTU.
whole() {
    log "$1: mean frame of $2 bytes sent, $3 received (MTU 1500)"
    at_least "$3" 2000 "mean bytes of a received frame, $1"
    at_least $((100 * $3 / $2)) 90 "received size in percent of the sent size, $1"
}

create_guest guest11
expect "guest reaches the outside host" ping_outside guest11
expect "guest reaches it over IPv6" ping_outside guest11 "$OUTSIDE6"
for option in -4 -6; do
    [[ $option == -4 ]] || IPERF_TARGET=$OUTSIDE6
    for direction in '' -R; do
        outside0=$(outside_counters) guest0=$(guest_counters guest11)
        throughput guest11 "$option" $direction >/dev/null
        outside1=$(outside_counters) guest1=$(guest_counters guest11)
        read -r outside_rx outside_tx <<<"$(mean_sizes "$outside0" "$outside1")"
        read -r guest_rx guest_tx <<<"$(mean_sizes "$guest0" "$guest1")"
        if [[ -z $direction ]]; then
            whole "out $option" "$guest_tx" "$outside_rx"
        else
            whole "in $option" "$outside_tx" "$guest_rx"
        fi
    done
done

# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 of the daemon in mid transfer and its restart: the guest sees a gap, nothing else.
# lab: flavour=fast backend=team timeout=240
# shellcheck shell=bash

create_guest guest11
expect "guest reaches the outside host" ping_outside guest11
for direction in '' -R; do
    report=$LAB_RUN/transfer
    (iperf_guest guest11 16 -i 0.5 $direction >"$report" 2>&1; echo "status $?" >>"$report") &
    transfer=$!
    expect "the transfer runs" poll 15 traffic_flows
    before=${EPOCHREALTIME/./}
    kill_team
    expect "the backend stays in state 4" state_is backend guest11 4
    start_team
    log "daemon back after $(((${EPOCHREALTIME/./} - before) / 1000)) ms"
    wait "$transfer"
    grep -q '^status 0' "$report" || { cat "$report"; fail "TCP did not survive the restart ($direction)"; }
    expect "data moves again at the end" moving_at_end <"$report"
    log "iperf3 $direction: silent for about $(($(silent_intervals <"$report") * 500)) ms"
    expect "both ends are still in state 4" state_is frontend guest11 4
done
expect "guest reaches the outside host at the end" ping_outside guest11

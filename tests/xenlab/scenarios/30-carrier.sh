# SPDX-License-Identifier: GPL-2.0-or-later
# The active NIC loses its carrier in mid transfer and gets it back: TCP goes on, both ways.
# lab: flavour=fast backend=team timeout=240
# shellcheck shell=bash

# Cut NIC in the middle of a transfer; it must go on over the other one.
cut_during_transfer() {
    local nic=$1 other=$2 report=$LAB_RUN/transfer silent before
    shift 2
    (iperf_guest guest11 16 -i 0.5 "$@" >"$report" 2>&1; echo "status $?" >>"$report") &
    expect "the transfer runs" poll 15 nic_carries "$nic"
    hostctl set_link "nic${nic#eth}" off
    expect "$nic lost its carrier" poll 5 nic_has_carrier "$nic" 0
    before=$(nic_packets "$other")
    expect "traffic goes over $other" poll 8 nic_moved "$other" "$before"
    wait $!
    grep -q '^status 0' "$report" || { cat "$report"; fail "TCP did not survive the loss of $nic ($*)"; }
    expect "data moves again at the end ($*)" moving_at_end <"$report"
    silent=$(silent_intervals <"$report")
    log "$nic cut during iperf3 $*: silent for about $((silent * 500)) ms, $(received_mbits <"$report") Mbit/s"
    at_most "$silent" 8 "half seconds of silence after the loss of $nic"
    hostctl set_link "nic${nic#eth}" on
    expect "$nic has its carrier back" poll 5 nic_has_carrier "$nic" 1
}

create_guest guest11
expect "guest reaches the outside host" ping_outside guest11
active=$(active_nic guest11)
case $active in
    eth0) standby=eth1 ;;
    *) standby=eth0 ;;
esac
log "active at start: $active"
cut_during_transfer "$active" "$standby"
# Ours goes back after its hold, which must not happen in the middle of the next transfer. Where the peer stays, cutting the other
# one proves that the first one was taken back.
first=$active
is_back() { [[ $(active_nic guest11) == "$first" ]]; }
[[ $(backend_script) != vif-team ]] || expect "failback to $first" poll 20 is_back
active=$(active_nic guest11)
case $active in
    eth0) standby=eth1 ;;
    *) standby=eth0 ;;
esac
cut_during_transfer "$active" "$standby" -R
expect "guest reaches the outside host at the end" ping_outside guest11

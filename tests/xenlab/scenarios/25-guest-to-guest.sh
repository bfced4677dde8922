# SPDX-License-Identifier: GPL-2.0-or-later
# TCP between two guests of one team, with one queue and with two, never leaves the machine.
# lab: flavour=fast backend=team timeout=240
# shellcheck shell=bash

for queues in 1 2; do
    GUEST_VCPUS=$queues
    GUEST_CMDLINE="lab.queues=$queues"
    create_guest guest11
    create_guest guest12
    wait_connected guest11
    wait_connected guest12
    used=$(xenstore-read "/local/domain/$(domid guest11)/device/vif/0/multi-queue-num-queues" || echo 1)
    expect "guest uses $queues queues (uses $used)" test "$used" -eq "$queues"
    expect "guests reach each other" ping_outside guest11 "$(addr4 guest12)"
    before=$(switch_packets)
    domu guest12 'iperf3 -s -1 -D -p 5201'
    report=$(DOMU_TIMEOUT=40 domu guest11 \
        "iperf3 -c $(addr4 guest12) -p 5201 -t 5 -f m -P $queues") || fail "iperf3: $(tail -1 <<<"$report")"
    rate=$(received_mbits <<<"$report")
    log "$queues queue(s): $rate Mbit/s between guests"
    at_least "$rate" 10 "Mbit/s between guests"
    leaked=$(($(switch_packets) - before))
    at_most "$leaked" 200 "packets on the wire during traffic between guests"
    destroy_all_guests
done

# SPDX-License-Identifier: GPL-2.0-or-later
# Large TCP segments pass whole in both directions, IPv4 and IPv6: counted by their mean size.
# lab: flavour=fast backend=team timeout=150
# shellcheck shell=bash

# mean_size COUNTERS-BEFORE COUNTERS-AFTER: of packets received by that interface
mean_size() {
    local p0 b0 p1 b1
    read -r p0 b0 _ <<<"$1"
    read -r p1 b1 _ <<<"$2"
    echo $(((b1 - b0) / (p1 - p0 + 1)))
}

create_guest guest11
expect "guest reaches the outside host" ping_outside guest11
expect "guest reaches it over IPv6" ping_outside guest11 "$OUTSIDE6"
for option in -4 -6; do
    [[ $option == -4 ]] || IPERF_TARGET=$OUTSIDE6
    before=$(outside_counters)
    throughput guest11 "$option" >/dev/null
    out=$(mean_size "$before" "$(outside_counters)")
    before=$(guest_counters guest11)
    throughput guest11 "$option" -R >/dev/null
    in=$(mean_size "$before" "$(guest_counters guest11)")
    log "iperf3 $option: mean frame $out bytes out, $in bytes in (MTU 1500)"
    # Twice the MTU: no frame of that size exists without GSO.
    at_least "$out" 3000 "mean bytes of a frame at the outside host ($option)"
    at_least "$in" 3000 "mean bytes of a frame in the guest ($option)"
done

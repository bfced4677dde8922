# SPDX-License-Identifier: GPL-2.0-or-later
# IPv6: neighbour discovery, ping and TCP in both directions.
# lab: flavour=fast backend=team timeout=150
# shellcheck shell=bash

create_guest guest11
expect "guest reaches the outside host over IPv6" ping_outside guest11 "$OUTSIDE6"
expect "the outside host reaches the guest" outside "ping -c 2 -W 5 $(addr6 guest11)"
IPERF_TARGET=$OUTSIDE6
out=$(throughput guest11 -6)
in=$(throughput guest11 -6 -R)
log "IPv6: $out Mbit/s out, $in Mbit/s in"
at_least "$out" 1 "Mbit/s out"
at_least "$in" 1 "Mbit/s in"

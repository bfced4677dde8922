# SPDX-License-Identifier: GPL-2.0-or-later
# xl destroy in the middle of heavy traffic ends in under 10 s and leaves no zombie.
# lab: flavour=fast backend=team timeout=150
# shellcheck shell=bash

create_guest guest11
create_guest guest12
expect "traffic flows" ping_outside guest11
expect "traffic flows" ping_outside guest12
id=$(domid guest11)
(iperf_guest guest11 60 -P 2 >/dev/null 2>&1) &
load=$!
expect "the load runs" poll 15 traffic_flows

before=${EPOCHREALTIME/./}
expect "xl destroy" timeout $((30 * LAB_PATIENCE)) xl destroy guest11
took=$(((${EPOCHREALTIME/./} - before) / 1000))
kill "$load" 2>/dev/null || true
log "xl destroy under load took $took ms"
at_most "$took" 9999 "milliseconds of xl destroy"

# A page that is still mapped keeps the domain in the list.
gone() { ! guest_ids | grep -qx "$id"; }
expect "no zombie domain" poll 5 gone
expect "its backend directory is gone" no_backend_dir "$id"
expect "the other guest did not suffer" ping_outside guest12

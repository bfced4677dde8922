# SPDX-License-Identifier: GPL-2.0-or-later
# xl create with script=vif-team: both ends reach state 4, traffic flows, shutdown leaves nothing.
# lab: flavour=fast backend=team timeout=150
# shellcheck shell=bash

create_guest guest11
wait_connected guest11
expect "frontend reaches state 4" poll 10 state_is frontend guest11 4
id=$(domid guest11)
for key in feature-rx-copy feature-sg feature-gso-tcpv4 feature-split-event-channels; do
    expect "backend offers $key" test "$(xenstore-read "/local/domain/0/backend/vif/$id/0/$key")" = 1
done
expect "xl network-list shows the vif" grep -q "$(mac_of 11)" <<<"$(xl network-list guest11)"
expect "guest reaches the outside host" ping_outside guest11
out=$(throughput guest11)
in=$(throughput guest11 -R)
log "$out Mbit/s out, $in Mbit/s in"

xl shutdown guest11 >/dev/null
expect "guest shuts down" poll 60 no_guests
expect "its backend directory is gone" poll 5 no_backend_dir "$id"

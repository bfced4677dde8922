# SPDX-License-Identifier: GPL-2.0-or-later
# 50 cycles of network-attach and network-detach leave no fd, map, port, grant or store node behind.
# lab: flavour=fast backend=team timeout=400
# shellcheck shell=bash

create_guest guest11 'vif = []'
id=$(domid guest11)
cycle() {
    attach_vif guest11 0
    detach_vif guest11 0
}
# The first cycles fill caches and pools that stay.
for ((i = 0; i < 2; i++)); do cycle; done
before=$(account)
for ((i = 0; i < 50; i++)); do
    cycle
    ((i % 10)) || log "cycle $i"
done
after=$(account)
log "before: $before"
log "after:  $after"
expect "no backend directory is left" no_backend_dir "$id"
for what in fds maps ports nodes grants; do
    at_most "$(field $what "$after")" "$(field $what "$before")" "$what after 50 cycles"
done
at_most "$(stored_events)" 16 'events in the store'

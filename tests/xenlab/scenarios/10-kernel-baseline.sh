# SPDX-License-Identifier: GPL-2.0-or-later
# The lab itself: a guest on the kernel's xen-netback, bridge and bond moves data.
# lab: flavour=fast backend=kernel timeout=150
# shellcheck shell=bash

create_guest guest11
wait_connected guest11
expect "guest reaches the outside host" ping_outside guest11
out=$(throughput guest11)
in=$(throughput guest11 -R)
log "kernel backend: $out Mbit/s out, $in Mbit/s in"
at_least "$out" 1 "Mbit/s out"
at_least "$in" 1 "Mbit/s in"

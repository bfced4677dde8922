# SPDX-License-Identifier: GPL-2.0-or-later
# Counting what a backend must give back: fds, maps, ports, store nodes, CPU time.
# shellcheck shell=bash

# "fds=N maps=N ports=N nodes=N grants=N"; without the last events, whose number is bounded (stored_events).
account() {
    local pid
    pid=$(team_pid)
    printf 'fds=%s maps=%s ports=%s nodes=%s grants=%s\n' \
        "$(find "/proc/$pid/fd" -mindepth 1 2>/dev/null | wc -l)" \
        "$(grep -c gntdev "/proc/$pid/maps" 2>/dev/null)" \
        "$(dom0_ports)" "$(xenstore-ls -f / | grep -vc "^$EVENTS/")" "$(mapped_grants)"
}

EVENTS=/local/domain/0/xenback/status/events
# How many events the store keeps.
stored_events() { xenstore-list $EVENTS | grep -c '^[0-9]*$'; }

# Event channels that Dom0 holds.
dom0_ports() { "$(xen_bin)/lsevtchn" 0 | wc -l; }

xen_bin() { /usr/lib/xen-common/bin/xen-dir | sed 's,$,/bin,'; }

# Grants in use, from Xen's own table: a debug key prints one line for each to its log.
mapped_grants() {
    xl dmesg -c >/dev/null
    xl debug-keys g
    xl dmesg -c | grep -c '^(XEN) \[0x' || true
}

# field NAME "a=1 b=2"
field() { sed -n "s/.*\b$1=\([0-9]*\).*/\1/p" <<<"$2"; }

# CPU seconds of Dom0 since it booted, as Xen counts them.
dom0_cpu() { xl list 0 | awk 'NR == 2 {print $NF}'; }

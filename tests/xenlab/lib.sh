# SPDX-License-Identifier: GPL-2.0-or-later
# Everything a scenario may use, in Dom0. A scenario is sourced after this file.
# shellcheck shell=bash

LAB=${LAB:-/payload/lab}
LAB_RUN=/run/xenlab
LAB_PATIENCE=${LAB_PATIENCE:-1}
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p "$LAB_RUN/reply" "$LAB_RUN/guests"

. "$LAB/lib/host.sh"
. "$LAB/lib/guest.sh"
. "$LAB/lib/backend.sh"
. "$LAB/lib/traffic.sh"
. "$LAB/lib/usb.sh"
. "$LAB/lib/usbback.sh"
. "$LAB/lib/vmctl.sh"
. "$LAB/lib/account.sh"

# "# lab: backend=team timeout=120" in the head of a scenario file.
scenario_field() {
    sed -n "s/^# lab:.*\b$2=\([^ ]*\).*/\1/p" "$1" | head -1
}

note_reason() { echo "$*" >>"$LAB_RUN/reason"; }

# The first reason given is the one that is reported. TERM, because a scenario
# often fails inside $(...), where exit would only end the subshell.
fail() {
    note_reason "$*"
    echo "FAIL: $*"
    exit 1
}

skip() { note_reason "$*"; exit 77; }

log() { echo "--- $*"; send NOTE "  $*"; }

# poll SECONDS COMMAND...: until COMMAND succeeds; fails after SECONDS. A busy host
# gets more time (LAB_PATIENCE): a deadline here tells "hangs" from "works", and
# what must be fast is measured and judged by the scenario itself.
poll() {
    local end=$((SECONDS + $1 * LAB_PATIENCE))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

# expect "what" COMMAND...: COMMAND must succeed.
expect() {
    local what=$1
    shift
    "$@" || fail "$what (failed with $?: $*)"
}

# at_least VALUE MINIMUM "what"
at_least() {
    (($1 >= $2)) || fail "$3: $1, expected at least $2"
}

at_most() {
    (($1 <= $2)) || fail "$3: $1, expected at most $2"
}

cleanup_all() {
    local ok=0
    destroy_all_guests || ok=1
    stop_team || ok=1
    stop_usbback || ok=1
    usb_cleanup
    stop_kernel_backend || ok=1
    hostctl set_link nic0 on
    hostctl set_link nic1 on
    nics_reset
    xenstore-rm /local/domain/0/xenback 2>/dev/null
    hostctl outside 'ip link set out0 mtu 1500; ip neigh flush all' >/dev/null
    return $ok
}

# True for every scenario, so nobody has to remember it.
check_after_scenario() {
    local bad
    check_team_still_up
    check_usbback_still_up
    destroy_all_guests || fail "a guest could not be destroyed at the end"
    bad=$(dmesg | tail -n "+$(($1 + 1))" |
        grep -E 'BUG:|Oops|WARNING:|general protection|blocked for more|segfault' | head -3)
    [[ -z $bad ]] || fail "kernel log of Dom0: $bad"
}

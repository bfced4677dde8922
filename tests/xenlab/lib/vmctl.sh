# SPDX-License-Identifier: GPL-2.0-or-later
# xenback-vmctl in Dom0, and what Xen says of guests.
# shellcheck shell=bash

# vmctl_prepare NAME: VMCTL_DIR for files of this scenario; its vmctl.conf comes from stdin. Skips where the service is not installed.
vmctl_prepare() {
    [[ -x /usr/sbin/xenback-vmctl ]] || skip "xenback-vmctl is not installed (no libxenctrl at build time)"
    VMCTL_DIR=$LAB_RUN/$1 VMCTL_LOG=$LAB_RUN/$1/log VMCTL_PID=''
    mkdir -p "$VMCTL_DIR/save" /run/xenback
    cat >"$VMCTL_DIR/vmctl.conf"
}

vmctl_answers() { xenback-vmctl list >/dev/null 2>&1; }

vmctl_start() {
    setsid xenback-vmctl serve --conf="$VMCTL_DIR/vmctl.conf" >>"$VMCTL_LOG" 2>&1 </dev/null 9>&- &
    VMCTL_PID=$!
    poll 15 vmctl_answers || { tail -20 "$VMCTL_LOG"; fail "xenback-vmctl does not start: $(tail -1 "$VMCTL_LOG")"; }
}

vmctl_stop() { kill -TERM "$VMCTL_PID" 2>/dev/null || true; }

# paused NAME, goes_on NAME: as Xen sees it.
paused() { xl list "$1" | awk 'NR == 2 { exit $5 !~ /p/ }'; }
goes_on() { xl list "$1" | awk 'NR == 2 { exit $5 ~ /p/ }'; }

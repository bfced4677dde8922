# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What tests of xenback-vmctl need beside lib.sh, which comes first: the service, on a folder in place of the hypervisor
# (vmctl-double.c).

VMCTL=$BUILD/tests/net/vmctl-double
VMCTL_PID=''

# vmctl_prepare: the folder, without guests, and where the service makes its socket. DIR is there already.
vmctl_prepare() {
    export VMCTL_DOUBLE=$DIR/vm
    VMCTL_CONF=$DIR/vmctl.conf
    mkdir -p "$VMCTL_DOUBLE/guests" "${XENBACK_RUN:-/run/xenback}"
    cp "$SRC/tests/net/vmctl-xl" "$VMCTL_DOUBLE/xl"
}

# vmctl_rules LINE...: a new file; the service sees it at the next question.
vmctl_rules() {
    printf '%s\n' "$@" >"$VMCTL_CONF.new"
    mv "$VMCTL_CONF.new" "$VMCTL_CONF"
}

# vmctl_start: returns when the service answers. vmctl_end [SIGNAL]: returns when it is gone.
vmctl_start() {
    "$VMCTL" serve --conf="$VMCTL_CONF" >>"$DIR/vmctl.log" 2>&1 &
    VMCTL_PID=$!
    wait_for 60 vmctl_answers
}
vmctl_answers() { "$VMCTL" list >/dev/null 2>&1; }
vmctl_end() {
    kill "-${1:-TERM}" "$VMCTL_PID"
    wait "$VMCTL_PID" 2>/dev/null
    VMCTL_PID=''
}

# vm_add N NAME UUID: guest N runs.
vm_add() { printf '%s %s 0\n' "$3" "$2" >"$VMCTL_DOUBLE/guests/$1"; }
# pauses N: how often it is paused, as Xen counts; nothing where there is no such guest.
pauses() { awk '{ print $3 }' "$VMCTL_DOUBLE/guests/$1" 2>/dev/null; }
paused() { [[ $(pauses "$1") == 1 ]]; }
not_paused() { [[ $(pauses "$1") == 0 ]]; }

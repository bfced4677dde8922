# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the end-to-end tests of usbback need beside lib.sh, which comes first: the daemon, guests with USB controllers. Devices are
# models, for a machine under test has none of its own.

USBBACK=$BUILD/usbback/usbback
GUEST_USB=$BUILD/tools/xenbox-guest-usb
VM=/local/domain/0/xenback/vm
declare -A USB_GUEST=()

# usb_start [OPTION...]: returns when the daemon answers on its control socket. It must not hold the guests' pipes open.
usb_start() {
    "$USBBACK" --xen box "$@" >>"$DIR/usbback.log" 2>&1 21>&- 22>&- &
    DAEMON_PID=$!
    wait_for 15 ctl usb list
}

usb_backend() { printf '/local/domain/0/backend/vusb/%d/%d' "$1" "${2:-0}"; }
usb_frontend() { printf '/local/domain/%d/device/vusb/%d' "$1" "${2:-0}"; }
# usb_node N PORT: what stands in port/PORT of guest N; "absent" when there is no such node.
usb_node() {
    if store_has "$(usb_backend "$1")/port/$2"; then
        store_read "$(usb_backend "$1")/port/$2"
    else
        printf absent
    fi
}
usb_node_is() { [[ $(usb_node "$1" "$2") == "$3" ]]; }
store_lacks() { ! store_has "$1"; }
# usb_state N PORT STATE: the daemon says so of a port.
usb_state() {
    [[ $(ctl --json usb show "$1" | jq -r ".ports[] | select(.port == $2) | .state") == "$3" ]]
}
usb_connected() { store_is "$(usb_backend "$1")/state" 4 && store_is "$(usb_frontend "$1")/state" 4; }
# usb_policy UUID PORT KEY VALUE
usb_policy() { store_write "$VM/$1/usb/0/$2/$3" "$4"; }

# usb_boot N NAME UUID PORTS: a domain with a controller; the one that was there before is destroyed. The end of its guest is its
# end, so each usb_guest needs this.
usb_boot() {
    if store_has "/libxl/$1"; then "$XENBOX_XL" destroy "$1" || return 1; fi
    "$XENBOX_XL" create "$2" "$1" "$3" && "$XENBOX_XL" usbctrl-attach "$1" type=pv version=2 "ports=$4"
}

# usb_guest N: guest 1 or 2, which takes commands by usb_do until usb_guest_end; what they print is in usbN.log.
usb_guest() {
    mkfifo "$DIR/usb$1.in"
    "$GUEST_USB" --domid "$1" - <"$DIR/usb$1.in" >>"$DIR/usb$1.log" 2>&1 &
    USB_GUEST[$1]=$!
    eval "exec $((20 + $1))>\"$DIR/usb$1.in\""
}
# usb_said N TEXT: the guest has printed it.
usb_said() { grep -qF -- "$2" "$DIR/usb$1.log"; }
# usb_do N COMMAND...: tells the guest; it does not wait.
usb_do() {
    local fd=$((20 + $1))
    shift
    printf '%s\n' "$*" >&"$fd"
}
# usb_guest_end N: the end of its commands, which may take 60 s; the exit status says whether all of them succeeded.
usb_guest_end() {
    local rc=0
    eval "exec $((20 + $1))>&-"
    wait_for 60 usb_guest_ended "$1" || kill -KILL "${USB_GUEST[$1]}"
    wait "${USB_GUEST[$1]}" || rc=$?
    unset "USB_GUEST[$1]"
    rm -f "$DIR/usb$1.in"
    return "$rc"
}
usb_guest_ended() {
    local pid=${USB_GUEST[$1]}
    [[ ! -e /proc/$pid || $(awk '{ print $3 }' "/proc/$pid/stat") == Z ]]
}

# usb_image FILE MIB: random bytes.
usb_image() { head -c "$(($2 << 20))" /dev/urandom >"$1"; }

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the end-to-end tests of usbback need beside lib.sh, which comes first: the daemon, guests with USB controllers. Devices are
# models, for a machine under test has none of its own.

USBBACK=$BUILD/usbback/usbback
GUEST_USB=$BUILD/tools/xenbox-guest-usb
VM=/local/domain/0/xenback/vm
# By guest: its process; commands that it was told.
declare -A USB_GUEST=() USB_SENT=()

# usb_start [OPTION...]: returns when the daemon answers on its control socket. It must not hold the guests' pipes open.
usb_start() {
    "$USBBACK" --xen box "$@" >>"$DIR/usbback.log" 2>&1 21>&- 22>&- 23>&- 24>&- &
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

usb_uuid() { printf '5f0c1d7e-0000-4000-8000-%012x' "$1"; }
# usb_boot_with N DEVICE...: guest N, on whose ports 1, 2 ... these devices are.
usb_boot_with() {
    local n=$1 port=0 device
    shift
    for device; do
        port=$((port + 1))
        usb_policy "$(usb_uuid "$n")" "$port" device "$device"
    done
    usb_boot "$n" "guest$n" "$(usb_uuid "$n")" 8
}

# usb_guest N [OPTION...]: guest 1 to 4, which takes commands by usb_do or usb_ask until usb_guest_end; what they print is in
# usbN.log.
usb_guest() {
    local n=$1
    shift
    mkfifo "$DIR/usb$n.in"
    : >>"$DIR/usb$n.log"
    USB_SENT[$n]=$(usb_answers "$n")
    "$GUEST_USB" --domid "$n" "$@" - <"$DIR/usb$n.in" >>"$DIR/usb$n.log" 2>&1 21>&- 22>&- 23>&- 24>&- &
    USB_GUEST[$n]=$!
    eval "exec $((20 + n))>\"$DIR/usb$n.in\""
}
# usb_said N TEXT: the guest has printed it.
usb_said() { grep -qF -- "$2" "$DIR/usb$1.log"; }
# usb_do N COMMAND...: tells the guest; it does not wait.
usb_do() {
    local fd=$((20 + $1))
    USB_SENT[$1]=$((${USB_SENT[$1]} + 1))
    shift
    printf '%s\n' "$*" >&"$fd"
}
usb_answers() { grep -cE '^(done|failed): ' "$DIR/usb$1.log"; }
usb_answered() { (($(usb_answers "$1") >= $2)); }
# usb_ask N SECONDS COMMAND...: tells the guest and waits for its answer, which is in ANSWER; fails when the command did.
usb_ask() {
    local n=$1 limit=$2
    shift 2
    ANSWER='no answer'
    usb_do "$n" "$*"
    wait_for "$limit" usb_answered "$n" "${USB_SENT[$n]}" || return 1
    # From the answer before it to its own.
    ANSWER=$(awk -v n="${USB_SENT[$n]}" 'k == n - 1 { print } /^(done|failed): / { k++ } k == n { exit }' "$DIR/usb$n.log")
    [[ $ANSWER == *"done: $*" ]]
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

sum_of() { sha256sum "$1" | cut -d ' ' -f 1; }
# usb_image FILE MIB: random bytes.
usb_image() { head -c "$(($2 << 20))" /dev/urandom >"$1"; }

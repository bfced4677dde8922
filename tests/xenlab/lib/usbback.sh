# SPDX-License-Identifier: GPL-2.0-or-later
# Our USB backend as a process of the fast Dom0.
# shellcheck shell=bash

USB_DAEMON=/usr/sbin/usbback
USB_PID_FILE=$LAB_RUN/usbback.pid
USB_LOG=$LAB_RUN/usbback.log

use_usb_backend() {
    [[ -x $USB_DAEMON ]] || skip "usbback is not installed (no --stage)"
    start_udev
    start_usbback
}

# This Dom0 has no udev until a scenario needs it: its events are how the daemon hears of devices.
start_udev() {
    ! udev_answers || return 0
    setsid /usr/lib/systemd/systemd-udevd --daemon 9>&- || fail "udev does not start"
    poll 10 udev_answers || fail "udev does not answer"
}

udev_answers() { udevadm control --ping --timeout=5 2>/dev/null; }

stop_udev() {
    [[ ! -d /run/systemd/system ]] && udev_answers || return 0
    udevadm control --exit
}

usbback_pid() { cat "$USB_PID_FILE" 2>/dev/null; }

usbback_running() {
    local pid
    pid=$(usbback_pid) && [[ -n $pid ]] && [[ $(readlink "/proc/$pid/exe") == *usbback* ]]
}

usbback_answers() { usbback_running && xenbackctl usb list >/dev/null 2>&1; }

# As with netback-team, the channel stays with the scenario.
start_usbback() {
    usbback_running && return 0
    mkdir -p /run/xenback
    # shellcheck disable=SC2086  # several options may be given
    setsid "$USB_DAEMON" ${USBBACK_ARGS:-} >>"$USB_LOG" 2>&1 </dev/null 9>&- &
    echo $! >"$USB_PID_FILE"
    poll 15 usbback_answers || { tail -20 "$USB_LOG"; fail "usbback does not start: $(tail -1 "$USB_LOG")"; }
}

usbback_gone() { ! usbback_running; }

stop_usbback() {
    usbback_running || { rm -f "$USB_PID_FILE"; return 0; }
    kill -TERM "$(usbback_pid)"
    poll 10 usbback_gone || {
        kill -KILL "$(usbback_pid)"
        rm -f "$USB_PID_FILE"
        note_reason "usbback ignored SIGTERM"
        return 1
    }
    rm -f "$USB_PID_FILE"
}

kill_usbback() {
    kill -KILL "$(usbback_pid)"
    poll 5 usbback_gone || fail "usbback survived SIGKILL"
}

# One that was started and not stopped by the scenario must still run.
check_usbback_still_up() {
    [[ ! -e $USB_PID_FILE ]] || usbback_running || {
        tail -20 "$USB_LOG"
        fail "usbback died: $(tail -1 "$USB_LOG")"
    }
}

# usb_counter NAME KEY: a number of the controller's status, 0 without.
usb_counter() {
    local value
    value=$(xenbackctl --json usb show "$1" 2>/dev/null | sed -n "s/^ *\"$2\": \([0-9.]*\),\?\$/\1/p" | head -1)
    echo "${value:-0}"
}

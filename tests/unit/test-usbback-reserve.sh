#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usbback-reserve as udev and administrators call it, on a /sys of files.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
BUILD=${XENBACK_BUILD:-$SRC/build}
# shellcheck source=tests/tap.sh
. "$SRC/tests/tap.sh"

DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
CONF=$DIR/usb-reserve.conf

# device BUSID VID PID CLASS: a configured one.
device() {
    local at=$DIR/sys/bus/usb/devices/$1
    mkdir -p "$at"
    printf '%s\n' "${1%%-*}" >"$at/busnum"
    printf '7\n' >"$at/devnum"
    printf '%s\n' "$2" >"$at/idVendor"
    printf '%s\n' "$3" >"$at/idProduct"
    printf '%s\n' "$4" >"$at/bDeviceClass"
    printf 'Thing %s\n' "$1" >"$at/product"
    printf '1' >"$at/bConfigurationValue"
}

# reserve ARGUMENT...: the program; its output, then its exit status.
reserve() {
    "$BUILD/usbback/usbback-reserve" --conf="$CONF" --sysfs="$DIR/sys" "$@" 2>&1
    printf 'exit %d\n' $?
}

configuration() { cat "$DIR/sys/bus/usb/devices/$1/bConfigurationValue"; }

# says TEXT WANTED ARGUMENT...: the output has all lines of WANTED.
says() {
    local text=$1 wanted=$2 output
    shift 2
    output=$(reserve "$@")
    ok "$text" bash -c 'while read -r line; do grep -qF -- "$line" <<<"$1" || { printf "# no \"%s\" in: %s\n" "$line" "$1"; exit 1; }; done <<<"$2"' \
        sh "$output" "$wanted"
}

device 1-1 05e3 0610 09
device 1-2 0951 1666 00
device 1-3 046d c077 00
device 1-4 0951 1666 00
mkdir "$DIR/sys/bus/usb/devices/1-4/1-4:1.0"
ln -s ../../../drivers/usbfs "$DIR/sys/bus/usb/devices/1-4/1-4:1.0/driver"

says 'without a list nothing is reserved' 'exit 0' 1-2
ok 'the device keeps its configuration' test "$(configuration 1-2)" = 1
printf '# for guests\n0951:1666\n9-9\n' >"$CONF"
says 'a right list is right' $'2 devices, all lines are right\nexit 0' --check
says 'a listed device is unconfigured' $'1-2: 0951:1666 Thing 1-2 is reserved for guests\nexit 0' 1-2
ok 'the kernel is told so' test "$(configuration 1-2)" = -1
says 'a device that is not listed is none of our business' 'exit 0' 1-3
ok 'and keeps its configuration' test "$(configuration 1-3)" = 1
says 'one that a program uses stays' $'1-4: a program uses the device\nexit 0' 1-4
ok 'with its configuration' test "$(configuration 1-4)" = 1
says 'unless forced' $'1-4: 0951:1666 Thing 1-4 is reserved\nexit 0' --force 1-4
printf '1' >"$DIR/sys/bus/usb/devices/1-2/bConfigurationValue"
says 'the list of devices' $'DEVICE         ID         STATE      LISTED\n1-2            0951:1666  in use     by line 2              Thing 1-2\n1-3            046d:c077  in use     -                      Thing 1-3\nexit 0' --list
ok 'has no hubs' test "$(reserve --list | grep -c '^1-1 ')" = 0
: >"$DIR/sys/bus/usb/devices/1-2/bConfigurationValue"
says 'and says which are reserved' '1-2            0951:1666  reserved   by line 2' --list
says 'a hub is never reserved' $'1-1: is a hub\nexit 1' --force 1-1
says 'a place without a device' $'1-9: there is no USB device in that place\nexit 1' 1-9

printf '0951:1666\nnonsense here\n3-1\n' >"$CONF"
says 'a wrong line is named' "$CONF: line 2: \"nonsense here\" is refused; allowed: VID:PID or VID:PID:SERIAL such as 0951:1666, or a bus id such as 3-1.5
exit 1" --check
printf '1' >"$DIR/sys/bus/usb/devices/1-2/bConfigurationValue"
says 'the right lines count all the same' $'1-2: 0951:1666 Thing 1-2 is reserved\nexit 1' 1-2
head -c 70000 /dev/zero | tr '\0' '#' >"$CONF"
says 'a list that is too long' $'longer than 65536 bytes\nexit 1' --check

says 'no action' $'one of BUSID, --list and --check is needed\nexit 2'
says 'two actions' $'one of BUSID, --list and --check is enough: --check\nexit 2' --list --check
says 'an unknown option' $'unknown option: --foo\nexit 2' --foo
says 'no bus id' $'not a bus id such as 3-1.5: ../../etc\nexit 2' ../../etc
says 'force without a device' $'--force goes with a bus id\nexit 2' --force --list
says 'help' $'Usage: usbback-reserve [OPTION]... BUSID | --list | --check\nexit 0' --help
says 'version' $'usbback-reserve \nexit 0' --version

RULES=$BUILD/tools/70-xenback-usb.rules
ok 'the rule calls the program where it is installed' grep -qE 'RUN\+="/[^"@]*/usbback-reserve %k"' "$RULES"
ok 'the example list is right' "$BUILD/usbback/usbback-reserve" --conf="$SRC/tools/usb-reserve.conf" --check
done_testing

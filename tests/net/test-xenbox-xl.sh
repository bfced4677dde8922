#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The box's little toolstack: the keys it writes, how long and for what it waits, what it refuses. A shell loop plays the daemon.
SRC=$(cd "${XENBACK_SRC:-$(dirname "$0")/../..}" && pwd)
. "$SRC/tests/tap.sh"

DIR=$(mktemp -d)
DAEMON_PID=''
finish() {
    if [[ -n $DAEMON_PID ]]; then kill "$DAEMON_PID"; fi
    rm -rf "$DIR"
}
trap finish EXIT
export XENSTORE_STUB=$DIR/store XENBOX_XL_SECONDS=10 XENBOX_XL_SYSFS=$DIR/sys
mkdir "$DIR/bin" "$XENSTORE_STUB"
for tool in read write exists list rm chmod; do ln -s "$SRC/tests/net/xenstore-stub" "$DIR/bin/xenstore-$tool"; done
PATH=$DIR/bin:$PATH
BACKENDS=/local/domain/0/backend/vif

# The daemon: new devices to InitWait, Closing ones to Closed. Ends with the test.
daemon() {
    local state
    while :; do
        for state in "$XENSTORE_STUB"{"$BACKENDS",/local/domain/0/backend/vusb}/*/*/state/.value; do
            [[ -e $state ]] || continue
            case $(<"$state") in
                1) printf 2 >"$state" ;;
                5) printf 6 >"$state" ;;
            esac
        done 2>/dev/null
        sleep 0.02
    done
}
daemon_start() {
    daemon &
    DAEMON_PID=$!
}
daemon_stop() {
    kill "$DAEMON_PID"
    wait "$DAEMON_PID" 2>/dev/null
    DAEMON_PID=''
}

xl() {
    RC=0
    OUTPUT=$("$SRC/tools/xenbox-xl" "$@" 2>&1) || RC=$?
}
succeeds() { is "$1: succeeds" "$RC:$OUTPUT" '0:'; }
# refuses TEXT EXIT-STATUS REGEX
refuses() {
    is "$1: fails" "$RC" "$2"
    like "$1: says so" "$OUTPUT" "$3"
}
# value PATH WANTED
value() { is "$1" "$(xenstore-read "$1" 2>&1)" "$2"; }
perms() { is "$1 permissions" "$(cat "$XENSTORE_STUB$1/.perms" 2>&1)" "$2"; }

xenstore-write /local/domain/0/name Domain-0 xenback/team/team0/mode active-backup
daemon_start

UUID=5f0c1d7e-0000-4000-8000-00000000000a
xl create web 7 "$UUID"
succeeds 'create'
value /local/domain/7/name web
value /local/domain/7/vm "/vm/$UUID"
value "/vm/$UUID/uuid" "$UUID"
perms /local/domain/7 'n0 r7'
perms /local/domain/7/data n7
xl create web 8
refuses 'a name twice' 1 'Domain with name "web" already exists'
xl create other 7
refuses 'a number twice' 1 'exists already'
for bad in '0' '32752' 'x' '-1' '070000'; do
    xl create n "$bad"
    refuses "create with domid $bad" 1 'from 1 to 32751'
done
xl create 12 12
refuses 'a number for a name' 1 'no number'
xl create n 12 nonsense
refuses 'a bad uuid' 1 'must look like'
xl list
like 'list shows it' "$OUTPUT" 'web +7'

xl network-attach web bridge=team0 mac=00:16:3E:11:22:33 rate=100Mb/s mtu=9000 ip=10.0.0.7
succeeds 'network-attach'
B=$BACKENDS/7/0 F=/local/domain/7/device/vif/0
value $B/frontend $F
value $B/frontend-id 7
value $B/online 1
value $B/state 2
value $B/script "$SRC/tools/vif-team"
value $B/mac 00:16:3e:11:22:33
value $B/rate 625000,50000
value $B/mtu 9000
value $B/ip 10.0.0.7
value $B/bridge team0
value $B/handle 0
value $B/type vif
value $B/hotplug-status connected
value $F/backend $B
value $F/backend-id 0
value $F/state 1
value $F/mac 00:16:3e:11:22:33
value $F/mtu 9000
value $F/trusted 1
value /libxl/7/device/vif/0/backend $B
value /libxl/7/device/vif/0/mac 00:16:3e:11:22:33
perms $B 'n0 r7'
perms $F 'n7 r0'
perms $F/mtu 'n0 r7'

xl network-attach 7 bridge=team0
succeeds 'a second one'
like 'gets a mac' "$(xenstore-read $BACKENDS/7/1/mac)" '^00:16:3e:[0-7][0-9a-f]:'
ok 'and no mtu in its backend' test ! -d "$XENSTORE_STUB$BACKENDS/7/1/mtu"
value /local/domain/7/device/vif/1/mtu 1500
xl network-attach 7 bridge=team0 devid=1
refuses 'a devid in use' 1 'already exists'
xl network-list web
like 'network-list' "$OUTPUT" '0 +0 +00:16:3e:11:22:33 +0 +2 +-1 +-1/-1 +/local/domain/0/backend/vif/7/0'

xl network-attach 9 bridge=team0
succeeds 'a domain that only is a process'
value /local/domain/9/name guest9

for pair in 1Gb/s=6250000,50000 2MB/s@20ms=40000,20000 8Kb/s@1s=1000,1000000 1GB/s@100us=100000,100; do
    rm -rf "$XENSTORE_STUB$BACKENDS/7/2" "$XENSTORE_STUB/libxl/7/device/vif/2"
    xl network-attach 7 bridge=team0 devid=2 "rate=${pair%%=*}"
    value $BACKENDS/7/2/rate "${pair#*=}"
done
for bad in rate=100 rate=1Tb/s rate=1Mb/s@5m rate=1b/s rate=999999999GB/s@4000s mac=00:16:3e mac=zz:16:3e:11:22:33 mtu=1 mtu=x mtu=65536 devid=x \
    trusted=2 type=tap model=e1000 bridge 'script'; do
    xl network-attach 7 bridge=team0 devid=3 "$bad"
    is "$bad: refused" "$RC" 1
    like "$bad: named" "$OUTPUT" "${bad%%=*}"
    ok "$bad: nothing written" test ! -d "$XENSTORE_STUB$BACKENDS/7/3"
done

xl network-attach 7 bridge=nosuch devid=4
refuses 'the script refuses' 1 'no team "nosuch".*unable to add device with path /local/domain/0/backend/vif/7/4'
value $BACKENDS/7/4/hotplug-status error
xl network-detach 7 4
succeeds 'a failed device is detached'
xl network-attach 7 bridge=team0 devid=4 script=/no/such
refuses 'no such script' 1 'unable to execute hotplug script /no/such'
xl network-detach 7 4
is 'detached also without script' "$RC" 0

xl network-detach web 00:16:3e:11:22:33
succeeds 'network-detach by mac'
for path in $B $F /libxl/7/device/vif/0; do ok "$path is gone" test ! -d "$XENSTORE_STUB$path"; done
xl network-detach web 0
refuses 'a device that is gone' 1 'unknown device 0 of domain 7'
xl network-detach nobody 0
refuses 'an unknown name' 1 'invalid domain identifier'

# Nobody answers: the limits, short ones here.
daemon_stop
XENBOX_XL_SECONDS=1
xl network-attach 7 bridge=team0 devid=5
refuses 'no daemon' 1 'backend state is 1 after 1 s, wanted 2.*unable to add device'
value $BACKENDS/7/5/state 1
xl network-detach 7 5
refuses 'detach without daemon' 1 'did not close within 1 s.*removed from the store by force'
ok 'is removed all the same' test ! -d "$XENSTORE_STUB$BACKENDS/7/5"
# A backend that does not wait in 2 for the toolstack: 4 is not 2.
while :; do
    printf 4 2>/dev/null >"$XENSTORE_STUB$BACKENDS/7/6/state/.value" || true
    sleep 0.02
done &
hasty=$!
xl network-attach 7 bridge=team0 devid=6
kill $hasty
wait $hasty 2>/dev/null || true
refuses 'a hasty daemon' 1 'backend state is 4 after 1 s, wanted 2'
xenstore-rm $BACKENDS/9/0
xl network-detach 9 0
is 'a backend that is gone already' "$RC" 0

XENBOX_XL_SECONDS=10
daemon_start

# ---- USB ----

# host_device BUSID BUS ADDRESS CLASS [INTERFACE...]
host_device() {
    local dir=$XENBOX_XL_SYSFS/bus/usb/devices/$1 interface
    mkdir -p "$dir"
    printf '%s\n' "$2" >"$dir/busnum"
    printf '%s\n' "$3" >"$dir/devnum"
    printf '%s\n' "$4" >"$dir/bDeviceClass"
    for interface in "${@:5}"; do mkdir -p "$XENBOX_XL_SYSFS/bus/usb/devices/$1:$interface"; done
}
host_device 1-2 1 5 00
host_device 3-1.5 3 77 00
host_device 3-1 3 2 09
host_device 1-3 1 6 00 1.0 1.1

xl usbctrl-attach web type=pv
succeeds 'usbctrl-attach'
U=/local/domain/0/backend/vusb/7/0 F=/local/domain/7/device/vusb/0
value $U/frontend $F
value $U/frontend-id 7
value $U/online 1
value $U/state 2
value $U/type pv
value $U/usb-ver 2
value $U/num-ports 8
value $U/port ''
value $U/port/1 ''
value $U/port/8 ''
ok 'no ninth port' test ! -d "$XENSTORE_STUB$U/port/9"
value $F/backend $U
value $F/backend-id 0
value $F/state 1
value /libxl/7/device/vusb/0/backend $U
value /libxl/7/device/vusb/0/type pv
perms $U 'n0 r7'
perms $F 'n7 r0'
xl usbctrl-attach 7 type=pv version=1 ports=2
succeeds 'a second controller'
value /local/domain/0/backend/vusb/7/1/usb-ver 1
value /local/domain/0/backend/vusb/7/1/num-ports 2
for bad in version=3 version=x ports=0 ports=32 type=qusb type=auto model=x ports; do
    if [[ $bad == type=* ]]; then xl usbctrl-attach 7 "$bad"; else xl usbctrl-attach 7 type=pv "$bad"; fi
    is "usbctrl $bad: refused" "$RC" 1
    like "usbctrl $bad: named" "$OUTPUT" "${bad%%=*}"
    ok "usbctrl $bad: nothing written" test ! -d "$XENSTORE_STUB/libxl/7/device/vusb/2"
done

xl usbdev-attach 7 hostbus=1 hostaddr=5
succeeds 'usbdev-attach takes the first port'
value $U/port/1 1-2
xl usbdev-attach 7 hostbus=3 hostaddr=77 controller=0 port=5
succeeds 'usbdev-attach with a port'
value $U/port/5 3-1.5
xl usb-list web
like 'usb-list: controllers' "$OUTPUT" '0 +pv +0 +2 +2 +8'
like 'usb-list: devices' "$OUTPUT" 'Port 1: Bus 001 Device 005'
like 'usb-list: hexadecimal, as xl' "$OUTPUT" 'Port 5: Bus 003 Device 04d'
xl usbdev-attach 7 hostbus=1 hostaddr=5
refuses 'a device twice' 1 'already attached to domain 7'
xl usbdev-attach 7 hostbus=3 hostaddr=2
refuses 'a hub' 1 'is a hub'
xl usbdev-attach 7 hostbus=9 hostaddr=9
refuses 'no such device' 1 '9\.9 does not exist'
xl usbdev-attach 7 hostbus=1
refuses 'no hostaddr' 1 'hostaddr'
xl usbdev-attach 7 hostbus=1 hostaddr=6 controller=0 port=9
refuses 'no such port' 1 'port=9: must be a number from 1 to 8'
xl usbdev-attach 7 hostbus=1 hostaddr=6 controller=0 port=5
refuses 'a port in use' 1 'no free USB port'
xl usbdev-attach 7 hostbus=1 hostaddr=6 controller=4
refuses 'no such controller' 1 'unknown USB controller 4'
xl usbdev-attach 7 hostbus=1 hostaddr=6
refuses 'a configured device without the driver usbback' 1 'cannot bind 1-3:1\.0'
value $U/port/2 ''
mkdir -p "$XENBOX_XL_SYSFS/bus/usb/drivers/usbback"
xl usbdev-attach 7 hostbus=1 hostaddr=6
succeeds 'with the driver'
is 'the driver got the last interface' "$(<"$XENBOX_XL_SYSFS/bus/usb/drivers/usbback/bind")" 1-3:1.1
value $U/port/2 1-3
xl usbdev-detach 7 0 2
succeeds 'usbdev-detach'
value $U/port/2 ''
xl usbdev-detach 7 0 2
refuses 'usbdev-detach again' 1 'Unknown device'
xl usbdev-detach 7 5 2
refuses 'usbdev-detach of no controller' 1 'unknown USB controller 5'
# A reserved port (no node) is skipped, a value that is no device stops everybody.
xenstore-rm $U/port/2
xl usbdev-attach 7 hostbus=1 hostaddr=6 controller=0
value $U/port/3 1-3
xl usbdev-detach 7 0 3
xenstore-write $U/port/4 srv7:1-2
xl usbdev-attach 7 hostbus=1 hostaddr=6
refuses 'a value that is no device' 1 'cannot determine.*port 4 .*srv7:1-2'
xl usbctrl-detach 7 0
succeeds 'usbctrl-detach'
for path in $U $F /libxl/7/device/vusb/0; do ok "$path is gone" test ! -d "$XENSTORE_STUB$path"; done
xl usbctrl-detach 7 0
refuses 'usbctrl-detach again' 1 'unknown USB controller 0'
daemon_stop
XENBOX_XL_SECONDS=1
xl usbctrl-attach 7 type=pv
refuses 'usbctrl-attach without a daemon' 1 'backend state is 1 after 1 s, wanted 2.*unable to add device'
xl usbctrl-detach 7 0
refuses 'usbctrl-detach without a daemon' 1 'removed from the store by force'
XENBOX_XL_SECONDS=10
daemon_start

xl destroy web
is 'destroy' "$RC" 0
for path in $BACKENDS/7 /local/domain/0/backend/vusb/7 /local/domain/7 "/vm/$UUID" /libxl/7; do ok "$path is gone" test ! -d "$XENSTORE_STUB$path"; done
xl destroy web
refuses 'destroy again' 1 'invalid domain identifier'

xl
refuses 'no command' 2 '^usage:'
xl start
refuses 'a command that does not exist' 2 'unknown command start'
xl network-detach 7
refuses 'too few arguments' 2 'wrong arguments for network-detach'
xl help
like 'help' "$OUTPUT" 'network-attach DOMAIN'
done_testing

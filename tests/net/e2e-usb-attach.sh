#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# USB from end to end: a controller by xl, a disk model by policy, read and written by the guest, through reboot of the guest, death of
# the daemon, wrong keys, detach; and what xl sees meanwhile.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
. "$SRC/tests/net/usb.sh"
net_enter "$@"
box_start

UUID=5f0c2a66-0d63-4a0c-9d4e-0123456789ab
IMAGE=$DIR/stick.img
usb_image "$IMAGE" 4

store_write /local/domain/0/device-model/9/backends/vusb ''
like 'a device model serves vusb: refused' "$("$USBBACK" --xen box 2>&1; echo "status $?")" 'domain 9 serves backend/vusb.*status 1'
xenstore-rm /local/domain/0/device-model
ok 'the daemon starts' usb_start
is 'there is nothing yet' "$(ctl usb list | head -n 1)" \
    "no guest has a USB controller; \`xl usbctrl-attach DOM type=pv version=2 ports=8\` makes one"
like 'its keys are known' "$(ctl keys usb)" 'VID:PID'
like 'its counters are there' "$(ctl --daemon=usbback metrics)" '# EOF'

ok 'its settings can be changed' ctl set usbback return_time 1s
store_write /local/domain/0/xenback/usbback/attach_hold 1ms
ok 'a wrong setting is refused' wait_for 10 store_has /local/domain/0/xenback/usbback/error
like 'with a reason' "$(store_read /local/domain/0/xenback/usbback/error)" 'attach_hold: "1ms" is out of range.*1s to 1min'
ok 'and removed' ctl unset usbback attach_hold
ok 'so is the reason' wait_for 10 store_lacks /local/domain/0/xenback/usbback/error

# ---- attach ----

ok 'a domain with a controller' usb_boot 1 web "$UUID" 4
is 'xl saw InitWait, and it is held' "$(store_read "$(usb_backend 1)/state")" 2
is 'all ports are free' "$(usb_node 1 1)$(usb_node 1 2)$(usb_node 1 3)$(usb_node 1 4)" ''
is 'attach by policy' "$(ctl usb attach web "model:disk,file=$IMAGE")" \
    "vusb1.0 port 1: model:disk,file=$IMAGE: waits for the guest's driver"
is 'a model is nothing for xl: its port has no node' "$(usb_node 1 1)" absent
is 'the policy is in the store' "$(store_read "$VM/$UUID/usb/0/1/device")" "model:disk,file=$IMAGE"
like 'explain says what it waits for' "$(ctl usb explain web 1)" 'xen-hcd'
ok 'xl usb-list works' "$XENBOX_XL" usb-list 1

# ---- use ----

usb_guest 1
usb_do 1 'wait 0-1'
usb_do 1 list
usb_do 1 'read 0-1 sha256'
ok 'connected' wait_for 20 usb_connected 1
ok 'attached' wait_for 10 usb_state 1 1 attached
ok 'the guest reads what is in the image' wait_for 60 usb_said 1 "$(sum_of "$IMAGE")"
like 'it saw a disk' "$(cat "$DIR/usb1.log")" '0-1 *high speed'
like 'show tells of pipes' "$(ctl usb show 1)" 'ENDPOINT.*TO FAILURE'
like 'counters as OpenMetrics' "$(ctl --daemon=usbback metrics)" 'xb_vusb_urbs_total[{][^}]*vusb1\.0'
ok 'a second device, for this run only' ctl usb attach --once 1.0 model:source-sink 3
ok 'it is attached' wait_for 10 usb_state 1 3 attached
like 'usb list has both' "$(ctl usb list)" 'model:source-sink.*once'
is 'a port that is taken is refused' "$(ctl usb attach 1 model:source-sink 1 2>&1)" \
    "xenbackctl: port 1 of vusb1.0 is taken by model:disk,file=$IMAGE: detach that first"
usb_do 1 'wait 0-3'
usb_do 1 'list'
ok 'the guest sees it' wait_for 20 usb_said 1 '0-3 '
ok 'detach under the guest' ctl usb detach 1 3
is 'its port is free for xl' "$(usb_node 1 3)" ''
usb_do 1 'wait 0-3 gone'
head -c 1000000 /dev/urandom >"$DIR/new"
truncate -s 1000448 "$DIR/new" # whole sectors
usb_do 1 "write 0-1 $DIR/new skip=1MiB"
ok 'it saw it go, and wrote' usb_guest_end 1
is 'what it wrote is in the image' "$(tail -c +1048577 "$IMAGE" | head -c 1000448 | sha256sum)" "$(sha256sum <"$DIR/new")"

# ---- reboot, and death of the daemon ----

ok 'the guest starts anew' usb_boot 1 web "$UUID" 4
usb_guest 1
usb_do 1 'wait 0-1'
ok 'connected again' wait_for 20 usb_connected 1
ok 'its disk came by itself' wait_for 10 usb_state 1 1 attached
is 'what was for one run did not' "$(usb_node 1 3)" ''
daemon_kill
is 'nothing is written by a death' "$(store_read "$(usb_backend 1)/state")" 4
ok 'the daemon starts again' usb_start
ok 'the device is back' wait_for 10 usb_state 1 1 attached
usb_do 1 "read 0-1 $DIR/after"
ok 'the same guest reads on' usb_guest_end 1
is 'the right bytes' "$(sum_of "$DIR/after")" "$(sum_of "$IMAGE")"

# ---- wrong keys ----

ok 'a third start' usb_boot 1 web "$UUID" 4
usb_policy "$UUID" 2 device bananas
ok 'a wrong device is refused' wait_for 10 store_has "$VM/$UUID/usb/0/2/error"
like 'and explained' "$(ctl usb explain 1)" '"bananas" is refused'
usb_policy "$UUID" 2 device model:source-sink
ok 'right again: the error is gone' wait_for 10 store_lacks "$VM/$UUID/usb/0/2/error"
store_write "$(usb_backend 1)/port/4" srv7:1-2
ok 'text that no xl writes is taken away' wait_for 10 usb_node_is 1 4 ''
like 'and said' "$(store_read "$(usb_backend 1)/port-error/4")" '"srv7:1-2"'
ok 'xl usb-list works still' "$XENBOX_XL" usb-list 1
ok 'detach for good' ctl usb detach 1 1
is 'the policy is gone' "$(store_read "$VM/$UUID/usb/0/1/device")" ''
is 'the port is free' "$(usb_node 1 1)" ''
ok 'xl usbctrl-detach succeeds' "$XENBOX_XL" usbctrl-detach 1 0
ok 'nothing is left of it' store_lacks "$(usb_backend 1)"
ok 'the daemon lives' daemon_alive
ok 'and stops cleanly' daemon_stop
done_testing

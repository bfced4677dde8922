#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The hotplug script as libxl runs it: what it writes, what it refuses and how it says so.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"

DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
export XENSTORE_STUB=$DIR/store
mkdir "$DIR/bin" "$XENSTORE_STUB"
for tool in read write exists list rm chmod; do ln -s "$SRC/tests/net/xenstore-stub" "$DIR/bin/xenstore-$tool"; done
PATH=$DIR/bin:$PATH

BACK=/local/domain/0/backend/vif/5/0
FRONT=/local/domain/5/device/vif/0

# device STATE BRIDGE: a store with two teams and one device in this state.
device() {
    rm -rf "${XENSTORE_STUB:?}"
    xenstore-write domid 0 xenback/team/team0/mode active-backup xenback/team/dmz/mode lacp \
        "$BACK/state" "$1" "$BACK/bridge" "$2" "$BACK/frontend" "$FRONT" "$BACK/frontend-id" 5 "$BACK/hotplug-status" '' \
        "$FRONT/state" 1 "$FRONT/mtu" 1500
}

# vif_team ARGUMENT...: its message in OUTPUT, its exit status in RC.
vif_team() {
    RC=0
    OUTPUT=$(env script=/etc/xen/scripts/vif-team XENBUS_TYPE=vif XENBUS_PATH="${BUS_PATH:-backend/vif/5/0}" XENBUS_BASE_PATH=backend \
        netdev= vif=vif5.0 "$SRC/tools/vif-team" "$@" 2>&1 </dev/null) || RC=$?
}

# connects TEXT
connects() {
    is "$1: succeeds" "$RC" 0
    is "$1: connected" "$(xenstore-read "$BACK/hotplug-status")" connected
}

# refuses TEXT REGEX: exit status 1, the sentence on stderr and in the store.
refuses() {
    is "$1: fails" "$RC" 1
    like "$1: says so" "$OUTPUT" "$2"
    is "$1: hotplug-status" "$(xenstore-read "$BACK/hotplug-status")" error
    like "$1: hotplug-error" "$(xenstore-read "$BACK/hotplug-error")" "$2"
}

device 2 team0
vif_team online type_if=vif
connects 'online'
is 'online: is silent' "$OUTPUT" ''
is 'online: leaves the MTU' "$(xenstore-read "$FRONT/mtu")" 1500

device 4 'team0;profile=gold;prio=5'
BUS_PATH=/local/domain/0/backend/vif/5/0 vif_team add
connects 'settings behind the team, absolute path, add'

device 2 team0
xenstore-write "$BACK/mtu" 9000
vif_team online type_if=vif
connects 'mtu=9000'
is 'mtu=9000: told to the guest' "$(xenstore-read "$FRONT/mtu")" 9000
is 'mtu=9000: read-only for the guest' "$(cat "$XENSTORE_STUB$FRONT/mtu/.perms")" 'n0 r5'

for mtu in 9000x 67 65522 -1 99999999999999999999 ' 1500'; do
    device 2 team0
    xenstore-write "$BACK/mtu" "$mtu"
    vif_team online
    refuses "mtu=$mtu" 'from 68 to 65521'
    is "mtu=$mtu: not told to the guest" "$(xenstore-read "$FRONT/mtu")" 1500
done

device 2 team9
vif_team online
refuses 'no such team' 'no team "team9" \(teams: dmz team0\)'

device 2 ''
vif_team online
refuses 'no bridge=' 'names no team'

device 2 '../team0'
vif_team online
refuses 'a path for a team' 'letters, digits'

device 2 xenbr0
xenstore-write /local/domain/5/vm /vm/0ddba11 xenback/vm/0ddba11/vif/0/team dmz
vif_team online
connects 'the policy of the VM names the team'

device 1 team0
vif_team online
refuses 'no daemon' 'is netback-team running'

device 6 team0
xenstore-write "$BACK/error" 'frontend wrote nonsense'
vif_team online
refuses 'the daemon closed the device' 'closed this device \(backend state 6\): frontend wrote nonsense'

device x team0
vif_team online
refuses 'a strange state' 'must be 2, 3 or 4'

# The device is gone: nothing may be written, for that would make its directory anew.
device 2 team0
xenstore-rm "$BACK"
vif_team online
is 'removed meanwhile: fails' "$RC" 1
like 'removed meanwhile: says so' "$OUTPUT" 'removed meanwhile'
ok 'removed meanwhile: stays removed' test ! -d "$XENSTORE_STUB$BACK"

for arg in offline remove; do
    device 6 team0
    xenstore-rm "$BACK"
    vif_team "$arg" type_if=vif
    is "$arg: succeeds" "$RC" 0
    ok "$arg: writes nothing" test ! -d "$XENSTORE_STUB$BACK"
done

device 2 team0
INTERFACE=vif5.0-emu vif_team add type_if=tap
is 'the emulated card: no failure' "$RC" 0
like 'the emulated card: a hint' "$OUTPUT" 'vif5.0-emu.*type=vif'
is 'the emulated card: connects nothing' "$(xenstore-read "$BACK/hotplug-status")" ''

for args in '' 'on' 'online type_if=x' 'online now'; do
    # shellcheck disable=SC2086
    vif_team $args
    is "arguments \"$args\": fails" "$RC" 1
    like "arguments \"$args\": usage" "$OUTPUT" '^usage: vif-team online\|offline'
done
for path in backend/vbd/5/0 'backend/vif/5' 'backend/vif/5/0/state' '../vif/5/0' 'backend/vif/5/x'; do
    BUS_PATH=$path vif_team online
    is "XENBUS_PATH $path: fails" "$RC" 1
    like "XENBUS_PATH $path: says so" "$OUTPUT" 'must be a path like'
done
done_testing

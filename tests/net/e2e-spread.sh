#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Flows spread over both NICs by hash and go on when one fails; a guest bound to a NIC uses that one, its list when it fails, and
# whatever is left when none of it works. All of it is changed while traffic runs, and `team show` tells.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
net_enter "$@"
net_up
box_start
team_set members 'nic0 nic1'
team_set mode hash
team_set hash l34
daemon_start
ok 'guest 1 is up' guest_up 1
ok 'it reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"

show() { ctl --json team show team0 | jq -r "$1"; }
shows() { [[ $(show "$1") == "$2" ]]; }
mark() { A=$(switch_frames 0) B=$(switch_frames 1); }
# 40 echo requests, then what each NIC carried in $OVER0 and $OVER1
pings() {
    mark
    in_guest 1 ping -q -c 40 -i 0.01 -W 2 "$OUTSIDE_IP" >"$DIR/ping.log"
    OVER0=$(($(switch_frames 0) - A)) OVER1=$(($(switch_frames 1) - B))
    diag "40 echo requests: nic0 carried $OVER0 frames, nic1 $OVER1"
}

is 'buckets are shared out evenly' "$(show '[.members[].buckets] | join(" ")')" '128 128'
mark
for port in {7001..7060}; do
    in_guest 1 bash -c "echo flow >/dev/udp/$OUTSIDE_IP/$port"
done
OVER0=$(($(switch_frames 0) - A)) OVER1=$(($(switch_frames 1) - B))
diag "60 flows: nic0 carried $OVER0 frames, nic1 $OVER1"
ok 'hash: nic0 carries flows' test "$OVER0" -ge 15
ok 'hash: nic1 carries flows' test "$OVER1" -ge 15
pings
ok 'hash: one flow stays on one NIC' test "$OVER0" -ge 38 -a "$OVER1" -le 8 -o "$OVER1" -ge 38 -a "$OVER0" -le 8
carrier_cut 0
ok 'cut: all buckets are on the other one' wait_for 5 shows '[.members[].buckets] | join(" ")' '0 256'
ok 'cut: the guest reaches the network' wait_for 5 reaches 1 "$OUTSIDE_IP"
carrier_back 0
ok 'back: the buckets are home as they are used' wait_for 15 shows '.members[0].state' active

# A NIC is in one team only.
team_set members nic1 team9
error9() { store_read /local/domain/0/xenback/team/team9/error; }
ok 'a second team with the same NIC: refused' wait_for 5 store_has /local/domain/0/xenback/team/team9/error
like 'and the error names the first team' "$(error9)" 'nic1.*team team0'

# A guest's policy.
team_set mode slb
ok 'slb: taken over live' wait_for 5 shows .mode slb
for nic in 1 0; do
    vif_set 1 pin "nic$nic nic$((1 - nic))"
    ok "pin: nic$nic: taken over live" wait_for 5 shows '.guests[0].belongs' "nic$nic"
    wait_for 5 reaches 1 "$OUTSIDE_IP"
    pings
    ok "pin: nic$nic carries the guest's frames" test "$((nic ? OVER1 : OVER0))" -ge 38 -a "$((nic ? OVER0 : OVER1))" -le 8
    like "pin: nic$nic: all echoes are answered" "$(<"$DIR/ping.log")" '40 received'
done
carrier_cut 0
ok 'pin: cut: the next one of the list' wait_for 5 shows '.guests[0].member' nic1
ok 'pin: cut: the guest reaches the network' wait_for 5 reaches 1 "$OUTSIDE_IP"
vif_set 1 pin nic0
ok 'pin: none of the list: the mode chooses' wait_for 5 shows '.guests[0].belongs' any
ok 'pin: none of the list: the guest reaches the network' wait_for 5 reaches 1 "$OUTSIDE_IP"
carrier_back 0
ok 'pin: back: the first of its list' wait_for 15 shows '.guests[0].belongs' nic0
vif_set 1 pin 'nic0:5'
ok 'a wrong list is refused' wait_for 5 error_is "$(policy_dir 1)" pin
is 'and the old one stays' "$(show '.guests[0].pin')" nic0
vif_set 1 pin ''
vif_set 1 confine yes
ok 'confine: one member, and why' wait_for 5 shows '.guests[0].confine' true
like 'team show tells people' "$(ctl team show team0)" 'guests bound to members.*vif1.0.*confined to'
ok 'confine: the guest reaches the network' wait_for 5 reaches 1 "$OUTSIDE_IP"
ok 'the daemon lives' daemon_alive
done_testing

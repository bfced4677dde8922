# SPDX-License-Identifier: GPL-2.0-or-later
# xl network-attach and network-detach on a running guest, twice, then two vifs at once.
# lab: flavour=fast backend=team timeout=180
# shellcheck shell=bash

create_guest guest11 'vif = []'
id=$(domid guest11)
for round in 1 2; do
    attach_vif guest11 0
    domu guest11 'net-setup eth0' || fail "guest cannot set up eth0 in round $round"
    expect "round $round: traffic flows" ping_outside guest11
    detach_vif guest11 0
    expect "round $round: the guest's eth0 is gone" \
        poll 10 domu guest11 'test ! -e /sys/class/net/eth0'
    expect "round $round: the backend directory is gone" no_backend_dir "$id"
done

attach_vif guest11 0
attach_vif guest11 1
domu guest11 'net-setup eth0 && net-setup eth1 111 && ip route add 10.77.0.1/32 dev eth1'
expect "traffic flows on the second vif" ping_outside guest11
# Only one goes: the other one must not notice.
detach_vif guest11 0
expect "the second vif still works" ping_outside guest11

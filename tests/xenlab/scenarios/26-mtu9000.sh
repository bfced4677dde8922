# SPDX-License-Identifier: GPL-2.0-or-later
# Jumbo frames: 9000 bytes unfragmented in both directions.
# lab: flavour=fast backend=team timeout=150
# shellcheck shell=bash

# The NICs were opened with their old MTU: a new one must be noticed live.
ip link set eth0 mtu 9000
ip link set eth1 mtu 9000
outside 'ip link set out0 mtu 9000'
VIF_MORE=mtu=9000
create_guest guest11
wait_connected guest11
domu guest11 'ip link set eth0 mtu 9000' || fail "guest refuses MTU 9000"
expect "guest reaches the outside host" ping_outside guest11
# DF set, 8972 + 28 = 9000: asked and answered in one frame each.
expect "9000 bytes pass unfragmented" outside "ping -M do -s 8972 -c 3 -W 5 $(addr4 guest11)"
log "$(throughput guest11) Mbit/s out, $(throughput guest11 -R) Mbit/s in with MTU 9000"

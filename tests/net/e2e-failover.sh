#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The active NIC loses its link, gets it back, both lose it: traffic goes on where it can, no connection is lost; guests are announced.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
command -v tcpdump >/dev/null || skip_all 'tcpdump is not installed'
net_enter "$@"
net_up
box_start
team_set members 'nic0:200 nic1'
team_set failback_hold 300ms
daemon_start
ok 'guest 1 is up' guest_up 1
ok 'it reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"

active() { ctl --json team show team0 | tr -d ' \n' | sed -n 's/.*"active":"\([^"]*\)".*/\1/p'; }
active_is() { [[ $(active) == "$1" ]]; }
mode_is() { ctl team show team0 | grep -q "mode.*$1"; }

is 'the member of higher priority is active' "$(active)" nic0
in_outside "$GAPMETER" tcp-serve 7001 60 &
wait_for 5 listening 7001 in_outside
in_guest 1 "$GAPMETER" tcp-hold "$OUTSIDE_IP" 7001 4 12 >"$DIR/tcp" &
HOLD=$!
sleep 1
carrier_cut 0
ok 'cut: the other member becomes active' wait_for 5 active_is nic1
ok 'cut: the guest reaches the network' wait_for 5 reaches 1 "$OUTSIDE_IP"
BEFORE=$(switch_frames 1)
reaches 1 "$OUTSIDE_IP" >/dev/null
ok 'cut: its frames leave by nic1' test "$(switch_frames 1)" -gt "$BEFORE"

carrier_back 0
ok 'back: the preferred member becomes active again' wait_for 15 active_is nic0
ok 'back: the guest reaches the network' wait_for 5 reaches 1 "$OUTSIDE_IP"

# The guest is announced on the member that takes over: by RARP, and by ARP with the address that it claims.
announce_is() { ctl --json team show team0 | jq -e ".options.announce == \"$1\"" >/dev/null; }
# speak_in VID (two hexadecimal digits): the guest sends one frame with a tag (kernels without VLAN interfaces exist).
speak_in() {
    local mac
    mac=$(guest_mac 1)
    printf '%b' "\\xff\\xff\\xff\\xff\\xff\\xff\\x${mac//:/\\x}\\x81\\x00\\x00\\x$1\\x88\\xb5$(printf '\\\\x00%.0s' {1..46})" |
        in_guest 1 socat -u STDIN INTERFACE:eth0
}
claimed() {
    in_guest 1 ip neigh flush all
    reaches 1 "$OUTSIDE_IP"
    ctl --json vif show 1.0 | jq -e --arg mac "$(guest_mac 1)" --arg ip "$(guest_ip 1)" \
        '.addresses == [{mac: $mac, ipv4: [$ip], vlans: [42]}]'
}
announced() { ctl --json team show team0 | jq -e ".announced | $1" >/dev/null; }
heard() { grep -qE "$1" "$DIR/announced"; }
is 'announce = rarp: no address is learned' "$(ctl --json vif show 1.0 | jq -c .addresses)" "[{\"mac\":\"$(guest_mac 1)\",\"ipv4\":[],\"vlans\":[]}]"
ok 'team show: RARP alone was sent' announced '.rarp >= 3 and .garp == 0'
team_set announce both
ok 'announce: taken over live' wait_for 5 announce_is both
ok 'the guest speaks in a VLAN' speak_in 2a
ok 'announce: the address that the guest claims is known' wait_for 10 claimed
like 'vif show: in one line' "$(ctl vif show 1.0)" "addresses +$(guest_mac 1) \($(guest_ip 1), VLAN 42\)"
like 'vm show: too' "$(ctl vm show)" "$(guest_mac 1) \($(guest_ip 1), VLAN 42\)"
in_switch tcpdump -i sw1 -e -n -l -Q in "ether src $(guest_mac 1) and (arp or rarp or vlan)" >"$DIR/announced" 2>"$DIR/tcpdump.log" &
TCPDUMP=$!
ok 'tcpdump listens' wait_for 10 grep -q 'listening on' "$DIR/tcpdump.log"
carrier_cut 0
ok 'cut again: announced by RARP' wait_for 5 heard "Reverse Request who-is $(guest_mac 1)"
ok 'cut again: announced by RARP in its VLAN' wait_for 5 heard "vlan 42,.* Reverse Request who-is $(guest_mac 1)"
ok 'cut again: announced by ARP' wait_for 5 heard "(Announcement|who-has) $(guest_ip 1)"
ok 'team show counts both' wait_for 5 announced '.garp >= 3 and .pending == 0'
kill "$TCPDUMP"
carrier_cut 1
ok 'both cut: no member is active' wait_for 5 active_is none
carrier_back 1
ok 'one back: it is active' wait_for 15 active_is nic1
ok 'one back: the guest reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"
carrier_back 0
wait "$HOLD"
like 'no TCP connection was lost' "$(<"$DIR/tcp")" '^connections 4 lost 0 '
like 'the log names the failover' "$(<"$DIR/netback-team.log")" 'nic0.*nic1|nic1.*nic0'

team_set mode round-robin
ok 'round-robin: taken over live' wait_for 5 mode_is round-robin
wait_for 10 reaches 1 "$OUTSIDE_IP"
A=$(switch_frames 0) B=$(switch_frames 1)
in_guest 1 ping -q -c 40 -i 0.01 -W 2 "$OUTSIDE_IP" >"$DIR/ping.log"
ok 'round-robin: nic0 carries frames' test "$(switch_frames 0)" -ge $((A + 15))
ok 'round-robin: nic1 carries frames' test "$(switch_frames 1)" -ge $((B + 15))
like 'round-robin: all echoes are answered' "$(<"$DIR/ping.log")" '40 received'
ok 'the daemon lives' daemon_alive
done_testing

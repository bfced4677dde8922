#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Wrong configuration: the old value stays, an error key says what is wrong, guests notice nothing.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
net_enter "$@"
net_up
box_start
team_set members 'nic0 nic1'
daemon_start
ok 'guest 1 is up' guest_up 1
ok 'it reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"

TEAM=/local/domain/0/xenback/team/team0
log_says() { grep -q "$1" "$DIR/netback-team.log"; }
# refused KEY VALUE GOOD: names key and value, and the good value takes the error away.
refused() {
    team_set "$1" "$2"
    wait_for 5 error_is "$TEAM" "$1"
    like "$1 = '$2' is refused" "$(store_read "$TEAM/error")" "$1"
    ok "$1 = '$2': the guest is served" wait_for 5 reaches 1 "$OUTSIDE_IP"
    team_set "$1" "$3"
    ok "$1 = '$3' is taken" wait_for 5 no_error "$TEAM"
}

refused mode slow active-backup
refused failback_hold 5 5s
refused failback_hold -1s 5s
refused carrier_poll 99999h 10ms
refused rarp_count 100000 3
refused rarp_burst 257 64
refused announce arp garp
refused members 'nic0 nic1:999' 'nic0 nic1'
like 'the error named what is allowed' "$(grep -h mode "$DIR/netback-team.log")" 'active-backup'

team_set no-such-key 1
wait_for 5 error_is "$TEAM" no-such-key
like 'an unknown key is refused' "$(store_read "$TEAM/error")" 'no-such-key'
xenstore-rm "$TEAM/no-such-key"

# Interfaces that may not be members: the reason, and the team goes on with the others.
ip link add br9 type bridge
ip link add slave9 type veth peer name host9
ip link set slave9 master br9
ip link set host9 up
ip addr add 192.0.2.1/24 dev host9
for wrong in slave9:br9 host9:address lo:loopback; do
    team_set members "nic0 nic1 ${wrong%%:*}"
    like "${wrong%%:*} is no member: says ${wrong##*:}" \
        "$(wait_for 5 log_says "members: ${wrong%%:*}:" && grep -h "members: ${wrong%%:*}:" "$DIR/netback-team.log" | tail -n 1)" "${wrong##*:}"
    ok "${wrong%%:*}: the guest is served" wait_for 5 reaches 1 "$OUTSIDE_IP"
done
team_set members 'nic0 nic1'

# A guest for a team that nobody described yet: attach fails and says which are known; with the team it works.
guest_start 2
like 'attach to an unknown team fails' "$(guest_attach 2 bridge=team9 2>&1 || echo "status $?")" 'team9.*team0.*status 1'
ok 'detach after that' "$XENBOX_XL" network-detach 2 0
nic_add 2
team_set members nic2 team9
ok 'the team appears: attach works' guest_attach 2 bridge=team9
ok 'and connects' wait_for 20 guest_connected 2
ok 'guest 1 is served' wait_for 5 reaches 1 "$OUTSIDE_IP"

# The command-line tool says no before it writes.
ok 'xenbackctl set takes a good value' ctl set team team0 failback_hold 2s
is 'and it is in the store' "$(store_read "$TEAM/failback_hold")" 2s
like 'xenbackctl set refuses a wrong one' "$(ctl set team team0 failback_hold soon 2>&1 || echo "status $?")" 'failback_hold.*status [1-9]'
is 'which is not in the store' "$(store_read "$TEAM/failback_hold")" 2s
# A guest by number or by name; the setting is its VM's.
NAME=$(store_read /local/domain/1/name)
VIF=$(policy_dir 1)
ok 'xenbackctl set takes the number of a domain' ctl set vif 1.0 shares 700
is 'and the setting is of its VM' "$(store_read "$VIF/shares")" 700
ok 'or its name' ctl set vif "$NAME.0" shares 800
is 'likewise' "$(store_read "$VIF/shares")" 800
like 'a name that no domain has is refused' "$(ctl set vif nobody.0 shares 1 2>&1 || echo "status $?")" '"nobody".*status [1-9]'
ok 'xenbackctl unset takes them, too' ctl unset vif "$NAME.0" shares
is 'then it is gone' "$(store_has "$VIF/shares" && echo there)" ''
printf '[team team0]\nmode = active-backup\nmood = good\n' >"$DIR/bad.conf"
like 'xenbackctl load names line and key' "$(ctl load "$DIR/bad.conf" 2>&1 || echo "status $?")" '3.*mood.*status [1-9]'
ok 'the daemon lives' daemon_alive
done_testing

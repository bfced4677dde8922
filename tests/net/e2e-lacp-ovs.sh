#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# LACP with Open vSwitch: it negotiates, flows use both links both ways, a link that dies and a partner that freezes are
# noticed, and both come back; members leave and join under traffic; the daemon restarts; two bonds; no partner at all.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
. "$SRC/tests/net/lacp.sh"
ovs_needs
net_enter "$@"
lacp_net_up 3
box_start
ovs_start
ovs_bond active fast 0 1
team_set members 'nic0 nic1'
team_set mode lacp
team_set lacp_rate fast
daemon_start
ok 'guest 1 is up' guest_up 1
no_offload guest1

# --- negotiation ---
ok 'both links distribute' wait_for 15 all_distribute
is 'the partner says the same' "$(ovs_appctl lacp/show bond0 | grep -c 'actor state: activity timeout aggregation synchronized collecting distributing$')" 2
is 'our own words: partner in sync' "$(lacp '[.ports[].partner.state_octet] | unique | join(" ")')" 0x3f
is 'our own words: we are in sync' "$(lacp '[.ports[].actor.state_octet] | unique | join(" ")')" 0x3f
is 'the system is the first member' "$(lacp '.ports[0].actor.system')" "$(<"/sys/class/net/nic0/address")"
is 'and that is what the partner sees' "$(ovs_appctl lacp/show bond0 | awk '/partner sys_id/ { print $3 }' | sort -u)" \
    "$(<"/sys/class/net/nic0/address")"
is 'the partner sees our keys' "$(ovs_appctl lacp/show bond0 | awk '/partner key/ { print $3 }' | sort -u)" \
    "$(lacp '.ports[0].actor.key')"
is 'team show tells it' "$(ctl --json team show team0 | jq -r '[.members[].lacp] | join(" ")')" 'distributing distributing'
like 'lacp show tells people' "$(ctl lacp show)" 'nic1 +partner +[0-9]+ .*0x3f +active,fast,aggregatable,sync,collecting,distributing'

# --- traffic ---
ok 'the guest reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"
ok 'the network reaches the guest' wait_for 10 in_outside ping -c 1 -W 1 -q "$(guest_ip 1)"
flows_use_both

# --- a link dies ---
carrier_cut 0
ok 'cut: noticed' wait_for 5 lacp_is '.ports[0].receive' port-disabled
is 'cut: nic0 is out of use' "$(lacp '.ports[0].actor.state' | grep -cE 'collecting|distributing')" 0
ok 'cut: the guest reaches the network' wait_for 5 reaches 1 "$OUTSIDE_IP"
mark 0 1
flows 20
ok 'cut: all of it over nic1' test "$(over 1)" -ge 20 -a "$(over 0)" -le 2
carrier_back 0
ok 'back: both distribute' wait_for 15 all_distribute
ok 'back: the guest reaches the network' wait_for 5 reaches 1 "$OUTSIDE_IP"

# --- the partner freezes, its links stay up ---
frozen=$(lacp '[.ports[].counters.expired] | add')
kill -STOP "$OVS_PID"
ok 'frozen: noticed within 4 s' wait_for 4 lacp_is '[.ports[].receive == "expired"] | any' true
ok 'frozen: nothing is sent there' wait_for 5 lacp_is '[.ports[] | select(.mux == "distributing")] | length' 0
ok 'frozen: counted' test "$(lacp '[.ports[].counters.expired] | add')" -gt "$frozen"
is 'frozen: the team is down' "$(ctl --json team show team0 | jq -r .state)" down
kill -CONT "$OVS_PID"
ok 'thawed: both distribute' wait_for 15 all_distribute
ok 'thawed: the guest reaches the network' wait_for 5 reaches 1 "$OUTSIDE_IP"

# --- we freeze ---
kill -STOP "$DAEMON_PID"
sleep 5
kill -CONT "$DAEMON_PID"
ok 'we were frozen: both distribute again' wait_for 15 all_distribute
ok 'we were frozen: the guest reaches the network' wait_for 5 reaches 1 "$OUTSIDE_IP"

# --- a member leaves under traffic: nothing is lost, nothing overtaken; and joins ---
stream_start 4
sleep 1
ctl team remove team0 nic1 >/dev/null
ok 'remove: nic1 leaves once it is drained' wait_for 8 lacp_is '[.ports[].member] | join(" ")' nic0
stream_end
diag "remove, out: $(<"$DIR/up")"
diag "remove, in:  $(<"$DIR/down")"
stream_whole 'remove: nothing of the outgoing stream is lost or reordered' "$DIR/up" 0
stream_whole 'remove: nothing of the incoming stream is lost or reordered' "$DIR/down" 0
stream_start 6
sleep 1
ctl team add team0 nic1 >/dev/null
ok 'add: both distribute' wait_for 10 all_distribute
stream_end
diag "add, out: $(<"$DIR/up")"
diag "add, in:  $(<"$DIR/down")"
# Open vSwitch says that it collects a moment before it does.
stream_whole 'add: at most some frames of the outgoing stream are lost' "$DIR/up" 5
stream_whole 'add: nothing of the incoming stream is lost or reordered' "$DIR/down" 0

# --- live changes ---
team_set lacp_rate slow
ok 'rate slow: the partner hears it' wait_for 10 bash -c "ovs-appctl -t $OVS_DIR/vsw.ctl lacp/show bond0 | grep -q 'partner state: activity aggregation synchronized'"
team_set lacp_rate fast
team_set lacp_key 7
ok 'key: the partner hears it' wait_for 40 lacp_is '[.ports[] | select(.mux == "distributing") | .actor.key / 64 | floor] | join(" ")' '7 7'
ok 'key: the guest reaches the network' wait_for 5 reaches 1 "$OUTSIDE_IP"
team_set lacp_max_links 1
ok 'max_links 1: one stands by' wait_for 10 lacp_is '[.ports[].selected] | sort | join(" ")' 'selected standby'
carrier_cut "$(lacp '.ports[] | select(.selected == "selected") | .member' | tail -c 2)"
ok 'max_links 1: the other one takes over' wait_for 10 lacp_is '[.ports[] | select(.mux == "distributing")] | length' 1
ok 'max_links 1: the guest reaches the network' wait_for 5 reaches 1 "$OUTSIDE_IP"
team_set lacp_max_links 0
carrier_back 0
carrier_back 1
ok 'max_links 0: both distribute' wait_for 20 all_distribute
team_set lacp_min_links 2
carrier_cut 1
ok 'min_links 2: one link is not enough' wait_for 5 lacp_is '[.ports[] | select(.mux == "distributing")] | length' 0
team_set lacp_min_links 0
ok 'min_links 0: it is' wait_for 5 lacp_is '[.ports[] | select(.mux == "distributing")] | length' 1
carrier_back 1
ok 'both distribute' wait_for 20 all_distribute

# --- wrong values disturb nothing ---
like 'a wrong id is refused' "$(ctl team set team0 lacp_system_id 01:00:00:00:00:01 2>&1)" 'lacp_system_id.*01:00:00:00:00:01.*allowed'
store_write /local/domain/0/xenback/team/team0/lacp_system_id ''
like 'more than max_links is refused' "$(ctl team set team0 lacp_max_links 1 >/dev/null && ctl team set team0 lacp_min_links 2 2>&1)" 'lacp_min_links: 2.*at most lacp_max_links'
team_set lacp_min_links 0
team_set lacp_max_links 0
ok 'both distribute all the same' wait_for 20 all_distribute

# --- a successor takes the aggregation over ---
daemon_stop
ok 'restart: the partner was not told' test "$(ovs_appctl lacp/show bond0 | grep -c 'partner state: activity timeout aggregation synchronized')" -eq 2
daemon_start
ok 'restart: both distribute within 3 s' wait_for 3 all_distribute
ok 'restart: the guest reaches the network' wait_for 5 reaches 1 "$OUTSIDE_IP"

# --- nobody answers on nic2: fallback ---
team_set members nic2
ok 'silence: nic2 is defaulted' wait_for 15 lacp_is '.ports[0].receive' defaulted
is 'silence: it carries nothing' "$(mux 2 | grep -c distributing)" 0
ovs_vsctl add-port br0 sw2
team_set lacp_fallback active-backup
ok 'fallback: it does' wait_for 10 mux_is 2 distributing
ok 'fallback: the guest reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"

# --- other modes, live ---
team_set mode active-backup
ok 'mode active-backup: LACP is off' wait_for 5 bash -c "$XENBACKCTL --json lacp show | jq -e 'length == 0'"
ok 'mode active-backup: the guest reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"
ovs_vsctl del-port br0 bond0 -- add-bond br0 bond0 sw0 sw1 lacp=off bond_mode=balance-slb
ovs_vsctl del-port br0 sw2
team_set lacp_mode static
team_set members 'nic0 nic1'
team_set mode lacp
ok 'static: both distribute' wait_for 10 all_distribute
ok 'static: the guest reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"
ok 'the daemon lives' daemon_alive
done_testing

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What tests of LACP need beside lib.sh: a switch without kernel bridge, Open vSwitch in it, questions about links.
#
# Source it after lib.sh. nicN (here) == swN (namespace switch); out (switch) == eth0 (namespace outside).

# lacp_net_up [NICS]: in place of net_up; the partner puts swN and out to use.
lacp_net_up() {
    local i
    sysctl -qw net.ipv6.conf.default.disable_ipv6=1
    namespace switch
    namespace outside
    ip -n outside link add eth0 type veth peer name out netns switch
    ip -n switch link set out up
    ip -n outside addr add "$OUTSIDE_IP/24" dev eth0
    ip -n outside link set eth0 up
    for ((i = 0; i < ${1:-2}; i++)); do lacp_nic_add "$i"; done
    no_offload outside
}

lacp_nic_add() {
    ip link add "nic$1" type veth peer name "sw$1" netns switch
    ip -n switch link set "sw$1" up
    ip link set "nic$1" up
}

# no_offload NAMESPACE: partners in userspace take frames as they are, also those without their checksums.
no_offload() { ip netns exec "$1" ethtool -K eth0 tx off gso off tso off >/dev/null 2>&1; }

# ---- Open vSwitch, userspace datapath ----

# ovs_needs: skips the test where it is not installed.
ovs_needs() {
    local program
    for program in ovsdb-tool ovsdb-server ovs-vswitchd ovs-vsctl ovs-appctl; do
        command -v "$program" >/dev/null || skip_all "$program is missing (package openvswitch-switch)"
    done
}

# ovs_start [OPTION...]: its programs in the namespace of the switch, without a bridge yet; pids in OVS_PID, OVSDB_PID.
ovs_start() {
    OVS_DIR=$DIR/ovs
    mkdir "$OVS_DIR"
    export OVS_RUNDIR=$OVS_DIR OVS_LOGDIR=$OVS_DIR OVS_DBDIR=$OVS_DIR
    ovsdb-tool create "$OVS_DIR/conf.db" /usr/share/openvswitch/vswitch.ovsschema
    in_switch ovsdb-server "$OVS_DIR/conf.db" --remote="punix:$OVS_DIR/db.sock" --unixctl="$OVS_DIR/db.ctl" \
        --no-chdir >"$DIR/ovsdb.log" 2>&1 &
    OVSDB_PID=$!
    wait_for 10 test -S "$OVS_DIR/db.sock" || cannot_run 'ovsdb-server does not start'
    ovs_vsctl init
    # exec: the process is vswitchd itself, which tests stop and continue.
    (exec ip netns exec switch ovs-vswitchd "unix:$OVS_DIR/db.sock" --unixctl="$OVS_DIR/vsw.ctl" --disable-system \
        --no-chdir "$@") >"$DIR/vswitchd.log" 2>&1 &
    OVS_PID=$!
    wait_for 10 test -S "$OVS_DIR/vsw.ctl" || cannot_run 'ovs-vswitchd does not start'
}

ovs_vsctl() { ovs-vsctl --no-wait --db="unix:$OVS_DIR/db.sock" "$@"; }
ovs_appctl() { ovs-appctl -t "$OVS_DIR/vsw.ctl" "$@"; }

# ovs_bond MODE RATE NICS...: a bridge with a bond of swN for each N, and the outside host.
ovs_bond() {
    local mode=$1 rate=$2 n
    shift 2
    local ports=()
    for n in "$@"; do ports+=("sw$n"); done
    ovs_vsctl add-br br0 -- set bridge br0 datapath_type=netdev -- add-port br0 out -- \
        add-bond br0 bond0 "${ports[@]}" "lacp=$mode" bond_mode=balance-tcp "other_config:lacp-time=$rate"
}

# ---- questions ----

# lacp FILTER: about team0, as jq -r prints it.
lacp() { ctl --json lacp show team0 | jq -r ".[0] | $1"; }
# lacp_is FILTER VALUE
lacp_is() { [[ $(lacp "$1") == "$2" ]]; }
# mux of nicN
mux() { lacp ".ports[] | select(.member == \"nic$1\") | .mux"; }
mux_is() { [[ $(mux "$1") == "$2" ]]; }
all_distribute() { lacp_is '[.ports[].mux] | unique | join(" ")' distributing; }
# mark; ...; over N: frames that swN got since then
mark() {
    local n
    MARKS=()
    for n in "$@"; do MARKS[n]=$(switch_frames "$n"); done
}
over() { echo $(($(switch_frames "$1") - MARKS[$1])); }

# flows N: one datagram of each of N flows, from guest 1 outwards.
flows() {
    local port
    for ((port = 7000; port < 7000 + $1; port++)); do
        in_guest 1 bash -c "echo flow >/dev/udp/$OUTSIDE_IP/$port" 2>/dev/null
    done
}

# flows_use_both: two tests: of 60 flows, each of nic0 and nic1 carries its part.
flows_use_both() {
    mark 0 1
    flows 60
    diag "60 flows: nic0 carried $(over 0), nic1 $(over 1)"
    ok 'flows use nic0' test "$(over 0)" -ge 15
    ok 'flows use nic1' test "$(over 1)" -ge 15
}

# stream_start SECONDS; ...; stream_end: 200 datagrams a second each way; what became of them is in $DIR/up and $DIR/down.
stream_start() {
    in_outside "$GAPMETER" udp-recv 7100 60 >"$DIR/up" &
    STREAM=($!)
    in_guest 1 "$GAPMETER" udp-recv 7101 60 >"$DIR/down" &
    STREAM+=($!)
    sleep 0.3
    in_guest 1 "$GAPMETER" udp-send "$OUTSIDE_IP" 7100 "$1" 200 >/dev/null &
    STREAM+=($!)
    in_outside "$GAPMETER" udp-send "$(guest_ip 1)" 7101 "$1" 200 >/dev/null &
    STREAM+=($!)
}
stream_end() { wait "${STREAM[@]}"; }

# stream_whole TEXT FILE LOST: no more than LOST frames are lost, none is overtaken. Where this machine had no time for one of the
# five programs on the way, their sockets ran over and links were left late: that says nothing.
stream_whole() {
    local line hole
    line=$(<"$2")
    hole=$(field longest_hole_ms "$line")
    if ((${hole%.*} >= 300)); then
        skip "$1" "the machine was too busy: nothing moved for $hole ms"
    elif (($(field lost "$line") <= $3)) && [[ $line == *'reordered 0 '* ]]; then
        pass "$1"
    else
        fail "$1" "$line"
    fi
}

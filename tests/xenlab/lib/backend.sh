# SPDX-License-Identifier: GPL-2.0-or-later
# The two backends a scenario can run on: the kernel's xen-netback, and ours.
# shellcheck shell=bash

TEAM_DAEMON=/usr/sbin/netback-team
TEAM_PID_FILE=$LAB_RUN/netback-team.pid
TEAM_LOG=$LAB_RUN/netback-team.log
TEAM_TREE=/local/domain/0/xenback/team/team0

backend_script() { cat "$LAB_RUN/backend-script"; }
backend_bridge() { cat "$LAB_RUN/backend-bridge"; }

# Both NICs as the kernel made them: up, no master, default MTU.
nics_reset() {
    local nic
    for nic in eth0 eth1; do
        ip link set "$nic" nomaster 2>/dev/null
        ip link set "$nic" mtu 1500 up
    done
}

nic_has_carrier() { [[ $(cat "/sys/class/net/$1/carrier" 2>/dev/null) == "$2" ]]; }

# --- kernel: bonding active-backup under a bridge, vif-bridge -------------------

use_kernel_backend() {
    stop_team
    echo vif-bridge >"$LAB_RUN/backend-script"
    echo xenbr0 >"$LAB_RUN/backend-bridge"
    # Our modprobe.d file keeps it from loading; here it is wanted.
    modprobe --ignore-install xen-netback || fail "xen-netback does not load"
    [[ -d /sys/class/net/bond0 ]] || bond_up
    [[ -d /sys/class/net/xenbr0 ]] || {
        ip link add xenbr0 type bridge stp_state 0 forward_delay 0
        ip link set bond0 master xenbr0
        ip link set xenbr0 up
    }
}

bond_up() {
    local nic
    modprobe bonding max_bonds=0
    ip link add bond0 type bond mode active-backup miimon 100
    for nic in eth0 eth1; do
        ip link set "$nic" down
        ip link set "$nic" master bond0
    done
    ip link set bond0 up
}

stop_kernel_backend() {
    ip link del xenbr0 2>/dev/null
    ip link del bond0 2>/dev/null
    [[ ! -d /sys/module/xen_netback ]] || poll 10 rmmod xen-netback
}

# --- ours -----------------------------------------------------------------------

use_team_backend() {
    [[ -x $TEAM_DAEMON ]] || skip "netback-team is not installed (no --stage)"
    stop_kernel_backend || fail "xen-netback cannot be unloaded"
    echo vif-team >"$LAB_RUN/backend-script"
    echo team0 >"$LAB_RUN/backend-bridge"
    nics_reset
    configure_team "eth0 eth1" active-backup
    start_team
}

configure_team() {
    xenstore-write "$TEAM_TREE/members" "$1" "$TEAM_TREE/mode" "$2"
}

team_pid() { cat "$TEAM_PID_FILE" 2>/dev/null; }

team_running() {
    local pid
    pid=$(team_pid) && [[ -n $pid ]] && [[ $(readlink "/proc/$pid/exe") == *netback-team* ]]
}

# Ready means: it answers on its control socket.
team_answers() { team_running && [[ -S /run/xenback/netback-team.ctl ]]; }

# The channel stays with the scenario: a daemon that outlives a failed one must
# not hold it.
start_team() {
    team_running && return 0
    mkdir -p /run/xenback
    # shellcheck disable=SC2086  # several options may be given
    setsid "$TEAM_DAEMON" ${TEAM_ARGS:-} >>"$TEAM_LOG" 2>&1 </dev/null 9>&- &
    echo $! >"$TEAM_PID_FILE"
    poll 15 team_answers || { tail -20 "$TEAM_LOG"; fail "netback-team does not start: $(tail -1 "$TEAM_LOG")"; }
}

team_gone() { ! team_running; }

stop_team() {
    local pid
    team_running || { rm -f "$TEAM_PID_FILE"; return 0; }
    pid=$(team_pid)
    kill -TERM "$pid"
    poll 10 team_gone || { kill -KILL "$pid"; poll 5 team_gone; note_reason "netback-team ignored SIGTERM"; rm -f "$TEAM_PID_FILE"; return 1; }
    rm -f "$TEAM_PID_FILE"
}

kill_team() {
    kill -KILL "$(team_pid)"
    poll 5 team_gone || fail "netback-team survived SIGKILL"
}

# A daemon that was started and not stopped by the scenario must still run.
check_team_still_up() {
    [[ ! -e $TEAM_PID_FILE ]] || team_running || {
        tail -20 "$TEAM_LOG"
        fail "netback-team died: $(tail -1 "$TEAM_LOG")"
    }
}

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The little world of the demo and of the end-to-end tests: a box, a team of two NICs, a switch, an outside host, guests.
#
#   guest1 (10.77.0.11) --+                          namespaces: guest1, guest2 (behind xenbox-guest's TAP eth0),
#                         +-- netback-team -- nic0 ==== sw0 --+                 switch (a bridge), outside
#   guest2 (10.77.0.12) --+       (Dom0)     nic1 ==== sw1 --+-- bridge -- outside (10.77.0.1)
#
# The script runs again inside namespaces of its own (network, mounts, processes): it can reach nothing of the host, its /run is
# empty, so every program uses its default paths, and all of it vanishes with the script, also when that is killed.
# The network namespace of the script itself is Dom0's.
#
# A script calls, in this order: net_enter "$@"; net_up; then what it needs of the rest. With tap.sh loaded first, a
# machine that cannot run it skips the test; without (the demo), that is an error.

SRC=${XENBACK_SRC:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILD=${XENBACK_BUILD:-$SRC/build}
DIR='' DAEMON_PID='' BOX_PID=''
declare -A GUEST_PID=()
export XENBOX_DIR=/run/xenbox XENSTORED_PATH=/run/xenbox/xenstored.sock XENBACK_XEN=box

NETBACK=$BUILD/netback-team/netback-team
XENBOX=$BUILD/tools/xenbox
XENBOX_GUEST=$BUILD/tools/xenbox-guest
XENBACKCTL=$BUILD/tools/xenbackctl
XENBOX_XL=$SRC/tools/xenbox-xl
GAPMETER=$BUILD/tests/net/gapmeter

OUTSIDE_IP=10.77.0.1
guest_ip() { printf '10.77.0.%d' $((10 + $1)); }
guest_mac() { printf '00:16:3e:00:00:%02x' "$1"; }

cannot_run() {
    if declare -F skip_all >/dev/null; then skip_all "$1"; fi
    printf 'cannot run: %s\n' "$1" >&2
    exit 1
}

# net_enter "$@": from here on we are alone in namespaces of our own.
net_enter() {
    local program
    if [[ -z ${XENBACK_SANDBOX:-} ]]; then
        ((EUID == 0)) || cannot_run 'needs root for network namespaces'
        [[ -c /dev/net/tun ]] || cannot_run 'needs /dev/net/tun'
        unshare --net --mount --pid --fork --kill-child -- true 2>/dev/null || cannot_run 'may not make namespaces here'
        for program in ip iperf3 xenstore-read socat jq; do
            command -v "$program" >/dev/null || cannot_run "$program is missing (packages.list)"
        done
        for program in "$NETBACK" "$XENBOX" "$XENBOX_GUEST" "$XENBACKCTL" "$XENBOX_XL" "$GAPMETER"; do
            [[ -x $program ]] || {
                printf 'not built: %s\n' "$program" >&2
                exit 1
            }
        done
        XENBACK_SANDBOX=1 XENBACK_SECONDS=$SECONDS exec unshare --net --mount --pid --fork --kill-child --mount-proc -- setsid bash "$0" "$@"
    fi
    SECONDS=${XENBACK_SECONDS:-0}
    mount -t tmpfs none /run
    mount -t sysfs none /sys
    mkdir -p /run/netns
    DIR=/run/test
    mkdir "$DIR"
    trap net_leave EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    ip link set lo up
}

# Everything that runs here dies with this process, files included: what a failure needs is shown now.
net_leave() {
    local rc=$?
    trap - EXIT
    if ((rc != 0 || ${TAP_FAILED:-0})) || [[ -n ${KEEP_LOGS:-} ]]; then net_logs; fi
    exit "$rc"
}

# net_prefer [NICE [PID]]: what we measure is us, not what else this machine does: our session (that of PID) goes before others. Where the
# scheduler knows no groups of sessions, or we may not, nothing changes.
net_prefer() { echo "${1:--20}" 2>/dev/null >"/proc/${2:-self}/autogroup" || true; }

# The ends of all logs, as comments.
net_logs() {
    local log
    for log in "$DIR"/*.log; do
        [[ -s $log ]] || continue
        printf '# ---- %s\n' "${log##*/}"
        tail -n 40 "$log" | sed 's/^/# /'
    done
}

# wait_for SECONDS COMMAND...: until it succeeds; 1 when the time is over.
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.02
    done
}

# background COMMAND...: in a process group of its own; its id is in BG. background_end ID: ends all of it.
background() {
    set -m
    "$@" &
    BG=$!
    set +m
}

background_end() {
    kill -TERM -- "-$1" 2>/dev/null
    wait "$1" 2>/dev/null
    return 0
}

# ---- the network ----

in_switch() { ip netns exec switch "$@"; }
in_outside() { ip netns exec outside "$@"; }
# in_guest N COMMAND...
in_guest() {
    local n=$1
    shift
    ip netns exec "guest$n" "$@"
}

# namespace NAME: with loopback, without the chatter of IPv6 autoconfiguration.
namespace() {
    ip netns add "$1"
    ip netns exec "$1" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
    ip -n "$1" link set lo up
}

# nic_add N: nicN here, its other end swN in the switch.
nic_add() {
    ip link add "nic$1" type veth peer name "sw$1" netns switch
    ip -n switch link set "sw$1" master br0 up
    ip link set "nic$1" up
}

# net_up [NICS]: switch, outside host, nic0 ... nicN-1 (default 2).
net_up() {
    local i
    sysctl -qw net.ipv6.conf.default.disable_ipv6=1
    namespace switch
    namespace outside
    ip -n switch link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0
    ip -n switch link set br0 up
    ip -n outside link add eth0 type veth peer name out netns switch
    ip -n switch link set out master br0 up
    ip -n outside addr add "$OUTSIDE_IP/24" dev eth0
    ip -n outside link set eth0 up
    for ((i = 0; i < ${1:-2}; i++)); do nic_add "$i"; done
}

# The link of nicN as its driver sees it: the switch pulls or plugs the cable.
carrier_cut() { ip -n switch link set "sw$1" down; }
carrier_back() { ip -n switch link set "sw$1" up; }

# Frames that the switch got on its end of nicN.
switch_frames() { in_switch awk -v dev="sw$1:" '$1 == dev { print $3 }' /proc/net/dev; }

# ---- the box, the store ----

box_start() {
    "$XENBOX" --dir "$XENBOX_DIR" >"$DIR/xenbox.log" 2>&1 &
    BOX_PID=$!
    wait_for 10 test -S "$XENSTORED_PATH" || cannot_run "xenbox does not start: $(tail -n 1 "$DIR/xenbox.log")"
}

store_read() { xenstore-read "$1" 2>/dev/null; }
store_write() { xenstore-write -- "$@"; }
store_has() { xenstore-exists "$1" 2>/dev/null; }
# store_is PATH VALUE
store_is() { [[ $(store_read "$1") == "$2" ]]; }

# team_set KEY VALUE [TEAM]
team_set() { store_write "/local/domain/0/xenback/team/${3:-team0}/$1" "$2"; }
# uuid_of N: of guest N's VM. policy_dir N [DEVID]: where the VM's settings of that interface are. N must run.
uuid_of() { local vm && vm=$(store_read "/local/domain/$1/vm") && printf '%s' "${vm##*/}"; }
policy_dir() { printf '/local/domain/0/xenback/vm/%s/vif/%d' "$(uuid_of "$1")" "${2:-0}"; }
# vif_set N KEY VALUE [DEVID]
vif_set() { store_write "$(policy_dir "$1" "${4:-0}")/$2" "$3"; }
# error_is PATH REGEX; no_error PATH: what the daemon says of the settings there.
error_is() { [[ $(store_read "$1/error") =~ $2 ]]; }
no_error() { ! store_has "$1/error"; }

# ---- the daemon ----

# daemon_start [OPTION...]: returns when it answers on its control socket.
daemon_start() {
    "$NETBACK" --xen box "$@" >>"$DIR/netback-team.log" 2>&1 &
    DAEMON_PID=$!
    wait_for 15 ctl --daemon=netback-team status
}

# The same in a session of its own, which may be preferred to the rest of us (net_prefer).
daemon_start_apart() {
    setsid "$NETBACK" --xen box >>"$DIR/netback-team.log" 2>&1 &
    DAEMON_PID=$!
    wait_for 15 ctl --daemon=netback-team status
}

ctl() { "$XENBACKCTL" "$@"; }

# Kill without a last word, as a crash.
daemon_kill() {
    kill -KILL "$DAEMON_PID"
    wait "$DAEMON_PID" 2>/dev/null
    DAEMON_PID=''
}

# daemon_stop: as systemd does; its exit status.
daemon_stop() {
    local rc=0
    kill -TERM "$DAEMON_PID"
    # After 10 s systemd kills, and so do we: that is status 137.
    wait_for 10 daemon_ended || kill -KILL "$DAEMON_PID"
    wait "$DAEMON_PID" || rc=$?
    DAEMON_PID=''
    return "$rc"
}
daemon_ended() { [[ ! -e /proc/$DAEMON_PID || $(awk '{ print $3 }' "/proc/$DAEMON_PID/stat") == Z ]]; }

daemon_alive() { [[ -n $DAEMON_PID ]] && kill -0 "$DAEMON_PID" 2>/dev/null; }

# Descriptors that it holds, how many of each kind; threads; what it has mapped of guests.
holdings() {
    find "/proc/$DAEMON_PID/fd" -mindepth 1 -printf '%l\n' | sed 's/:\[[0-9]*\]//' | sort | uniq -c
    find "/proc/$DAEMON_PID/task" -mindepth 1 -maxdepth 1 -printf 'thread\n' | uniq -c
    printf '%7d pages of guests\n' "$(grep -c -e xenbox -e memfd "/proc/$DAEMON_PID/maps")"
}

# events_say REGEX
events_say() { [[ $(ctl events) =~ $1 ]]; }
# dos N FILTER [DEVID]: of dos show, as jq -r prints it. dos_is N FILTER VALUE [DEVID]
dos() { ctl --json dos show "$1.${3:-0}" | jq -r "$2"; }
dos_is() { [[ $(dos "$1" "$2" "${4:-0}") == "$3" ]]; }
# figure N DIRECTION FILTER: of qos show. figure_is N DIRECTION FILTER VALUE
figure() { ctl --json qos show | jq -r ".[] | select(.domid == $1 and .direction == \"$2\") | $3"; }
figure_is() { [[ $(figure "$1" "$2" "$3") == "$4" ]]; }

# ---- guests; guest N is domain N ----

backend_dir() { printf '/local/domain/0/backend/vif/%d/%d' "$1" "${2:-0}"; }
frontend_dir() { printf '/local/domain/%d/device/vif/%d' "$1" "${2:-0}"; }

# guest_start N [OPTION...]: a domain with a namespace that will hold its eth0.
guest_start() {
    local n=$1
    shift
    ip netns list | grep -qw "guest$n" || namespace "guest$n"
    "$XENBOX_GUEST" --domid "$n" --netns "guest$n" "$@" >>"$DIR/guest$n.log" 2>&1 &
    GUEST_PID[$n]=$!
}

# guest_end N SIGNAL
guest_end() {
    kill "-$2" "${GUEST_PID[$1]}"
    wait "${GUEST_PID[$1]}" 2>/dev/null
    unset "GUEST_PID[$1]"
    return 0
}
# A shutdown: its driver closes its devices. A death: its domain is gone from one moment to the next.
guest_stop() { guest_end "$1" TERM; }
guest_die() { guest_end "$1" KILL; }

# guest_attach N [KEY=VALUE...]: what `xl network-attach` does; fails as xl would.
guest_attach() {
    local n=$1
    shift
    "$XENBOX_XL" network-attach "$n" script=vif-team bridge=team0 "mac=$(guest_mac "$n")" "$@"
}

guest_connected() { store_is "$(backend_dir "$1")/state" 4 && store_is "$(frontend_dir "$1")/state" 4; }

# guest_up N [KEY=VALUE...]: start, attach, wait for the connection, give it its address.
guest_up() {
    local n=$1
    shift
    guest_start "$n"
    guest_attach "$n" "$@" || return 1
    wait_for 20 guest_connected "$n" || return 1
    guest_address "$n"
}

guest_address() {
    wait_for 10 ip -n "guest$1" link show eth0 || return 1
    ip -n "guest$1" addr replace "$(guest_ip "$1")/24" dev eth0
    ip -n "guest$1" link set eth0 up
}

# reaches N ADDRESS: one echo request, within the deadline of ping.
reaches() { in_guest "$1" ping -c 1 -W 1 -q "$2"; }

# ---- measuring ----

# listening PORT WHERE...: somebody accepts TCP connections there.
listening() {
    local port=$1
    shift
    "$@" ss -ltnH "sport = :$port" | grep -q .
}

# field NAME LINE: the word behind NAME in what gapmeter prints.
field() { awk -v name="$1" '{ for (i = 1; i < NF; i++) if ($i == name) { print $(i + 1); exit } }' <<<"$2"; }

# iperf_mbit FILE: received Mbit/s of `iperf3 --json`.
iperf_mbit() {
    awk '/"sum_received"/ { on = 1 } on && /"bits_per_second"/ { sub(/.*:/, ""); printf "%d\n", $0 / 1e6; exit }' "$1"
}

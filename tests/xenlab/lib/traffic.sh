# SPDX-License-Identifier: GPL-2.0-or-later
# Traffic between a guest and the outside host, and what it measured.
# shellcheck shell=bash

OUTSIDE4=10.77.0.1
OUTSIDE6=fd77::1

addr4() { echo "10.77.0.$(host_number "$1")"; }
addr6() { echo "fd77::$(host_number "$1")"; }

# ping_outside NAME [ADDRESS]: the first answer within a limit is enough.
ping_outside() {
    domu "$1" "for i in \$(seq 20); do ping -c 1 -W 1 ${2:-$OUTSIDE4} && exit 0; done; exit 1" >/dev/null
}

# A server for one test on a fresh port; it ends with the test, or after 10 minutes.
# Prints the port once the server listens.
iperf_server() {
    local port=$((20000 + RANDOM % 20000))
    outside "timeout 600 iperf3 -s -1 -p $port >/dev/null 2>&1 &
        for i in \$(seq 100); do
            ss -Hltn sport = :$port | grep -q . && exit 0; sleep 0.05
        done; exit 1" || fail "the outside iperf3 server did not start"
    echo "$port"
}

# iperf_guest NAME SECONDS [OPTION...]: client in the guest, its report on stdout.
# -R makes the outside host send.
iperf_guest() {
    local name=$1 seconds=$2 port
    shift 2
    port=$(iperf_server) || return 1
    DOMU_TIMEOUT=$((seconds + 30)) DOMU_QUIET=$seconds domu "$name" \
        "iperf3 -c ${IPERF_TARGET:-$OUTSIDE4} -p $port -t $seconds -f m --connect-timeout 5000 $*"
}

# Mbit/s that arrived, from an iperf3 report on stdin.
received_mbits() {
    awk '/receiver/ {for (i = 2; i <= NF; i++) if ($i == "Mbits/sec") v = $(i - 1)} END {printf "%d\n", v}'
}

# Intervals of an iperf3 report in which nothing moved.
silent_intervals() {
    awk '/ sec / && !/sender|receiver/ && / 0.00 (Bytes|MBytes)/ {n++} END {print n + 0}'
}

# Did anything move in the last 3 intervals?
moving_at_end() {
    awk '/ sec / && !/sender|receiver/ {line[n++] = $0}
        END {for (i = n - 3; i < n; i++) if (line[i] !~ / 0.00 (Bytes|MBytes)/) good++; exit !(good >= 2)}'
}

# throughput NAME [OPTION...]: 4 s of TCP, fails the scenario on an error.
throughput() {
    local name=$1 report
    shift
    report=$(iperf_guest "$name" 4 "$@") || { echo "$report"; fail "iperf3 $* in $name: $(tail -1 <<<"$report")"; }
    received_mbits <<<"$report"
}

# Packets and bytes of an outside or guest interface: "rx_packets rx_bytes tx_packets tx_bytes".
outside_counters() {
    outside "cd /sys/class/net/out0/statistics && cat rx_packets rx_bytes tx_packets tx_bytes" | tr '\n' ' '
}

guest_counters() {
    domu "$1" "cd /sys/class/net/eth0/statistics && cat rx_packets rx_bytes tx_packets tx_bytes" | tr '\n' ' '
}

# --- which way it goes ----------------------------------------------------------

nic_packets() { cat "/sys/class/net/$1/statistics/tx_packets"; }

# nic_moved NIC BEFORE: more than a few packets left through it since then.
nic_moved() { (($(nic_packets "$1") - $2 > 20)); }

# Does a transfer run over this NIC right now?
nic_carries() {
    local before
    before=$(nic_packets "$1")
    sleep 0.3
    nic_moved "$1" "$before"
}

traffic_flows() { nic_carries eth0 || nic_carries eth1; }

# The NIC that a ping of this guest leaves through.
active_nic() {
    local a b
    a=$(nic_packets eth0) b=$(nic_packets eth1)
    domu "$1" "ping -c 5 -i 0.1 -W 1 $OUTSIDE4" >/dev/null || fail "no answer while looking for the active NIC"
    if (($(nic_packets eth0) - a >= $(nic_packets eth1) - b)); then echo eth0; else echo eth1; fi
}

# Packets that came out of Dom0 into the switch.
switch_packets() {
    hostctl switch 'cat /sys/class/net/nic?/statistics/rx_packets' | awk '{n += $1} END {print n}'
}

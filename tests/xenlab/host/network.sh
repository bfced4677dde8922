# SPDX-License-Identifier: GPL-2.0-or-later
# The network around the machine: two namespaces that exist only for this run.
# shellcheck shell=bash
#
#   Dom0 eth0 -- nic0 \                              / iperf3, file service
#                      bridge (SWITCH) -- veth -- OUTSIDE 10.77.0.1 fd77::1
#   Dom0 eth1 -- nic1 /
#
# Nothing here has a way out: no route, no address of the host.

SWITCH=xenlab-$$-switch
OUTSIDE=xenlab-$$-outside
FILE_SIZE_MB=100

in_switch() { ip netns exec "$SWITCH" "$@"; }
in_outside() { ip netns exec "$OUTSIDE" "$@"; }

# A tap with vnet_hdr keeps large frames whole on their way through.
add_nic_port() {
    ip -n "$SWITCH" tuntap add "$1" mode tap vnet_hdr
    ip -n "$SWITCH" link set "$1" mtu 9000 master bridge up
}

network_up() {
    ip netns add "$SWITCH" && ip netns add "$OUTSIDE" || return 1
    # Router advertisements or link-local chatter would count as traffic.
    in_switch sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
        net.ipv6.conf.default.disable_ipv6=1
    in_outside sysctl -qw net.ipv6.conf.default.accept_dad=0 \
        net.ipv6.conf.all.accept_dad=0
    ip -n "$SWITCH" link add bridge type bridge stp_state 0 forward_delay 0 mcast_snooping 0
    ip -n "$SWITCH" link set bridge mtu 9000 up
    add_nic_port nic0
    add_nic_port nic1
    ip -n "$SWITCH" link add port type veth peer name out0 netns "$OUTSIDE"
    ip -n "$SWITCH" link set port mtu 9000 master bridge up
    ip -n "$OUTSIDE" link set lo up
    ip -n "$OUTSIDE" link set out0 mtu 1500 up
    ip -n "$OUTSIDE" addr add 10.77.0.1/24 dev out0
    ip -n "$OUTSIDE" addr add fd77::1/64 dev out0
}

# One random file: port 8000 sends it, port 8001 takes bytes until the sender
# closes its half and answers with their sha256.
start_file_service() {
    local file=$RUN/file.bin
    head -c ${FILE_SIZE_MB}M /dev/urandom >"$file"
    sha256sum <"$file" | cut -d' ' -f1 >"$file.sha256"
    spawn file-out in_outside socat -U \
        "TCP6-LISTEN:8000,fork,reuseaddr,ipv6only=0" "OPEN:$file,rdonly"
    spawn file-in in_outside socat -t 60 \
        "TCP6-LISTEN:8001,fork,reuseaddr,ipv6only=0" "EXEC:sha256sum"
}

# Everything that still runs in our namespaces is ours.
network_down() {
    local ns pid
    for ns in "$SWITCH" "$OUTSIDE"; do
        [[ -e /run/netns/$ns ]] || continue
        for pid in $(ip netns pids "$ns"); do kill -9 "$pid" 2>/dev/null; done
        ip netns del "$ns"
    done
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The worker against the kernel's bridge, in one run: frames from a guest's ring (bench-vif-load: no network stack) through
# netback-team to a veth whose peer drops them, beside frames from a packet socket through the kernel's bridge to such a veth
# (bench-nic). Both also per second of CPU time, which other load on the machine does not change.
# Usage: bench-box.sh [SECONDS [JSON-FILE]], in the build tree (XENBACK_BUILD).
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/../net/lib.sh"
net_enter "$@"
seconds=${1:-3}
json=${2:-}
LOAD=$BUILD/tests/bench/bench-vif-load
BRIDGE=$BUILD/tests/bench/bench-nic

step() { printf '[%3d s] %s\n' "$SECONDS" "$*" >&2; }

# sink_up: a member whose peer's stack drops what is not for it.
sink_up() {
    namespace sink
    ip link add nic0 type veth peer name sink0 netns sink
    ip -n sink link set sink0 up
    ip link set nic0 up
}

step "kernel bridge: packet socket -> veth -> bridge -> veth"
"$BRIDGE" --ms 300 --rounds 5 --json "$DIR/bridge.json" >"$DIR/bridge.txt" || exit 1
cat "$DIR/bridge.txt" >&2

step "ours: guest's ring -> netback-team -> veth"
sink_up
box_start
team_set members nic0
daemon_start || exit 1
("$XENBOX_XL" network-attach 1 script=vif-team bridge=team0 "mac=$(guest_mac 1)" >"$DIR/attach.log" 2>&1 ||
    cat "$DIR/attach.log" >&2) &
"$LOAD" --domid 1 --dir "$XENBOX_DIR" --seconds "$seconds" --mode bulk --mode small \
    --dst 02:00:00:00:00:fe --backend-pid "$DAEMON_PID" >"$DIR/load.json" || exit 1


jq -n --slurpfile ours "$DIR/load.json" --slurpfile peer "$DIR/bridge.json" '
    def bridge(f): $peer[0] | (.rows? // .) | map(select(.path == "bridge" and .frames == f))[0];
    def mode(m): $ours | map(select(.mode == m))[0];
    [{frames: "64 KiB GSO", m: mode("bulk"), p: bridge("64 KiB GSO")},
     {frames: "60 B", m: mode("small"), p: bridge("60 B")}] | map({
        frames, ours_kpps: .m.tx_kpps, bridge_kpps: .p.kpps, rate_ratio: (.m.tx_kpps / .p.kpps),
        ours_gbit_s: .m.tx_gbit_s, ours_kpps_per_core: .m.kpps_per_backend_core,
        ours_gbit_s_per_core: .m.gbit_s_per_backend_core,
        bridge_kpps_per_core: (1000 / .p.cpu_us_per_frame),
        core_ratio: (.m.kpps_per_backend_core * .p.cpu_us_per_frame / 1000)})' >"$DIR/box.json" || exit 1
[[ -z $json ]] || cp "$DIR/box.json" "$json"
step "done; rates of ours are answered frames, of the bridge arrived ones"
jq -r '(["frames", "ours kpps", "bridge kpps", "ratio", "ours Gbit/s", "per core: kpps", "Gbit/s", "bridge kpps", "ratio"]),
    (.[] | [.frames, .ours_kpps, .bridge_kpps, .rate_ratio, .ours_gbit_s, .ours_kpps_per_core, .ours_gbit_s_per_core,
        .bridge_kpps_per_core, .core_ratio] | map(if type == "number" then . * 100 | round / 100 else . end)) | @tsv' \
    "$DIR/box.json" | column -t -s "$(printf '\t')"

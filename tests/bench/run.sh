#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every benchmark that needs no Xen, one after the other: tables on the terminal, JSON in $XENBACK_BUILD/bench. Nothing here passes or
# fails by time; a benchmark that cannot run says why and the others go on.
set -u
BUILD=${XENBACK_BUILD:?set it to the build tree}
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
export XENBACK_BUILD XENBACK_SRC
failed=0
mkdir -p "$BUILD/bench"

# bench NAME WHAT COMMAND...
bench() {
    local name=$1 what=$2
    shift 2
    printf '\n[%4d s] %s: %s\n' "$SECONDS" "$name" "$what"
    "$@" || { printf '%s: did not finish (exit status %d)\n' "$name" $?; failed=1; }
}

make -s --no-print-directory -C "$BUILD" all tests/net/vmctl-double || exit 1
bench frame 'pure modules, ns an operation' "$BUILD/tests/bench/bench-frame" --json "$BUILD/bench/frame.json"
bench flow 'modes of a team, ns a frame' "$BUILD/tests/bench/bench-flow" --json "$BUILD/bench/flow.json"
bench fair 'who sends next, ns a frame' "$BUILD/tests/bench/bench-fair" --json "$BUILD/bench/fair.json"
bench dos 'detection of attacks, ns a packet' "$BUILD/tests/bench/bench-dos" --json "$BUILD/bench/dos.json"
bench path 'all decisions about a frame, ns' "$BUILD/tests/bench/bench-path" --json "$BUILD/bench/path.json"
bench coalesce 'USB requests merged beside one transfer each, simulated' \
    "$BUILD/tests/bench/bench-coalesce" --json "$BUILD/bench/coalesce.json"
[[ ! -x $BUILD/tests/bench/bench-seam ]] ||
    bench seam 'grant copy and events beside memcpy' "$BUILD/tests/bench/bench-seam" --json "$BUILD/bench/seam.json"
bench nic 'AF_PACKET uplink beside the kernel bridge' "$BUILD/tests/bench/bench-nic" --json "$BUILD/bench/nic.json"
bench linkwatch 'time until a lost carrier is reported, events only beside polls' \
    "$BUILD/tests/bench/bench-linkwatch" --json "$BUILD/bench/linkwatch.json"
bench failover 'until traffic goes on on the other member, events only beside polls' \
    "$BUILD/tests/bench/bench-failover" --json "$BUILD/bench/failover.json"
bench box "guest's ring to veth beside the kernel bridge" \
    bash "$SRC/tests/bench/bench-box.sh" 3 "$BUILD/bench/box.json"
bench shape "how exactly a guest's rate is kept, beside tbf and htb" \
    bash "$SRC/tests/bench/bench-shape.sh" 4 "$BUILD/bench/shape.json"
bench defence 'attacks seen, and the guest beside the attacked one with each reaction' \
    bash "$SRC/tests/bench/bench-defence.sh" 3 "$BUILD/bench/defence.json"
bench shares "the worked examples of sharing, beside htb" \
    bash "$SRC/tests/bench/bench-shares.sh" 5 "$BUILD/bench/shares.json"
exit "$failed"

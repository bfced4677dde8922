#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# On a Dom0: Xen behaves as we think. Elsewhere: whoever asks for a Xen that is not there is told what is missing.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
BUILD=${XENBACK_BUILD:-$SRC/build}
PROGRAM=$BUILD/tests/conformance/xen-conformance
if [[ -c /dev/xen/gntdev ]]; then
    "$PROGRAM" --xen real || true
    exit 0
fi
. "$SRC/tests/tap.sh"

# says TEXT SPEC REGEX: fails, with a message.
says() {
    local output rc=0
    output=$("$PROGRAM" --xen "$2" 2>&1) || rc=$?
    is "$1: fails" "$rc" 1
    like "$1: says what is missing, and what to do" "$output" "$3"
}
says 'no Xen' real '/dev/xen/gntdev: .*modprobe xen-gntdev'
says 'no box' box:/nonexistent '/nonexistent/box.sock: .*xenbox --dir /nonexistent'
says 'a box in a place too long' "box:/$(printf '%0120d' 0)" 'longer than a socket'
says 'neither' qemu '"qemu": allowed are real, box and box:DIR'
says 'a box nowhere' box: '"box:": allowed are'
done_testing

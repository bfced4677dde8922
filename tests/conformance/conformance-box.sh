#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The box behaves as Xen does: two domains against a xenbox of their own. The program prints the TAP; its exit status only repeats it.
BUILD=${XENBACK_BUILD:-$(cd "$(dirname "$0")/../.." && pwd)/build}
DIR=$(mktemp -d)
BOX_PID=''
finish() {
    if [[ -n $BOX_PID ]]; then
        kill "$BOX_PID"
        wait "$BOX_PID"
    fi 2>/dev/null
    rm -rf "$DIR"
}
trap finish EXIT
"$BUILD/tools/xenbox" --dir "$DIR" 2>"$DIR/log" &
BOX_PID=$!
for ((i = 0; i < 500; i++)); do
    if grep -q ready "$DIR/log" || ! kill -0 "$BOX_PID" 2>/dev/null; then break; fi
    sleep 0.02
done
"$BUILD/tests/conformance/xen-conformance" --xen "box:$DIR" || sed 's/^/# /' "$DIR/log"

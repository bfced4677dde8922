# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A xenbox of the test's own: BOX_DIR and BOX_PID; it ends with the script.

BUILD=${XENBACK_BUILD:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build}
BOX_DIR=$(mktemp -d)
BOX_PID=''

box_finish() {
    if [[ -n $BOX_PID ]]; then
        kill "$BOX_PID"
        wait "$BOX_PID"
    fi 2>/dev/null
    rm -rf "$BOX_DIR"
}
trap box_finish EXIT

"$BUILD/tools/xenbox" --dir "$BOX_DIR" 2>"$BOX_DIR/log" &
BOX_PID=$!
# Until it says so, or died.
for ((i = 0; i < 1000; i++)); do
    if grep -q ready "$BOX_DIR/log" || ! kill -0 "$BOX_PID" 2>/dev/null; then break; fi
    sleep 0.01
done

# What the box had to say, as comments.
box_log() { sed 's/^/# /' "$BOX_DIR/log"; }

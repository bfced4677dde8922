#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# xenbox as a program: options, a second one in the same directory, strangers on its sockets, its end and its successor. Xen's
# tools on its store: tests/net/test-xenbox-store.sh; domains on it: conformance-box.sh.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
for program in xenstore-read socat; do
    command -v "$program" >/dev/null || skip_all "$program is missing (packages.list)"
done
# shellcheck source=tests/conformance/with-box.sh
. "$SRC/tests/conformance/with-box.sh"
export XENSTORED_PATH=$BOX_DIR/xenstored.sock
XENBOX=$BUILD/tools/xenbox
TOP=/local/domain/0/tools

# run COMMAND...: OUTPUT (both streams) and RC
run() {
    RC=0
    OUTPUT=$("$@" 2>&1) || RC=$?
}
# gives TEXT OUTPUT COMMAND...
gives() {
    local text=$1 wanted=$2
    shift 2
    run "$@"
    is "$text" "$RC:$OUTPUT" "0:$wanted"
}
# refuses TEXT COMMAND...: fails, and says something.
refuses() {
    local text=$1
    shift
    run "$@"
    ok "$text" test "$RC" -ne 0
}

xenstore-write $TOP/a one

# Transactions of two writers, that meet: none is lost.
count() {
    local i
    for ((i = 0; i < 50; i++)); do xenstore-write "$TOP/count/$1" "$i" "$TOP/count/all" "$1"; done
}
count 1 &
FIRST=$!
count 2
wait "$FIRST"
gives 'two writers at a time' $'49\n49' xenstore-read $TOP/count/1 $TOP/count/2

# ---- strangers ----
stranger() { timeout 5 socat -u - "$1" 2>/dev/null; }
# noise BYTES SEED
noise() { LC_ALL=C awk -v n="$1" -v seed="$2" 'BEGIN { srand(seed); while (n-- > 0) printf "%c", int(rand() * 256) }'; }
for ((i = 0; i < 20; i++)); do
    noise 20000 "$i" | stranger "UNIX-CONNECT:$BOX_DIR/xenstored.sock"
    noise 300 "$i" | stranger "UNIX-CONNECT:$BOX_DIR/guest.sock"
    noise 3000 "$i" | stranger "UNIX-CONNECT:$BOX_DIR/box.sock,type=5"
done
printf '\0\0\0\0' | stranger "UNIX-CONNECT:$BOX_DIR/guest.sock"
# A header that announces more than there may be, and one whose body never comes.
printf '\2\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff' | stranger "UNIX-CONNECT:$XENSTORED_PATH"
printf '\2\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\0/loc' | stranger "UNIX-CONNECT:$XENSTORED_PATH"
gives 'the box outlives strangers' one xenstore-read $TOP/a
is 'sockets are for root only' "$(stat -c %a "$BOX_DIR"/*.sock | sort -u)" 600

# ---- the program ----
run "$XENBOX" --dir "$BOX_DIR"
is 'a second box in the directory: fails' "$RC" 1
like 'and says why' "$OUTPUT" "$BOX_DIR.*another"
gives 'the first goes on' one xenstore-read $TOP/a
run "$XENBOX" --dir "$BOX_DIR/log/x"
is 'a directory that cannot be: fails' "$RC" 1
like 'and names it' "$OUTPUT" "$BOX_DIR/log/x"
run "$XENBOX" --dir "$BOX_DIR/$(printf '%0120d' 0)"
is 'a directory too long for a socket: fails' "$RC" 1
run "$XENBOX" --help
is '--help' "$RC" 0
like 'shows the options' "$OUTPUT" '--dir=DIR'
run "$XENBOX" --version
is '--version' "$RC" 0
like 'shows a version' "$OUTPUT" '^xenbox .*[0-9]'
run "$XENBOX" --bogus
is 'an unknown option' "$RC" 2
run "$XENBOX" extra
is 'an argument too many' "$RC" 2
like 'which it names' "$OUTPUT" '"extra"'

# ---- its end, and its successor ----
kill -KILL "$BOX_PID"
wait "$BOX_PID" 2>/dev/null
socat -u "UNIX-RECV:$BOX_DIR/notify" - >"$BOX_DIR/notified" &
SOCAT_PID=$!
for ((i = 0; i < 500; i++)); do
    if [[ -S $BOX_DIR/notify ]]; then break; fi
    sleep 0.01
done
NOTIFY_SOCKET=$BOX_DIR/notify "$XENBOX" --dir "$BOX_DIR" 2>"$BOX_DIR/log" &
BOX_PID=$!
for ((i = 0; i < 1000; i++)); do
    if grep -q READY=1 "$BOX_DIR/notified"; then break; fi
    sleep 0.01
done
kill "$SOCAT_PID"
like 'systemd is told when it is ready' "$(tr '\n' ' ' <"$BOX_DIR/notified")" 'READY=1'
like 'as is who reads the log' "$(<"$BOX_DIR/log")" "ready in $BOX_DIR"
gives 'it serves where a killed one was' '0' xenstore-read /local/domain/0/domid
refuses 'with an empty store' xenstore-read $TOP/a
RC=0
kill "$BOX_PID"
wait "$BOX_PID" || RC=$?
BOX_PID=''
is 'SIGTERM: a clean end' "$RC" 0
is 'that takes its sockets away' "$(cd "$BOX_DIR" && echo ./*.sock)" './*.sock'
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The store of a xenbox, under Xen's own tools: they must not see a difference from xenstored.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
XENBOX=${XENBACK_BUILD:-$SRC/build}/tools/xenbox

for tool in read write ls list rm chmod exists watch; do
    type -P "xenstore-$tool" >/dev/null || skip_all "no xenstore-$tool (package xenstore-utils)"
done
[[ -x $XENBOX ]] || skip_all "$XENBOX is not built"

DIR=$(mktemp -d)
BOX_PID=''
finish() {
    if [[ -n $BOX_PID ]]; then kill "$BOX_PID"; fi
    rm -rf "$DIR"
}
trap finish EXIT
export XENSTORED_PATH=$DIR/xenstored.sock

"$XENBOX" --dir "$DIR" 2>"$DIR/log" &
BOX_PID=$!
# until_true COMMAND...: at most 10 s.
until_true() {
    local i
    for ((i = 0; i < 200; i++)); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.05
    done
    return 1
}
# lines FILE N: true when the file has them.
lines() { (($(wc -l <"$1") >= $2)); }
# reads PATH VALUE
reads() { [[ $(xenstore-read "$1") == "$2" ]]; }
# refused TEXT REGEX COMMAND...
refused() {
    local output rc=0
    output=$("${@:3}" 2>&1) || rc=$?
    ok "$1: fails" test "$rc" -ne 0
    like "$1: says why" "$output" "$2"
}

ok 'answers' until_true xenstore-exists /local/domain/0
is 'mode of the socket' "$(stat -c %a "$XENSTORED_PATH")" 600

ok 'write' xenstore-write /a/b one /a/c 'two words' /a/empty ''
is 'read' "$(xenstore-read /a/b /a/c)" $'one\ntwo words'
is 'read an empty one' "$(xenstore-read /a/empty)" ''
is 'list' "$(xenstore-list /a)" $'b\nc\nempty'
ok 'exists' xenstore-exists /a/empty
is 'exists not' "$(xenstore-exists /none || echo no)" no
refused 'read what is missing' "couldn't read path /none" xenstore-read /none
refused 'write a bad path' 'could not write path /a b' xenstore-write '/a b' x
is 'relative path' "$(xenstore-write me 1 && xenstore-read /local/domain/0/me)" 1

ok 'chmod' xenstore-chmod /a/b n0 r5 b6
is 'ls with permissions' "$(xenstore-ls -fp /a | sed 's/ *(/ (/')" \
    $'/a/b = "one" (n0,r5,b6)\n/a/c = "two words" (n0)\n/a/empty = "" (n0)'
ok 'chmod -r' xenstore-chmod -r /a n0 r7
is 'ls after it' "$(xenstore-ls -fp /a | grep -c '(n0,r7)')" 3

ok 'rm' xenstore-rm /a/b
is 'list after it' "$(xenstore-list /a)" $'c\nempty'
ok 'rm -t' xenstore-rm -t /a/c /a/empty
is 'rm -t takes the empty parents too' "$(xenstore-exists /a || echo gone)" gone

# More names than fit a message.
for ((i = 0; i < 1500; i++)); do printf '/big/name-%d x ' "$i"; done | xargs -n 500 xenstore-write
is 'long list' "$(xenstore-list /big | sort | md5sum)" "$(printf 'name-%d\n' {0..1499} | sort | md5sum)"
xenstore-rm /big

timeout 20 xenstore-watch -n 4 /w >"$DIR/events" &
WATCH_PID=$!
ok 'a watch fires at once' until_true lines "$DIR/events" 1
xenstore-write /w/x 1
xenstore-write /other 1
xenstore-chmod /w n5
xenstore-rm /w
wait "$WATCH_PID"
is 'a watch sees three changes' "$?" 0
is 'events' "$(cat "$DIR/events")" $'/w\n/w/x\n/w\n/w'

xenstore-write /stays 1
kill -USR1 "$BOX_PID"
ok 'serves after all connections were cut' until_true reads /stays 1
like 'a second xenbox on the directory is refused' "$("$XENBOX" --dir "$DIR" 2>&1)" 'another'
is 'and the first serves on' "$(xenstore-read /stays)" 1

kill "$BOX_PID"
wait "$BOX_PID"
is 'ends in peace' "$?" 0
BOX_PID=''
ok 'takes its socket away' test ! -e "$XENSTORED_PATH"
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# xenbackctl against a daemon that answers from a file: what a user sees, byte by byte, and what the daemon is asked.
#
# tests/unit/xenbackctl/transcript holds commands ("$ xenbackctl ..."; "$ requests" shows what arrived at the daemon since the
# last time) with their output and exit status. After a change that is meant: `tests/unit/test-xenbackctl.sh --write`.
SRC=${XENBACK_SRC:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILD=${XENBACK_BUILD:-$SRC/build}
# shellcheck source=tests/tap.sh
. "$SRC/tests/tap.sh"

DATA=$SRC/tests/unit/xenbackctl
WORK=$(mktemp -d)
SERVERS=()
stop() {
    ((${#SERVERS[@]} == 0)) || kill "${SERVERS[@]}" 2>/dev/null
    wait
    rm -rf "$WORK"
}
trap stop EXIT

export XENBACK_RUN=$WORK/run XENBACK_XEN=bananas
mkdir "$XENBACK_RUN"
cp "$DATA"/*.conf "$WORK"
cd "$WORK" || exit 1

requests() {
    cat requests
    : >requests
}
xenbackctl() { "$BUILD/tools/xenbackctl" "$@"; }

# run LINE: output and exit status as the transcript has them.
run() {
    local rc=0
    eval "$1" 2>&1 || rc=$?
    ((rc == 0)) || printf '[exit %d]\n' "$rc"
}

# Before the daemon runs, every question must say so.
is 'no daemon' "$(run 'xenbackctl vif list')" \
    "xenbackctl: netback-team is not running: there is no control socket $WORK/run/netback-team.ctl; start it with \`systemctl start netback-team\`
[exit 1]"

: >requests
# serve DAEMON ANSWERS
serve() {
    "$BUILD/tests/unit/ctl-canned" "$XENBACK_RUN/$1.ctl" "$DATA/$2" requests &
    SERVERS+=($!)
    until xenbackctl --daemon="$1" status >/dev/null 2>&1; do
        if ! kill -0 "${SERVERS[-1]}" 2>/dev/null; then
            printf 'Bail out! ctl-canned does not run\n'
            exit 1
        fi
        sleep 0.01
    done
}
serve netback-team answers.json
serve usbback answers-usb.json
: >requests

mapfile -t LINES <"$DATA/transcript"
if [[ ${1:-} == --write ]]; then
    for line in "${LINES[@]}"; do
        [[ $line == '$ '* ]] || continue
        printf '%s\n' "$line"
        run "${line#??}"
    done >new
    cp new "$DATA/transcript"
    exit 0
fi

check() { # COMMAND WANTED
    local got
    got=$(run "$1"; echo .)
    got=${got%.}
    if [[ $got == "$2" ]]; then
        pass "$1"
    else
        fail "$1" "$(diff <(printf '%s' "$2") <(printf '%s' "$got"))"
    fi
}

COMMAND='' WANTED=''
for line in "${LINES[@]}"; do
    if [[ $line == '$ '* ]]; then
        [[ -z $COMMAND ]] || check "$COMMAND" "$WANTED"
        COMMAND=${line#??} WANTED=''
    else
        WANTED+=$line$'\n'
    fi
done
check "$COMMAND" "$WANTED"

# Without daemons, as at boot: their programs beside xenbackctl know the keys.
kill "${SERVERS[@]}"
wait
SERVERS=()
rm -f "$XENBACK_RUN"/*
mkdir sbin
cp "$BUILD/tools/xenbackctl" sbin
is 'no daemon, no program' "$(sbin/xenbackctl check good.conf 2>&1 | sed 's/:.*//')" xenbackctl
for daemon in netback-team usbback; do
    printf '#!/bin/bash\n[[ $* == --keys ]] && jq .keys "%s"\n' "$DATA/answers$([[ $daemon != usbback ]] || printf -- -usb).json" >"sbin/$daemon"
    chmod +x "sbin/$daemon"
done
is 'programs know the keys' "$(sbin/xenbackctl check good.conf 2>&1)" '4 settings from 1 file checked, nothing written'
rm sbin/usbback
is 'one daemon is not installed' "$(sbin/xenbackctl check good.conf 2>&1)" \
    '1 setting for usbback left out: it is not installed, or was not asked
3 settings from 1 file checked, nothing written'

is 'output to a full disk is a failure' "$(run 'sbin/xenbackctl keys >/dev/full')" \
    "xenbackctl: cannot write the output: No space left on device
[exit 1]"
done_testing

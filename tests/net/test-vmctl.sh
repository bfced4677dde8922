#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# xenback-vmctl end to end: the command, the service, its rules and its helper, on a hypervisor that is a folder.
SRC=${XENBACK_SRC:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILD=${XENBACK_BUILD:-$SRC/build}
# shellcheck source=tests/tap.sh
. "$SRC/tests/tap.sh"

DOUBLE=$BUILD/tests/net/vmctl-double
DIR=$(mktemp -d)
PID=''
finish() {
    [[ -z $PID ]] || kill -KILL "$PID" 2>/dev/null
    rm -rf "$DIR"
}
trap finish EXIT
chmod 755 "$DIR"
mkdir "$DIR/guests" "$DIR/run" "$DIR/save" "$DIR/cfg"
cp "$SRC/tests/net/vmctl-xl" "$DIR/xl"
export VMCTL_DOUBLE=$DIR XENBACK_RUN=$DIR/run
CONF=$DIR/vmctl.conf

uuid() { printf '00000000-0000-4000-8000-%012d' "$1"; }
# guest DOMID NAME
guest() { printf '%s %s 0\n' "$(uuid "$1")" "$2" >"$DIR/guests/$1"; }
pauses() { awk '{ print $3 }' "$DIR/guests/$1"; }
not_paused() { [[ $(pauses "$1") == 0 ]]; }

# poll COMMAND...: until it succeeds, for 60 s at most: what hangs is told from what is slow.
poll() {
    local _
    for _ in {1..1200}; do
        if "$@"; then return 0; fi
        sleep 0.05
    done
    return 1
}

LOG=$DIR/log
answers() { "$DOUBLE" list >/dev/null 2>&1; }
service_start() {
    "$DOUBLE" serve --conf="$CONF" 2>>"$LOG" &
    PID=$!
    poll answers
}
# service_end SIGNAL
service_end() {
    kill "-$1" "$PID"
    wait "$PID" 2>/dev/null
    PID=''
}

guest 3 web1
guest 4 db
guest 5 deaf
cat >"$CONF" <<END
[vmctl]
save_dir = $DIR/save
launch_dir = $DIR/cfg
migrate_to = *.lan
restore = *.save
launch = spare
timeout = 60s
times = 1000
[vm web*]
allow = pause save migrate
max_pause = 600s
times = 100
[vm deaf]
allow = pause shutdown
max_pause = 300ms
END

like 'without a service the command says so' "$("$DOUBLE" list 2>&1)" 'vmctl.sock: it is not running'
ok 'a good file is found good' "$DOUBLE" serve --conf="$CONF" --check
printf '[vm *]\nallow = everything\n' >"$DIR/wrong.conf"
like 'a wrong file is named, with the line and what is allowed' "$("$DOUBLE" serve --conf="$DIR/wrong.conf" --check 2>&1)" \
    'wrong.conf:2: allow: "everything" is refused; allowed: pause, save'

ok 'the service starts' service_start
like 'list shows a guest' "$("$DOUBLE" list)" "3 +web1 +$(uuid 3) running"
is 'list as JSON' "$("$DOUBLE" --json list | jq -r 'map(.name) | sort | join(" ")')" 'db deaf web1'

# Pauses.
like 'a guest is paused by its name' "$("$DOUBLE" pause web1 500s 2>&1)" 'guest 3 \(web1\) is paused, for 500 s at most'
is 'it is paused' "$(pauses 3)" 1
like 'list says until when' "$("$DOUBLE" list)" 'web1 .* paused, goes on in [0-9]+ s'
like 'it goes on, by its UUID' "$("$DOUBLE" unpause "$(uuid 3)" 2>&1)" 'goes on'
is 'it is not paused' "$(pauses 3)" 0
like 'what no section allows is refused' "$("$DOUBLE" pause db 2>&1)" 'no section \[vm GUEST\] of .* fits it'
like 'so is what its section does not allow' "$("$DOUBLE" shutdown web1 2>&1)" 'section \[vm web\*\] .* allows: pause save migrate'
like 'an unknown guest is named' "$("$DOUBLE" pause nobody 2>&1)" 'there is no guest "nobody"'
like 'a wrong time is named' "$("$DOUBLE" pause web1 soon 2>&1)" '"soon"'
is 'nobody was paused by that' "$(pauses 3)$(pauses 4)" 00
like 'max_pause bounds a pause' "$("$DOUBLE" pause deaf 100s 2>&1)" 'is paused, for 1 s at most'
ok 'max_pause: it goes on by itself' poll not_paused 5

# The asker may die, the service may be killed: no guest stands still for ever.
"$DOUBLE" pause web1 5s >/dev/null
service_end KILL
is 'kill -9 leaves the guest paused' "$(pauses 3)" 1
ok 'its successor starts' service_start
ok 'and lets the guest go on' poll not_paused 3
"$DOUBLE" pause web1 >/dev/null
service_end TERM
is 'a service that is stopped lets all guests go on' "$(pauses 3)" 0
ok 'the service starts again' service_start

# Jobs.
like 'save' "$("$DOUBLE" save web1 web1.save 2>&1)" '^save: done$'
ok 'the file is there, the guest is not' test -e "$DIR/save/web1.save" -a ! -e "$DIR/guests/3"
like 'restore' "$("$DOUBLE" restore web1.save 2>&1)" '^restore: done$'
is 'the guest is back, as another domain' "$(cat "$DIR/guests/6")" "$(uuid 3) web1 0"
like 'a file is not written over' "$("$DOUBLE" save web1 web1.save 2>&1)" 'is there already'
like 'no way out of the folder' "$("$DOUBLE" save web1 ../x 2>&1)" '"\.\./x" is refused; allowed: the name of a file'
like 'no way into a shell' "$("$DOUBLE" restore 'a;id.save' 2>&1)" 'is refused'
like 'a failure of xl is told in its words' "$("$DOUBLE" migrate web1 away.lan 2>&1)" \
    'migrate: xl failed \(3\): libxl: error: ssh: connect to host away.lan port 22: No route to host'
like 'other hosts are refused' "$("$DOUBLE" migrate web1 evil.net 2>&1)" 'by .migrate_to. of'
like 'migrate' "$("$DOUBLE" migrate web1 b.lan 2>&1)" '^migrate: done$'
cp "$DIR/save/web1.save" "$DIR/cfg/spare"
like 'launch' "$("$DOUBLE" launch spare 2>&1)" '^launch: done$'
sed 's/^timeout = .*/timeout = 1s/' "$CONF" >"$CONF.new" && mv "$CONF.new" "$CONF"
like 'an xl that takes too long is ended' "$("$DOUBLE" shutdown deaf 2>&1)" 'shutdown: xl was ended after 1 s'
is 'xl was called with these words' "$(sed "s,$DIR,DIR,g" "$DIR/calls" | paste -sd '|')" \
    'save 3 DIR/save/web1.save|restore DIR/save/web1.save|migrate 6 away.lan|migrate 6 b.lan|create DIR/cfg/spare|shutdown -w -F 5'

# Rules are live, and for users.
printf '[vm *]\nallow = pause\n' >"$CONF.new" && mv "$CONF.new" "$CONF"
like 'new rules count at once' "$("$DOUBLE" pause db 2>&1)" 'is paused, for 60 s at most'
"$DOUBLE" unpause db >/dev/null
if command -v setpriv >/dev/null && ((EUID == 0)); then
    as_nobody() { setpriv --reuid=nobody --regid=nogroup --clear-groups -- "$@"; }
    cp "$DOUBLE" "$DIR/double"
    chmod 666 "$DIR/run/vmctl.sock"
    like 'other users are refused' "$(as_nobody "$DIR/double" list 2>&1)" 'permission denied'
    printf '[vmctl]\nusers = nobody\n[vm *]\nallow = pause\n' >"$CONF.new" && mv "$CONF.new" "$CONF"
    like 'users of the rules may ask' "$(as_nobody "$DIR/double" pause db 2>&1)" 'is paused'
    like 'but not for everything' \
        "$(as_nobody socat -t5 - "UNIX-CONNECT:$DIR/run/vmctl.sock" <<<'{"cmd":"log"}')" 'only root may run this command'
    "$DOUBLE" unpause db >/dev/null
else
    skip 'other users' 'needs root and setpriv'
fi

# What it holds.
caps() { sed -nE 's/^CapEff:\s*0*(.*)/\1/p' "/proc/$1/status"; }
if ((EUID == 0)); then
    is 'the service has no capabilities' "$(caps "$PID")" ''
    is 'and a filter of system calls' "$(sed -nE 's/^Seccomp:\s*//p' "/proc/$PID/status")" 2
fi

# Nonsense on the socket disturbs nobody.
head -c 100000 /dev/urandom | socat -t5 - "UNIX-CONNECT:$DIR/run/vmctl.sock" >/dev/null 2>&1
like 'a line that is not JSON is answered' "$(socat -t5 - "UNIX-CONNECT:$DIR/run/vmctl.sock" <<<'pause 3')" 'not JSON'
like 'and the next one, too' "$("$DOUBLE" list)" 'db'

# Without the service.
service_end TERM
like 'direct: pause takes no time' "$("$DOUBLE" --direct pause db 5s 2>&1)" 'nobody would let the guest go on'
ok 'direct: pause' "$DOUBLE" --direct pause db
is 'direct: it is paused' "$(pauses 4)" 1
ok 'direct: unpause' "$DOUBLE" --direct unpause db
like 'direct: unpause twice' "$("$DOUBLE" --direct unpause db 2>&1)" 'guest 4 is not paused'
ok 'direct: save, to where one is' env -C "$DIR/save" "$DOUBLE" --direct save db here
ok 'direct: the file is there' test -e "$DIR/save/here"
like 'direct: a failure' "$("$DOUBLE" --direct restore "$DIR/none" 2>&1)" 'failed \(3\): .*no guest in'
"$DOUBLE" pause >/dev/null 2>&1
is 'wrong usage exits with 2' "$?" 2
is 'no guest is left paused' "$(awk '$3 > 0' "$DIR"/guests/* | wc -l)" 0
((TAP_FAILED == 0)) || diag "$(<"$LOG")"
done_testing

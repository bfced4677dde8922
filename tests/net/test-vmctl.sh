#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# xenback-vmctl end to end: the command, the service, its rules and its helper, on a hypervisor that is a folder.
SRC=${XENBACK_SRC:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
. "$SRC/tests/net/vmctl.sh"

DIR=$(mktemp -d)
finish() {
    [[ -z $VMCTL_PID ]] || kill -KILL "$VMCTL_PID" 2>/dev/null
    rm -rf "$DIR"
}
trap finish EXIT
chmod 755 "$DIR"
mkdir "$DIR/save" "$DIR/cfg"
export XENBACK_RUN=$DIR/run
vmctl_prepare

uuid() { printf '00000000-0000-4000-8000-%012d' "$1"; }
vm_add 3 web1 "$(uuid 3)"
vm_add 4 db "$(uuid 4)"
vm_add 5 deaf "$(uuid 5)"
cat >"$VMCTL_CONF" <<END
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

like 'without a service the command says so' "$("$VMCTL" list 2>&1)" 'vmctl.sock: it is not running'
ok 'a good file is found good' "$VMCTL" serve --conf="$VMCTL_CONF" --check
printf '[vm *]\nallow = everything\n' >"$DIR/wrong.conf"
like 'a wrong file is named, with the line and what is allowed' "$("$VMCTL" serve --conf="$DIR/wrong.conf" --check 2>&1)" \
    'wrong.conf:2: allow: "everything" is refused; allowed: pause, save'

ok 'the service starts' vmctl_start
like 'list shows a guest' "$("$VMCTL" list)" "3 +web1 +$(uuid 3) running"
is 'list as JSON' "$("$VMCTL" --json list | jq -r 'map(.name) | sort | join(" ")')" 'db deaf web1'

# Pauses.
like 'a guest is paused by its name' "$("$VMCTL" pause web1 500s 2>&1)" 'guest 3 \(web1\) is paused, for 500 s at most'
is 'it is paused' "$(pauses 3)" 1
like 'list says until when' "$("$VMCTL" list)" 'web1 .* paused, goes on in [0-9]+ s'
like 'it goes on, by its UUID' "$("$VMCTL" unpause "$(uuid 3)" 2>&1)" 'goes on'
is 'it is not paused' "$(pauses 3)" 0
like 'what no section allows is refused' "$("$VMCTL" pause db 2>&1)" 'no section \[vm GUEST\] of .* fits it'
like 'so is what its section does not allow' "$("$VMCTL" shutdown web1 2>&1)" 'section \[vm web\*\] .* allows: pause save migrate'
like 'an unknown guest is named' "$("$VMCTL" pause nobody 2>&1)" 'there is no guest "nobody"'
like 'a wrong time is named' "$("$VMCTL" pause web1 soon 2>&1)" '"soon"'
is 'nobody was paused by that' "$(pauses 3)$(pauses 4)" 00
like 'max_pause bounds a pause' "$("$VMCTL" pause deaf 100s 2>&1)" 'is paused, for 1 s at most'
ok 'max_pause: it goes on by itself' wait_for 60 not_paused 5

# The asker may die, the service may be killed: no guest stands still for ever.
"$VMCTL" pause web1 5s >/dev/null
vmctl_end KILL
is 'kill -9 leaves the guest paused' "$(pauses 3)" 1
ok 'its successor starts' vmctl_start
ok 'and lets the guest go on' wait_for 60 not_paused 3
"$VMCTL" pause web1 >/dev/null
vmctl_end
is 'a service that is stopped lets all guests go on' "$(pauses 3)" 0
ok 'the service starts again' vmctl_start

# Jobs.
like 'save' "$("$VMCTL" save web1 web1.save 2>&1)" '^save: done$'
ok 'the file is there, the guest is not' test -e "$DIR/save/web1.save" -a ! -e "$VMCTL_DOUBLE/guests/3"
like 'restore' "$("$VMCTL" restore web1.save 2>&1)" '^restore: done$'
is 'the guest is back, as another domain' "$(cat "$VMCTL_DOUBLE/guests/6")" "$(uuid 3) web1 0"
like 'a file is not written over' "$("$VMCTL" save web1 web1.save 2>&1)" 'is there already'
like 'no way out of the folder' "$("$VMCTL" save web1 ../x 2>&1)" '"\.\./x" is refused; allowed: the name of a file'
like 'no way into a shell' "$("$VMCTL" restore 'a;id.save' 2>&1)" 'is refused'
like 'a failure of xl is told in its words' "$("$VMCTL" migrate web1 away.lan 2>&1)" \
    'migrate: xl failed \(3\): libxl: error: ssh: connect to host away.lan port 22: No route to host'
like 'other hosts are refused' "$("$VMCTL" migrate web1 evil.net 2>&1)" 'by .migrate_to. of'
like 'migrate' "$("$VMCTL" migrate web1 b.lan 2>&1)" '^migrate: done$'
cp "$DIR/save/web1.save" "$DIR/cfg/spare"
like 'launch' "$("$VMCTL" launch spare 2>&1)" '^launch: done$'
sed -i 's/^timeout = .*/timeout = 1s/' "$VMCTL_CONF"
like 'an xl that takes too long is ended' "$("$VMCTL" shutdown deaf 2>&1)" 'shutdown: xl was ended after 1 s'
is 'xl was called with these words' "$(sed "s,$DIR,DIR,g" "$VMCTL_DOUBLE/calls" | paste -sd '|')" \
    'save 3 DIR/save/web1.save|restore DIR/save/web1.save|migrate 6 away.lan|migrate 6 b.lan|create DIR/cfg/spare|shutdown -w -F 5'

# Rules are live, and for users.
vmctl_rules '[vm *]' 'allow = pause'
like 'new rules count at once' "$("$VMCTL" pause db 2>&1)" 'is paused, for 60 s at most'
"$VMCTL" unpause db >/dev/null
if command -v setpriv >/dev/null && ((EUID == 0)); then
    as_nobody() { setpriv --reuid=nobody --regid=nogroup --clear-groups -- "$@"; }
    cp "$VMCTL" "$DIR/double"
    chmod 666 "$DIR/run/vmctl.sock"
    like 'other users are refused' "$(as_nobody "$DIR/double" list 2>&1)" 'permission denied'
    vmctl_rules '[vmctl]' 'users = nobody' '[vm *]' 'allow = pause'
    like 'users of the rules may ask' "$(as_nobody "$DIR/double" pause db 2>&1)" 'is paused'
    like 'but not for everything' \
        "$(as_nobody socat -t5 - "UNIX-CONNECT:$DIR/run/vmctl.sock" <<<'{"cmd":"log"}')" 'only root may run this command'
    "$VMCTL" unpause db >/dev/null
else
    skip 'other users' 'needs root and setpriv'
fi

# What it holds.
caps() { sed -nE 's/^CapEff:\s*0*(.*)/\1/p' "/proc/$1/status"; }
if ((EUID == 0)); then
    is 'the service has no capabilities' "$(caps "$VMCTL_PID")" ''
    is 'and a filter of system calls' "$(sed -nE 's/^Seccomp:\s*//p' "/proc/$VMCTL_PID/status")" 2
fi

# Nonsense on the socket disturbs nobody.
head -c 100000 /dev/urandom | socat -t5 - "UNIX-CONNECT:$DIR/run/vmctl.sock" >/dev/null 2>&1
like 'a line that is not JSON is answered' "$(socat -t5 - "UNIX-CONNECT:$DIR/run/vmctl.sock" <<<'pause 3')" 'not JSON'
like 'and the next one, too' "$("$VMCTL" list)" 'db'

# Without the service.
vmctl_end
like 'direct: pause takes no time' "$("$VMCTL" --direct pause db 5s 2>&1)" 'nobody would let the guest go on'
ok 'direct: pause' "$VMCTL" --direct pause db
is 'direct: it is paused' "$(pauses 4)" 1
ok 'direct: unpause' "$VMCTL" --direct unpause db
like 'direct: unpause twice' "$("$VMCTL" --direct unpause db 2>&1)" 'guest 4 is not paused'
ok 'direct: save, to where one is' env -C "$DIR/save" "$VMCTL" --direct save db here
ok 'direct: the file is there' test -e "$DIR/save/here"
like 'direct: a failure' "$("$VMCTL" --direct restore "$DIR/none" 2>&1)" 'failed \(3\): .*no guest in'
"$VMCTL" pause >/dev/null 2>&1
is 'wrong usage exits with 2' "$?" 2
is 'no guest is left paused' "$(awk '$3 > 0' "$VMCTL_DOUBLE"/guests/* | wc -l)" 0
((TAP_FAILED == 0)) || diag "$(<"$DIR/vmctl.log")"
done_testing

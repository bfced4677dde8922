#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The unit's helper makes the namespaces that teams name, and only those.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"

# Mounts and interfaces of our own: nothing of this reaches the host.
if [[ -z ${XENBACK_SANDBOX:-} ]]; then
    ((EUID == 0)) || skip_all 'needs root for namespaces'
    command -v ip >/dev/null || skip_all 'ip is not installed'
    unshare --mount --net -- true 2>/dev/null || skip_all 'may not make namespaces here'
    XENBACK_SANDBOX=1 exec unshare --mount --net -- bash "$0" "$@"
fi
mount -t tmpfs none /run
DIR=$(mktemp -d /run/test.XXXXXX)
export XENSTORE_STUB=$DIR/store
mkdir "$DIR/bin" "$XENSTORE_STUB"
for tool in read write exists list rm chmod; do ln -s "$SRC/tests/net/xenstore-stub" "$DIR/bin/xenstore-$tool"; done
PATH=$DIR/bin:$PATH
TEAMS=/local/domain/0/xenback/team

helper() {
    RC=0
    OUTPUT=$("$SRC/systemd/netback-netns" 2>&1) || RC=$?
}
is_netns() { [[ $(stat -f -c %T "/run/netns/$1") == nsfs ]]; }

helper
is 'no teams: nothing to do' "$RC:$OUTPUT" 0:
xenstore-write $TEAMS/a/mode active-backup
helper
is 'a team without netns: nothing to do' "$RC:$OUTPUT" 0:
ok 'and nothing made' test ! -e /run/netns

xenstore-write $TEAMS/a/netns team-a $TEAMS/b/netns team-b
helper
is 'two teams: succeeds' "$RC:$OUTPUT" 0:
ok 'team-a is a namespace' is_netns team-a
ok 'team-b is a namespace' is_netns team-b
ok 'ip enters it' ip netns exec team-a true
before=$(ip netns exec team-a readlink /proc/self/ns/net)
helper
is 'again: succeeds' "$RC:$OUTPUT" 0:
is 'and leaves what is there' "$(ip netns exec team-a readlink /proc/self/ns/net)" "$before"

: >/run/netns/team-c
xenstore-write $TEAMS/c/netns team-c
helper
is 'a file that is no mount: succeeds' "$RC:$OUTPUT" 0:
ok 'a file that is no mount: replaced' is_netns team-c
printf 'kept\n' >/run/netns/team-d
xenstore-write $TEAMS/d/netns team-d
helper
is 'a file with content: fails' "$RC" 1
is 'a file with content: left alone' "$(cat /run/netns/team-d)" kept
xenstore-rm $TEAMS/d

for bad in ../x a/b . .. 'a b' -x "$(printf 'x%.0s' {1..64})"; do
    xenstore-write $TEAMS/a/netns "$bad"
    helper
    is "netns \"$bad\": fails" "$RC" 1
    like "netns \"$bad\": says so" "$OUTPUT" 'team a: netns .*must be a name'
done
is 'nothing else was made' "$(ls /run/netns | tr '\n' ' ')" 'team-a team-b team-c team-d '
done_testing

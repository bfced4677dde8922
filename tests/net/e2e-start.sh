#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Starting where it cannot work: no Xen, no box, no right, a second daemon, wrong options; and a full disk for its log.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
net_enter "$@"
net_up

# says TEXT STATUS REGEX COMMAND...: ends by itself with that status and that message.
says() {
    local text=$1 status=$2 regex=$3 rc=0 output
    shift 3
    output=$(timeout 10 "$@" 2>&1) || rc=$?
    is "$text: exit status" "$rc" "$status"
    like "$text: message" "$output" "$regex"
}

if [[ -e /proc/xen/capabilities ]]; then
    skip 'no Xen' 'this machine has Xen'
else
    says 'no Xen' 1 '[Xx]en' "$NETBACK" --xen real
fi
says 'no box' 1 '/run/xenbox' "$NETBACK" --xen box
says 'unknown seam' 2 "cloud.*(real|box)" "$NETBACK" --xen cloud
says 'unknown option' 2 'no-such-option' "$NETBACK" --no-such-option
says 'unknown log level' 2 'loud.*debug' "$NETBACK" --log loud
says '--version' 0 '[0-9]+\.[0-9]+' "$NETBACK" --version
says '--help' 0 '--xen' "$NETBACK" --help
says 'xenbackctl without a daemon' 1 'netback-team.*not running|not running.*netback-team|/run/xenback/netback-team.ctl' "$XENBACKCTL" vif list

# A change of the team arrives.
follows_config() {
    team_set mode round-robin
    wait_for 5 mode_is round-robin
}
mode_is() { ctl team show team0 | grep -q "mode.*$1"; }

box_start
says 'no right' 1 '[Pp]ermi|root|right' setpriv --reuid 65534 --regid 65534 --clear-groups "$NETBACK" --xen box
team_set members 'nic0 nic1'
ok 'the daemon starts' daemon_start
says 'a second daemon' 1 'already|another|in use|running' "$NETBACK" --xen box
ok 'the first one lives' daemon_alive
ok 'a guest is up' guest_up 1
ok 'it reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"
daemon_stop

# A log that cannot be written stops nothing; what was lost is counted.
"$NETBACK" --xen box --log debug 2>/dev/full &
DAEMON_PID=$!
ok 'log on a full disk: it starts' wait_for 15 ctl status
ok 'log on a full disk: the guest is served' wait_for 10 reaches 1 "$OUTSIDE_IP"
like 'log on a full disk: status counts lost lines' "$(ctl --json status)" 'lost"?: *[1-9]'
ok 'log on a full disk: it stops cleanly' daemon_stop

# xenstored restarts: devices that come afterwards are served. (The box cuts guests off as well, and theirs end.)
daemon_start
ok 'the guest is served' wait_for 10 reaches 1 "$OUTSIDE_IP"
kill -USR1 "$BOX_PID"
ok 'store connections cut: the dead guest is closed' wait_for 10 store_is "$(backend_dir 1)/state" 6
ok 'store connections cut: the daemon lives' daemon_alive
ok 'store connections cut: the next guest attaches' guest_up 2
ok 'and reaches the network' wait_for 10 reaches 2 "$OUTSIDE_IP"
ok 'and the configuration is still watched' follows_config
done_testing

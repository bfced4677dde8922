#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Guests that lie in xenstore, corrupt their rings, or never answer: at worst their own device ends, with a reason in the store and
# in the log; the good guest beside them is served, and nothing of them stays with the daemon.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
net_enter "$@"
net_up
box_start
team_set members 'nic0 nic1'
daemon_start
ok 'a good guest is up' guest_up 1
ok 'it reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"

BACK=$(backend_dir 2)
good_is_served() { daemon_alive && reaches 1 "$OUTSIDE_IP"; }
settled() { store_is "$BACK/state" 6 || guest_connected 2; }
# A device that ended says why; one that lives is all right too (the kind is legal, or costs the guest only frames).
ended_with_reason() { guest_connected 2 || [[ -n $(store_read "$BACK/error") ]]; }

# What no frontend may do: the device must end.
FATAL=' req-prod rx-prod frags-40 queues-0 queues-text ref-text ref-huge ref-wrong ref-missing port-wrong port-missing no-rx-copy '
ended() { ! guest_connected 2 && [[ -n $(store_read "$BACK/error") ]] && grep -q 'vif2\.0' "$DIR/netback-team.log"; }

# bad KIND: a guest 2 of this kind comes, does it, goes.
bad() {
    guest_start 2 --misbehave "$1"
    guest_attach 2 >>"$DIR/xl.log" 2>&1
    wait_for 10 settled
    sleep 0.1
    ok "$1: the good guest is served" wait_for 5 good_is_served
    if [[ $FATAL == *" $1 "* ]]; then
        ok "$1: its device ended, store and log say why" wait_for 10 ended
    elif [[ $1 == @(states|reset|vanish) ]]; then
        pass "$1: any end is fine"
    else
        ok "$1: it lives, or ended with a reason" wait_for 5 ended_with_reason
    fi
    guest_die 2
    "$XENBOX_XL" network-detach 2 0 >>"$DIR/xl.log" 2>&1
    ok "$1: it can be detached" test -z "$(store_read "$BACK/frontend-id")"
}

# Once without counting: whatever the daemon allocates for good at the first device is there afterwards.
bad zero-frags
ok 'the good guest is served before' wait_for 5 good_is_served
HELD=$(holdings)
mapfile -t KINDS < <("$XENBOX_GUEST" --domid 1 --misbehave help 2>&1 | sed 's/.*must be one of//' | tr ' ' '\n' | grep .)
ok 'there are kinds of misbehaviour' test "${#KINDS[@]}" -ge 20
for kind in "${KINDS[@]}"; do bad "$kind"; done
ok 'the good guest is served behind it' wait_for 5 good_is_served
is 'no descriptor, thread or page of theirs is left' "$(holdings)" "$HELD"

# A domain that never answers: attach succeeds, explain says who waits for whom, detach works.
ok 'a guest that does not answer: attach succeeds' guest_attach 3
ok 'the backend waits' wait_for 10 store_is "$(backend_dir 3)/state" 2
like 'explain says for what' "$(ctl explain vif 3.0)" '[Ww]ait'
ok 'it can be detached' "$XENBOX_XL" network-detach 3 0
ok 'the good guest is served' wait_for 5 good_is_served

ok 'a good guest 2 is welcome afterwards' guest_up 2
ok 'and reaches the network' wait_for 10 reaches 2 "$OUTSIDE_IP"
done_testing

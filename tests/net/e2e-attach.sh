#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Attach, use, detach, attach again: what the toolstack and the guest see in the store, and that nothing stays behind.
SRC=${XENBACK_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/tap.sh"
. "$SRC/tests/net/lib.sh"
net_enter "$@"
net_up
box_start
team_set members 'nic0 nic1'
ok 'the daemon starts' daemon_start

BACK=$(backend_dir 1)
guest_start 1
ok 'xl network-attach succeeds' guest_attach 1
ok 'both ends reach Connected' wait_for 20 guest_connected 1
for key in feature-sg feature-gso-tcpv4 feature-gso-tcpv6 feature-rx-copy feature-split-event-channels \
    feature-multicast-control feature-ipv6-csum-offload; do
    is "$key is offered" "$(store_read "$BACK/$key")" 1
done
like 'several queues are offered' "$(store_read "$BACK/multi-queue-max-queues")" '^[1-9][0-9]*$'
ok 'no flipping of pages' store_is "$BACK/feature-rx-flip" 0
ok 'the guest has its interface' guest_address 1
ok 'the guest reaches the network' wait_for 10 reaches 1 "$OUTSIDE_IP"
like 'explain says that it is connected' "$(ctl explain vif 1.0)" '[Cc]onnected'
like 'vif list has it' "$(ctl vif list)" 'vif1\.0'
like 'vif show tells of it' "$(ctl vif show 1.0)" 'team0'

ok 'xl network-detach succeeds' "$XENBOX_XL" network-detach 1 0
ok 'the backend directory is gone' test -z "$(store_read "$BACK/state")"
ok 'and stays so' test -z "$(sleep 0.5 && store_read "$BACK/frontend-id")"
ok 'attach again' guest_attach 1
ok 'connected again' wait_for 20 guest_connected 1
ok 'with its interface' guest_address 1
ok 'it reaches the network again' wait_for 10 reaches 1 "$OUTSIDE_IP"

guest_stop 1
ok 'the guest died: its backend closes' wait_for 15 store_is "$BACK/state" 6
ok 'the daemon lives' daemon_alive
ok 'and stops cleanly' daemon_stop
done_testing

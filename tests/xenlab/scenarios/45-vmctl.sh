# SPDX-License-Identifier: GPL-2.0-or-later
# xenback-vmctl: a guest is paused and goes on, by itself too, is saved and restored; kill -9 of the service leaves nobody paused.
# lab: flavour=fast backend=team timeout=400
# shellcheck shell=bash

GUEST_MEMORY=128
vmctl_prepare vmctl <<CONF
[vmctl]
save_dir = $LAB_RUN/vmctl/save
restore = guest*
timeout = $((120 * LAB_PATIENCE))s
[vm guest11]
allow = pause save
max_pause = $((20 * LAB_PATIENCE))s
CONF

vmctl() { timeout $((150 * LAB_PATIENCE)) xenback-vmctl "$@"; }
state() { xenback-vmctl list | awk -v name="$1" '$2 == name { sub(/,$/, "", $4); print $4 }'; }
guest_is() { [[ $(state "$1") == "$2" ]]; }

vmctl_start
trap vmctl_stop EXIT
create_guest guest11
expect "traffic flows before" ping_outside guest11
domu guest11 'echo kept >/tmp/memory'
expect "list knows the guest" guest_is guest11 running
expect "as xl does" test "$(xenback-vmctl list | awk '$2 == "guest11" { print $1 }')" = "$(domid guest11)"

expect "pause" vmctl pause guest11
expect "Xen says that it is paused" guest_is guest11 paused
answers() { domu_try 5 guest11 'echo alive' >/dev/null; }
expect "it does not answer" eval '! answers'
expect "unpause" vmctl unpause guest11
expect "it answers" poll 20 guest_answers guest11
expect "traffic flows" ping_outside guest11

expect "pause for 2 s" vmctl pause guest11 2s
goes_on() { guest_is guest11 running; }
expect "it goes on by itself" poll 20 goes_on
expect "traffic flows again" ping_outside guest11

expect "pause for 4 s" vmctl pause guest11 4s
kill -KILL "$VMCTL_PID"
expect "the guest of a killed service is paused" test "$(xenback-vmctl --direct list | awk '$2 == "guest11" { print $4 }')" = paused
vmctl_start
expect "its successor lets it go on" poll 20 goes_on

expect "what is not allowed is refused" eval '! vmctl shutdown guest11'
expect "pause by others" xl pause guest11
expect "is left alone" eval '! vmctl unpause guest11'
xl unpause guest11

old=$(domid guest11)
expect "save" vmctl save guest11 guest11.save
expect "nothing is left of the saved domain" no_backend_dir "$old"
expect "restore" vmctl restore guest11.save
rm -f "$VMCTL_DIR/save/guest11.save"
wait_guest guest11
wait_connected guest11
expect "its memory is the old one" test "$(domu guest11 'cat /tmp/memory')" = kept
expect "traffic flows after" ping_outside guest11

expect "pause until the service stops" vmctl pause guest11
kill -TERM "$VMCTL_PID"
running() { xl list guest11 | awk 'NR == 2 { exit $5 ~ /p/ }'; }
expect "a service that stops lets it go on" poll 20 running
trap - EXIT

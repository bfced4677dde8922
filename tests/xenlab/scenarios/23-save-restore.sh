# SPDX-License-Identifier: GPL-2.0-or-later
# xl save and xl restore: the guest goes on where it was, its network with it.
# lab: flavour=fast backend=team timeout=240
# shellcheck shell=bash

GUEST_MEMORY=128
file=/var/tmp/guest11.save
create_guest guest11
expect "traffic flows before" ping_outside guest11
domu guest11 'echo kept >/tmp/memory'
old=$(domid guest11)

expect "xl save" timeout $((90 * LAB_PATIENCE)) xl save guest11 "$file"
expect "nothing is left of the saved domain" no_backend_dir "$old"
expect "xl restore" timeout $((90 * LAB_PATIENCE)) xl restore "$file"
rm -f "$file"
wait_guest guest11
wait_connected guest11
expect "its memory is the old one" test "$(domu guest11 'cat /tmp/memory')" = kept
expect "traffic flows after" ping_outside guest11
rate=$(throughput guest11)
log "$rate Mbit/s after restore"

# SPDX-License-Identifier: GPL-2.0-or-later
# A guest reboots itself and its network comes back under a new domain id.
# lab: flavour=fast backend=team timeout=150
# shellcheck shell=bash

create_guest guest11
expect "traffic flows before" ping_outside guest11
old=$(domid guest11)
# The reboot takes the answer with it.
domu_try 1 guest11 'reboot -f' || true

new_id() { local id; id=$(domid guest11) && [[ -n $id && $id != "$old" ]]; }
expect "guest comes back with a new id" poll 40 new_id
wait_guest guest11
wait_connected guest11
expect "traffic flows after" ping_outside guest11
expect "the old backend directory is gone" no_backend_dir "$old"

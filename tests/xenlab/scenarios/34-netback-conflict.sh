# SPDX-License-Identifier: GPL-2.0-or-later
# Where the kernel's xen-netback is loaded the daemon refuses to start and says why.
# lab: flavour=fast backend=self timeout=90
# shellcheck shell=bash

[[ -x $TEAM_DAEMON ]] || fail "netback-team is not installed"
stop_team
configure_team "eth0 eth1" active-backup
# An alias must not load it: this is what our modprobe.d file is for.
modprobe xen-backend:vif 2>/dev/null || true
expect "modprobe.d keeps xen-netback from loading" test ! -d /sys/module/xen_netback
modprobe --ignore-install xen-netback || fail "xen-netback does not load"
out=$(timeout $((15 * LAB_PATIENCE)) "$TEAM_DAEMON" 2>&1 9>&- </dev/null) && status=0 || status=$?
printf '%s\n' "$out"
rmmod xen-netback
expect "it does not keep running" test "$status" -ne 124
expect "it fails" test "$status" -ne 0
grep -q 'xen-netback' <<<"$out" || fail "its message does not name xen-netback: $(tail -1 <<<"$out")"

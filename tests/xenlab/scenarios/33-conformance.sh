# SPDX-License-Identifier: GPL-2.0-or-later
# The test program of the Xen seam runs against the real hypervisor.
# lab: flavour=fast backend=self timeout=180
# shellcheck shell=bash

program=/usr/libexec/xenback/xen-conformance
[[ -x $program ]] || skip "$program is not installed"
out=$(timeout $((150 * LAB_PATIENCE)) "$program" --real 2>&1) && status=0 || status=$?
printf '%s\n' "$out"
[[ $status -eq 0 ]] || fail "status $status: $(grep -m1 '^not ok' <<<"$out")"
log "$(grep -c '^ok' <<<"$out") checks passed"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs shellcheck over every script.
. "$(dirname "$0")/lib.sh"
command -v shellcheck >/dev/null || skip_all 'shellcheck is not installed'

# Left out, with the reason:
#  SC1090 SC1091  sourced files are checked by themselves
#  SC2034         variables of a library are used by the scripts that source it
#  SC2154         and the other way round
#  SC2187         busybox ash is checked as dash, which is what we want
EXCLUDE=SC1090,SC1091,SC2034,SC2154,SC2187

while read -r file; do
    ok "$file" shellcheck --severity=warning --exclude="$EXCLUDE" --format=gcc "$file"
done < <(shell_files)
done_testing

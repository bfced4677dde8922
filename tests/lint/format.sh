#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C sources look as .clang-format says: `clang-format -i FILE` makes them so.
. "$(dirname "$0")/lib.sh"
command -v clang-format >/dev/null || skip_all 'clang-format is not installed'

no_lines 'clang-format would change nothing' "$(
    # shellcheck disable=SC2046
    clang-format --dry-run $(c_files) 2>&1 | sed -nE 's/^([^:]+):[0-9]+:.*warning:.*/\1/p' | uniq -c |
        awk '{ print $2 ": " $1 " places" }')"
no_lines 'no trailing blanks, no blank line at the end' "$(
    # shellcheck disable=SC2046
    grep -nE '[[:blank:]]+$' $(c_files) $(shell_files) || true
    { c_files; shell_files; } | while read -r file; do
        [[ -z $(tail -n 1 "$file") ]] && printf '%s: blank line at the end\n' "$file"
    done)"
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every source file begins with its licence (after the #! line), C files with a comment that says what they are.
. "$(dirname "$0")/lib.sh"

LICENCE='SPDX-License-Identifier: GPL-2.0-or-later'

sources() {
    printf '%s\n' configure.ac Makefile.am packages.list .clang-tidy
    c_files
    shell_files
    own_files -name '*.mk' -o -name '*.pod' -o -name '*.in' -o -name '*.py' -o -name '*.awk'
}

no_lines "first lines say $LICENCE" "$(
    sources | LC_ALL=C sort -u | while read -r file; do
        head -n 3 "$file" | grep -qF "$LICENCE" || printf '%s\n' "$file"
    done)"
no_lines 'C files say in their first comment what they are' "$(
    c_files | while read -r file; do
        sed -n '2,6p' "$file" | grep -qE '^ ?(/\*| \*).*[a-z]{3,}.* ' || printf '%s\n' "$file"
    done)"
ok 'COPYING holds the licence' grep -q 'GNU GENERAL PUBLIC LICENSE' COPYING
done_testing

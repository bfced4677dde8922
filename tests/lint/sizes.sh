#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Budgets: a file of at most 600 lines, a function of at most 60, nesting of at most 3 outside of tests. Over it: a line below, with
# the reason.
. "$(dirname "$0")/lib.sh"

FILE_MAX=600 FUNCTION_MAX=60

# "PATH REASON" and "PATH:FUNCTION REASON"
allowed() {
    cat <<-'LIST'
	LIST
}

files_over() {
    # shellcheck disable=SC2046
    wc -l $(c_files) $(shell_files) | awk -v max="$FILE_MAX" '$2 != "total" && $1 > max { print $2 " " $1 }'
}

# A function begins with a line "{" and ends with "}" in the first column; its name stands before "(" above.
functions_over() {
    # shellcheck disable=SC2046
    awk -v max="$FUNCTION_MAX" '
        FNR == 1 { start = 0; name = "" }
        /^[a-zA-Z_].*\(/ && !/;$/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
        /^\{/ { start = FNR }
        /^\}/ && start { if (FNR - start - 1 > max) print FILENAME ":" name " " FNR - start - 1; start = 0 }' \
        $(c_files | grep '\.c$')
}

# A statement that opens a fourth level stands behind four tabs.
deep() {
    # shellcheck disable=SC2046
    awk '/^[a-zA-Z_].*\(/ && !/;$/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
        /^\t\t\t\t+((if|for|while|do|switch)[ (]|DL_FOREACH|HASH_ITER)/ { print FILENAME ":" name " line " FNR }' \
        $(c_files | grep '\.c$' | grep -v '^tests/')
}

# without_reason LINES: those whose first word is not in the list.
without_reason() { awk 'FILENAME == ARGV[1] { if (NF > 1) ok[$1] = 1; next } NF && !($1 in ok)' <(allowed) <(printf '%s\n' "$1"); }

FILES=$(files_over)
FUNCTIONS=$(functions_over)
DEEP=$(deep)
no_lines "no file over $FILE_MAX lines without a reason" "$(without_reason "$FILES")"
no_lines "no function over $FUNCTION_MAX lines without a reason" "$(without_reason "$FUNCTIONS")"
no_lines 'no nesting deeper than 3 without a reason' "$(without_reason "$DEEP")"
no_lines 'no reason for what is within its budget' "$(
    awk 'FILENAME == ARGV[1] { over[$1] = 1; next } NF && !($1 in over)' <(printf '%s\n' "$FILES" "$FUNCTIONS" "$DEEP") <(allowed))"
done_testing

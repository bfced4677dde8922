#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The file map of docs/ARCHITECTURE.md names every source file, and nothing that is gone.
. "$(dirname "$0")/lib.sh"

LINES=$(map_lines)
mapfile -t GLOBS < <(awk '{ print $1 }' <<<"$LINES")
ok 'the map is there' test "${#GLOBS[@]}" -ge 20
no_lines 'every source file is in the map' "$(
    comm -23 <({ c_files; shell_files; } | LC_ALL=C sort -u) <(map_expand "${GLOBS[@]}"))"
no_lines 'every line of the map names a file that exists' "$(
    for glob in "${GLOBS[@]}"; do compgen -G "$glob" >/dev/null || printf '%s\n' "$glob"; done)"
no_lines 'wildcards stand for tests only, [ch] for a pair' "$(
    printf '%s\n' "${GLOBS[@]}" | grep -v '^tests/' | grep '\*' || true)"
no_lines 'every line says what the file is for' "$(
    awk '{ n = $2 == "[P]" ? 3 : 2 } NF < n { print }' <<<"$LINES")"
no_lines 'the documentation names files that exist' "$(
    grep -noE '\b(common|netback-team|usbback|cluster|tools|tests|docs|man|systemd)/[A-Za-z0-9_./-]+\.([ch]|sh|md|mk|pod|in)\b' README.md HACKING.md docs/*.md |
        grep -vE '(-NAME|NN-|test-MODULE|x\.[ch])' | while IFS=: read -r doc line file; do
            [[ -e $file ]] || printf '%s:%s: %s\n' "$doc" "$line" "$file"
        done)"
no_lines 'every test is run: its local.mk names it' "$(
    map_expand 'tests/*/test-*.c' 'tests/*/test-*.sh' 'tests/*/e2e-*.sh' 'tests/*/sim-*.c' 'tests/*/fuzz-*.c' 'tests/lint/*.sh' |
        grep -vxF tests/lint/lib.sh | while read -r file; do
            grep -qE "(^|[[:space:]])${file%.c}([[:space:]]|\$)" "${file%/*}/local.mk" || printf '%s\n' "$file"
        done)"
done_testing

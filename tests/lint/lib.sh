# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What every lint begins with: TAP, the source folder as working directory, the lists of files.

SRC=${XENBACK_SRC:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
# shellcheck disable=SC2034 # for the lints that look at objects or keep a cache
BUILD=${XENBACK_BUILD:-$SRC/build}
cd "$SRC" || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh

# Where our own files are; build folders and what autotools writes are not among them.
FOLDERS=(common netback-team usbback cluster tools man systemd docs tests)

# own_files FIND-EXPRESSION...: paths relative to the top, sorted.
own_files() { find "${FOLDERS[@]}" -type f \( "$@" \) | LC_ALL=C sort; }
c_files() { own_files -name '*.[ch]'; }

# Scripts by name or by their first line.
shell_files() {
    {
        printf '%s\n' dev .ci/run
        own_files -name '*.sh'
        own_files ! -name '*.*' -exec grep -qIE '^#!/bin/(ba)?sh' {} \; -print
    } | LC_ALL=C sort -u
}

# The file map of docs/ARCHITECTURE.md: "glob [P] text" lines between the heading and the next one, in a code block.
map_lines() {
    awk '/^## File map/ { on = 1; next } /^## / { on = 0 } /^```/ { block = !block; next }
        on && block && NF && !/^ / { print }' docs/ARCHITECTURE.md
}

# map_expand GLOB...: the files that exist.
map_expand() {
    local glob
    for glob; do compgen -G "$glob" || true; done | LC_ALL=C sort -u
}

# Files marked [P]: pure, see HACKING.md.
pure_files() {
    local globs
    mapfile -t globs < <(map_lines | awk '$2 == "[P]" { print $1 }')
    map_expand "${globs[@]}"
}

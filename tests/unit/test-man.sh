#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The manual pages are valid, and say what the programs say: every command, option and key is in them.
SRC=${XENBACK_SRC:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILD=${XENBACK_BUILD:-$SRC/build}
# shellcheck source=tests/tap.sh
. "$SRC/tests/tap.sh"

# missing TEXT WORDS...: those that TEXT has not.
missing() {
    local text=$1 word
    shift
    for word; do
        grep -qF -- "$word" <<<"$text" || printf '%s\n' "$word"
    done
}
options_of() { "$@" --help | grep -oE -- '^ +--[a-z-]+|, --[a-z-]+' | grep -oE -- '--[a-z-]+'; }
# POD without its markup: "B<team set> I<NAME>" -> "team set NAME"
plain() { sed -E 's/[BIF]<([^<>]*)>/\1/g' "$1"; }

if command -v podchecker >/dev/null; then
    for pod in "$SRC"/man/*.pod "$BUILD"/man/*.pod*; do
        ok "${pod##*/} is valid" podchecker -warnings "$pod"
    done
else
    skip 'pods are valid' 'podchecker is not installed'
fi

PAGE=$(plain "$SRC/man/xenbackctl.8.pod")
mapfile -t COMMANDS < <("$BUILD/tools/xenbackctl" --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on' |
    grep -oE '^  [a-z]+( [a-z]+)?' | sed 's/^ *//')
ok 'xenbackctl --help lists commands' test "${#COMMANDS[@]}" -ge 15
is 'xenbackctl(8) has every command' "$(missing "$PAGE" "${COMMANDS[@]/#/=item }")" ''
mapfile -t OPTIONS < <(options_of "$BUILD/tools/xenbackctl")
is 'xenbackctl(8) has every option' "$(missing "$PAGE" "${OPTIONS[@]}")" ''

for daemon in netback-team usbback; do
    PAGE=$(plain "$SRC/man/$daemon.8.pod")
    mapfile -t OPTIONS < <(options_of "$BUILD/$daemon/$daemon")
    ok "$daemon --help lists options" test "${#OPTIONS[@]}" -ge 6
    is "$daemon(8) has every option" "$(missing "$PAGE" "${OPTIONS[@]}")" ''
done

if [[ -x $BUILD/tools/vmctl/xenback-vmctl ]]; then
    PAGE=$(plain "$SRC/man/xenback-vmctl.8.pod")
    mapfile -t WORDS < <("$BUILD/tools/vmctl/xenback-vmctl" --help | sed -nE 's/^  ([a-z]+) .*/=item \1/p')
    ok 'xenback-vmctl --help lists verbs' test "${#WORDS[@]}" -ge 8
    mapfile -t OPTIONS < <(options_of "$BUILD/tools/vmctl/xenback-vmctl" && options_of "$BUILD/tools/vmctl/xenback-vmctl" serve)
    is 'xenback-vmctl(8) has every verb and option' "$(missing "$PAGE" "${WORDS[@]}" "${OPTIONS[@]}")" ''
    PAGE=$(cat "$BUILD/man/vmctl.conf.5.pod.gen")
    is 'vmctl.conf(5) has the keys' "$(missing "$PAGE" '=item B<max_pause>' '=item B<migrate_to>' '=head2 [vm GUEST]')" ''
else
    skip 'xenback-vmctl(8)' 'libxenctrl is missing'
fi

PAGE=$(plain "$SRC/man/xenbox.8.pod")
mapfile -t OPTIONS < <(options_of "$BUILD/tools/xenbox")
ok 'xenbox --help lists options' test "${#OPTIONS[@]}" -ge 3
is 'xenbox(8) has every option' "$(missing "$PAGE" "${OPTIONS[@]}")" ''

PAGE=$(man -l "$BUILD/man/xenback.conf.5" 2>/dev/null || cat "$BUILD/man/xenback.conf.5")
mapfile -t KEYS < <(grep -oE '^=item B<[a-z_-]+>' "$BUILD/man/keys.pod" | sed -E 's/.*<(.*)>/\1/')
ok 'the tables have keys' test "${#KEYS[@]}" -ge 10
is 'xenback.conf(5) has every key' "$(missing "${PAGE//\\-/-}" "${KEYS[@]}")" ''
done_testing

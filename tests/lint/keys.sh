#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Names of keys are right wherever they are written: protocol keys as Xen's header spells them, our own as the key tables do.
. "$(dirname "$0")/lib.sh"

# Rows of our key tables.
mapfile -t TABLES < <(own_files -name '*_keys.c' | grep -v '^tests/')
KEYS=$(sed -nE 's/^[[:space:]]*\{ ?"([a-z_0-9]+)", KEY_TYPE_.*/\1/p' "${TABLES[@]}" | sort -u)
ok 'key tables are found' test "$(wc -l <<<"$KEYS")" -ge 5

no_lines 'names of keys are lower case with underscores, at most 24 characters' "$(grep -vE '^[a-z][a-z_0-9]{1,23}$' <<<"$KEYS")"

# `team_set KEY` in scripts; the refused ones of the tests begin with "no-such".
no_lines 'scripts set keys that exist' "$(
    # shellcheck disable=SC2046
    grep -nHoE '\bteam_set [a-z_0-9-]+' $(shell_files) | awk -F'[: ]' '{ print $NF, $1 ":" $2 }' | sort -u |
        awk -v keys="$KEYS" 'BEGIN { n = split(keys, k, "\n"); for (i = 1; i <= n; i++) known[k[i]] = 1 }
            !/^no-such/ && !($1 in known)')"

# `key = value` lines in examples of configuration files.
no_lines 'examples in the documentation use keys that exist' "$(
    # shellcheck disable=SC2046,SC2016
    awk -v keys="$KEYS" '
        BEGIN { n = split(keys, k, "\n"); for (i = 1; i <= n; i++) known[k[i]] = 1 }
        /^ *\[(team|vm) / { on = 1; next }
        on && /^ *[a-z_0-9-]+ = / { sub(/^ */, ""); if (!($1 in known)) print FILENAME ":" FNR ": " $1; next }
        { on = 0 }' README.md $(own_files -name '*.md' -o -name '*.pod'))"

# Keys older than the header's text; Linux's netfront and netback use them.
OLD='^(feature-(rx-copy|rx-flip|sg)|request-rx-copy)$'
HEADER=/usr/include/xen/io/netif.h
if [[ -e $HEADER ]]; then
    no_lines 'protocol keys of netback-team are those of xen/io/netif.h' "$(
        # shellcheck disable=SC2046
        grep -noE '"(feature|request|multi-queue|event-channel|tx-ring|rx-ring)[a-z0-9-]*"' $(c_files | grep -E '^netback-team/|^tools/xenbox-guest') |
            while IFS=: read -r file line key; do
                key=${key//\"/}
                [[ $key =~ $OLD ]] || grep -qF -- "$key" "$HEADER" || printf '%s:%s: %s\n' "$file" "$line" "$key"
            done)"
else
    skip 'protocol keys of netback-team' "no $HEADER"
fi
HEADER=/usr/include/xen/io/usbif.h
if [[ -e $HEADER ]]; then
    no_lines 'protocol keys of usbback are those of xen/io/usbif.h' "$(
        grep -noE '(need_(ours|u32)\(.*|snprintf\(name, sizeof\(name\), )"[a-z/%-]+"' usbback/vusbdev.c | grep -oE '^[0-9]+|"[a-z/%-]+"' |
            while read -r line && read -r key; do
                key=${key//\"/} key=${key%\%u}
                grep -qE "^ \* ${key}(\$|\[)" "$HEADER" || printf 'usbback/vusbdev.c:%s: %s\n' "$line" "$key"
            done)"
else
    skip 'protocol keys of usbback' "no $HEADER"
fi
done_testing

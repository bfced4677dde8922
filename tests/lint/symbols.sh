#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Pure files call nothing but string and memory functions and each other: looked up in their object files.
. "$(dirname "$0")/lib.sh"
command -v nm >/dev/null || skip_all 'nm is not installed'

# exit: what uthash does when memory runs out.
LIBC='^(mem(cpy|move|set|cmp|chr|mem)|str[a-z]+|__isoc[a-z0-9_]+|__ctype_[a-z_]+|isdigit|toupper|tolower|malloc|calloc|aligned_alloc|realloc|free|abort|exit|qsort|bsearch|v?snprintf|v?asprintf|__assert_fail|__errno_location|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__[a-z]+_chk|__u?(div|mod|divmod)ti[34]|__(asan|ubsan|sanitizer|sancov)_.*|__start_.*|__stop_.*)$'

# object_of x/y.c: the object in the build folder, with or without automake's per-target prefix.
object_of() {
    local base=${1##*/}
    base=${base%.c}
    find "$BUILD/${1%/*}" -maxdepth 1 \( -name "$base.o" -o -name "*_a-$base.o" \) 2>/dev/null | head -n 1
}

mapfile -t SOURCES < <(pure_files | grep '\.c$')
OBJECTS=() MISSING=()
for source in "${SOURCES[@]}"; do
    object=$(object_of "$source")
    if [[ -n $object ]]; then OBJECTS+=("$object"); else MISSING+=("$source"); fi
done
((${#OBJECTS[@]})) || skip_all "nothing is built in $BUILD"
no_lines 'every pure file is built' "$(printf '%s\n' "${MISSING[@]}")"

UTIL=$(object_of common/util.c)
DEFINED=$(nm --defined-only "${OBJECTS[@]}" ${UTIL:+"$UTIL"} | awk 'NF == 3 { print $3 }' | sort -u)
for object in "${OBJECTS[@]}"; do
    no_lines "${object#"$BUILD"/} calls nothing impure" "$(
        nm --undefined-only "$object" | awk '{ print $2 }' | grep -vE "$LIBC" | grep -vxF "$DEFINED" || true)"
done
done_testing

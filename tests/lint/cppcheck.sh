#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cppcheck over the whole tree; its results are cached in the build folder.
. "$(dirname "$0")/lib.sh"
command -v cppcheck >/dev/null || skip_all 'cppcheck is not installed'

CACHE=$BUILD/tests/lint/cppcheck
mkdir -p "$CACHE" "$CACHE.include"
# Of the system's headers it needs those whose macros are loops; all of them would take minutes.
for header in uthash.h utlist.h; do ln -sf "/usr/include/$header" "$CACHE.include/$header"; done

# Left out, with the reason:
#  arrayIndexThenCheck                   reading the NUL of a string before asking for the limit is fine
#  missingInclude, missingIncludeSystem  system headers are not its job, the compiler reads them
#  unusedFunction                        needs the whole program; the linker and the tests tell
#  unmatchedSuppression                  an inline suppression may be for another version of cppcheck
mapfile -t FILES < <(c_files | grep '\.c$')
OUTPUT=$(cppcheck --enable=warning,performance,portability --std=c11 --language=c --inline-suppr --quiet -j 2 \
    --suppress=missingInclude --suppress=missingIncludeSystem --suppress=unmatchedSuppression --suppress=arrayIndexThenCheck \
    --cppcheck-build-dir="$CACHE" --template='{file}:{line}: {severity}: {id}: {message}' \
    -D_GNU_SOURCE -I . -I common -I "$CACHE.include" "${FILES[@]}" 2>&1)
RC=$?
no_lines "cppcheck finds nothing in ${#FILES[@]} files" "$OUTPUT"
is 'cppcheck itself succeeds' "$RC" 0
done_testing

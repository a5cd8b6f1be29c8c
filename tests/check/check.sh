#!/bin/bash
# check.sh FUNNELD: format, include ranks, fenced headers, file sizes, banned words, the reference
# configuration, lint. Prints what is wrong and `N passed, N failed`.
set -uo pipefail
export LC_ALL=C.UTF-8 # what tools say is read
funneld=$1
passed=0 failed=0

report() { # NAME STATUS
    if (($2 == 0)); then
        passed=$((passed + 1))
        echo "ok   $1"
    else
        failed=$((failed + 1))
        echo "FAIL $1"
    fi
}

mapfile -t code < <(find src include tests -name '*.[ch]' -not -path '*/node_modules/*' | sort)
mapfile -t ours < <(find src include -name '*.[ch]' | sort)

clang-format --dry-run -Werror "${code[@]}" 2>&1 | grep -E 'error:' | head -20
report "format" "${PIPESTATUS[0]}"

python3 tests/check/ranks.py
report "include ranks and fenced headers" $?

long=$(wc -l "${code[@]}" | awk '$1 > 450 && $2 != "total" {print "     " $2 ": " $1 " lines"}')
[[ -n $long ]] && echo "$long"
report "no file over 450 lines" "$([[ -z $long ]]; echo $?)"

banned='\b(strcpy|strcat|sprintf|vsprintf|strncpy|strtok|atoi|atol|gets|alloca|localtime|gmtime)\s*\('
! grep -nE "$banned" "${ours[@]}"
report "no banned function" $?

! grep -nE '\b(TODO|FIXME|XXX|HACK)\b|#if 0' "${code[@]}"
report "nothing left to do" $?

diff <("$funneld" check --reference) config/funneld.conf
report "config/funneld.conf is the reference" $?

systemd-analyze security --offline=yes --threshold=20 config/systemd/funneld.service >/dev/null
report "the unit's exposure is 2.0 or less" $?

cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability,performance --inline-suppr \
    --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --suppress=internalAstError \
    --suppress=*:build/* -Iinclude -Ibuild/plain/gen -D_GNU_SOURCE -DFUNNELD_VERSION='"0"' -j2 src
report "cppcheck" $?

export FLAGS='-std=gnu17 -Iinclude -Ibuild/plain/gen -D_GNU_SOURCE -DFUNNELD_VERSION="0"'
printf '%s\n' "${code[@]}" | grep '^src/.*\.c$' |
    xargs -P2 -n4 sh -c 'clang-tidy --quiet --warnings-as-errors="*" "$@" -- $FLAGS 2>/dev/null' tidy
report "clang-tidy" $?

echo "$passed passed, $failed failed"
((failed == 0))

#!/bin/bash
# test.sh MAKE THREAD_TESTS: everything that `make test` runs, one line a program, details only
# where something fails, and at the end `N passed, N failed`.
#
#   unit and contract tests: plain, under AddressSanitizer and UBSan; those with threads under TSan
#   end to end: the plain build; a quick pass under AddressSanitizer; a smoke run under valgrind
#   make check
set -uo pipefail
make=$1 threads=$2
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1}
[[ -e tests/tsan.supp ]] && TSAN_OPTIONS+=:suppressions=tests/tsan.supp
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

count() { # what a log of cmocka, or the line of our own runners, says
    local p f
    p=$(grep -aoE '^\[  PASSED  \] [0-9]+ test' "$log" | grep -oE '[0-9]+' | awk '{n += $1} END {print n + 0}')
    f=$(grep -acE '^\[  FAILED  \] [a-z_0-9]+$' "$log")
    if grep -qaE '^[0-9]+ passed, [0-9]+ failed$' "$log"; then
        p=$(grep -aE '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -1 | cut -d' ' -f1)
        f=$(grep -aE '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -1 | cut -d' ' -f3)
    fi
    echo "$p $f"
}

program() { # NAME COMMAND...
    local name=$1 status=0 began=$SECONDS p f
    shift
    timeout 900 "$@" >"$log" 2>&1 || status=$?
    read -r p f < <(count)
    ((status != 0 && f == 0)) && f=1
    ((status == 0 && p == 0)) && f=1 # a run without tests has not passed
    passed=$((passed + p)) failed=$((failed + f))
    printf '%-4s %-44s %4d passed %3d failed %4d s\n' "$( ((f)) && echo FAIL || echo ok)" "$name" "$p" "$f" \
        $((SECONDS - began))
    ((f)) && sed 's/^/    /' "$log" | tail -150
    return 0
}

build() { # SAN TARGETS...
    local san=$1
    shift
    "$make" -s -j2 SAN="$san" "$@" >"$log" 2>&1 && return
    echo "FAIL build ${san:-plain}"
    sed 's/^/    /' "$log" | tail -100
    echo "$passed passed, $((failed + 1)) failed"
    exit 1
}

tests/check/deps.sh build test check || exit 1
build "" programs unit
for t in build/plain/unit/test_* build/plain/contract/test_*; do
    [[ -x $t && $t != *.d ]] && program "${t#build/plain/}" "$t"
done
build address,undefined programs unit
for t in build/address+undefined/unit/test_* build/address+undefined/contract/test_*; do
    [[ -x $t && $t != *.d ]] && program "asan ${t#build/address+undefined/}" "$t"
done
tsan=$(for t in $threads; do echo "build/thread/unit/test_$t"; done)
# shellcheck disable=SC2086  # a list of targets
build thread all $tsan
for t in $tsan; do program "tsan ${t#build/thread/}" "$t"; done

e2e=(python3 tests/e2e/run.py)
program "e2e" "${e2e[@]}" --bin build/plain/funneld --sandbox build/plain/funneld-sandbox
program "e2e, quick, asan" "${e2e[@]}" --quick --bin build/address+undefined/funneld \
    --sandbox build/plain/funneld-sandbox
program "e2e, smoke, tsan" "${e2e[@]}" --bin build/thread/funneld --sandbox build/plain/funneld-sandbox smoke main_job
program "e2e, smoke, valgrind" "${e2e[@]}" --valgrind --bin build/plain/funneld \
    --sandbox build/plain/funneld-sandbox main_job
program "check" "$make" -s check
echo
echo "$passed passed, $failed failed"
((failed == 0))

#!/bin/bash
# test.sh MAKE: everything that `make test` runs, one line a program, details only where something
# fails, and at the end `N passed, N failed`.
#
#   unit and contract tests: plain; with AddressSanitizer and UBSan; those with threads with TSan
#   end to end: the plain build; a quick pass of each sanitizer's build; a smoke run under valgrind
#   make check
set -uo pipefail
make=$1
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1}
[[ -e tests/tsan.supp ]] && TSAN_OPTIONS+=:suppressions=$PWD/tests/tsan.supp
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# What a log says: the closing line of our own runners, else the closing lines of cmocka.
count() {
    awk '/^[0-9]+ passed, [0-9]+ failed$/ { p = $1; f = $3; ours = 1 }
         !ours && /^\[  PASSED  \] [0-9]+ test/ { p += $4 }
         !ours && /^ *[0-9]+ FAILED TEST\(S\)$/ { f += $1 }
         END { print p + 0, f + 0 }' "$log"
}

program() { # NAME COMMAND...
    local name=$1 status=0 began=$SECONDS p f word=ok
    shift
    timeout -k 10 900 "$@" >"$log" 2>&1 || status=$?
    read -r p f < <(count)
    ((status != 0 && f == 0)) && f=1         # a crash, a sanitizer's finding, a time-out
    ((status == 0 && p + f == 0)) && f=1     # a run without tests has not passed
    ((f)) && word=FAIL
    passed=$((passed + p)) failed=$((failed + f))
    printf '%-4s %-40s %4d passed %3d failed %4d s\n' "$word" "$name" "$p" "$f" $((SECONDS - began))
    ((f)) && { sed 's/^/    /' "$log" | tail -150; echo "    exit status $status"; }
    return 0
}

programs() { # BUILD NAME TEST...: each test_*.c as built in BUILD
    local build=$1 name=$2 source
    shift 2
    for source in "$@"; do
        source=${source#tests/}
        program "$name${source%.c}" "$build/${source%.c}"
    done
}

build() { # SAN TARGETS...
    local san=$1 began=$SECONDS
    shift
    if "$make" -s SAN="$san" "$@" >"$log" 2>&1; then
        printf '%-4s build %-54s %9d s\n' ok "${san:-plain}" $((SECONDS - began))
        return
    fi
    echo "FAIL build ${san:-plain}"
    grep -v '^  cc ' "$log" | sed 's/^/    /' | tail -100
    echo "$passed passed, $((failed + 1)) failed"
    exit 1
}

e2e() { # NAME BUILD OPTIONS...: daemon of BUILD against the plain stand-ins
    local name=$1 build=$2
    shift 2
    program "$name" python3 tests/e2e/run.py --bin "$build/funneld" \
        --sandbox build/plain/funneld-sandbox "$@"
}

tests=(tests/unit/test_*.c tests/contract/test_*.c)
mapfile -t threads < <(grep -lE 'pthread\.h|http_world\.h' "${tests[@]}")

build "" programs unit
programs build/plain "" "${tests[@]}"
build address,undefined programs unit
programs build/address+undefined "asan " "${tests[@]}"
build thread all unit-threads
programs build/thread "tsan " "${threads[@]}"

e2e "end to end" build/plain
e2e "end to end, quick, asan" build/address+undefined --quick
e2e "end to end, smoke, tsan" build/thread main_job
e2e "end to end, smoke, valgrind" build/plain --valgrind main_job
program "check" "$make" -s check
echo
echo "$passed passed, $failed failed"
((failed == 0))

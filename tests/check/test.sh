#!/bin/bash
# test.sh MAKE: everything that `make test` runs, one line a program, details only where something
# fails, and at the end `N passed, N failed`. Two lanes run side by side:
#
#   unit and contract tests with AddressSanitizer and UBSan, those that are near the disk plain as
#   well, and a slice of the simulation; whether comparing takes the same time; some mutants of code
#   that decides; 50 times kill -9; the unit tests with threads with TSan; then make check
#   end to end: the plain build; a quick pass of parts with each sanitizer's build; a smoke run under
#   valgrind
#
# and after them, because they take both cores, an overload, a look by scanners, and the fuzzers for
# 3 seconds each from a fixed seed.
set -uo pipefail
export LC_ALL=C.UTF-8 # what tools say is read
make=$1
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
# A daemon that ends at once on a second signal must not wait a second for other threads' races, nor
# for threads that have ended and that nobody has joined yet.
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:atexit_sleep_ms=0:report_thread_leaks=0}
[[ -e tests/tsan.supp ]] && TSAN_OPTIONS+=:suppressions=$PWD/tests/tsan.supp
export FUNNELD_FAULT_STEP=${FUNNELD_FAULT_STEP:-4} # of all calls to the disk; make disk-faults: each
work=$(mktemp -d) lost=0
trap 'rm -rf "$work"' EXIT

# What a log says: the closing line of our own runners, else the closing lines of cmocka.
count() { # LOG
    awk '/^[0-9]+ passed, [0-9]+ failed$/ { p = $1; f = $3; ours = 1 }
         !ours && /^\[  PASSED  \] [0-9]+ test/ { p += $4 }
         !ours && /^ *[0-9]+ FAILED TEST\(S\)$/ { f += $1 }
         END { print p + 0, f + 0 }' "$1"
}

program() { # NAME COMMAND...
    local name=$1 status=0 began=$SECONDS word=ok log p f
    shift
    echo "$name" >>"$work/begun" # before it may be the end of this lane
    log=$work/$BASHPID.log
    timeout --foreground -k 10 900 "$@" >"$log" 2>&1 || status=$?
    read -r p f < <(count "$log")
    ((status != 0 && f == 0)) && f=1     # a crash, a sanitizer's finding, a time-out
    ((status == 0 && p + f == 0)) && f=1 # a run without tests has not passed
    ((f)) && word=FAIL
    echo "$p $f" >>"$work/results"
    { # one lane at a time
        flock 9
        printf '%-4s %-40s %4d passed %3d failed %4d s\n' "$word" "$name" "$p" "$f" $((SECONDS - began))
        if ((f)) || grep -q '^UNSTEADY' "$log"; then
            sed '/^ok   /d;s/^/    /' "$log" | tail -150
            echo "    exit status $status"
        fi
    } 9>"$work/lock"
}

programs() { # BUILD NAME TEST...: each test_*.c as built in BUILD
    local build=$1 name=$2 source
    shift 2
    for source in "$@"; do
        source=${source#tests/}
        program "$name${source%.c}" "$build/${source%.c}"
    done
}

e2e() { # NAME BUILD OPTIONS...: the daemon of BUILD against the plain stand-ins
    local name=$1 build=$2
    shift 2
    program "$name" python3 tests/e2e/run.py --again 2 --bin "$build/funneld" \
        --sandbox build/plain/funneld-sandbox "$@"
}

build() { # SAN TARGETS...
    local san=$1 began=$SECONDS
    shift
    if "$make" -s SAN="$san" "$@" >"$work/build.log" 2>&1; then
        printf 'ok   build %-54s %9d s\n' "${san:-plain}" $((SECONDS - began))
        return
    fi
    echo "FAIL build ${san:-plain}"
    grep -v '^  cc ' "$work/build.log" | sed 's/^/    /' | tail -100
    printf '\n0 passed, 1 failed\n'
    exit 1
}

tests=(tests/unit/test_*.c tests/contract/test_*.c tests/sim/test_*.c)
whole=(tests/contract/test_sq*.c tests/contract/test_store_faults.c tests/sim/test_*.c)
mapfile -t threads < <(grep -lE 'pthread\.h|http_world\.h' "${tests[@]}")

build "" programs unit fuzzers benches
build address,undefined programs unit
build thread all unit-threads
{
    programs build/plain "" "${whole[@]}"
    program "the fuzzers' corpora" tests/fuzz/fuzz.sh replay build/plain
    programs build/address+undefined "asan " "${tests[@]}"
    program "simulation, asan" build/address+undefined/funneld-sim --runs 100
    program "power cuts, asan" build/address+undefined/funneld-sim --power-cut --runs 2000
    program "comparing in constant time" build/plain/bench/timing
    program "mutants, 6" python3 tests/check/mutate.py --mutants 6 --jobs 1 src/score/expr*.c \
        src/ingest/hubspot_[sv]*.c src/deliver/{dueq,verdict}.c src/connectors/*_judge.c
    program "kill -9, 50 times" python3 tests/e2e/campaign.py --kills 50 --seed 1
    programs build/thread "tsan " "${threads[@]}"
    program "check" "$make" -s check
} &
units=$!
{
    e2e "end to end" build/plain
    e2e "end to end, quick, asan" build/address+undefined --quick main_job abuse answers deliveries \
        hooks email slack notion sheets crm objects replay sources
    e2e "end to end, quick, tsan" build/thread --quick main_job floods load signals email hooks
    e2e "end to end, smoke, valgrind" build/plain --valgrind main_job
} &
wholes=$!
wait "$units" || { echo "FAIL the lane of the unit tests: exit status $?"; lost=1; }
wait "$wholes" || { echo "FAIL the lane of the tests end to end: exit status $?"; lost=1; }
program "overload, 15 s" python3 tests/e2e/overload.py --seconds 15
program "scanners, quick" python3 tests/check/scanners.py --quick
FUZZ_SECONDS=3 FUZZ_SEED=1 program "fuzzers, 3 s each" tests/fuzz/fuzz.sh fuzz "$make"
read -r passed failed < <(awk '{ p += $1; f += $2 } END { print p + 0, f + 0 }' "$work/results")
(($(wc -l <"$work/begun") == $(wc -l <"$work/results"))) || lost=1
((lost)) && { echo "FAIL not all programs came to their end"; failed=$((failed + 1)); }
printf '\n%d passed, %d failed\n' "$passed" "$failed"
((failed == 0 && passed > 0))

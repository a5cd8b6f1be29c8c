#!/bin/bash
# coverage.sh MAKE: runs every test against a build that counts, and says what no test has run.
#
# Lines of all of src, and branches of the modules that coverage.py names. What cannot be reached on
# a machine that works stands in unreachable.txt with its reason.
set -uo pipefail
make=$1 build=build/coverage failed=0
"$make" -s COVERAGE=1 programs unit >"$build.log" 2>&1 || { tail -40 "$build.log" >&2; exit 1; }
find "$build" -name '*.gcda' -delete
for program in "$build"/unit/test_* "$build"/contract/test_* "$build"/sim/test_*; do
    [[ -x $program ]] || continue
    timeout 600 "$program" >"$build/last.log" 2>&1 || { echo "FAIL $program"; failed=1; }
done
# Without the failing allocations: those of the counting itself fail as well.
timeout 1800 python3 tests/e2e/run.py --but whatever_allocation --bin "$build/funneld" --sandbox "$build/funneld-sandbox" \
    >"$build/e2e.log" 2>&1 || { grep -a '^FAIL' "$build/e2e.log"; failed=1; }
python3 tests/check/coverage.py "$build" || failed=1
exit $failed

#!/bin/bash
# fuzz.sh WHAT [MAKE]: everything around the fuzzers. Run in the repository's root.
#
#   fuzz MAKE         each for FUZZ_SECONDS, two at a time; fails on a crash, a leak, an input that
#                     takes over 5 s or 512 MB. What adds coverage stays in build/fuzz/corpus for the
#                     next run; with FUZZ_SEED a run begins with the committed corpus alone, and
#                     FUZZ_ONLY="json expr" chooses
#   fuzz-merge MAKE   what was found there and adds coverage goes into tests/fuzz/corpus
#   replay BUILD      the committed corpus through fuzzers that were built without libFuzzer
set -uo pipefail
what=$1 make=${2:-}
out=build/fuzz seconds=${FUZZ_SECONDS:-600} seed=${FUZZ_SEED:-0}
files_max=160 bytes_max=300000 # of one committed corpus
export ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=16:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1
ASAN_SYMBOLIZER_PATH=$(command -v llvm-symbolizer-14) && export ASAN_SYMBOLIZER_PATH

names=()
for source in tests/fuzz/fuzz_*.c; do
    name=${source#tests/fuzz/fuzz_}
    name=${name%.c}
    [[ -z ${FUZZ_ONLY:-} || " $FUZZ_ONLY " == *" $name "* ]] && names+=("$name")
done
read -ra only <<<"${FUZZ_ONLY:-}"
if ((${#only[@]} && ${#only[@]} != ${#names[@]})); then
    echo "fuzz.sh: of \"$FUZZ_ONLY\" there are: ${names[*]}" >&2
    exit 2
fi

build() { # the plain build sees to warnings, clang's differ
    "$make" -s CC=clang-14 SAN=fuzzer,address,undefined BUILD=$out CFLAGS="-O1 -g -w" fuzzers || exit 1
}

dictionary() { # NAME
    [[ -e tests/fuzz/$1.dict ]] && echo "-dict=tests/fuzz/$1.dict"
}

fuzz_one() { # NAME
    local name=$1 corpus=$out/corpus/$1 log=$out/$1.log found status=0
    ((seed)) && corpus=$out/seeded/$name && rm -rf "$corpus"
    mkdir -p "$corpus" "$out/found"
    # shellcheck disable=SC2046  # an option or none
    "$out/fuzz/$name" -max_total_time="$seconds" -seed="$seed" -timeout=5 -rss_limit_mb=512 \
        -max_len=8192 -print_final_stats=1 -artifact_prefix="$out/found/$name-" $(dictionary "$name") \
        "$corpus" "tests/fuzz/corpus/$name" >"$log" 2>&1 || status=$?
    if ((status == 0)); then
        awk -v name="$name" '/cov:/ { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1) }
            /number_of_executed_units/ { n = $2 } /average_exec_per_sec/ { s = $2 } /peak_rss/ { m = $2 }
            END { printf "ok   %-20s %9d inputs %7d a second, coverage %5d, %3d MB\n", name, n, s, cov, m }' "$log"
        return
    fi
    found=$(grep -o "Test unit written to .*" "$log" | tail -1 | sed 's/.* //')
    echo "FAIL $name: exit status $status"
    grep -vE '^#[0-9]+\s' "$log" | tail -60 | sed 's/^/     /'
    echo "     again: $out/fuzz/$name ${found:-(no input was kept)}"
    return 1
}

fuzz() {
    local passed=0 failed=0 results
    build
    results=$(mktemp)
    export -f fuzz_one dictionary
    export out seconds seed
    printf '%s\n' "${names[@]}" | xargs -P2 -I{} bash -c 'fuzz_one {}' | tee "$results"
    passed=$(grep -c '^ok ' "$results")
    failed=$(grep -c '^FAIL ' "$results")
    rm -f "$results"
    echo "$passed passed, $failed failed"
    ((failed == 0 && passed == ${#names[@]}))
}

merge() {
    build
    for name in "${names[@]}"; do
        mkdir -p "$out/corpus/$name" "tests/fuzz/corpus/$name"
        # The fewest that take every edge: with counters of how often, a corpus has thousands of files.
        "$out/fuzz/$name" -set_cover_merge=1 -use_counters=0 -max_len=4096 -timeout=5 -rss_limit_mb=512 \
            "tests/fuzz/corpus/$name" "$out/corpus/$name" >"$out/$name.merge.log" 2>&1 ||
            { tail -20 "$out/$name.merge.log"; exit 1; }
    done
    sizes
}

sizes() {
    local bad=0 n bytes name
    for name in "${names[@]}"; do
        n=$(find "tests/fuzz/corpus/$name" -type f | wc -l)
        bytes=$(cat "tests/fuzz/corpus/$name"/* | wc -c)
        ((n >= 1 && n <= files_max && bytes <= bytes_max)) && continue
        echo "     tests/fuzz/corpus/$name has $n files of $bytes bytes, not 1 to $files_max of $bytes_max"
        bad=1
    done
    return $bad
}

replay() { # BUILD
    local passed=0 failed=0 n log
    log=$(mktemp)
    for name in "${names[@]}"; do
        if "$1/fuzz/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
            n=$(sed -n 's/^\([0-9]*\) passed.*/\1/p' "$log")
            passed=$((passed + n))
        else
            failed=$((failed + 1))
            tail -5 "$log"
        fi
    done
    rm -f "$log"
    sizes || failed=$((failed + 1))
    echo "$passed passed, $failed failed"
    ((failed == 0))
}

case $what in
fuzz) fuzz ;;
fuzz-merge) merge ;;
replay) replay "$make" ;;
*) echo "fuzz.sh: unknown word $what (fuzz fuzz-merge replay)" >&2; exit 2 ;;
esac

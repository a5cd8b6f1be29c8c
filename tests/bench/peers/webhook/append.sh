#!/bin/sh
# append.sh PAYLOAD: what webhook runs for each request; BENCH_FILE is where it writes.
printf '%s\n' "$1" >>"$BENCH_FILE" && echo '{"accepted":1}'

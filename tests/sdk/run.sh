#!/bin/sh
# run.sh FUNNELD SANDBOX [NAME...]: installs the vendors' packages as locked and lets them judge.
set -eu
funneld=$(realpath "$1") sandbox=$(realpath "$2")
shift 2
cd "$(dirname "$0")"
major=$(node -p 'process.versions.node.split(".")[0]')
if [ "$major" -lt 18 ]; then
    echo "test-sdk: needs Node 18 or newer, this one is $(node --version)" >&2
    exit 1
fi
# npm writes node_modules/.package-lock.json last: no newer than ours means not these packages.
if [ ! -e node_modules/.package-lock.json ] ||
    [ -n "$(find package-lock.json -newer node_modules/.package-lock.json)" ]; then
    npm ci --loglevel=error >/dev/null || { echo "test-sdk: npm ci failed" >&2; exit 1; }
fi
exec node run.mjs --bin "$funneld" --sandbox "$sandbox" "$@"

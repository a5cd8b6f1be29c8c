#!/bin/sh
# deps.sh GROUP...: installs by apt what these groups of targets need and this machine lacks.
# Says what and why; asks nothing of apt when all is there. Debian 12.
set -eu

packages() {
    case $1 in
    build) echo gcc libc6-dev libmicrohttpd-dev libgnutls28-dev libcurl4-openssl-dev libcjson-dev \
        libsqlite3-dev libssl-dev libinih-dev libxgboost-dev ca-certificates ;;
    demo) echo python3 python3-aiosmtpd openssl curl ;;
    test) echo libcmocka-dev python3 python3-aiosmtpd openssl curl valgrind libc6-dbg libfaketime e2fsprogs mount ;;
    check) echo clang-format clang-tidy cppcheck python3 systemd ;;
    sdk) command -v npm >/dev/null && echo python3 openssl || echo nodejs npm python3 openssl ;;
    http) echo slowhttptest sslscan testssl.sh ;;
    peers) command -v npm >/dev/null && echo webhook g++ make python3 ||
        echo webhook g++ make python3 nodejs npm libnode-dev ;;
    fuzz) echo clang-14 libclang-rt-14-dev llvm-14 libcmocka-dev ;;
    *) echo "deps.sh: unknown group $1 (build demo test check sdk peers fuzz http)" >&2; exit 2 ;;
    esac
}

why() {
    case $1 in
    build) echo "to build funneld" ;;
    demo) echo "for the demo" ;;
    test) echo "for the tests" ;;
    check) echo "for format and lint" ;;
    sdk) echo "for the vendors' own packages" ;;
    peers) echo "to measure others beside it" ;;
    fuzz) echo "to fuzz" ;;
    http) echo "to scan the daemon" ;;
    esac
}

# make starts several of these at once; apt bears one. Not locked in the checkout, which may be on a
# disk that knows no locks.
exec 9>"${TMPDIR:-/tmp}/funneld-deps.$(id -u).lock"
flock 9

missing=
for group in "$@"; do
    wanted=$(packages "$group")
    # shellcheck disable=SC2086  # a list of packages; it exits 1 where one is unknown
    installed=$(dpkg-query -W -f '${Package}=${Status}\n' $wanted 2>/dev/null || true)
    for p in $wanted; do
        case "
$installed
" in *"
$p=install ok installed
"*) continue ;; esac
        case " $missing " in *" $p "*) continue ;; esac
        echo "installing $p $(why "$group")"
        missing="$missing $p"
    done
done
[ -z "$missing" ] && exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "deps.sh: run as root, or install sudo" >&2; exit 1; }
    sudo=sudo
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086  # a list of packages
if ! { $sudo apt-get update -q &&
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o DPkg::Lock::Timeout=300 $missing; } >"$log" 2>&1 9>&-; then
    cat "$log" >&2
    exit 1
fi

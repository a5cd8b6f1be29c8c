#!/bin/sh
# deps.sh GROUP...: installs by apt what these groups of targets need and this machine lacks.
# Says what and why; asks nothing of apt when all is there. Debian 12.
set -eu

packages() {
    case $1 in
    build) echo gcc libc6-dev libmicrohttpd-dev libgnutls28-dev libcurl4-openssl-dev libcjson-dev \
        libsqlite3-dev libssl-dev libinih-dev ca-certificates ;;
    demo) echo python3 openssl ;;
    test) echo libcmocka-dev python3 openssl curl sqlite3 valgrind libasan8 libubsan1 libtsan2 iproute2 ;;
    check) echo clang-format clang-tidy cppcheck python3 ;;
    sdk) command -v npm >/dev/null && echo python3 openssl || echo nodejs npm python3 openssl ;;
    *) echo "deps.sh: unknown group $1 (build demo test check sdk)" >&2; exit 2 ;;
    esac
}

why() {
    case $1 in
    build) echo "to build funneld" ;;
    demo) echo "for the demo" ;;
    test) echo "for the tests" ;;
    check) echo "for format and lint" ;;
    sdk) echo "for the vendors' own packages" ;;
    esac
}

for group in "$@"; do
    missing=
    for p in $(packages "$group"); do
        dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $p"
    done
    [ -z "$missing" ] && continue
    echo "make deps: installing$missing ($(why "$group"))"
    sudo=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || { echo "make deps: run as root, or install sudo" >&2; exit 1; }
        sudo=sudo
    fi
    log=$(mktemp)
    if ! { $sudo apt-get update -q &&
        # shellcheck disable=SC2086  # a list of packages
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing; } \
        >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        exit 1
    fi
    rm -f "$log"
done

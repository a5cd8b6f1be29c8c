#!/bin/bash
# release.sh MAKE VERSION: the archive that is handed out, the same bytes from the same commit.
#
# A build of its own with paths of no machine in it, stripped; the configuration, the unit, README
# and LICENSE beside it; dates are the commit's. Then the binary in it is tried.
set -euo pipefail
make=$1 version=$2
name=funneld-$version-linux-$(uname -m)
out=build/release when=$(git log -1 --format=%ct)
rm -rf "$out" && mkdir -p "$out/$name"
SOURCE_DATE_EPOCH=$when "$make" -s CI=1 CFLAGS="-O2 -g -ffile-prefix-map=$PWD=." \
    BUILD="$out/build" "$out/build/funneld"
install -m 755 "$out/build/funneld" "$out/$name/funneld"
strip --strip-all "$out/$name/funneld"
cp -r config README.md LICENSE "$out/$name/"
tar --create --sort=name --owner=0 --group=0 --numeric-owner --mode=u+rwX,go+rX,go-w \
    --mtime="@$when" --directory="$out" "$name" | gzip -n -9 >"$out/$name.tar.gz"
(cd "$out" && sha256sum "$name.tar.gz" >SHA256SUMS)

tried=$(mktemp -d)
trap 'rm -rf "$tried"' EXIT
tar -xzf "$out/$name.tar.gz" -C "$tried"
"$tried/$name/funneld" version | grep -q "funneld $version"
if grep -aqF "$PWD" "$tried/$name/funneld"; then
    echo "release.sh: $PWD stands in the binary" >&2
    exit 1
fi
rm -rf "${out:?}/build" "${out:?}/$name"
echo "$out/$name.tar.gz"
cat "$out/SHA256SUMS"

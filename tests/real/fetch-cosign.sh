#!/usr/bin/env bash
# Puts cosign 3 into .venv/cosign: `bash tests/real/fetch-cosign.sh`. It comes from Debian's unstable suite, over an apt
# configuration of its own: nothing is installed. It is linked to nothing newer than Debian 12 has.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly there=.venv/cosign
if [ -x "$there/cosign" ]; then
    exit 0
fi

readonly suite=sid
. tests/real/private-apt.sh

(cd "$work" && private_apt download cosign)
root=$work/root
dpkg -x "$work"/cosign_*.deb "$root"
mv "$root/usr/bin/cosign" "$work/cosign"
"$work/cosign" version >/dev/null 2>&1
rm -rf "$work/lists" "$work/cache" "$work/sources.list" "$root" "$work"/*.deb
mv -T "$work" "$there"

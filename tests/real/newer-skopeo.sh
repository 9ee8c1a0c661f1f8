#!/usr/bin/env bash
# Puts a skopeo that checks sigstore signatures (1.18 or later) into .venv/newer-skopeo: `bash tests/real/newer-skopeo.sh`.
# Debian 12's own was built without that. It comes from Debian 13 with all that it links to, over an apt configuration of
# its own: nothing is installed, and it runs with the C library that was fetched with it.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly there=.venv/newer-skopeo
if [ -x "$there/skopeo" ]; then
    exit 0
fi

readonly suite=trixie
. tests/real/private-apt.sh

private_apt --yes --download-only --no-install-recommends install skopeo
for package in "$work"/cache/archives/{skopeo,lib}*.deb; do
    dpkg -x "$package" "$work/root"
done

# The loader of the fetched C library: an older one cannot run programs that are linked to it.
cat >"$work/skopeo" <<'END'
#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/root
for loader in "$root"/usr/lib/*/ld-linux*.so.*; do
    exec "$loader" --library-path "$(dirname "$loader")" "$root/usr/bin/skopeo" "$@"
done
END
chmod +x "$work/skopeo"
"$work/skopeo" --version >/dev/null
rm -rf "$work/lists" "$work/cache" "$work/sources.list"
mv -T "$work" "$there"

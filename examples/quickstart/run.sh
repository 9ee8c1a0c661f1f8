#!/usr/bin/env bash
# The main job, start to end, on this machine alone: a registry, a plan, an apply, and a second apply that
# changes nothing. Prints every command before it runs it. Nothing is left behind.
set -euo pipefail
cd "$(dirname "$0")"

folder=$(mktemp -d)
registry_id=
clean_up() {
    [ -z "$registry_id" ] || { kill "$registry_id" && wait "$registry_id"; } 2>/dev/null || true
    rm -rf "$folder"
}
trap clean_up EXIT

say() { printf '\n# %s\n' "$*"; }
run() {
    printf '$ %s\n' "$*"
    "$@"
}

say "A registry for the inside: a folder of OCI layouts, served on a free loopback port."
printf '$ imagesync registry FOLDER --port 0 &\n'
mkdir "$folder/registry"
mkfifo "$folder/address"
imagesync registry "$folder/registry" --port 0 >"$folder/address" 2>"$folder/log" &
registry_id=$!
# Reading the first line waits until the registry listens, or until it has ended.
exec 3<"$folder/address"
if ! read -r line <&3; then
    cat "$folder/log" >&2
    exit 1
fi
address=${line##* }
REGISTRY=${address#http://}
export REGISTRY
printf '%s\n' "$address"

say "What is wanted: two tags of an image for two platforms. Their source is a folder here, no internet is needed."
run cat sync.yaml

say "The plan reads both sides and writes nothing."
run imagesync plan sync.yaml

say "Apply does what the plan says: blobs, then manifests, tags last."
run imagesync apply sync.yaml

say "A second apply finds every tag in place."
run imagesync apply sync.yaml

say "What the registry holds now."
catalog="import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode().strip())"
for path in v2/_catalog v2/mirror/hello/tags/list; do
    if command -v curl >/dev/null; then
        run curl -fsS "$address/$path"
        echo
    else
        printf '$ GET %s\n' "$address/$path"
        python3 -c "$catalog" "$address/$path"
    fi
done

say "Done. The registry is stopped and its folder removed. Next: the five-line spec in README.md."

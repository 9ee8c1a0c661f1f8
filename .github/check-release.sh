#!/usr/bin/env bash
# Is this tag a release of what lies here? `check-release.sh v1.2.3` fails with a reason where it is not.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' imagesync/__init__.py)
if [ "$1" != "v$version" ]; then
    echo "the tag is $1, and imagesync/__init__.py says version $version" >&2
    exit 1
fi
if ! grep -Eq "^## ${version//./\\.} – [0-9]{4}-[0-9]{2}-[0-9]{2}$" CHANGELOG.md; then
    echo "CHANGELOG.md has no line \"## $version – YYYY-MM-DD\"" >&2
    exit 1
fi

# Debian's packages without installing them, to be sourced: the program's own name is $0 of who sources it.
# `private_apt COMMAND...` is apt-get over a configuration of its own, below $work, for the suite in $suite.

if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
    echo "$(basename "$0"): needs apt-get and dpkg" >&2
    exit 1
fi

mkdir -p .venv
work=$(mktemp -d "$PWD/.venv/$(basename "$0" .sh).XXXXXX")
readonly work
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main" \
    >"$work/sources.list"

private_apt() {
    timeout 60 apt-get -qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/nonexistent \
        -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o Dir::State::status=/dev/null \
        -o APT::Sandbox::User= -o Acquire::Languages=none -o Acquire::Retries=2 -o Acquire::http::Timeout=10 \
        -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "$@" >/dev/null
}

private_apt update

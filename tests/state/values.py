"""Makers of entries, and strategies that draw them from few names and times, so that they meet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.state import Deleted, Entry, FirstSeen, Narrowed, Written

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
APP = Repository("registry.internal:5000", "mirror/app")
HUB_APP = Repository("docker.io", "library/app")
ONE, TWO, THREE = (Digest(f"sha256:{letter * 64}") for letter in "123")


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def tagged(repository: Repository, tag: str = "1.0") -> Reference:
    return Reference(repository, Tag(tag))


def written(digest: Digest = ONE, *, tag: str = "1.0", seconds: int = 0, source: Digest | None = None) -> Written:
    return Written(tagged(APP, tag), digest, at(seconds), source)


def deleted(*, tag: str = "1.0", seconds: int = 0) -> Deleted:
    return Deleted(tagged(APP, tag), at(seconds))


def seen(digest: Digest = ONE, *, tag: str = "1.0", seconds: int = 0) -> FirstSeen:
    return FirstSeen(tagged(HUB_APP, tag), digest, at(seconds))


_DIGESTS = st.sampled_from([ONE, TWO, THREE])
_TIMES = st.integers(0, 3).map(at)
_REPOSITORIES = st.sampled_from([APP, HUB_APP, Repository("oci:folder with blanks/é", "app")])
_TAGS = st.builds(tagged, _REPOSITORIES, st.sampled_from(["1.0", "latest"]))

ENTRIES: st.SearchStrategy[Entry] = st.one_of(
    st.builds(FirstSeen, _TAGS, _DIGESTS, _TIMES),
    st.builds(Written, _TAGS, _DIGESTS, _TIMES, st.none() | _DIGESTS),
    st.builds(Deleted, _TAGS, _TIMES),
    st.builds(Narrowed, _DIGESTS, st.sampled_from(["linux/amd64", "linux/arm64"]), _DIGESTS),
)

"""The cache: what is kept, what is dropped, and that nothing that is wrong with it stops a run."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagesync import cache as module
from imagesync.cache import FILE, MAX_AGE_SECONDS, Cache
from imagesync.errors import UsageError
from imagesync.log import Level, log
from imagesync.manifest import digest_of
from imagesync.reference import Repository
from tests.plan.values import HUB_NGINX, LOCAL_NGINX, make_index, make_manifest

AMD = make_manifest("base", "amd")
INDEX = make_index(AMD)
BLOB = AMD.successors()[0].digest


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    made = Cache(tmp_path)
    yield made
    made.close()


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """What is written to the log."""
    stream = io.StringIO()
    log.configure(Level.WARNING, stream=stream)
    yield stream
    log.configure(Level.WARNING)


def again(cache: Cache, tmp_path: Path, *, seconds_later: float = 0) -> Cache:
    """What the next run opens."""
    cache.close()
    return Cache(tmp_path, clock=lambda: module.time.time() + seconds_later)


def test_what_was_kept_is_there_for_the_next_run(cache: Cache, tmp_path: Path) -> None:
    for content in (AMD, INDEX):
        cache.keep_manifest(content)
    cache.note(LOCAL_NGINX, BLOB)
    later = again(cache, tmp_path)
    assert (later.manifest(AMD.digest), later.manifest(INDEX.digest)) == (AMD, INDEX)
    assert later.holds(LOCAL_NGINX, BLOB)
    assert later.holder("localhost:5000", BLOB) == LOCAL_NGINX
    assert later.knows(LOCAL_NGINX)
    later.close()


def test_of_what_was_not_kept_nothing_is_known(cache: Cache) -> None:
    cache.note(LOCAL_NGINX, BLOB)
    other = Repository("localhost:5000", "other")
    assert cache.manifest(AMD.digest) is None
    assert not cache.holds(other, BLOB)
    assert not cache.holds(LOCAL_NGINX, digest_of(b"another"))
    assert cache.holder("quay.io", BLOB) is None
    assert not cache.knows(other)


def test_what_was_forgotten_is_not_known(cache: Cache) -> None:
    cache.note(LOCAL_NGINX, BLOB)
    cache.forget(LOCAL_NGINX, BLOB)
    assert not cache.holds(LOCAL_NGINX, BLOB)
    assert cache.holder("localhost:5000", BLOB) is None


def test_a_manifest_with_other_bytes_than_its_digest_says_is_not_given_out(cache: Cache, tmp_path: Path) -> None:
    cache.keep_manifest(AMD)
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute("UPDATE manifest SET content = ?", (INDEX.raw,))
    assert cache.manifest(AMD.digest) is None


def test_what_is_old_is_dropped(cache: Cache, tmp_path: Path) -> None:
    cache.keep_manifest(AMD)
    cache.note(HUB_NGINX, BLOB)
    later = again(cache, tmp_path, seconds_later=MAX_AGE_SECONDS + 10)
    assert later.manifest(AMD.digest) is None
    assert not later.knows(HUB_NGINX)
    later.close()


def test_only_so_many_bytes_are_kept_and_the_oldest_go(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.keep_manifest(AMD)
    later = again(cache, tmp_path, seconds_later=60)
    later.keep_manifest(INDEX)
    monkeypatch.setattr(module, "MAX_MANIFEST_BYTES", len(INDEX.raw))
    last = again(later, tmp_path)
    assert (last.manifest(AMD.digest), last.manifest(INDEX.digest)) == (None, INDEX)
    last.close()


def test_folders_of_layouts_are_not_remembered(cache: Cache) -> None:
    layout = Repository("oci:./mirror", "nginx")
    cache.note(layout, BLOB)
    assert not cache.holds(layout, BLOB)


def test_a_damaged_cache_begins_anew(tmp_path: Path, said: io.StringIO) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all" * 100)
    cache = Cache(tmp_path)
    cache.note(LOCAL_NGINX, BLOB)
    assert cache.holds(LOCAL_NGINX, BLOB)
    assert "damaged" in said.getvalue()
    cache.close()


def test_a_cache_that_fails_is_gone_without_and_said_once(cache: Cache, said: io.StringIO) -> None:
    cache._rows("DROP TABLE holding")
    cache.note(LOCAL_NGINX, BLOB)
    assert not cache.holds(LOCAL_NGINX, BLOB)
    assert cache.manifest(AMD.digest) is None
    assert said.getvalue().count("goes on without") == 1


def test_a_folder_that_cannot_be_made_is_an_error_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be made"):
        Cache(tmp_path / "file" / "cache")


def test_pulls_of_earlier_runs_count_as_long_as_their_window(cache: Cache, tmp_path: Path) -> None:
    for _ in range(3):
        cache.add("docker.io")
    later = again(cache, tmp_path, seconds_later=100)
    later.add("docker.io")
    assert (later.spent_since("docker.io", 3600), later.spent_since("docker.io", 50)) == (4, 1)
    assert later.spent_since("quay.io", 3600) == 0
    later.close()


def test_a_cache_that_fails_still_counts_the_pulls_of_its_run(cache: Cache) -> None:
    cache._rows("DROP TABLE pull")
    for _ in range(3):
        cache.add("docker.io")
    assert cache.spent_since("docker.io", 3600) == 3


def test_two_runs_share_one_cache(cache: Cache, tmp_path: Path) -> None:
    other = Cache(tmp_path)
    cache.note(LOCAL_NGINX, BLOB)
    assert other.holds(LOCAL_NGINX, BLOB)
    other.close()

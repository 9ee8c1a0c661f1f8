"""What of one registry is kept in memory: so much once, and what is usual for each thing that is asked of it."""

from __future__ import annotations

import json

import pytest

from imagesync.errors import LimitError
from imagesync.manifest import OCI_MANIFEST, digest_of
from imagesync.reference import Tag
from imagesync.registry import allowance
from imagesync.registry.allowance import Allowance, bytes_of_names
from tests.fakes.registry import FakeRegistry
from tests.registry.remote import open_repository
from tests.registry.test_client import make_call

KIB = 1024


def test_what_is_usual_never_runs_out() -> None:
    kept = Allowance()
    for _ in range(10_000):
        kept.ask(64 * KIB)
        kept.take(make_call(), 64 * KIB)


def test_what_is_larger_than_usual_is_kept_until_the_first_bytes_are_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "FIRST_BYTES", 100)
    kept = Allowance()
    kept.take(make_call(), 100)
    with pytest.raises(LimitError, match="over 100 bytes would have to be kept of it") as refused:
        kept.take(make_call(), 1)
    assert "--shard" in str(refused.value)


def test_a_list_counts_by_its_names(registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"v{number}" for number in range(1000)]
    registry.script("GET", "tags/list", status=200, body=json.dumps({"tags": names}).encode())
    monkeypatch.setattr(allowance, "FIRST_BYTES", 0)
    monkeypatch.setattr("imagesync.registry.listing.USUAL_LIST_BYTES", bytes_of_names(names))
    with open_repository(registry) as repository:
        assert len(repository.list_tags()) == 1000
        monkeypatch.setattr("imagesync.registry.listing.USUAL_LIST_BYTES", bytes_of_names(names) - 1)
        with pytest.raises(LimitError):
            repository.list_tags()


def test_a_manifest_counts_with_what_it_lists(registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {"mediaType": "a/b", "digest": digest_of(b"x"), "size": 1}
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [config] * 100}
    registry.script("GET", "manifests/1", status=200, body=json.dumps(document).encode())
    monkeypatch.setattr(allowance, "FIRST_BYTES", 0)
    with open_repository(registry) as repository, pytest.raises(LimitError):
        repository.fetch_manifest(Tag("1"))

"""What is kept of a config for gates: little, whatever its registry has put into it."""

from __future__ import annotations

import json

import pytest

from imagesync.errors import InvalidManifest
from imagesync.gates import Unread
from imagesync.manifest import MAX_MARKS, Descriptor, digest_of
from imagesync.plan.gathering import MAX_LABELS, config_from_json
from imagesync.reference import Repository
from imagesync.survey.configs import read_config
from tests.fakes.memory import MemoryRepository


def test_what_gates_ask_is_kept_and_nothing_else() -> None:
    asked = {"os": "windows", "architecture": "amd64", "os.version": "10", "os.features": ["win32k"], "created": "2024"}
    labels = {"config": {"Labels": {"a": "b"}}}
    odd = {"history": ["x"] * 1000, "variant": "x" * 1000, "author": 5}
    inner = {"config": {"Labels": {"a": "b", "c": 5, "d": ["e"]}, "Env": ["x"] * 1000}}
    assert config_from_json(json.dumps({**asked, **odd, **inner}).encode()) == {**asked, **labels}


@pytest.mark.parametrize("raw", [b"[]", b"{", b"[" * 100_000, b'{"a":[' + b"0," * MAX_MARKS + b"0]}"])
def test_what_is_no_config_of_an_image_is_not_kept(raw: bytes) -> None:
    assert isinstance(config_from_json(raw), Unread)


def test_very_many_labels_are_not_kept() -> None:
    labels = {str(number): "x" for number in range(MAX_LABELS + 1)}
    assert isinstance(config_from_json(json.dumps({"config": {"Labels": labels}}).encode()), Unread)


def test_a_config_of_very_many_values_is_not_parsed() -> None:
    """S10: each may take twenty times its letters in memory."""
    raw = b'{"a":[' + b"0," * MAX_MARKS + b"0]}"
    blob = Descriptor("application/vnd.oci.image.config.v1+json", digest_of(raw), len(raw), data=raw)
    with pytest.raises(InvalidManifest, match="too many values"):
        read_config(MemoryRepository(Repository("a.example", "b")), blob, dict)

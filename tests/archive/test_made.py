"""The manifest that is made for an image of `docker save`: to the byte, and by the bytes of its layers."""

from __future__ import annotations

import gzip

import pytest

from imagesync.archive.made import CONFIG, FORMAT, LAYER, check_layers, layer_type, made_manifest
from imagesync.errors import IntegrityError, UnsupportedError
from imagesync.manifest import MADE_FROM, Descriptor, digest_of
from tests.archive.tars import make_layer, save
from tests.images import blob_of


def test_the_bytes_of_a_made_manifest_are_a_promise() -> None:
    """Whoever changes them changes the digest of every image that was brought so: then FORMAT counts up."""
    assert FORMAT == "docker-archive/1"
    made = made_manifest(blob_of(b"config", CONFIG), [blob_of(b"one", LAYER), blob_of(b"two", f"{LAYER}+gzip")])
    assert made.digest == "sha256:8503f3ab2e1b42387cf5ac1fa7aa3c96e4076af0cd106f7e8246992c6969f1b3"
    assert f'"{MADE_FROM}":"docker-archive/1"'.encode() in made.raw


@pytest.mark.parametrize(
    ("beginning", "expected"),
    [
        (make_layer("x")[:512], LAYER),
        (bytes(512), LAYER),
        (gzip.compress(make_layer("x"))[:512], f"{LAYER}+gzip"),
        (b"\x28\xb5\x2f\xfd...", f"{LAYER}+zstd"),
    ],
)
def test_the_media_type_of_a_layer_is_that_of_its_bytes(beginning: bytes, expected: str) -> None:
    assert layer_type(beginning) == expected


@pytest.mark.parametrize("beginning", [b"", b"BZh9", b"\xfd7zXZ\0", b"{}", b"x" * 512])
def test_what_is_no_layer_is_refused(beginning: bytes) -> None:
    with pytest.raises(UnsupportedError, match="no tar"):
        layer_type(beginning)


def test_layers_are_those_that_the_config_speaks_of() -> None:
    saved = save(layers=3)
    layers = [blob_of(layer, LAYER) for layer in saved.layers]
    check_layers(saved.config, layers)
    for wrong in ([*reversed(layers)], layers[:2], [*layers, layers[0]], [blob_of(b"other", LAYER), *layers[1:]]):
        with pytest.raises(IntegrityError):
            check_layers(saved.config, wrong)


def test_what_is_in_a_packed_layer_is_not_looked_into() -> None:
    """Nothing here unpacks what a stranger has packed."""
    check_layers(save(layers=1).config, [blob_of(b"packed", f"{LAYER}+gzip")])


@pytest.mark.parametrize(
    "config",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"rootfs": 1}',
        b'{"rootfs": {"diff_ids": 1}}',
        b'{"rootfs": {"diff_ids": ["x"]}}',
        b'{"rootfs": {"diff_ids": [1]}}',
        b'{"rootfs": {"diff_ids": ["sha256:../../etc/passwd"]}}',
    ],
)
def test_a_config_that_is_damaged_is_refused(config: bytes) -> None:
    with pytest.raises(IntegrityError, match="config"):
        check_layers(config, [Descriptor(LAYER, digest_of(b"x"), 1)])


def test_an_image_without_layers_is_one() -> None:
    check_layers(b'{"rootfs": {"type": "layers", "diff_ids": null}}', [])

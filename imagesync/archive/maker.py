"""Maker: reads the files of saved images, and makes of them the manifests that `made` describes.

A layer's digest takes one pass over its bytes. It is taken when the image is first asked for, once for a run.
"""

from __future__ import annotations

import hashlib
import threading

from imagesync.archive.made import CONFIG, MAGIC_BYTES, check_layers, layer_type, made_manifest
from imagesync.archive.members import Archive
from imagesync.cancellation import Cancellation
from imagesync.errors import IntegrityError
from imagesync.layout.files import pieces
from imagesync.lazy import dataclass
from imagesync.manifest import MAX_MANIFEST_BYTES, Descriptor, Manifest, digest_of
from imagesync.reference import Digest

_HEX_LENGTH = 64


@dataclass(frozen=True, slots=True)
class SavedImage:
    """The files of one image: its config, and its layers from the bottom up."""

    config: str
    layers: tuple[str, ...]


class Maker:
    """Makes the manifests of one archive, each once, and knows from then on in which file each blob is.

    May be used by threads: one works, and the others wait for it, for what they want is what it reads.
    """

    def __init__(self, archive: Archive, cancellation: Cancellation) -> None:
        self._archive = archive
        self._cancellation = cancellation
        self._made: dict[SavedImage, Manifest] = {}
        self._described: dict[str, Descriptor] = {}
        self._files: dict[Digest, str] = {}
        self._lock = threading.Lock()

    def manifest(self, image: SavedImage) -> Manifest:
        """Raises IntegrityError for files that are not those of the image."""
        with self._lock:
            if image not in self._made:
                self._made[image] = self._make(image)
            return self._made[image]

    def file_of(self, digest: Digest) -> str | None:
        """The file that holds a blob of the images that were made so far."""
        return self._files.get(digest)

    def _make(self, image: SavedImage) -> Manifest:
        with self._archive.naming_itself():
            config = self._config(image.config)
            layers = [self._layer(name) for name in image.layers]
            check_layers(config, layers)
        described = Descriptor(CONFIG, digest_of(config), len(config))
        self._files |= {described.digest: image.config}
        return made_manifest(described, layers)

    def _config(self, name: str) -> bytes:
        raw = self._archive.read(name, MAX_MANIFEST_BYTES)
        named = name.rpartition("/")[2].removesuffix(".json").removeprefix("sha256:")
        if len(named) == _HEX_LENGTH and named != digest_of(raw).encoded:
            raise IntegrityError(f"holds a config {ascii(name)[:120]} whose bytes have another digest")
        return raw

    def _layer(self, name: str) -> Descriptor:
        name = self._archive.followed(name)
        if name not in self._described:
            self._described[name] = self._read(name)
            self._files[self._described[name].digest] = name
        return self._described[name]

    def _read(self, name: str) -> Descriptor:
        hasher, size_bytes, beginning = hashlib.sha256(), 0, b""
        with self._archive.open(name, f"{self._archive.name}/{ascii(name)[1:-1][:120]}") as file:
            for piece in pieces(file):
                self._cancellation.check()
                beginning = beginning or piece[:MAGIC_BYTES]
                hasher.update(piece)
                size_bytes += len(piece)
        return Descriptor(layer_type(beginning), Digest(f"sha256:{hasher.hexdigest()}"), size_bytes)

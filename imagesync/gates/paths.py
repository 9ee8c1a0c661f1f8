"""Path templates: where a gate's file of an image lies."""

from __future__ import annotations

import re

from imagesync.errors import InvalidReference
from imagesync.lazy import dataclass
from imagesync.reference import Digest, Reference

PLACEHOLDERS = ("{repository}", "{tag}", "{digest_hex}")


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """`text` holds placeholders, and stands below `folder`; empty, that is the current one."""

    text: str
    folder: str = ""

    @classmethod
    def parse(cls, text: str, folder: str) -> PathTemplate:
        """Raises InvalidReference for other placeholders, and where two images would share a file."""
        others = [one for one in re.findall(r"\{[^{}]*\}|[{}]", text) if one not in PLACEHOLDERS]
        if others:
            raise InvalidReference(f"{text[:80]!a} holds {others[0]!a}", hint=f"allowed are {', '.join(PLACEHOLDERS)}")
        if "{digest_hex}" not in text:
            hint = 'write {digest_hex} where the digest stands: "scans/{repository}/{digest_hex}.json"'
            raise InvalidReference(f"{text[:80]!a} is one file for all images", hint=hint)
        return cls(text, "" if text.startswith("/") or folder in ("", ".") else f"{folder}/")

    def __str__(self) -> str:
        return self.text

    def of(self, source: Reference, digest: Digest) -> str:
        """The path for one manifest of an image; names of images and digests hold nothing that leads elsewhere."""
        values = (source.repository.path, source.tag or "", digest.encoded)
        text = self.text
        for placeholder, value in zip(PLACEHOLDERS, values, strict=True):
            text = text.replace(placeholder, value)
        return self.folder + text

"""The numbers that a registry names during an upload: how far it has come, and how small a chunk may be. Pure."""

from __future__ import annotations

import re

_RANGE = re.compile(r"(?:bytes=)?0-([0-9]{1,15})", re.ASCII)
_LENGTH = re.compile(r"[0-9]{1,15}", re.ASCII)


def held_bytes(text: str, *, first: int, sent: int) -> int | None:
    """How many bytes of a blob a `Range` says are there (distribution spec, end-13), or None where it is not believed.

    Registries count differently: from the last chunk on, or they stay at the first. So it has to lie within the
    request that failed, which began at `first` and was handed the bytes up to `sent`. `0-0` stands for no byte as
    well as for one.
    """
    match = _RANGE.fullmatch(text.strip())
    held = int(match[1]) + 1 if match else 0
    return held if held > 1 and first <= held <= sent else None


def chunk_length(asked: int, least: str) -> int:
    """The size of a chunk where a registry names the least (`OCI-Chunk-Min-Length`); junk is no number."""
    match = _LENGTH.fullmatch(least.strip())
    return max(asked, int(match[0])) if match else asked

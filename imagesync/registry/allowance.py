"""Allowance: how much of our memory the answers of one host may take up for the rest of a run.

What was listed and read is kept until all is planned. How many things are asked for is the spec's choice, how large
each is the host's: so much once, and what is usual for each.
"""

from __future__ import annotations

from collections.abc import Collection
from threading import Lock

from imagesync.errors import LimitError
from imagesync.manifest import Content, Index
from imagesync.registry.call import Call

FIRST_BYTES = 32 * 1024 * 1024
USUAL_MANIFEST_BYTES = 64 * 1024
USUAL_LIST_BYTES = 2 * 1024 * 1024
_NAME_BYTES = 300
_DESCRIPTOR_BYTES = 1000
"""What one takes besides its letters."""
_HINT = "let several runs share what the spec asks of it: `--shard 1/2` and `--shard 2/2`, or `--only`"


class Allowance:
    """Of one host, for any number of threads."""

    def __init__(self) -> None:
        self._left_bytes = FIRST_BYTES
        self._lock = Lock()

    def ask(self, usual_bytes: int) -> None:
        """Something is asked for that usually takes so much."""
        with self._lock:
            self._left_bytes += usual_bytes

    def take(self, call: Call, size_bytes: int) -> None:
        """So much is kept of an answer. Raises LimitError where nothing is left for it."""
        with self._lock:
            self._left_bytes -= size_bytes
            is_spent = self._left_bytes < 0
        if is_spent:
            message = (
                f"what this registry answers is so large that over {FIRST_BYTES} bytes would have to be kept of it"
            )
            raise call.fail(LimitError, message, hint=_HINT)


def bytes_of_names(names: Collection[str]) -> int:
    """What a list of names takes."""
    return sum(map(len, names)) + _NAME_BYTES * len(names)


def bytes_of_manifest(content: Content) -> int:
    """What a manifest takes, and all that it lists."""
    listed = content.manifests if isinstance(content, Index) else content.layers
    return len(content.raw) + _DESCRIPTOR_BYTES * len(listed)

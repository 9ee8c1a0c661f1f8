"""Turns: at a registry that counts what is read, each image is read to its end before the next is begun.

What a budget allows is then spent on whole images, rather than on the first manifest of every one.
"""

from __future__ import annotations

from collections import deque

from imagesync.plan.questions import HasBlob, IsEmpty, Question, ReadManifest
from imagesync.store import Stores
from imagesync.survey.looking import Looking


class Turns:
    """Whose turn it is at each registry. An image takes part from the first manifest on that it asks a source for,
    until it asks for blobs, since what speaks of it is read behind its own manifests."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._taken: dict[str, Looking] = {}
        self._waiting: dict[str, deque[Looking]] = {}

    def may_ask(self, looking: Looking) -> bool:
        """Whether the present questions of an image may be asked; else it waits, and `after` hands it out."""
        registry = looking.registry
        if not any(_is_counted(question, registry) for question in looking.questions):
            return True
        if self._taken.get(registry) is looking or not self._stores.counts_pulls(registry):
            return True
        if registry in self._taken:
            self._waiting.setdefault(registry, deque()).append(looking)
            return False
        self._taken[registry] = looking
        return True

    def after(self, looking: Looking) -> Looking | None:
        """The next image at its registry, where this one had the turn and asks for no more manifests."""
        registry = looking.registry
        if self._taken.get(registry) is not looking or not _is_read(looking):
            return None
        del self._taken[registry]
        waiting = self._waiting.get(registry)
        if not waiting:
            return None
        self._taken[registry] = waiting.popleft()
        return self._taken[registry]


def _is_counted(question: Question, registry: str) -> bool:
    if not isinstance(question, ReadManifest):
        return False
    return question.side == "source" and question.repository.registry == registry


def _is_read(looking: Looking) -> bool:
    return all(isinstance(question, HasBlob | IsEmpty) for question in looking.questions)

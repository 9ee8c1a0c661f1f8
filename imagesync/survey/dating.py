"""Dating: answers the questions of when images were made, and sees to it that there are pulls enough for all."""

from __future__ import annotations

from imagesync.manifest import Content, Descriptor
from imagesync.plan.dates import needs_a_child
from imagesync.plan.questions import MayRead, ReadCreated
from imagesync.store import Stores
from imagesync.survey.configs import read_config

MAX_LENGTH = 64


def set_aside(question: MayRead, stores: Stores) -> None:
    """Reserve the pulls that it takes at the most: none for what earlier runs have read. Raises BudgetError."""
    known = {root: stores.memory.manifest(root.digest) for root in question.roots}
    stores.reserve_pulls(question.repository.registry, sum(_pulls(*one) for one in known.items()))


def _pulls(root: Descriptor, content: Content | None) -> int:
    if content is None:
        return 2 if root.is_index else 1
    return 0 if needs_a_child(content) is None else 1


def created_of(question: ReadCreated, stores: Stores) -> str | None:
    """What the config says, by what an earlier run has read where one has. Raises StoreError, InvalidManifest."""
    known = stores.memory.created(question.digest)
    if known is None:
        said = read_config(stores.source(question.repository), question.config, lambda config: config.get("created"))
        known = said if isinstance(said, str) and len(said) <= MAX_LENGTH else ""
        stores.memory.keep_created(question.digest, known)
    return known or None

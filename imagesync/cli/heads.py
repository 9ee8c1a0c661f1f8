"""Heads: what tags of stages point to, all asked at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from imagesync.survey.answers import read_head

if TYPE_CHECKING:
    from imagesync.cli.session import Session
    from imagesync.plan.inventory import Head
    from imagesync.reference import Reference


def heads_of(session: Session, tags: Sequence[Reference]) -> Mapping[Reference, Head]:
    """Each tag with what its registry says. Raises Cancelled, nothing else."""

    def read(tag: Reference) -> Head:
        return read_head(lambda: session.stores.destination(tag.repository), tag, "destination")

    asked = [session.tasks.add(partial(read, tag), hosts=[tag.repository.registry]) for tag in tags]
    return dict(zip(tags, session.tasks.results(asked), strict=True))

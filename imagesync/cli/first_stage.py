"""What there is at the stage that images are pushed to: the tag list of each image, and the files of releases."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from imagesync.errors import NotFoundError
from imagesync.promotion.ahead import FirstStage
from imagesync.reference import Repository, Tag
from imagesync.spec.release import versions_filed

if TYPE_CHECKING:
    from imagesync.cli.session import Session
    from imagesync.spec.stages import Promotion


def first_stage_of(session: Session, promotion: Promotion) -> FirstStage:
    """Of one promotion. Raises StoreError, and Cancelled."""
    repositories = [promotion.stages[0].repository_of(image) for image in promotion.images]
    asked = [session.tasks.add(partial(_tags, session, one), hosts=[one.registry]) for one in repositories]
    folder = Path(session.spec.directory) / "releases"
    filed = versions_filed(promotion.name, [path.name for path in folder.glob("*.yaml")])
    return FirstStage(session.tasks.results(asked), filed)


def _tags(session: Session, repository: Repository) -> Collection[Tag]:
    try:
        return session.stores.source(repository).list_tags()
    except NotFoundError:
        return ()

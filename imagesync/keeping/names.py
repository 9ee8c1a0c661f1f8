"""Names of what runs keep in a repository: `run-20260301T120000Z-9f2c4e1a`; `fold-…` is what stands for several."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

from imagesync.reference import Tag

RUN, FOLD = "run", "fold"
_NAME = re.compile(rf"(?P<kind>{RUN}|{FOLD})-(?P<at>2\d{{7}}T\d{{6}}Z)-[0-9a-f]{{8}}", re.ASCII)
_TIME = "%Y%m%dT%H%M%SZ"


def make_name(kind: str, at: datetime) -> Tag:
    """A tag that no other run has, made at this moment."""
    return Tag(f"{kind}-{at.strftime(_TIME)}-{secrets.token_hex(4)}")


def made_at(tag: Tag) -> datetime | None:
    """When a tag of a state was made, by the clock of whoever did; None for any other tag."""
    found = _NAME.fullmatch(tag)
    try:
        return datetime.strptime(found["at"], _TIME).replace(tzinfo=UTC) if found is not None else None
    except ValueError:
        return None


def is_older(tag: Tag, moment: datetime | None) -> bool:
    """Whether this is a tag of a state that was made before a moment."""
    made = made_at(tag)
    return made is not None and moment is not None and made < moment


def is_fold(tag: Tag) -> bool:
    """Whether a tag of a state stands for several."""
    return tag.startswith(FOLD)

"""Standing: what a stage runs by its records, whether its tags agree, and what comes next. Pure, over what was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from imagesync.errors import ImagesyncError
from imagesync.lazy import dataclass
from imagesync.plan.inventory import Absent, Broken, Head, Present
from imagesync.plan.unit import Move
from imagesync.promotion.ahead import NOTHING_AHEAD, Ahead, ahead_on_record
from imagesync.promotion.commands import Commands
from imagesync.promotion.record import Record
from imagesync.promotion.upcoming import Upcoming
from imagesync.reference import Digest, Reference, Tag
from imagesync.spec.stages import PromotedImage, Promotion, Stage

INCOMPLETE_EXIT_CODE = 1
MOVED_EXIT_CODE = 2
_FROM_WORST = (INCOMPLETE_EXIT_CODE, 3, MOVED_EXIT_CODE)
"""With those of what cannot be read: 1, or 3 where a budget is why."""


class Agreement(Enum):
    """How the tag of an image agrees with the record of its stage."""

    AS_RECORDED = "as recorded"
    MOVED = "moved"
    """It points to something else: another hand has written it."""
    MISSING = "missing"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class ImageStanding:
    """One image of a stage: what the record says, the tag that should say the same, and what that points to."""

    name: str
    recorded: Digest
    tag: Reference
    found: Digest | None
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class StageStanding:
    """One stage of a promotion. `released` is what it came to last, `begun` what has begun since and not finished."""

    promotion: str
    stage: str
    is_first: bool
    released: Record | None = None
    begun: Record | None = None
    hold: Record | None = None
    images: tuple[ImageStanding, ...] = ()
    lacking: tuple[str, ...] = ()
    """The images of the spec that what it runs was released without."""
    ahead: Ahead = NOTHING_AHEAD
    """What is at the stage before and not here, the version that is next first."""
    upcoming: Upcoming | None = None
    """What keeps the next one back; None where nobody has asked, and where there is none."""
    is_due: bool = False
    """Whether the next one comes by itself."""
    error: ImagesyncError | None = None
    """Why nothing of it can be known."""

    @property
    def exit_code(self) -> int:
        if self.error is not None:
            return self.error.exit_code
        if self.begun is not None:
            return INCOMPLETE_EXIT_CODE
        is_moved = any(image.agreement is not Agreement.AS_RECORDED for image in self.images)
        return MOVED_EXIT_CODE if is_moved else 0

    @property
    def next_version(self) -> Tag | None:
        """What may come next: what has begun to come, else the first of what is ahead. None while a rollback is to be
        finished."""
        if self.begun is not None:
            return self.begun.version if self.begun.move is Move.PROMOTION else None
        return next(iter(self.ahead.versions), None)

    def next_command(self, commands: Commands) -> str:
        """What is typed to bring it on; empty where there is nothing to bring."""
        if self.begun is not None and self.begun.move is Move.ROLLBACK:
            return commands.roll_back(self.begun.version, self.stage)
        if self.is_due and self.begun is None:
            return commands.apply()
        return commands.promote(self.next_version, self.stage) if self.next_version is not None else ""

    def next_step(self, commands: Commands) -> str:
        """The same in words, with what keeps it."""
        command = self.next_command(commands)
        if self.begun is not None:
            return f"incomplete: {command} finishes it"
        if self.hold is not None:
            return f"held at {self.hold.version} by {self.hold.who.name}"
        return command


@dataclass(frozen=True, slots=True)
class OnRecord:
    """What is on record of one stage, or why that cannot be read."""

    released: Record | None = None
    begun: Record | None = None
    hold: Record | None = None
    error: ImagesyncError | None = None


def tags_to_read(promotion: Promotion, on_record: Mapping[str, OnRecord]) -> dict[tuple[str, str], Reference]:
    """The tag of each stage and image that should say what its record says."""
    return {
        (stage.name, image.name): _tag_of(stage, image, released)
        for stage in promotion.stages
        if (released := on_record[stage.name].released) is not None
        for image in promotion.images
        if image.name in released.digests
    }


def standings_of(
    promotion: Promotion, on_record: Mapping[str, OnRecord], heads: Mapping[Reference, Head]
) -> tuple[StageStanding, ...]:
    """How every stage stands, in their order."""
    tags = tags_to_read(promotion, on_record)
    found = []
    for stage in promotion.stages:
        known, before = on_record[stage.name], promotion.before(stage)
        images = [
            _image(name, tag, known.released, heads[tag])
            for (stage_name, name), tag in tags.items()
            if stage_name == stage.name and known.released is not None
        ]
        found.append(
            StageStanding(
                promotion=promotion.name,
                stage=stage.name,
                is_first=before is None,
                released=known.released,
                begun=known.begun,
                hold=known.hold,
                images=tuple(images),
                lacking=_lacking(promotion, known.released),
                ahead=_ahead(on_record[before.name], known) if before is not None else NOTHING_AHEAD,
                error=known.error,
            )
        )
    return tuple(found)


def exit_code_of(standings: Sequence[StageStanding]) -> int:
    """1 with something incomplete, or what could not be read is worth, else 2 with a tag that is not as its record
    says, else 0."""
    codes = {one.exit_code for one in standings}
    return next((code for code in _FROM_WORST if code in codes), 0)


def _ahead(before: OnRecord, known: OnRecord) -> Ahead:
    """What is ahead by the last record of the stage before; of a stage of which nothing is known that is told."""
    if before.error is not None:
        return Ahead(unknown=str(before.error))
    if before.released is None or known.error is not None:
        return NOTHING_AHEAD
    return ahead_on_record([before.released], known.released)


def _lacking(promotion: Promotion, released: Record | None) -> tuple[str, ...]:
    return tuple(
        image.name for image in promotion.images if released is not None and image.name not in released.digests
    )


def _tag_of(stage: Stage, image: PromotedImage, released: Record) -> Reference:
    return Reference(stage.repository_of(image), stage.current or stage.tag_of(released.version))


def _image(name: str, tag: Reference, released: Record, head: Head) -> ImageStanding:
    recorded = released.digests[name]
    found = head.descriptor.digest if isinstance(head, Present) else None
    return ImageStanding(name, recorded, tag, found, _agreement(recorded, found, head))


def _agreement(recorded: Digest, found: Digest | None, head: Head) -> Agreement:
    if isinstance(head, Absent):
        return Agreement.MISSING
    if isinstance(head, Broken) or found is None:
        return Agreement.UNREADABLE
    return Agreement.AS_RECORDED if recorded == found else Agreement.MOVED

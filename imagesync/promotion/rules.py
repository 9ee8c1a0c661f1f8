"""Rules: what a promotion comes to, in the values that a sync entry comes to as well. Pure.

One rule for the tag of the version and one for the tag that says what the stage runs; from there on it is a plan as
any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from imagesync.errors import UsageError
from imagesync.gates.returning import gates_of_return
from imagesync.gates.soak import Entered, with_entered
from imagesync.lazy import dataclass, replace
from imagesync.plan.unit import Unit
from imagesync.promotion.record import Record
from imagesync.selection import Retag, TagFilter
from imagesync.spec.model import NOTHING_IMMUTABLE, Rule, Spec
from imagesync.spec.release import Release
from imagesync.spec.stages import PromotedImage, Promotion, Stage


def find_promotion(spec: Spec, name: str) -> Promotion:
    """Raises UsageError where the spec has none of this name."""
    found = next((one for one in spec.promotions if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in spec.promotions)
        hint = f"there is: {known}" if known else "add `promotions:` to it"
        raise UsageError(f"the spec has no promotion {name!a}", hint=hint)
    return found


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a release besides its version."""

    release: Release | None = None
    """Which digests these are, and what they are called at the first stage."""
    entered: datetime | None = None
    """When it came to the stage before; None where nothing says so."""


def with_promotions(spec: Spec) -> tuple[Promotion, ...]:
    """All of a spec. Raises UsageError where it has none."""
    if not spec.promotions:
        raise UsageError("the spec has no promotions", hint="add `promotions:` to it")
    return spec.promotions


def rules_of(promotion: Promotion, unit: Unit, told: Told) -> tuple[Rule, ...]:
    """What has to be where once the unit has come to its stage. Raises InvalidReference where that is no legal tag."""
    return tuple(rule for image in promotion.images for rule in _of_image(promotion, unit, (image, told)))


def rollback_rules(promotion: Promotion, record: Record) -> tuple[Rule, ...]:
    """What the tag that says what a stage runs has to point to once it has gone back to what a record tells of."""
    stage = promotion.stage(record.stage)
    return tuple(
        _back(stage, image, record, entry=promotion.name)
        for image in promotion.images
        if image.name in record.digests and stage.current is not None
    )


def _back(stage: Stage, image: PromotedImage, record: Record, *, entry: str) -> Rule:
    repository, tag = stage.repository_of(image), stage.tag_of(record.version)
    return Rule(
        entry=entry,
        image=image.name,
        place=image.place,
        source=repository,
        destinations=(repository,),
        tags=TagFilter.parse([tag]),
        digest=record.digests[image.name],
        is_read_at_once=True,
        retag=Retag(names=((tag, str(stage.current)),)),
        gates=tuple(gates_of_return(stage.gates)),
    )


def _of_image(promotion: Promotion, unit: Unit, which: tuple[PromotedImage, Told]) -> Iterator[Rule]:
    image, told = which
    released = told.release.images.get(image.name) if told.release is not None else None
    source, stage = promotion.stage(unit.source_stage), promotion.stage(unit.stage)
    is_renamed = released is not None and promotion.before(source) is None
    tag = released.tag if released is not None and is_renamed else source.tag_of(unit.version)
    name = stage.tag_of(unit.version)
    entered = Entered(source.name, told.entered, promotion.signing is not None)
    rule = Rule(
        entry=promotion.name,
        image=image.name,
        place=image.place,
        source=source.repository_of(image),
        destinations=(stage.repository_of(image),),
        tags=TagFilter.parse([tag]),
        digest=released.digest if released is not None else None,
        is_read_at_once=True,
        retag=Retag(names=((tag, name),)),
        immutable=stage.immutable,
        attachments=stage.attachments,
        gates=tuple(with_entered(gate, entered) for gate in stage.gates),
    )
    yield rule
    if stage.current not in (None, name):
        yield replace(rule, retag=Retag(names=((tag, stage.current),)), immutable=NOTHING_IMMUTABLE)

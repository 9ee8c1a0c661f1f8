"""`python -m bench.alone REPOSITORIES TAGS`: selection and diff by themselves, over lists and heads that are values.

What a plan does of unchanged tags when all answers are there at once: no socket, no thread, no file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from imagesync.errors import Place
from imagesync.manifest import OCI_MANIFEST, Descriptor
from imagesync.plan.diff import diff
from imagesync.plan.image import Image, Overview, attachment_tags_of, images_of
from imagesync.plan.inventory import Head, Inventory, Present
from imagesync.plan.questions import HasReferrersApi
from imagesync.plan.reading import look_into, seen_already
from imagesync.plan.summary import summarise
from imagesync.plan.wants import Want, make_wants
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.selection import TagFilter
from imagesync.spec.model import ALL_ATTACHMENTS, Rule


def main() -> None:
    repositories, tags = map(int, sys.argv[1:])
    rules = [_rule(number) for number in range(repositories)]
    listings = {rule.source: tuple(Tag(f"1.{number}.0") for number in range(tags)) for rule in rules}
    wants = make_wants(rules, listings)
    heads = dict(_heads([want for want in wants if isinstance(want, Want)]))
    seen = [seen_already(wants, heads)]
    overview = Overview(heads, attachment_tags=attachment_tags_of(listings))
    plans = [diff(part.wants, part.inventory) for part in seen]
    plans += [diff(image.kept, _looked_into(image, overview)) for image in images_of(wants, heads)]
    unchanged = sum(summarise(plan).unchanged for plan in plans)
    if unchanged != repositories * tags:
        raise SystemExit(f"{unchanged} of {repositories * tags} tags are unchanged")


def _rule(number: int) -> Rule:
    return Rule(
        entry="all",
        image=f"app{number}",
        place=Place("sync.yaml", number + 5, 9),
        source=Repository("docker.io", f"team/app{number}"),
        destinations=(Repository("mirror.test", f"team/app{number}"),),
        tags=TagFilter.parse(["*"]),
        attachments=ALL_ATTACHMENTS,
    )


def _heads(wants: list[Want]) -> Iterator[tuple[Reference, Head]]:
    """Every tag has a digest of its own, the same on both sides."""
    for want, number in zip(wants, count()):
        head = Present(Descriptor(OCI_MANIFEST, Digest(f"sha256:{number:064x}"), 500))
        yield want.source, head
        yield want.destination, head


def _looked_into(image: Image, overview: Overview) -> Inventory:
    """Answer what is asked of an image that nothing speaks of, at a registry that lists no referrers."""
    asking = look_into(image, overview)
    answers: Mapping[Any, Any] | None = None
    while True:
        try:
            asked = next(asking) if answers is None else asking.send(answers)
        except StopIteration as end:
            found: Inventory = end.value
            return found
        answers = {question: False for question in asked if isinstance(question, HasReferrersApi)}


if __name__ == "__main__":
    main()

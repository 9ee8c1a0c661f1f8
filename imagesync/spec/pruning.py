"""The key `prune`: whether tags that nothing wants any more may go, which never do, and how many at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from imagesync.errors import Problem
from imagesync.selection import TagPattern
from imagesync.spec.document import Map, Node, Scalar
from imagesync.spec.interpolate import Interpolator
from imagesync.spec.model import DEFAULT_MOST, MostNumber, MostPercent, Prune, Rule
from imagesync.spec.problems import Problems
from imagesync.spec.tags import scalars


class PruneReader:
    """Reads `prune` of an image, an entry or the defaults."""

    def __init__(self, interpolator: Interpolator, problems: Problems) -> None:
        self._interpolator = interpolator
        self._problems = problems

    def read(self, node: Node | None) -> Prune | None:
        """What the key says; None where it is not asked for."""
        if isinstance(node, Map):
            return Prune(self._patterns(node.get("protect")), _most(node.get("max")))
        return Prune() if isinstance(node, Scalar) and node.value is True else None

    def _patterns(self, node: Node | None) -> tuple[TagPattern, ...]:
        written = [(self._interpolator.text(one), one.place) for one in scalars(node)] if node is not None else []
        parsed = [self._problems.parsed(partial(TagPattern.parse, text), place) for text, place in written if text]
        return tuple(pattern for pattern in parsed if pattern is not None)


def find_prune_without_state(asked: Iterable[tuple[Rule, Mapping[str, Node]]]) -> Iterator[Problem]:
    """Without a state nobody knows which tags are imagesync's."""
    for rule, nodes in asked:
        if rule.prune is not None:
            message = "`prune` deletes only what imagesync has written, and there is no `state` that knows it"
            hint = "add `state: FILE` or `state: REGISTRY/REPOSITORY` to the spec"
            yield Problem(nodes["prune"].place, message, hint)


def _most(node: Node | None) -> MostNumber | MostPercent:
    if not isinstance(node, Scalar):
        return DEFAULT_MOST
    if isinstance(node.value, int):
        return MostNumber(node.value)
    number = node.text.removesuffix("%")
    return MostPercent(int(number)) if number.isdecimal() else DEFAULT_MOST

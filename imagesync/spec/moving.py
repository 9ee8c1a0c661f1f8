"""`immutable`, `keep_previous` and `on_drift` of a spec: which tags of a destination may move, and what becomes of what
they were.

Values that the schema refused are passed over: it has said so already.
"""

from __future__ import annotations

from imagesync.errors import Problem
from imagesync.selection import Retag
from imagesync.spec.document import Map, Node, Scalar
from imagesync.spec.interpolate import Interpolator
from imagesync.spec.model import NOTHING_IMMUTABLE, Immutable, OnDrift
from imagesync.spec.problems import Problems
from imagesync.spec.tags import TagsReader


class MovingReader:
    """Reads the values of one file; what is wrong with them is added to `problems`."""

    def __init__(self, interpolator: Interpolator, problems: list[Problem]) -> None:
        self._interpolator = interpolator
        self._problems = Problems(problems)
        self._tags_reader = TagsReader(interpolator, problems)

    def immutable(self, node: Node | None) -> Immutable:
        """The tags that are never moved: a list of patterns, or a map of it and what is trusted."""
        if node is None:
            return NOTHING_IMMUTABLE
        listed = node.get("tags") if isinstance(node, Map) else node
        is_trusting = isinstance(node, Map) and node.get("trust") is not None
        return Immutable(self._tags_reader.patterns(listed), is_trusting)

    def keep_previous(self, node: Node | None) -> Retag | None:
        """A template that makes another tag of every tag: two may not be kept as one."""
        text = self._interpolator.text(node) if isinstance(node, Scalar) else ""
        if node is None or not text:
            return None
        before, placeholder, after = text.partition("{tag}")
        if placeholder and (before or after) and not set(before + after) & set("{}"):
            return Retag(text)
        self._problems.say(
            node.place, f"{text!r} is not another tag for each tag", 'write {tag} and more: "{tag}-previous"'
        )
        return None


def on_drift(node: Node | None) -> OnDrift:
    """What becomes of a tag that another hand has changed."""
    known = {one.value: one for one in OnDrift}
    return known.get(node.text, OnDrift.OVERWRITE) if isinstance(node, Scalar) else OnDrift.OVERWRITE

"""`platforms` and `require_platforms` of a spec, read into which platforms are kept and which must be there.

Values that the schema refused are passed over: it has said so already.
"""

from __future__ import annotations

from functools import partial

from imagesync.errors import Problem
from imagesync.selection import IndexForm, PlatformPattern, Platforms
from imagesync.spec.document import Map, Node, Scalar
from imagesync.spec.interpolate import Interpolator
from imagesync.spec.problems import Problems
from imagesync.spec.tags import scalars

ALL = "all"
NONE = "none"
_FORMS = {form.value: form for form in IndexForm}


class PlatformsReader:
    """Reads the values of one file; what is wrong with them is added to `problems`."""

    def __init__(self, interpolator: Interpolator, problems: list[Problem]) -> None:
        self._interpolator = interpolator
        self._problems = Problems(problems)

    def platforms(self, kept: Node | None, required: Node | None) -> Platforms:
        """What the two keys say together; with neither, every platform."""
        listed = kept.get("keep") if isinstance(kept, Map) else kept
        keep, form = self._patterns(listed, ALL), _form(kept)
        if form is IndexForm.FLATTEN and listed is not None and len(set(keep)) > 1:
            message = f"`index: flatten` keeps one platform, and {len(set(keep))} are named"
            self._problems.say(listed.place, message, "name one, or leave `index` out: the index is rewritten")
        return Platforms.of(keep, form, self._patterns(required, NONE))

    def _patterns(self, node: Node | None, nothing: str) -> list[PlatformPattern]:
        """The patterns of one text or a list; of the word that stands for no pattern, none."""
        if isinstance(node, Scalar) and node.text == nothing:
            return []
        found = map(self._pattern, scalars(node))
        return [pattern for pattern in found if pattern is not None]

    def _pattern(self, scalar: Scalar) -> PlatformPattern | None:
        """None, and a problem, for what is none: nothing at all would keep everything."""
        before = len(self._problems)
        text = self._interpolator.text(scalar)
        if len(self._problems) > before:
            return None
        return self._problems.parsed(partial(PlatformPattern.parse, text), scalar.place)


def _form(node: Node | None) -> IndexForm:
    said = node.get("index") if isinstance(node, Map) else None
    return _FORMS.get(said.text, IndexForm.REWRITE) if isinstance(said, Scalar) else IndexForm.REWRITE

"""The kinds of gates, each read from its map. Signers are read in `signers`; names and combinations in `gates`.

Values that the schema refused are passed over: it has said so already.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from imagesync.errors import InvalidReference
from imagesync.gates import Check
from imagesync.gates.age import Clock, MinAge
from imagesync.gates.approval import Approval
from imagesync.gates.command import Command
from imagesync.gates.labels import Labels, Value
from imagesync.gates.paths import PathTemplate
from imagesync.gates.platforms import RequirePlatforms
from imagesync.gates.reports import Severity
from imagesync.gates.scans import Reports
from imagesync.gates.size import Size
from imagesync.gates.soak import Soak
from imagesync.gates.trusted import Trusted
from imagesync.gates.vulnerabilities import Ignored, Vulnerabilities
from imagesync.gates.window import Freeze, Hours, Window
from imagesync.selection import PlatformPattern
from imagesync.spec.document import List, Map, Node, Scalar
from imagesync.spec.interpolate import Interpolator
from imagesync.spec.problems import Problems
from imagesync.spec.sizes import parse_size
from imagesync.spec.tags import scalars

T = TypeVar("T")
APPROVALS = "approvals/{digest_hex}/*.json"
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class ChecksReader:
    """Reads gates of one run; what is wrong with them is added to `problems`. None: it cannot be told."""

    def __init__(self, interpolator: Interpolator, problems: Problems) -> None:
        self._interpolator = interpolator
        self._problems = problems

    def require_platforms(self, node: Node) -> Check | None:
        patterns = self._all(node, PlatformPattern.parse)
        return RequirePlatforms(patterns) if patterns else None

    def labels(self, node: Node) -> Check | None:
        return Labels(self._values(_get(node, "config")), self._values(_get(node, "annotations")))

    def size(self, node: Node) -> Check | None:
        total, layer, layers = (_get(node, key) for key in ("total", "layer", "layers"))
        count = layers.value if isinstance(layers, Scalar) and isinstance(layers.value, int) else None
        said = [f"{key} {one.text}" for key, one in _items(node) if isinstance(one, Scalar)]
        return Size(_bytes(total), _bytes(layer), count, ", ".join(said))

    def window(self, node: Node) -> Check | None:
        zone = self._zone(_get(node, "timezone"))
        allow = self._all(_get(node, "allow"), Hours.parse)
        freezes = tuple(freeze for one in _list(_get(node, "freeze")) if (freeze := self._freeze(one)) is not None)
        if _get(node, "allow") is None and _get(node, "freeze") is None:
            self._problems.say(node.place, "a window that is always open", "add `allow` or `freeze`")
        if zone is None:
            return None
        hours = ", ".join(one.text for one in scalars(_get(node, "allow"))) or "at any hour"
        return Window(zone, allow, freezes, self.text(_get(node, "override")), f"{hours} {zone.key}")

    def min_age(self, node: Node) -> Check | None:
        written = _get(node, "age") if isinstance(node, Map) else node
        age, clock = span(written), _get(node, "clock")
        if age is None or not isinstance(written, Scalar):
            return None
        said = (one for one in Clock if isinstance(clock, Scalar) and clock.text == one.value)
        return MinAge(age, written.text[-1], next(said, Clock.FIRST_SEEN))

    def soak(self, node: Node) -> Check | None:
        written = _get(node, "at_least") if isinstance(node, Map) else node
        at_least = span(written)
        if at_least is None or not isinstance(written, Scalar):
            return None
        return Soak(at_least, written.text, Clock.FIRST_SEEN if _get(node, "clock") is not None else None)

    def vulnerabilities(self, node: Node, reports: Reports | None) -> Check | None:
        """`reports` is where they are; None, that cannot be told, and what else is wrong is said all the same."""
        fail_on, fixable = _get(node, "fail_on"), _get(node, "only_fixable")
        ignored = tuple(one for item in _list(_get(node, "ignore")) if (one := self._ignored(item)) is not None)
        covers = _get(node, "covers")
        severity = Severity.__members__.get(fail_on.text.upper()) if isinstance(fail_on, Scalar) else None
        if reports is None or severity is None:
            return None
        return Vulnerabilities(
            reports,
            severity,
            covers=self._all(covers, PlatformPattern.parse) if isinstance(covers, List) else (),
            max_age=span(_get(node, "max_age")),
            only_fixable=isinstance(fixable, Scalar) and fixable.value is True,
            ignored=ignored,
        )

    def approval(self, node: Node, people: tuple[str, ...], signers: tuple[Trusted, ...]) -> Check | None:
        count, files = _get(node, "count"), _get(node, "files")
        template = (
            self.template(files, escape=True) if files else PathTemplate.parse(APPROVALS, _escaped(_folder(node)))
        )
        number = count.value if isinstance(count, Scalar) and isinstance(count.value, int) else 0
        if count is not None and number > len({name.casefold() for name in people}):
            message = f"{number} approvals are wanted, and {len(people)} may give one"
            self._problems.say(count.place, message, "name more under `from`, or want fewer")
        return Approval(number, people, template, span(_get(node, "expires")), signers) if number and template else None

    def command(self, node: Node) -> Check | None:
        arguments = tuple(self.text(one) for one in scalars(_get(node, "run")))
        timeout = span(_get(node, "timeout"))
        seconds = int(timeout.total_seconds()) if timeout else 60
        return Command(arguments, _folder(node), seconds) if arguments else None

    def text(self, node: Node | None) -> str:
        """The expanded value; empty where there is none."""
        return self._interpolator.text(node) if isinstance(node, Scalar) else ""

    def said(self, node: Node | None) -> str:
        """As `text`; where something is written that comes to nothing, that is a mistake: it would demand nothing."""
        before, text = len(self._problems), self.text(node)
        if node is not None and not text and len(self._problems) == before:
            self._problems.say(node.place, "this comes to nothing", "set the variable, or leave the key out")
        return text

    def parsed(self, node: Scalar, parse: Callable[[str], T]) -> T | None:
        """What is written, parsed, be it empty."""
        before, text = len(self._problems), self.text(node)
        return self._problems.parsed(partial(parse, text), node.place) if len(self._problems) == before else None

    def _all(self, node: Node | None, parse: Callable[[str], T]) -> tuple[T, ...]:
        found = (self.parsed(one, parse) for one in scalars(node)) if node is not None else ()
        return tuple(one for one in found if one is not None)

    def _values(self, node: Node | None) -> tuple[tuple[str, Value], ...]:
        found = {
            name: self._problems.parsed(partial(Value.parse, self.text(one)), one.place)
            for name, one in _items(node)
            if isinstance(one, Scalar) and isinstance(one.value, str)
        }
        return tuple((name, value) for name, value in found.items() if value is not None)

    def template(self, node: Node | None, *, escape: bool = False) -> PathTemplate | None:
        """Where a file lies; of a glob, nothing in the folder's own name is a sign of one."""
        if not isinstance(node, Scalar):
            return None
        folder = _escaped(_folder(node)) if escape else _folder(node)
        return self.parsed(node, lambda text: PathTemplate.parse(text, folder))

    def _zone(self, node: Node | None) -> ZoneInfo | None:
        return self.parsed(node, _zone_of) if isinstance(node, Scalar) else None

    def _freeze(self, node: Node) -> Freeze | None:
        first, last, reason = (_get(node, key) for key in ("from", "to", "reason"))
        days = [self.parsed(one, _day_of) for one in (first, last) if isinstance(one, Scalar)]
        if len(days) < 2 or days[0] is None or days[1] is None:
            return None
        if days[1] < days[0]:
            self._problems.say(node.place, "this freeze ends before it begins", "`to` is its last day")
        return Freeze(days[0], days[1], self.text(reason))

    def _ignored(self, node: Node) -> Ignored | None:
        name, reason, until = (_get(node, key) for key in ("id", "reason", "until"))
        day = self.parsed(until, _day_of) if isinstance(until, Scalar) else None
        return Ignored(self.text(name), self.text(reason), day) if day is not None else None


def span(node: Node | None) -> timedelta | None:
    """A time as `72h` says it."""
    match = re.fullmatch(r"([1-9][0-9]{0,4})([smhd])", node.text) if isinstance(node, Scalar) else None
    return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None


def _folder(node: Node) -> str:
    """Of the file that says it."""
    return Path(node.place.file).parent.as_posix()


def _escaped(folder: str) -> str:
    return glob.escape(folder)


def _get(node: Node | None, key: str) -> Node | None:
    return node.get(key) if isinstance(node, Map) else None


def _items(node: Node | None) -> tuple[tuple[str, Node], ...]:
    return tuple(node.values.items()) if isinstance(node, Map) else ()


def _list(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, List) else ()


def _bytes(node: Node | None) -> int | None:
    return parse_size(node.text) if isinstance(node, Scalar) else None


def _zone_of(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        hint = "write it as Europe/Berlin; a system without time zones needs `pip install tzdata`"
        raise InvalidReference(f"{text[:40]!a} is no time zone that is known here", hint=hint) from error


def _day_of(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidReference(f"{text[:40]!a} is no date", hint="write YEAR-MONTH-DAY") from error

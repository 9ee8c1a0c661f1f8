"""Rows: the lines of a plan or report as values, grouped by registry and prefix. text and markdown set them.

Every cell has passed `printable`. Which color or fence they get is not said here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import takewhile

from imagesync.gates import Ruling
from imagesync.lazy import dataclass, replace
from imagesync.manifest import Descriptor
from imagesync.plan.actions import (
    MADE_HERE,
    Action,
    Assumed,
    Attach,
    Blocked,
    Conflict,
    Copy,
    Delete,
    Keep,
    Plan,
    Spared,
    Waiting,
)
from imagesync.plan.creating import CreateRepository
from imagesync.plan.following import Carries
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.summary import is_drifted, moved_of, verdicts_of
from imagesync.reference import Digest, Reference, Repository
from imagesync.report.model import Report, destination_of, source_of
from imagesync.report.printable import printable
from imagesync.report.units import format_bytes, format_count

MAX_NAME_WIDTH = 48
"""Longer names push their own line to the right, not every line."""
MAX_REASON_LENGTH = 1000
ADD, UPDATE, REMOVE, UNCHANGED, WAITS, REFUSED, FAILED = "+", "~", "-", "=", "…", "!", "x"
SYMBOLS = {
    Status.ATTACHED: UPDATE,
    Status.DELETED: REMOVE,
    Status.UNCHANGED: UNCHANGED,
    Status.ASSUMED: UNCHANGED,
    Status.SKIPPED: WAITS,
    Status.WAITING: WAITS,
    Status.CANCELLED: WAITS,
    Status.BLOCKED: REFUSED,
    Status.STALE: REFUSED,
    Status.FAILED: FAILED,
}
_ASSUMED = "assumed: listed and immutable, its digest was not asked for"


@dataclass(frozen=True, slots=True)
class Row:
    """One tag: `name` is relative to its group; below it stand `hint`, what to do about it, and the lines `more`."""

    symbol: str
    name: str
    digests: str = ""
    platforms: str = ""
    text: str = ""
    hint: str = ""
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under one registry and what their paths have in common."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Cells:
    """A row's parts, padded so that those of all rows stand below each other."""

    symbol: str
    name: str
    digests: str
    rest: str


def plan_groups(plan: Plan, *, verbose: bool) -> tuple[Group, ...]:
    """What would change; with `verbose` also what stays, and where each comes from."""
    look, names = _Look(verbose), _Names(plan)
    actions = [
        action
        for action in plan.actions
        if isinstance(action, Copy | Attach | Delete | Blocked | Conflict | Waiting)
        or (isinstance(action, Keep | Assumed | Spared) and (verbose or moved_of(action) is not None))
    ]
    rows = [(names.split(action.destination), _told(_planned(action, look), action)) for action in actions]
    return _grouped([*_creations(names, [one for one in actions if isinstance(one, Copy)]), *rows])


def report_groups(report: Report, *, verbose: bool) -> tuple[Group, ...]:
    """What was copied or left alone; failures are told at length elsewhere, so they have no row."""
    look, names = _Look(verbose), _Names(report.plan)
    hidden = {Status.FAILED, Status.SKIPPED} | (set() if verbose else {Status.UNCHANGED, Status.ASSUMED})
    outcomes = report.in_order()
    copied = [one.action for one in outcomes if one.status is Status.COPIED and isinstance(one.action, Copy)]
    rows = (
        (names.split(destination), _told(_done(outcome, look), outcome.action))
        for outcome in outcomes
        if (outcome.status not in hidden or (outcome.status is Status.UNCHANGED and moved_of(outcome.action)))
        and (destination := destination_of(outcome.action)) is not None
    )
    return _grouped([*_creations(names, copied, "created"), *rows])


def align(groups: Iterable[Group]) -> Callable[[Row], Cells]:
    """A function that pads a row's cells to the widths that these groups need."""
    rows = [row for group in groups for row in group.rows]
    name_width = max((len(row.name) for row in rows if len(row.name) <= MAX_NAME_WIDTH), default=0)
    digest_width = max((len(row.digests) for row in rows), default=0)
    platform_width = max((len(row.platforms) for row in rows), default=0)

    def cells(row: Row) -> Cells:
        name = f"{row.name:<{name_width}}" if row.digests or row.text else row.name
        if not row.digests:
            return Cells(row.symbol, name, "", row.text)
        columns = ([f"{row.platforms:<{platform_width}}"] if platform_width else []) + [row.text]
        return Cells(row.symbol, name, f"{row.digests:>{digest_width}}", "  ".join(columns).rstrip())

    return cells


class _Names:
    """Splits destinations into what all of one registry have in common and the rest."""

    def __init__(self, plan: Plan) -> None:
        parents: dict[str, list[list[str]]] = {}
        for action in plan.actions:
            destination = destination_of(action)
            if destination is not None:
                repository = destination.repository
                parents.setdefault(repository.registry, []).append(repository.path.split("/")[:-1])
        self._shared = {registry: _shared(paths) for registry, paths in parents.items()}

    def split(self, destination: Reference) -> tuple[str, str]:
        """The title of the group, and the name below it."""
        repository = destination.repository
        shared = self._shared[repository.registry]
        title = "/".join([repository.registry, *shared])
        return printable(title), printable(str(destination)[len(title) + 1 :])

    def beside(self, destination: Reference, repository: Repository) -> tuple[str, str]:
        """The same title, and the name of what that destination needs; in full where it stands above the title."""
        title, _ = self.split(destination)
        return title, printable(str(repository)).removeprefix(f"{title}/")


def _creations(names: _Names, copies: Iterable[Copy], verb: str = "create") -> list[tuple[tuple[str, str], Row]]:
    """What is made before anything is copied, each once, among the first of its copies."""
    firsts: dict[CreateRepository, Copy] = {}
    for copy in copies:
        if copy.creates is not None:
            firsts.setdefault(copy.creates, copy)
    return [
        (names.beside(copy.destination, creation.repository), Row(ADD, "", text=shortened(f"{verb} {creation}")))
        for creation, copy in firsts.items()
    ]


def _shared(paths: list[list[str]]) -> list[str]:
    """The first components that all paths have: those of the smallest and the largest."""
    pairs = zip(min(paths), max(paths), strict=False)
    return [left for left, right in takewhile(lambda pair: pair[0] == pair[1], pairs)]


def _grouped(rows: Iterable[tuple[tuple[str, str], Row]]) -> tuple[Group, ...]:
    groups: dict[str, list[Row]] = {}
    for (title, name), row in rows:
        groups.setdefault(title, []).append(replace(row, name=name))
    return tuple(Group(title, tuple(members)) for title, members in groups.items())


class _Look:
    """How much is shown; and which blobs an earlier line has counted, as each moves once to a registry."""

    def __init__(self, verbose: bool) -> None:
        self.verbose = verbose
        self._counted: set[tuple[str, Digest]] = set()

    def more(self, action: Action) -> tuple[str, ...]:
        if not self.verbose:
            return ()
        copy = action.copy if isinstance(action, Blocked) else action
        replaces = [f"replaces {copy.replaces}"] if isinstance(copy, Copy) and copy.replaces else []
        source = source_of(action)
        verdicts = [f"{verdict.ruling.value}: {verdict}" for verdict in verdicts_of(action)]
        lines = (*([f"from {source}"] if source else []), *replaces, *verdicts, f"{action.rule}, {action.place}")
        return tuple(printable(line) for line in lines)

    def size(self, copy: Copy) -> str:
        """`71.2 MB to copy, 28.9 MB already there`; 0 B to copy for what an earlier line copies."""
        seen = {blob for blob in copy.missing if (copy.destination.repository.registry, blob.digest) in self._counted}
        self._counted |= {(copy.destination.repository.registry, blob.digest) for blob in copy.missing}
        new = _size(blob for blob in copy.missing if blob not in seen)
        within = copy.is_within_registry
        parts = [f"{format_bytes(0 if within else new)} to copy"]
        counted = ((new if within else 0, "mounted"), (_size(seen), "as above"), (copy.present_bytes, "already there"))
        return ", ".join(parts + [f"{format_bytes(size)} {what}" for size, what in counted if size])


def _size(blobs: Iterable[Descriptor]) -> int:
    return sum(blob.size_bytes for blob in blobs)


def _planned(
    action: Copy | Attach | Keep | Assumed | Conflict | Blocked | Waiting | Delete | Spared, look: _Look
) -> Row:
    more = look.more(action)
    if isinstance(action, Keep | Assumed | Conflict | Blocked | Waiting | Spared):
        return replace(_left(action), more=more)
    if isinstance(action, Delete):
        return Row(REMOVE, "", action.digest.short, text=shortened(action.note), more=more)
    if isinstance(action, Attach):
        return Row(UPDATE, "", text=shortened(action.note), more=more)
    notes = "".join(f" ({shortened(note)})" for note in (action.note, _kept(action), *_warnings(action)) if note)
    return replace(_changed(action), text=f"{_drifted(action)}{look.size(action)}{notes}", more=more)


def _left(action: Keep | Assumed | Conflict | Blocked | Waiting | Spared) -> Row:
    """The line of a tag that stays what it is."""
    if isinstance(action, Blocked):
        return Row(REFUSED, "", text=_refused(action), hint=shortened(action.hint or ""))
    if isinstance(action, Conflict):
        return Row(REFUSED, "", text=f"blocked: {shortened(action.reason)}", hint=shortened(action.hint))
    if isinstance(action, Waiting):
        symbol, how = (REFUSED, "blocked") if action.is_refused else (WAITS, "waits")
        return Row(symbol, "", text=f"{how}: {shortened(action.reason)}", hint=shortened(action.hint or ""))
    if isinstance(action, Assumed):
        return Row(UNCHANGED, "", text=_ASSUMED)
    if isinstance(action, Spared):
        return Row(UNCHANGED, "", _short(action.digest), text=shortened(action.reason))
    return Row(UNCHANGED, "", _short(action.found))


def _done(outcome: Outcome, look: _Look) -> Row:
    action, more = outcome.action, look.more(outcome.action)
    if outcome.status is Status.COPIED and isinstance(action, Copy):
        made = MADE_HERE if action.is_made_here else ""
        kept = "".join(f" ({shortened(note)})" for note in (made, _kept(action), *_warnings(action)) if note)
        return replace(_changed(action), text=_drifted(action) + _moved(outcome) + kept, more=more)
    if outcome.status is Status.ATTACHED and isinstance(action, Attach):
        return Row(UPDATE, "", text=_attached(action, outcome), more=more)
    if outcome.status is Status.DELETED and isinstance(action, Delete):
        return Row(REMOVE, "", action.digest.short, text=shortened(outcome.reason), more=more)
    if outcome.status is Status.UNCHANGED:
        return replace(_unchanged(outcome), more=more)
    if outcome.status is Status.ASSUMED:
        return Row(UNCHANGED, "", text=_ASSUMED, more=more)
    text = f"{outcome.status.value}: {shortened(outcome.reason)}"
    if isinstance(action, Blocked):
        text = _refused(action)
    return Row(SYMBOLS[outcome.status], "", text=text, hint=shortened(outcome.hint or ""), more=more)


def _refused(action: Blocked) -> str:
    """`blocked by gate signed: no signature by …`, or what a reviewer says."""
    by = " by" if action.kind == "gate" else ":"
    return f"blocked{by} {shortened(action.reason)}"


def _warnings(copy: Copy) -> list[str]:
    """What gates say that hold nothing back."""
    return [f"warns: {one}" for one in copy.verdicts if one.ruling is Ruling.WARNED]


def _unchanged(outcome: Outcome) -> Row:
    return Row(UNCHANGED, "", _short(_found(outcome.action)), text=shortened(outcome.reason))


def _drifted(copy: Copy) -> str:
    return "drifted, " if is_drifted(copy) else ""


def _told(row: Row, action: Action) -> Row:
    """The row, saying where the source's tag went that a lock or the spec holds on to."""
    moved = moved_of(action)
    if moved is None:
        return row
    now = f"the source has {moved.now.short} now" if moved.now is not None else "the source has that tag no more"
    said = f"upstream moved: {now}"
    return replace(row, text=f"{row.text} ({said})" if row.text else said)


def _kept(copy: Copy) -> str:
    """Where what is replaced can be found from then on."""
    return f"{copy.replaces.short} kept as {copy.previous}" if copy.replaces and copy.previous else ""


def _changed(copy: Copy) -> Row:
    new = copy.root.digest.short
    platforms = format_count(len(copy.platforms), "platform") if copy.platforms else ""
    if copy.carries is not None:
        return _alias(copy, copy.carries, platforms)
    if copy.replaces is None:
        return Row(ADD, "", new, platforms)
    return Row(UPDATE, "", f"{copy.replaces.short} → {new}", platforms)


def _alias(copy: Copy, carries: Carries, platforms: str) -> Row:
    """The version that it carries, and carried: the digests are those of the versions' own tags."""
    if copy.replaces is None:
        return Row(ADD, "", carries.version, platforms)
    return Row(UPDATE, "", f"{carries.before or copy.replaces.short} → {carries.version}", platforms)


def _found(action: Action) -> Digest | None:
    """What the tag points to that turned out to be right already."""
    if isinstance(action, Copy):
        return action.root.digest
    if isinstance(action, Spared):
        return action.digest
    return action.found if isinstance(action, Keep | Attach) else None


def _short(digest: Digest | None) -> str:
    return digest.short if digest is not None else ""


def _attached(attach: Attach, outcome: Outcome) -> str:
    """`2 signatures, 1 referrer added`, and what the destination did not take."""
    if outcome.reason:
        return shortened(f"{attach.note} ({outcome.reason})")
    return shortened(f"{attach.note.removesuffix(' to add')} added")


def _moved(outcome: Outcome) -> str:
    mounted = f", {format_bytes(outcome.bytes_mounted)} mounted" if outcome.bytes_mounted else ""
    copy = outcome.action
    count = len(copy.attachments) if isinstance(copy, Copy) else 0
    beside = f", with {format_count(count, 'attachment')}" if count else ""
    left_out = f" ({shortened(outcome.reason)})" if outcome.reason else ""
    return f"{format_bytes(outcome.bytes_copied)} copied{mounted}{beside}{left_out}"


def shortened(text: str) -> str:
    """One printable line, cut where a server went on and on."""
    text = text if len(text) <= MAX_REASON_LENGTH else f"{text[:MAX_REASON_LENGTH]}…"
    return printable(text)

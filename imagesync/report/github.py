"""GitHub Actions: annotations on the lines of the spec, the step summary, outputs, and no command from a server."""

from __future__ import annotations

import posixpath
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from imagesync.errors import Place, Problem, UsageError
from imagesync.gates import Ruling
from imagesync.lazy import dataclass, replace
from imagesync.plan.actions import Action, Copy, Plan
from imagesync.plan.findings import Audit
from imagesync.plan.outcome import Status
from imagesync.plan.standing import BY_ANOTHER_HAND, Kind, Standing
from imagesync.plan.summary import is_drifted, verdicts_of
from imagesync.report.model import Report, Trouble, subject_of, troubles_of_plan, troubles_of_report
from imagesync.report.rows import shortened

MAX_ANNOTATIONS = 10
"""GitHub shows so many of one type for a step and drops the others."""
MAX_SUMMARY_BYTES = 1024 * 1024
"""Above this GitHub drops the whole summary of a step."""
_LEVELS = {
    Status.FAILED: "error",
    Status.CANCELLED: "error",
    Status.STALE: "warning",
    Status.BLOCKED: "error",
    Status.WAITING: "warning",
    Status.SKIPPED: "notice",
}
_IN_MESSAGE = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTY = {**_IN_MESSAGE, ":": "%3A", ",": "%2C"}


@dataclass(frozen=True, slots=True)
class Annotation:
    """One remark on a line of the spec; `level` is error, warning or notice."""

    level: str
    place: Place
    title: str
    message: str

    def __str__(self) -> str:
        values = {"file": self.place.file, "line": self.place.line, "col": self.place.column, "title": self.title}
        properties = ",".join(f"{name}={_escape(str(value), _IN_PROPERTY)}" for name, value in values.items() if value)
        return f"::{self.level} {properties}::{_escape(self.message, _IN_MESSAGE)}"


def annotations_of_problems(problems: Iterable[Problem], folder: str = "") -> str:
    """One error for each mistake in a spec. Here as below the files are named relative to a `folder` of the checkout;
    GitHub wants them relative to its root."""
    remarks = (
        Annotation("error", problem.place, "Mistake in the spec", _message(problem.message, problem.hint))
        for problem in problems
    )
    return _render(remarks, folder)


def annotations_of_plan(plan: Plan, folder: str = "") -> str:
    """Errors for what failed or is blocked, warnings for what waits or has drifted, notices for what waits for a later
    run by itself or is skipped."""
    troubles = map(_annotation, troubles_of_plan(plan))
    remarks = [*troubles, *_of_drift(plan.actions), *_of_gates(plan.actions), *_warnings(plan)]
    return _render(remarks, folder)


def annotations_of_report(report: Report, folder: str = "") -> str:
    """As for a plan; also errors for what was cancelled, warnings for what is stale."""
    written = [outcome.action for outcome in report.in_order() if outcome.status is Status.COPIED]
    troubles = map(_annotation, troubles_of_report(report))
    remarks = [*troubles, *_of_drift(written), *_of_gates(written), *_warnings(report.plan)]
    return _render(remarks, folder)


def annotations_of_audit(audit: Audit, folder: str = "") -> str:
    """An error for each finding, on the line of the first tag that it is of."""
    remarks = (
        Annotation("error", tags[0].place, shortened(f"{finding.subject} {finding.kind.value}"), said)
        for finding, tags in audit.findings().items()
        for said in [_message(finding.reason, finding.hint)]
    )
    return _render(remarks, folder)


def annotations_of_standings(tags: Iterable[Standing], folder: str = "") -> str:
    """An error for what cannot be read, a warning for what another hand has changed, a notice for the rest."""
    remarks = (
        Annotation(_level(tag.kind), tag.place, shortened(f"{tag.subject} {tag.kind.value}"), said)
        for tag in tags
        for said in [_message(tag.reason, tag.hint)]
    )
    return _render(remarks, folder)


def _level(kind: Kind) -> str:
    if kind is Kind.UNREADABLE:
        return "error"
    return "warning" if kind in BY_ANOTHER_HAND else "notice"


def _warnings(plan: Plan) -> list[Annotation]:
    """What of the spec came to nothing."""
    return [Annotation("warning", one.place, "Of no use in the spec", shortened(one.message)) for one in plan.warnings]


def append_summary(path: str, text: str) -> None:
    """Add Markdown to the step summary; what no longer fits leaves it as it is. Raises UsageError."""
    file = Path(path)
    used = file.stat().st_size if file.exists() else 0
    if used + len(text.encode()) + 2 <= MAX_SUMMARY_BYTES:
        _append(file, f"{text.rstrip()}\n\n")


def write_outputs(path: str, values: Mapping[str, str]) -> None:
    """Add outputs of the step, each between delimiters that no value can guess. Raises UsageError."""
    _append(Path(path), "".join(_output(name, value) for name, value in values.items()))


def _output(name: str, value: str) -> str:
    delimiter = f"imagesync-{secrets.token_hex(16)}"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _append(file: Path, text: str) -> None:
    try:
        with file.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from error


def _of_drift(actions: Iterable[Action]) -> Iterator[Annotation]:
    """A warning for each tag that is overwritten though another hand has changed it: whose it was may want to know."""
    for action in actions:
        if isinstance(action, Copy) and is_drifted(action) and action.replaces is not None:
            what = f"another hand has changed it to {action.replaces.short}, which {action.root.digest.short} replaces"
            yield Annotation("warning", action.place, shortened(f"{action.destination} drifted"), shortened(what))


def _of_gates(actions: Iterable[Action]) -> Iterator[Annotation]:
    """A warning for each gate that would not have let an image pass, and only warns."""
    for action in actions:
        for verdict in verdicts_of(action):
            if verdict.ruling is Ruling.WARNED:
                title = shortened(f"{subject_of(action)} passes with a warning")
                yield Annotation("warning", action.place, title, _message(str(verdict), verdict.hint))


def _annotation(trouble: Trouble) -> Annotation:
    title = shortened(f"{trouble.subject} {trouble.status.value}")
    is_deferred = trouble.status is Status.WAITING and not trouble.exit_code
    level = "notice" if is_deferred else _LEVELS[trouble.status]
    return Annotation(level, trouble.place, title, _message(trouble.reason, trouble.hint))


def _message(message: str, hint: str | None) -> str:
    return "\n".join(shortened(part) for part in (message, hint) if part)


def _render(annotations: Iterable[Annotation], folder: str) -> str:
    by_level: dict[str, list[Annotation]] = {}
    for annotation in annotations:
        file = posixpath.normpath(posixpath.join(folder, annotation.place.file))
        placed = replace(annotation, place=replace(annotation.place, file=file))
        by_level.setdefault(annotation.level, []).append(placed)
    return "".join(f"{annotation}\n" for found in by_level.values() for annotation in _first_of(found))


def _first_of(found: list[Annotation]) -> list[Annotation]:
    """As many as GitHub shows; the last of them says how many there are beyond."""
    if len(found) <= MAX_ANNOTATIONS:
        return found
    shown = found[: MAX_ANNOTATIONS - 1]
    rest = found[len(shown)]
    message = f"{len(found) - len(shown)} more; the log has them all"
    return [*shown, Annotation(rest.level, Place(rest.place.file), "More of them", message)]


def _escape(text: str, table: Mapping[str, str]) -> str:
    return "".join(table.get(letter, letter) for letter in text)

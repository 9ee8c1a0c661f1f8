"""The closing sentences of a plan and of a report, the same in text and Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from imagesync.plan.actions import Plan, Purpose, Waiting, WaitsFor
from imagesync.plan.making import Found
from imagesync.plan.outcome import Status
from imagesync.plan.summary import summarise
from imagesync.plan.unit import Due, Move
from imagesync.reference import Reference
from imagesync.report.model import CANCELLED_EXIT_CODE, Report, Traffic
from imagesync.report.rows import shortened
from imagesync.report.units import format_bytes, format_count, format_seconds

if TYPE_CHECKING:
    from imagesync.plan.findings import Audit

MIN_RATE_SECONDS = 1.0
"""Below this a rate says more about the first request than about the line."""


def unit_title(plan: Plan) -> str:
    """`shop 1.4.0: dev → staging`, of a plan that is one unit; empty for others."""
    unit = plan.unit
    if unit is None:
        return ""
    is_back = unit.move is Move.ROLLBACK
    return f"{unit}: {unit.stage} goes back to it" if is_back else f"{unit}: {unit.source_stage} → {unit.stage}"


def plan_sentence(plan: Plan) -> str:
    """`Plan: 1 to add, 1 to update, 212 unchanged. 71.2 MB to copy.`, or that there is nothing to do."""
    if plan.purpose is Purpose.PRUNE:
        return prune_sentence(plan)
    summary = summarise(plan)
    rest = _counted(
        (summary.skipped, "skipped"),
        (summary.waiting, "waiting"),
        (summary.blocked, "blocked"),
        (summary.failed, "failed"),
        (summary.drifted, "drifted"),
    )
    rest += _counted((summary.upstream_moved, "upstream moved"))
    if not summary.changes and not summary.waiting and not summary.blocked and not summary.failed:
        return _no_changes(plan, (summary.unchanged, summary.assumed), rest) + _closing(plan)
    changes = [f"{summary.add} to add", f"{summary.update} to update", *_counted((summary.attach, "to attach to"))]
    changes += _counted((summary.create, "to create first"))
    parts = [*changes, *rest, *_left(summary.unchanged, summary.assumed)]
    return f"Plan: {', '.join(parts)}. {format_bytes(summary.bytes_to_copy)} to copy.{_closing(plan)}"


def report_sentence(report: Report) -> str:
    """`Done: 1 added, 1 updated, 212 unchanged. 71.2 MB copied in 4.2 s (17.0 MB/s), 431 requests.`"""
    if report.plan.purpose is Purpose.PRUNE:
        return pruned_sentence(report)
    unchanged, assumed = report.count(Status.UNCHANGED), report.count(Status.ASSUMED)
    rest = _counted(*((report.count(status), status.value) for status in _TOLD))
    rest += _counted((report.drifted, "drifted"), (report.upstream_moved, "upstream moved"))
    effort = f"{format_seconds(report.seconds)}, {format_count(report.requests, 'request')}"
    attached = report.count(Status.ATTACHED)
    is_idle = not report.count(Status.COPIED) and not report.bytes_copied and not report.bytes_mounted
    if is_idle and not attached and not report.exit_code and not report.count(Status.WAITING):
        told = _no_changes(report.plan, (unchanged, assumed), rest)
        return f"{told} {effort[0].upper()}{effort[1:]}.{_closing(report.plan)}"
    changes = [f"{report.added} added", f"{report.updated} updated", *_counted((attached, "attached to"))]
    changes += _counted((len(report.creations()), "created first"))
    parts = [*changes, *rest, *_left(unchanged, assumed)]
    counts = f"{_verdict(report)}: {', '.join(parts)}."
    return f"{counts} {_moved(report)} in {_with_rate(report, effort)}.{_closing(report.plan)}"


def prune_sentence(plan: Plan) -> str:
    """`Prune: 3 tags to delete, 1 blocked, 12 stay. Nothing was deleted: --confirm does it.`"""
    summary = summarise(plan)
    if not plan.actions:
        return "Prune: nothing there is imagesync's own by its state; `imagesync adopt` makes it so."
    rest = _counted((summary.blocked, "blocked"), (summary.failed, "failed"))
    parts = [f"{format_count(summary.delete, 'tag')} to delete", *rest, _staying(summary.spared)]
    advice = " Nothing was deleted: --confirm does it." if summary.delete else ""
    return f"Prune: {', '.join(parts)}.{advice}"


def pruned_sentence(report: Report) -> str:
    """`Done: 3 tags deleted, 12 stay. 1.2 s, 9 requests.`"""
    rest = _counted(*((report.count(status), status.value) for status in _TOLD))
    deleted = f"{format_count(report.count(Status.DELETED), 'tag')} deleted"
    effort = f"{format_seconds(report.seconds)}, {format_count(report.requests, 'request')}"
    counts = ", ".join([deleted, *rest, _staying(report.count(Status.UNCHANGED))])
    return f"{_verdict(report)}: {counts}. {effort[0].upper()}{effort[1:]}."


def _staying(tags: int) -> str:
    return f"{tags} {'stays' if tags == 1 else 'stay'}"


def audit_sentence(audit: Audit) -> str:
    """`Audit: 3 of 12 tags are not as promised: 1 missing tag, 2 missing blobs. 40 manifests, 220 blobs asked for …`"""
    from imagesync.plan.findings import Kind  # noqa: PLC0415 - not for a plan

    if not audit.tags:
        return "Audit: no tag is selected."
    counts = audit.counts()
    told = _counted(*((counts.get(kind, 0), kind.value) for kind in Kind))
    tags, broken = format_count(len(audit.tags), "tag"), len(audit.broken)
    held = f"{tags} {'is' if len(audit.tags) == 1 else 'are'} as promised"
    missed = f"{broken} of {tags} {'is' if broken == 1 else 'are'} not as promised: {', '.join(told)}"
    looked = f"{format_count(audit.manifests, 'manifest')} and {format_count(audit.blobs, 'blob')}"
    effort = f"{format_seconds(audit.seconds)}, {format_count(audit.requests, 'request')}"
    how = f"read and hashed ({format_bytes(audit.bytes_read)})" if audit.is_deep else "asked for"
    return f"Audit: {missed if broken else held}. {looked} {how} in {effort}."


_TOLD = (Status.SKIPPED, Status.WAITING, Status.BLOCKED, Status.STALE, Status.CANCELLED, Status.FAILED)


def _closing(plan: Plan) -> str:
    """What the counts do not say: which repositories were found, and what pulls were spent."""
    return "".join(f" {sentence}" for sentence in found_sentences(plan.found)) + _pulls(plan)


def due_lines(plan: Plan) -> list[str]:
    """`Due at shop/staging: 1.5.0`, or nothing and why, for every stage that takes releases by itself. Names and
    reasons in it may be anybody's."""
    return [shortened(f"Due at {due.promotion}/{due.stage}: {_due(due)}") for due in plan.due]


def _due(due: Due) -> str:
    if due.version is None:
        return f"nothing, since {due.reason}"
    return f"{due.version} ({due.reason})" if due.reason else due.version


def found_sentences(found: Iterable[Found]) -> list[str]:
    """`docker.io/bitnami/* stands for 12 repositories.`, for every glob that has found something."""
    sentences = []
    for one in (one for one in found if one.repositories or one.illegal):
        count = f"{one.repositories} {'repository' if one.repositories == 1 else 'repositories'}"
        more = f", {format_count(one.illegal, 'listed name')} left out as illegal" if one.illegal else ""
        sentences.append(f"{one.glob} stands for {count}{more}.")
    return sentences


def _pulls(plan: Plan) -> str:
    """` Used 5 pulls on docker.io, 75 left, at least 3 more needed.`, for every host that limits them."""
    needed = Counter(source.repository.registry for source in _not_read(plan))
    sentences = []
    for pulls in plan.pulls:
        more = f", at least {needed[pulls.host]} more needed" if needed[pulls.host] else ""
        sentences.append(f" Used {format_count(pulls.used, 'pull')} on {pulls.host}, {pulls.left} left{more}.")
    return "".join(sentences)


def _not_read(plan: Plan) -> set[Reference]:
    """What was not read, each source once."""
    return {
        action.source for action in plan.actions if isinstance(action, Waiting) and action.waits_for is WaitsFor.PULLS
    }


def _verdict(report: Report) -> str:
    if report.exit_code == CANCELLED_EXIT_CODE:
        return "Interrupted"
    return "Not all done" if report.exit_code else "Done"


def _moved(report: Report) -> str:
    mounted = f", {format_bytes(report.bytes_mounted)} mounted" if report.bytes_mounted else ""
    skipped = f", {format_bytes(report.bytes_skipped)} already there" if report.bytes_skipped else ""
    return f"{format_bytes(report.bytes_copied)} copied{mounted}{skipped}"


def _with_rate(report: Report, effort: str) -> str:
    if report.seconds < MIN_RATE_SECONDS or not report.bytes_copied:
        return effort
    time, _, requests = effort.partition(", ")
    return f"{time} ({format_bytes(round(report.bytes_copied / report.seconds))}/s), {requests}"


def _counted(*counts: tuple[int, str]) -> list[str]:
    return [f"{number} {what}" for number, what in counts if number]


def _left(unchanged: int, assumed: int) -> list[str]:
    return [f"{unchanged} unchanged", *_counted((assumed, "assumed"))]


def _no_changes(plan: Plan, counts: tuple[int, int], rest: list[str]) -> str:
    unchanged, assumed = counts
    if plan.due and not plan.actions:
        return "No changes."
    if not unchanged and not assumed:
        return f"No changes. {', '.join(['No tag is selected', *rest])}."
    number = unchanged or assumed
    verb = "is as the spec wants it" if number == 1 else "are as the spec wants them"
    told = f"{format_count(number, 'tag')} {verb}{'' if unchanged else ' by the tag list'}"
    return f"No changes. {', '.join([told, *_counted((assumed, 'assumed')), *rest])}."


def traffic_of(traffic: Traffic) -> str:
    """`12 HEAD manifest, 3 GET blob; 71.2 MB read, 0 B written; 1 sent again, 0 pauses`: one host's part of a run."""
    requests = ", ".join(f"{count} {kind}" for kind, count in sorted(traffic.requests.items())) or "no requests"
    size = f"{format_bytes(traffic.bytes_read)} read, {format_bytes(traffic.bytes_written)} written"
    trouble = f"; {traffic.retries} sent again, {format_count(traffic.pauses, 'pause')}"
    return f"{requests}; {size}{trouble if traffic.retries or traffic.pauses else ''}"

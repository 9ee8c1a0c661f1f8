"""An audit for a terminal or a log: each finding with the tags that it is of, then the counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from imagesync.plan.findings import Audit, Audited, Finding, Kind
from imagesync.report.printable import printable
from imagesync.report.rows import FAILED, REFUSED, shortened
from imagesync.report.sentences import audit_sentence
from imagesync.report.text import Paint
from imagesync.report.units import format_count

MAX_TAGS_SHOWN = 5
"""Of those that one finding is of; the JSON names them all."""
_BOLD, _DIM, _RED = "1", "2", "31"


def render_audit(audit: Audit, *, color: bool, verbose: bool) -> str:
    """What is not as promised, and the counts; with `verbose` also the tags that are."""
    paint = Paint(color)
    right = [tag for tag in audit.tags if not tag.findings] if verbose else []
    lines = [paint(f"= {printable(tag.subject)}", _DIM) for tag in right]
    for finding, tags in audit.findings().items():
        lines += [*_block(finding, tags, paint), ""]
    return "\n".join([*lines, paint(audit_sentence(audit), _BOLD)])


def tags_of(tags: Sequence[Audited], subject: str) -> str:
    """The tags that a finding is of, where it is not the tag itself, and where the spec asks for the first."""
    others = [tag.subject for tag in tags if tag.subject != subject]
    shown = others[:MAX_TAGS_SHOWN]
    more = [f"{format_count(len(others) - len(shown), 'tag')} more"] if len(others) > len(shown) else []
    needed = [f"of {', '.join([*shown, *more])}"] if others else []
    return printable(", ".join([*needed, tags[0].rule, str(tags[0].place)]))


def _block(finding: Finding, tags: Sequence[Audited], paint: Paint) -> Iterator[str]:
    symbol = FAILED if finding.kind is Kind.UNREADABLE else REFUSED
    yield paint(f"{symbol} {printable(finding.subject)}  {finding.kind.value}", _RED)
    yield f"    {shortened(finding.reason)}"
    if finding.hint:
        yield f"    {paint(f'→ {shortened(finding.hint)}', _BOLD)}"
    yield f"    {paint(tags_of(tags, finding.subject), _DIM)}"

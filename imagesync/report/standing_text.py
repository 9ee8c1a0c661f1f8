"""How tags stand, for a terminal or a log: a line for each that is told of, then the counts."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from imagesync.plan.standing import DIFFERING, Kind, Standing, Standings
from imagesync.report.printable import printable
from imagesync.report.rows import FAILED, REFUSED, UNCHANGED, WAITS, shortened
from imagesync.report.text import Paint
from imagesync.report.units import format_count

SYMBOLS = {
    Kind.DRIFTED: REFUSED,
    Kind.GONE: REFUSED,
    Kind.PENDING: WAITS,
    Kind.UNOWNED: WAITS,
    Kind.FOUND: UNCHANGED,
    Kind.OWNED: UNCHANGED,
    Kind.UNREADABLE: FAILED,
}
_BOLD, _DIM, _RED, _CYAN = "1", "2", "31", "36"
_COLORS = {REFUSED: _RED, FAILED: _RED, WAITS: _CYAN, UNCHANGED: _DIM}


def render_standings(tags: Collection[Standing], sentence: str, *, color: bool) -> str:
    """These tags, and the sentence about all."""
    paint = Paint(color)
    lines = [line for tag in tags for line in _lines(tag, paint)]
    return "\n".join([*lines, *([""] if lines else []), paint(sentence, _BOLD)])


def drift_sentence(found: Standings) -> str:
    """`Drift: 1 drifted, 1 gone, of 12 tags.`, with what is not as the spec wants it and no drift behind."""
    counts, tags = found.counts(), format_count(len(found.tags), "tag")
    told = [f"{counts[kind]} {kind.value}" for kind in (Kind.DRIFTED, Kind.GONE, Kind.UNREADABLE) if counts[kind]]
    others = [f"{counts[kind]} {kind.value}" for kind in (Kind.PENDING, Kind.UNOWNED) if counts[kind]]
    beside = f" Besides: {', '.join(others)}." if others else ""
    if not told:
        return f"No drift. No other hand has changed any of {tags}.{beside}"
    return f"Drift: {', '.join(told)}, of {tags}.{beside}"


def adoption_sentence(found: Standings, adopted: Collection[Standing], *, is_done: bool) -> str:
    """`Adopted 3 tags. Left: 1 differing, 2 not there. 5 were imagesync's already.`"""
    left = [tag for tag in found.tags if tag not in adopted and tag.kind is not Kind.OWNED]
    differing = sum(tag.kind in DIFFERING for tag in left)
    absent = sum(tag.found is None and tag.kind is not Kind.UNREADABLE for tag in left)
    unreadable = sum(tag.kind is Kind.UNREADABLE for tag in left)
    counts = ((differing, "differing"), (absent, "not there"), (unreadable, "not readable"))
    told = [f"{count} {what}" for count, what in counts if count]
    owned = found.counts()[Kind.OWNED] + sum(tag.kind is Kind.PENDING and tag.found is not None for tag in left)
    parts = [f"{'Adopted' if is_done else 'Would adopt'} {format_count(len(adopted), 'tag')}."]
    replaced = sum(tag.kind in DIFFERING for tag in adopted)
    differ = "differs" if replaced == 1 else "differ"
    parts += [f"{replaced} of them {differ}: the next apply brings what the source has."] if replaced else []
    parts += [f"Left: {', '.join(told)}."] if told else []
    parts += [f"{owned} {'was' if owned == 1 else 'were'} imagesync's already."] if owned else []
    return " ".join(parts)


def _lines(tag: Standing, paint: Paint) -> Iterator[str]:
    symbol = SYMBOLS[tag.kind]
    yield f"{paint(f'{symbol} {printable(tag.subject)}', _COLORS[symbol])}  {tag.kind.value}: {shortened(tag.reason)}"
    if tag.hint:
        yield f"    {paint(f'→ {shortened(tag.hint)}', _BOLD)}"

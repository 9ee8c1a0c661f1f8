"""What is new in a lock, as text and as JSON: a line for each tag that comes, moves or goes, then the counts."""

from __future__ import annotations

import json

from imagesync.plan.locking import LockChange, Renewal
from imagesync.report.printable import printable
from imagesync.report.units import format_count


def render_renewal(renewal: Renewal, *, is_check: bool) -> str:
    """For people; with `is_check` nothing was written."""
    return "\n".join([*map(_line, renewal.changes), _sentence(renewal, "would hold" if is_check else "holds")])


def renewal_to_json(renewal: Renewal) -> str:
    """Digests are null where the lock had, or has, no such tag."""
    changes = [{"tag": one.pin, "before": one.before, "after": one.after} for one in renewal.changes]
    tags = len(renewal.after.pins)
    return json.dumps({"lock": renewal.name, "tags": tags, "changed": renewal.is_changed, "changes": changes}, indent=2)


def _line(change: LockChange) -> str:
    if change.after is None:
        return printable(f"  - {change.pin}")
    if change.before is None:
        return printable(f"  + {change.pin}  {change.after.short}")
    return printable(f"  ~ {change.pin}  {change.before.short} → {change.after.short}")


def _sentence(renewal: Renewal, verb: str) -> str:
    tags = format_count(len(renewal.after.pins), "tag")
    if not renewal.is_changed:
        return f"No changes. {renewal.name} holds {tags}."
    added = sum(one.before is None for one in renewal.changes)
    removed = sum(one.after is None for one in renewal.changes)
    counts = ((added, "added"), (len(renewal.changes) - added - removed, "moved"), (removed, "removed"))
    told = ", ".join(f"{number} {what}" for number, what in counts if number)
    return f"{renewal.name} {verb} {tags}: {told or 'the same, written anew'}."

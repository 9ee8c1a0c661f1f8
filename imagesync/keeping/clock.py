"""The clock of a state: whole seconds in UTC, and how long a first sight is worth being remembered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

FORGOTTEN_AFTER = timedelta(days=400)
"""First sights older than this go, but for the latest of each tag: nobody waits for so long."""
MAX_SIGHTS = 200_000
"""Of more than this the oldest go, too: a state stays well below what is read of one (`state.document`)."""


def now() -> datetime:
    """The present second."""
    return datetime.now(UTC).replace(microsecond=0)

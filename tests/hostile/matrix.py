"""The matrix: which lie is told at which endpoint, what becomes of the image, and what is left out and why.

`outcomes.txt` has, below each lie, the kinds of errors that copies end with, and the endpoints where it was told; the
kind `copied` stands for a lie that did no harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.hostile import special
from tests.hostile.endpoints import Endpoint
from tests.hostile.liar import Lie, Tell
from tests.hostile.lies import ANYWHERE
from tests.hostile.special import SPECIAL

OUTCOMES = Path(__file__).parent / "outcomes.txt"
EVERYWHERE = tuple(Endpoint)

LEFT_OUT = {
    special.LISTS: "only lists have next pages, and names on them",
    special.LISTS[2:]: "only these lists have entries with annotations",
    special.LISTS[:2]: "only lists have names; what a list of referrers holds is parsed as an index is",
    special.READS: "only an answer about a manifest says its digest and type before it is read",
    special.GETS: "only these answers are manifests",
    special.GETS[:1]: "below a digest nothing can be nested that was not asked for",
    special.BLOBS: "only these answers are blobs",
    special.SESSIONS: "only these answers name a place to upload to",
    special.STORES: "only these answers say what was stored",
    (Endpoint.PUT,): "a manifest that is said to be stored is believed to be: a destination is believed about what "
    "it has (docs/adr/0016)",
    (Endpoint.MOUNT,): "nothing else is mounted",
    (Endpoint.HEAD_BLOB,): "only a blob is asked for by its length",
    (Endpoint.STATUS,): "only this answer says how much has arrived",
    (Endpoint.TOKEN,): "only this answer is a token",
}
"""Why the lies of some endpoints are told nowhere else."""

NEVER_TOLD = {
    "DELETE of a manifest": "apply deletes nothing; tests/cli/test_prune.py has registries that fail and lie there",
    "a tag that is equal and is not": "what a destination says of its own tags is believed (docs/adr/0016)",
}
"""Lies of the issue that no liar tells, and where they are held, or why not."""
STALLS = frozenset({"silence", "half a head", "a head letter by letter", "a body letter by letter"})
"""Lies that are waited out. All the others end sooner, unless the machine is busy: they are given time."""


def read_timeout(name: str) -> str:
    """What the spec allows a liar between two pieces of data."""
    return "500ms" if name in STALLS else "3s"


def told_at(name: str) -> tuple[Endpoint, ...]:
    """The endpoints where a lie makes sense."""
    return SPECIAL[name][0] if name in SPECIAL else EVERYWHERE


def lie_of(name: str) -> Lie:
    tell: Tell | Lie = SPECIAL[name][1] if name in SPECIAL else ANYWHERE[name]
    return tell if isinstance(tell, Lie) else Lie(tell)


def read_outcomes(text: str) -> dict[str, dict[str, frozenset[str]]]:
    """Lie to endpoint to the kinds that its image may end with: more than one where that depends on who is first."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    name = ""
    for line in text.splitlines():
        if not line.startswith(" "):
            name = line
            found[name] = {}
            continue
        kinds, _, endpoints = line.strip().partition(": ")
        found[name] |= dict.fromkeys(endpoints.split(), frozenset(kinds.split("/")))
    return found


def names() -> Iterable[str]:
    """All lies."""
    return [*ANYWHERE, *SPECIAL]

"""Gates: what an image has to fulfil before it is copied. Pure: an image and what was gathered of it in, verdicts out.

What a gate has to know it names as `Need`s; who answers them is not said here. What was not answered is a reason to
block: a gate fails closed.
"""

from imagesync.gates.candidate import Candidate, Image
from imagesync.gates.gate import Check, Gate, Mode, insisting, needs_of
from imagesync.gates.needs import (
    FirstSeen,
    JobIdentity,
    Known,
    ListFiles,
    Need,
    PushedAt,
    Ran,
    ReadConfig,
    ReadFile,
    ReadJobIdentity,
    ReadSpoken,
    RunCommand,
    TimeNow,
    Unread,
    WhoRuns,
)
from imagesync.gates.verdict import Finding, Ruling, Verdict

__all__ = [
    "Candidate",
    "Check",
    "Finding",
    "FirstSeen",
    "Gate",
    "Image",
    "JobIdentity",
    "Known",
    "ListFiles",
    "Mode",
    "Need",
    "PushedAt",
    "Ran",
    "ReadConfig",
    "ReadFile",
    "ReadJobIdentity",
    "ReadSpoken",
    "Ruling",
    "RunCommand",
    "TimeNow",
    "Unread",
    "Verdict",
    "WhoRuns",
    "insisting",
    "needs_of",
]

"""The gate `command`: a program is told of the image, and says yes or no by how it ends."""

from __future__ import annotations

import json

from imagesync.gates.candidate import Candidate
from imagesync.gates.combined import with_checks
from imagesync.gates.environment import GitHubEnvironment
from imagesync.gates.gate import Gate
from imagesync.gates.needs import Known, Need, Ran, RunCommand, Unread
from imagesync.gates.verdict import Finding
from imagesync.lazy import dataclass, replace
from imagesync.redaction import redacted

FORMAT_VERSION = 1
MAX_SAID = 200


@dataclass(frozen=True, slots=True)
class Command:
    """Started without a shell in the folder of the file that names it. 0 is yes, 1 is no, anything else a failure."""

    arguments: tuple[str, ...]
    folder: str = "."
    timeout_seconds: int = 60

    def __str__(self) -> str:
        return f"command {' '.join(self.arguments)}"

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:
        return (self._run(candidate),)

    def judge(self, candidate: Candidate, known: Known) -> Finding:
        ran = known[self._run(candidate)]
        program = self.arguments[0]
        if isinstance(ran, Unread):
            return Finding.blocked(f"{program} did not answer: {ran.reason}", ran.hint)
        said = f": {ascii(redacted(ran.said)[:MAX_SAID])[1:-1]}" if ran.said else ""
        if ran.code == 0:
            return Finding.passed(f"{program} says yes{said}")
        return Finding.blocked(f"{program} {_ended(ran)}{said}")

    def _run(self, candidate: Candidate) -> RunCommand:
        return RunCommand(self.arguments, self.folder, told(candidate), self.timeout_seconds)


@dataclass(frozen=True, slots=True)
class NotRun:
    """In place of what acts here, where whoever wrote the spec is not trusted to have programs run."""

    reason: str

    def __str__(self) -> str:
        return "what is not run"

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:  # noqa: ARG002 - nothing helps
        return ()

    def judge(self, candidate: Candidate, known: Known) -> Finding:  # noqa: ARG002 - as above
        return Finding.blocked(f"not run: {self.reason}")


def told(candidate: Candidate) -> bytes:
    """What the program reads: one JSON object, the same bytes for the same image."""
    images = [
        {"digest": image.manifest.digest, "platform": str(image.platform) if image.platform else None}
        for image in candidate.images()
    ]
    document = {
        "format_version": FORMAT_VERSION,
        "source": str(replace(candidate.source, digest=None)),
        "source_digest": candidate.source.digest,
        "destination": str(replace(candidate.destination, digest=None)),
        "digest": candidate.digest,
        "media_type": candidate.root.media_type,
        "images": images,
    }
    return json.dumps(document, sort_keys=True).encode() + b"\n"


def without_commands(gate: Gate, reason: str) -> Gate:
    """The gate, with nothing in it that would run a program, or have a server of the spec's choice asked."""
    return with_checks(gate, lambda one: NotRun(reason) if isinstance(one, Command | GitHubEnvironment) else one)


def _ended(ran: Ran) -> str:
    return "says no" if ran.code == 1 else f"ended with {ran.code}"

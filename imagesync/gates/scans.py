"""Where the reports of scanners are: in files beside the spec, or, by `attested`, at the source of what was scanned.

A file is by whoever may write it, an attestation by whom the gate names: what nobody or somebody else signed is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from imagesync.gates.candidate import Candidate, Image
from imagesync.gates.needs import Known, Need, ReadFile, Unread
from imagesync.gates.paths import PathTemplate
from imagesync.gates.reports import ScanReport, Unreadable, read_report
from imagesync.lazy import dataclass
from imagesync.reference import Digest


class Reports(Protocol):
    """Where reports are. Printed, it is what a spec says."""

    @property
    def basis(self) -> str:
        """What a verdict adds of whose word it rests on; empty for files."""
        ...

    def needs(self, candidate: Candidate, images: Sequence[Image]) -> tuple[Need, ...]: ...

    def of_each(
        self, candidate: Candidate, images: Sequence[Image], known: Known
    ) -> Iterator[tuple[ScanReport, ...] | str]:
        """The reports that count of each image, one at least, or why there is none. Raises TrustError."""
        ...

    def hint(self, candidate: Candidate, image: Image) -> str:
        """How to get one that counts."""
        ...


@dataclass(frozen=True, slots=True)
class FileReports:
    """One file for each image."""

    template: PathTemplate

    @property
    def basis(self) -> str:
        return ""

    def __str__(self) -> str:
        return str(self.template)

    def needs(self, candidate: Candidate, images: Sequence[Image]) -> tuple[Need, ...]:
        return tuple(self._file(candidate, image) for image in images)

    def of_each(
        self, candidate: Candidate, images: Sequence[Image], known: Known
    ) -> Iterator[tuple[ScanReport, ...] | str]:
        for image in images:
            yield _of_file(image, known[self._file(candidate, image)])

    def hint(self, candidate: Candidate, image: Image) -> str:
        return f"scan {named(candidate, image)} and write {self._file(candidate, image).path}"

    def _file(self, candidate: Candidate, image: Image) -> ReadFile:
        return ReadFile(self.template.of(candidate.source, image.manifest.digest))


def _of_file(image: Image, raw: bytes | Unread | None) -> tuple[ScanReport, ...] | str:
    if raw is None:
        return "not scanned: there is no report"
    if isinstance(raw, Unread):
        return f"the report cannot be read: {raw.reason}"
    try:
        report = read_report(raw)
    except Unreadable as error:
        return f"the report cannot be read: {error.reason}"
    if report.digests & digests_of(image):
        return (report,)
    return f"the report is of another image: {', '.join(sorted(report.digests)[:1]) or 'none that it names'}"


def digests_of(image: Image) -> frozenset[Digest]:
    """What a scanner may call the image."""
    return frozenset((image.manifest.digest, image.manifest.config.digest))


def named(candidate: Candidate, image: Image) -> str:
    """What is to be scanned."""
    return f"{candidate.source.repository}@{image.manifest.digest}"

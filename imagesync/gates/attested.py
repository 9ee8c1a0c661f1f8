"""Reports of scanners as attestations: of the image, or of the index that lists it, by whom a gate names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from imagesync.gates.age import parse_time
from imagesync.gates.candidate import Candidate, Image
from imagesync.gates.needs import Known, Need, ReadSpoken, Unread
from imagesync.gates.reports import ScanReport, Unreadable, report_of
from imagesync.gates.scans import digests_of, named
from imagesync.gates.trusted import Signers, Trusted
from imagesync.gates.verdict import Finding
from imagesync.lazy import dataclass, replace
from imagesync.reference import Digest
from imagesync.signature import Attested, LeftUnread, WantedAttestation
from imagesync.signature.document import text_at, value_at
from imagesync.signature.statement import COSIGN_VULNERABILITIES


@dataclass(frozen=True, slots=True)
class AttestedReports:
    """Attestations of an image, or of the index that lists it where the report itself names the image.

    The newest of them counts. One that does not say when the scan was counts always: an older may not hide behind it.
    """

    by: Trusted
    predicate_type: str = COSIGN_VULNERABILITIES

    @property
    def basis(self) -> str:
        return f", attested by {self.by}"

    def __str__(self) -> str:
        return f"attestation of {self.predicate_type} by {self.by}"

    def needs(self, candidate: Candidate, images: Sequence[Image]) -> tuple[Need, ...]:
        digests = (_listed_by(candidate), *(image.manifest.digest for image in images))
        return tuple(dict.fromkeys(map(ReadSpoken, digests)))

    def of_each(
        self, candidate: Candidate, images: Sequence[Image], known: Known
    ) -> Iterator[tuple[ScanReport, ...] | str]:
        signers = Signers(self.by, self.by.trust())
        of_index = self._attested(_listed_by(candidate), signers, known)
        for image in images:
            digest = image.manifest.digest
            own = of_index if digest == _listed_by(candidate) else self._attested(digest, signers, known)
            yield own.unread or of_index.unread or _newest(image, own, of_index)

    def hint(self, candidate: Candidate, image: Image) -> str:
        name = named(candidate, image)
        kind = "vuln" if self.predicate_type == COSIGN_VULNERABILITIES else self.predicate_type
        return f"scan {name} and attest the report: `cosign attest --type {kind} --predicate REPORT {name}`"

    def _attested(self, digest: Digest, signers: Signers, known: Known) -> _Scans:
        pieces = known[ReadSpoken(digest)]
        left = _left_unread(pieces)
        if left is not None:
            return _Scans(unread=f"a newer report may be in what was not read: {left.reason}")
        good = signers.good(WantedAttestation(digest, self.predicate_type), pieces)
        if isinstance(good, Finding):
            return _Scans(unread=good.reason) if isinstance(pieces, Unread) else _Scans(missing=good.reason)
        return _Scans(tuple(_scan_of(one.attested) for one in good if one.attested is not None))


@dataclass(frozen=True, slots=True)
class _Scan:
    """What one statement that verifies says of a scan: when it was, and the report, or why that cannot be read."""

    made_at: datetime | None
    report: ScanReport | Unreadable

    def names(self, image: Image) -> bool:
        """Whether the report says itself that it is of this image; one that cannot be read may be of any."""
        return isinstance(self.report, Unreadable) or bool(self.report.digests & digests_of(image))

    def is_silent(self) -> bool:
        """Whether the statement's subject alone says what was scanned, as with SARIF."""
        return isinstance(self.report, ScanReport) and not self.report.digests


@dataclass(frozen=True, slots=True)
class _Scans:
    """All that was attested of one digest; `unread` is why that is not known, `missing` why there is none."""

    scans: tuple[_Scan, ...] = ()
    missing: str = ""
    unread: str = ""


def _left_unread(pieces: object) -> LeftUnread | None:
    found = pieces if isinstance(pieces, tuple) else ()
    return next((piece for piece in found if isinstance(piece, LeftUnread)), None)


def _newest(image: Image, own: _Scans, of_index: _Scans) -> tuple[ScanReport, ...] | str:
    scans = [one for one in own.scans if one.is_silent() or one.names(image)]
    scans += [one for one in of_index.scans if one not in scans and one.names(image)]
    if not scans:
        return _none_of_it(own, of_index)
    latest = max((one.made_at for one in scans if one.made_at), default=None)
    counted = [one for one in scans if one.made_at in (None, latest)]
    broken = next((one.report.reason for one in counted if isinstance(one.report, Unreadable)), None)
    if broken is not None:
        return f"the report cannot be read: {broken}"
    return tuple(replace(one.report, made_at=one.made_at) for one in counted if isinstance(one.report, ScanReport))


def _none_of_it(own: _Scans, of_index: _Scans) -> str:
    if own.scans or of_index.scans:
        return "not scanned: what is attested is of other images, or names none"
    return f"not scanned: {'; '.join(dict.fromkeys((own.missing, of_index.missing)))}"


def _scan_of(attested: Attested) -> _Scan:
    """cosign's predicate says when the scan has finished, and holds the report; any other is a report."""
    predicate, finished = attested.predicate, None
    if attested.predicate_type == COSIGN_VULNERABILITIES:
        finished = parse_time(text_at(predicate, "metadata", "scanFinishedOn"))
        predicate = value_at(predicate, "scanner", "result")
    try:
        report = report_of(predicate)
    except Unreadable as error:
        return _Scan(finished, error)
    return _Scan(finished or report.made_at, report)


def _listed_by(candidate: Candidate) -> Digest:
    """What the source's tag points to: of an index that is narrowed on the way, nobody has attested anything."""
    return candidate.source.digest or candidate.digest

"""Verdicts on an image: judged as its evidence is read, and shown as text or JSON with foreign text escaped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imagesync.cli.evidence import read_evidence
from imagesync.cli.output import to_json
from imagesync.lazy import dataclass
from imagesync.reference import Digest
from imagesync.report.printable import printable
from imagesync.signature import Rejected, Trust, Verdict, Verified, Wanted, decide, verify
from imagesync.store import Readable


@dataclass(frozen=True, slots=True)
class Judged:
    """One manifest, the verdict on it, and what was found: where, and the verdict on that alone."""

    digest: Digest
    platform: str
    verdict: Verdict
    found: tuple[tuple[str, Verdict], ...]

    @property
    def is_good(self) -> bool:
        return isinstance(self.verdict, Verified)


@dataclass(frozen=True, slots=True)
class Judge:
    """Asks every manifest of an image the same; what is wanted names the digest."""

    store: Readable
    trust: Trust

    def judge(self, wanted: Wanted, platform: str) -> Judged:
        """Raises StoreError where the evidence cannot be read."""
        found = tuple(
            (one.where, one.piece if isinstance(one.piece, Rejected) else verify(one.piece, wanted, self.trust))
            for one in read_evidence(self.store, wanted.digest)
        )
        return Judged(wanted.digest, platform, decide((verdict for _, verdict in found), wanted), found)


def verdicts_as_text(name: str, judged: list[Judged]) -> str:
    lines = [name]
    for one in judged:
        lines.append(f"  {'verified' if one.is_good else 'rejected'}  {one.digest}  {one.platform}")
        lines += [f"    {_symbol(verdict)} {where}  {_in_words(verdict)}" for where, verdict in one.found]
        lines += [] if one.found else [f"    - {_in_words(one.verdict)}"]
    return "\n".join(printable(line.rstrip()) for line in lines)


def verdicts_as_json(name: str, judged: list[Judged]) -> str:
    manifests = [
        {
            "digest": one.digest,
            "platform": one.platform,
            **_as_dict(one.verdict),
            "evidence": [{"where": where, **_as_dict(verdict)} for where, verdict in one.found],
        }
        for one in judged
    ]
    return to_json({"reference": name, "verified": all(one.is_good for one in judged), "manifests": manifests})


def _symbol(verdict: Verdict) -> str:
    return "+" if isinstance(verdict, Verified) else "-"


def _in_words(verdict: Verdict) -> str:
    return verdict.reason if isinstance(verdict, Rejected) else ", ".join(_parts(verdict))


def _parts(verdict: Verified) -> Iterator[str]:
    yield f"signed by {verdict.by}"
    if verdict.signed_identity:
        yield f"as {verdict.signed_identity}"
    if verdict.log_time:
        promise = " (promise)" if verdict.is_promised else ""
        yield f"logged{promise} {verdict.log_time:%Y-%m-%dT%H:%M:%SZ}"
    if verdict.attested:
        yield f"attests {verdict.attested.predicate_type}"
        yield from [f"built by {verdict.attested.builder}"] if verdict.attested.builder else []
        yield from [f"built from {verdict.attested.source}"] if verdict.attested.source else []


def _as_dict(verdict: Verdict) -> dict[str, Any]:
    if isinstance(verdict, Rejected):
        return {"verified": False, "reason": printable(verdict.reason)}
    said = verdict.attested
    names = {"predicate_type": said.predicate_type, "builder": said.builder, "source": said.source} if said else {}
    return {
        "verified": True,
        "by": printable(verdict.by),
        "signed_identity": printable(verdict.signed_identity),
        "log_time": f"{verdict.log_time:%Y-%m-%dT%H:%M:%SZ}" if verdict.log_time else None,
        "log_promised": verdict.is_promised,
        "attested": {name: printable(text) for name, text in names.items()} or None,
    }

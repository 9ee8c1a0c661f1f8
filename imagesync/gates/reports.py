"""Reports of vulnerability scanners: Trivy's and Grype's JSON, and SARIF, as the same few values.

Anybody may have written them. What is not as it should be raises Unreadable, and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import IntEnum
from typing import Any

from imagesync.gates.age import parse_time
from imagesync.lazy import dataclass

MAX_FINDINGS = 200_000
_DIGEST = re.compile(r"sha(256|512):[0-9a-f]{64,128}")
_PACKAGES = ("os-pkgs", "lang-pkgs")
"""The classes of Trivy's results that are of packages; others are of secrets, licences and settings."""
_NAMES_OF_DIGESTS = ("ImageID", "imageID", "manifestDigest", "imageDigest", "RepoDigests", "repoDigests")


class Severity(IntEnum):
    """How bad it is; what a scanner does not rate counts as high, since nobody has said that it is not."""

    NEGLIGIBLE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @classmethod
    def parse(cls, text: object) -> Severity:
        return cls.__members__.get(text.upper(), cls.HIGH) if isinstance(text, str) else cls.HIGH

    @classmethod
    def of_score(cls, score: float) -> Severity:
        """By the bounds of CVSS 3."""
        bounds = ((9.0, cls.CRITICAL), (7.0, cls.HIGH), (4.0, cls.MEDIUM), (0.1, cls.LOW))
        return next((severity for bound, severity in bounds if score >= bound), cls.NEGLIGIBLE)


_LEVELS = {"warning": Severity.MEDIUM, "note": Severity.LOW, "none": Severity.NEGLIGIBLE}
"""Of SARIF; `error`, and what says none, is high."""


class Unreadable(Exception):
    """The text is no report that can be judged."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One that the scanner has found; `is_fixable` also where it does not say."""

    name: str
    severity: Severity
    package: str = ""
    is_fixable: bool = True


@dataclass(frozen=True, slots=True)
class ScanReport:
    """`digests` are those of the image that was scanned, of its manifest or its config. `made_at` may not be said."""

    scanner: str
    digests: frozenset[str]
    made_at: datetime | None
    vulnerabilities: tuple[Vulnerability, ...]


def read_report(raw: bytes) -> ScanReport:
    """Raises Unreadable."""
    return report_of(_parsed(raw))


def report_of(document: object) -> ScanReport:
    """The same of JSON that has been read, in which no key stands twice. Raises Unreadable."""
    if not isinstance(document, dict):
        raise Unreadable("it is not a JSON object")
    if isinstance(document.get("runs"), list):
        return _sarif(document)
    if isinstance(document.get("matches"), list):
        return _grype(document)
    if "SchemaVersion" in document:
        return _trivy(document)
    raise Unreadable("it is no report of Trivy or Grype, and no SARIF")


def _parsed(raw: bytes) -> object:
    try:
        return json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise Unreadable("it is not JSON, or has a key twice") from error


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _trivy(document: Mapping[str, Any]) -> ScanReport:
    results = [one for one in _maps(_list(document.get("Results"))) if one.get("Class", "os-pkgs") in _PACKAGES]
    if not results:
        raise Unreadable("it has no results for packages: nothing in the image was looked at")
    found = [one for result in results for one in _maps(_list(result.get("Vulnerabilities")))]
    listed = tuple(
        Vulnerability(
            _text(one, "VulnerabilityID"),
            Severity.parse(one.get("Severity")),
            _text(one, "PkgName"),
            bool(_text(one, "FixedVersion")),
        )
        for one in _bounded(found)
    )
    return ScanReport("trivy", _digests(document.get("Metadata")), parse_time(document.get("CreatedAt")), listed)


def _grype(document: Mapping[str, Any]) -> ScanReport:
    listed = tuple(_match(one) for one in _bounded(list(_maps(document["matches"]))))
    made_at = parse_time(_map(document.get("descriptor")).get("timestamp"))
    return ScanReport("grype", _digests(_map(document.get("source")).get("target")), made_at, listed)


def _match(match: Mapping[str, Any]) -> Vulnerability:
    inner, fix = _map(match.get("vulnerability")), _map(_map(match.get("vulnerability")).get("fix"))
    package = _text(_map(match.get("artifact")), "name")
    is_fixable = fix.get("state") in ("fixed", None)
    return Vulnerability(_text(inner, "id"), Severity.parse(inner.get("severity")), package, is_fixable)


def _sarif(document: Mapping[str, Any]) -> ScanReport:
    runs = list(_maps(document["runs"]))
    if not runs or not all(isinstance(run.get("results"), list) for run in runs):
        raise Unreadable("a run of it has no results")
    found = [one for run in runs for one in _results(run)]
    digests = frozenset[str]().union(*(_digests(run.get("properties")) for run in runs))
    times = [parse_time(one.get("endTimeUtc")) for run in runs for one in _maps(_list(run.get("invocations")))]
    return ScanReport("sarif", digests, min((time for time in times if time), default=None), tuple(_bounded(found)))


def _results(run: Mapping[str, Any]) -> Iterator[Vulnerability]:
    """What a scanner has suppressed counts all the same: who may ignore what, the gate says."""
    rules = list(_list(_map(_map(run.get("tool")).get("driver")).get("rules")))
    by_name = {_text(rule, "id"): rule for rule in _maps(rules)}
    for result in _maps(run["results"]):
        if result.get("kind") not in ("pass", "notApplicable"):
            name = _text(result, "ruleId")
            rule = by_name.get(name, {})
            yield Vulnerability(name, _rated(result, rule))


def _rated(result: Mapping[str, Any], rule: Mapping[str, Any]) -> Severity:
    """By the score that GitHub reads, else by the level."""
    score = _score(_map(rule.get("properties")).get("security-severity"))
    if score is not None:
        return Severity.of_score(score)
    level = result.get("level") or _map(rule.get("defaultConfiguration")).get("level")
    return _LEVELS.get(level, Severity.HIGH) if isinstance(level, str) else Severity.HIGH


def _score(value: object) -> float | None:
    """A number from 0 to 10, as text or not; None for anything else."""
    try:
        score = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else -1.0
    except (ValueError, OverflowError):
        return None
    return score if 0.0 <= score <= 10.0 else None


def _digests(value: object) -> frozenset[str]:
    """Those that stand where scanners name what they have scanned."""
    named = [found for name in _NAMES_OF_DIGESTS for found in _list_or_one(_map(value).get(name))]
    texts = [text.rpartition("@")[2] for text in named if isinstance(text, str)]
    return frozenset(text for text in texts if _DIGEST.fullmatch(text))


def _bounded(found: list[Any]) -> list[Any]:
    if len(found) > MAX_FINDINGS:
        raise Unreadable(f"it has more than {MAX_FINDINGS} findings")
    return found


def _maps(values: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    """Raises Unreadable for what is none: a finding is not passed over."""
    for value in values:
        if not isinstance(value, dict):
            raise Unreadable("a finding of it is no JSON object")
        yield value


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise Unreadable("a list of it is something else")
    return value or []


def _list_or_one(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""

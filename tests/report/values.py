"""Makers of plans and reports for the renderers: short digests that can be told apart at a glance."""

from __future__ import annotations

from imagesync.errors import Place
from imagesync.manifest import OCI_INDEX, Descriptor
from imagesync.plan.actions import (
    Action,
    Assumed,
    Attach,
    Blocked,
    Conflict,
    Copy,
    Failure,
    Keep,
    Plan,
    Skip,
    SpecPin,
    Waiting,
)
from imagesync.plan.findings import Audit, Audited, Finding, Kind
from imagesync.plan.outcome import Outcome, Status
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.registry.traffic import TrafficCounts
from imagesync.report.model import Report

SOURCE_TRAFFIC = TrafficCounts({"GET blob": 4, "GET manifest": 5}, bytes_read=71_200_000, retries=1)
REGISTRY = "registry.internal:5000"
THREE = ("linux/amd64", "linux/arm64", "linux/arm/v7")
HOSTILE = "\r\n::error::owned\x1b[2J ```\n</details><img src=x> @team #1 | [a](http://b) \u202e ##[group] \ud800"
"""What a bad registry may send as an error's text."""


def make_digest(letter: str) -> Digest:
    return Digest(f"sha256:{letter * 64}")


def make_blob(letter: str, size_bytes: int) -> Descriptor:
    return Descriptor("application/octet-stream", make_digest(letter), size_bytes)


def make_place(line: int = 6) -> Place:
    return Place("sync.yaml", line, 9)


def make_copy(
    name: str = "mirror/nginx:1.27.3",
    *,
    digest: str = "4",
    replaces: str = "",
    registry: str = REGISTRY,
    source_registry: str = "docker.io",
    missing: tuple[Descriptor, ...] = (),
    present_bytes: int = 0,
    platforms: tuple[str, ...] = THREE,
    note: str = "",
) -> Copy:
    path, _, tag = name.partition(":")
    root = Descriptor(OCI_INDEX, make_digest(digest), 2048)
    return Copy(
        rule=f"bases/{path.rpartition('/')[2]}",
        place=make_place(),
        source=Reference(Repository(source_registry, "library/nginx"), Tag(tag), root.digest),
        destination=Reference(Repository(registry, path), Tag(tag)),
        root=root,
        replaces=make_digest(replaces) if replaces else None,
        platforms=platforms,
        missing=missing,
        present_bytes=present_bytes,
        note=note,
    )


def make_keep(name: str = "mirror/alpine:3.20") -> Keep:
    path, _, tag = name.partition(":")
    source = Reference(Repository("docker.io", "library/alpine"), Tag(tag), make_digest("a"))
    return Keep(rule="bases/alpine", place=make_place(8), source=source, destination=_to(path, tag))


def make_assumed(name: str = "mirror/alpine:3.19") -> Assumed:
    keep = make_keep(name)
    source = Reference(keep.source.repository, keep.source.tag)
    return Assumed(rule=keep.rule, place=keep.place, source=source, destination=keep.destination)


def make_conflict(name: str = "mirror/alpine:3.20", found: str = "b") -> Conflict:
    keep = make_keep(name)
    return Conflict(
        rule=keep.rule,
        place=keep.place,
        source=keep.source,
        destination=keep.destination,
        found=make_digest(found),
    )


def make_attach(name: str = "mirror/nginx:latest", note: str = "2 signatures, 1 referrer to add") -> Attach:
    path, _, tag = name.partition(":")
    source = Reference(Repository("docker.io", "library/nginx"), Tag(tag), make_digest("4"))
    attachment = make_copy(f"{path}:sha256-{'4' * 64}.sig", digest="5", replaces="6", platforms=())
    return Attach(
        rule="bases/nginx",
        place=make_place(),
        source=source,
        destination=_to(path, tag),
        attachments=(attachment,),
        note=note,
    )


def make_failure(
    subject: str = f"{REGISTRY}/mirror/redis:7.4", reason: str = "source is gone", hint: str | None = "look for it"
) -> Failure:
    return Failure(rule="bases/redis", place=make_place(9), subject=subject, reason=reason, kind="not-found", hint=hint)


def make_skip(reason: str = "no tag is selected") -> Skip:
    return Skip(rule="bases/busybox", place=make_place(10), subject="docker.io/library/busybox", reason=reason)


def make_blocked(reason: str = "not in the approved plan") -> Blocked:
    return Blocked(copy=make_copy("mirror/app:2.0.0", digest="b"), reason=reason)


def make_waiting(name: str = "mirror/app:3", *, exit_code: int = 3) -> Waiting:
    return Waiting(
        rule="sync[0]/app",
        place=make_place(),
        source=make_keep(name).source,
        destination=make_keep(name).destination,
        reason="not read (budget)",
        exit_code=exit_code,
    )


def make_plan(*actions: Action) -> Plan:
    return Plan(actions, specs=(SpecPin("sync.yaml", "0" * 64),))


def sample_plan() -> Plan:
    """One of everything."""
    blob = make_blob("e", 71_200_000)
    return make_plan(
        make_copy(missing=(blob,), present_bytes=28_900_000),
        make_copy("mirror/nginx:latest", replaces="9", missing=(blob,), present_bytes=28_900_000),
        make_copy("ghost/app:1", registry="other.internal", digest="c", platforms=(), note="not readable, will try"),
        make_keep(),
        make_keep("mirror/alpine:3.21"),
        make_skip(),
        make_blocked(),
        make_failure(),
    )


def sample_report() -> Report:
    """A run of `sample_plan` in which one tag turned out to be stale, with outcomes in the order they came."""
    plan = sample_plan()
    new, latest, ghost, *kept, skip, blocked, failure = plan.actions
    outcomes = (
        *(Outcome(action, Status.UNCHANGED) for action in kept),
        Outcome(skip, Status.SKIPPED, "no tag is selected"),
        Outcome(blocked, Status.BLOCKED, "not in the approved plan", exit_code=3),
        Outcome(failure, Status.FAILED, "source is gone", "look for it", "not-found", exit_code=1),
        Outcome(latest, Status.STALE, "the tag pointed to another digest", exit_code=3),
        Outcome(new, Status.COPIED, bytes_copied=71_200_000, seconds=4.2),
        make_failed(ghost),
    )
    return Report(
        plan,
        outcomes,
        4.2,
        {"docker.io": SOURCE_TRAFFIC, REGISTRY: TrafficCounts({"PUT manifest": 14}, bytes_written=71_200_000)},
    )


def make_failed(action: Action, reason: str = "destination other.internal/ghost/app:1: PUT manifest: 403") -> Outcome:
    hint = "`imagesync login other.internal`, with an account that may push"
    return Outcome(action, Status.FAILED, reason, hint, "authentication", exit_code=1)


def make_report(*outcomes: Outcome, seconds: float = 0.5) -> Report:
    return Report(make_plan(*(outcome.action for outcome in outcomes)), outcomes, seconds)


def _to(path: str, tag: str) -> Reference:
    return Reference(Repository(REGISTRY, path), Tag(tag))


def make_audited(name: str, *findings: Finding) -> Audited:
    path, _, tag = name.partition(":")
    source = Reference(Repository("docker.io", "library/app"), Tag(tag), make_digest("a"))
    return Audited("bases/app", make_place(), f"{REGISTRY}/{path}:{tag}", source, findings)


def sample_audit(reason: str = "no route") -> Audit:
    """Eight tags: one is whole, six lack one blob, the last of them cannot be read either, one is missing."""
    lacking = Finding(
        Kind.MISSING_BLOB,
        f"{REGISTRY}/mirror/app@{make_digest('b')}",
        "the blob of 5 bytes is not there",
        "push it again",
    )
    unreadable = Finding(Kind.UNREADABLE, f"{REGISTRY}/mirror/app@{make_digest('c')}", reason)
    missing = Finding(
        Kind.MISSING_TAG, f"{REGISTRY}/mirror/app:8", "the tag is not there", "`imagesync apply` brings it"
    )
    tags = [make_audited("mirror/app:1"), *(make_audited(f"mirror/app:{number}", lacking) for number in range(2, 7))]
    tags += [make_audited("mirror/app:7", lacking, unreadable), make_audited("mirror/app:8", missing)]
    pins = (SpecPin("sync.yaml", "0" * 64),)
    return Audit(tuple(tags), pins, manifests=3, blobs=1, bytes_read=0, seconds=0.5, requests=20)

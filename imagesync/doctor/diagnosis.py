"""Diagnosis: from what was found out about a registry to its checks. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from imagesync.doctor.answering import answer_checks, is_registry
from imagesync.doctor.check import Check, Diagnosis, Status, Topic
from imagesync.doctor.facts import Facts
from imagesync.doctor.reaching import is_reached, way_checks
from imagesync.doctor.rights import right_checks
from imagesync.doctor.subjects import Right

_TOPICS = {Right.ENTER: Topic.LOGIN, Right.PULL: Topic.PULL, Right.PUSH: Topic.PUSH, Right.DELETE: Topic.DELETE}


def diagnose(facts: Facts, now: float) -> Diagnosis:
    """All that can be said of a registry at this time, in seconds of time.time()."""
    return Diagnosis(facts.subject.host, facts.subject.roles, tuple(_checks(facts, now)))


def _checks(facts: Facts, now: float) -> Iterator[Check]:
    if facts.sounding is None:
        step = "give it more with --timeout, or look at this one alone with --registry"
        yield Check(Topic.CONNECTION, Status.FAILED, "the time was up before it was looked at", step)
    yield from way_checks(facts, now)
    yield from answer_checks(facts)
    if is_reached(facts) and is_registry(facts.ping):
        yield from right_checks(facts)
    else:
        yield from _skipped(facts)


def _skipped(facts: Facts) -> Iterator[Check]:
    """What could not be asked: it is still said which repositories that concerns."""
    for want in facts.subject.wants:
        about = "" if want.right is Right.ENTER else want.repository.path
        yield Check(_TOPICS[want.right], Status.SKIPPED, "not asked, for what is wrong above", about=about)

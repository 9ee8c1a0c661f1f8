"""The line through the house: survey, diff, review, execute. Everything else hangs on it."""

from __future__ import annotations

from collections.abc import Iterator

from imagesync.executor import Executor
from imagesync.plan.actions import Plan, SpecPin
from imagesync.plan.diff import diff
from imagesync.plan.outcome import Outcome
from imagesync.plan.review import Reviewer, review
from imagesync.spec.model import Spec
from imagesync.store import Stores
from imagesync.survey import survey
from imagesync.tasks import Tasks


def make_plan(spec: Spec, stores: Stores, tasks: Tasks) -> Plan:
    """Read both sides and say what would be done; nothing is written anywhere."""
    wants, inventory = survey(spec.rules, stores, tasks)
    return diff(wants, inventory, tuple(SpecPin(file.path, file.sha256) for file in spec.files))


def carry_out(plan: Plan, executor: Executor, reviewers: tuple[Reviewer, ...] = ()) -> Iterator[Outcome]:
    """Review a plan and do what review allows."""
    return executor.run(review(plan, reviewers))

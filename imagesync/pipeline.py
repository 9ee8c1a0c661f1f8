"""The line through the house: survey, diff, review, execute. Everything else hangs on it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from imagesync.lazy import replace
from imagesync.manifest import Content
from imagesync.plan.actions import Action, Plan, Purpose, SpecPin
from imagesync.plan.dead import find_dead, with_unlisted
from imagesync.plan.diff import diff
from imagesync.plan.gathering import gather_anew
from imagesync.plan.outcome import Outcome
from imagesync.plan.questions import together
from imagesync.plan.reading import Seen
from imagesync.plan.review import ReviewedPlan, Reviewer, review
from imagesync.plan.wants import Wanted
from imagesync.reference import Digest, Reference
from imagesync.spec.model import Rule, Spec
from imagesync.state import NOTHING_REMEMBERED, State
from imagesync.store import Stores
from imagesync.survey import Survey, ask, read_catalogs, read_choices
from imagesync.tasks import Task, Tasks, Watch

if TYPE_CHECKING:
    from imagesync.executor import Executor


def make_plan(
    spec: Spec, stores: Stores, tasks: Tasks, *, incomplete: Collection[Reference] = (), state: State | None = None
) -> Plan:
    """Read both sides, and say what would be done and what gates hold back; nothing is written anywhere. Raises
    Cancelled."""
    watch: Watch[Any] = tasks.watch()
    drawing = Drawing(spec, stores, tasks, incomplete=incomplete, state=state)
    contents: dict[Digest, Content] = {}
    for part in drawing.begin(watch):
        contents.update(part.contents)
    for task in watch:
        for part in drawing.advance(task, watch):
            contents.update(part.contents)
    drawing.check()
    return replace(drawing.plan, contents=contents)


def carry_out(plan: Plan, executor: Executor, reviewers: tuple[Reviewer, ...] = ()) -> Iterator[Outcome]:
    """Review a plan and do what review allows."""
    yield from execute(review(plan, reviewers), executor)


def with_gates(plan: Plan, spec: Spec, state: State | None, *, stores: Stores, tasks: Tasks) -> Plan:
    """A plan from a file, with what the spec's gates have to know by now of each copy. Raises Cancelled."""
    return ask(gather_anew(plan, spec.rules, state or NOTHING_REMEMBERED), stores, tasks)


def execute(reviewed: ReviewedPlan, executor: Executor) -> Iterator[Outcome]:
    """Do what a review has allowed."""
    yield from executor.carry_out(reviewed)


def plan_prune(spec: Spec, chosen: Sequence[Rule], state: State, *, stores: Stores, tasks: Tasks) -> ReviewedPlan:
    """Read what is needed to say what would be deleted for the chosen rules, and review it; nothing is written
    anywhere. What is wanted the whole spec says. Raises Cancelled."""
    from imagesync.plan.leftovers import case_of  # noqa: PLC0415 - few runs prune
    from imagesync.plan.pruning import at_most, prune  # noqa: PLC0415
    from imagesync.plan.targets import not_found, targets_of, writers_of  # noqa: PLC0415

    catalogs = read_catalogs([*chosen, *spec.rules], stores, tasks)
    targets = targets_of(chosen, spec, catalogs)
    choices = read_choices(writers_of(targets), stores, tasks, state=state)
    cases = [case_of(target, choices, state) for target in targets]
    actions = ask(together([prune(case) for case in cases]), stores, tasks)
    specs = tuple(SpecPin(file.path, file.sha256) for file in spec.files)
    plan = Plan((*not_found(chosen, catalogs), *chain(*actions)), {}, specs, purpose=Purpose.PRUNE)
    return review(plan, (at_most(plan, targets),))


def plan_and_carry_out(drawing: Drawing, executor: Executor, reviewers: tuple[Reviewer, ...] = ()) -> Iterator[Outcome]:
    """Do both image by image: what has been planned is on its way while the rest is still being read."""
    watch = executor.watch
    for part in drawing.begin(watch):
        yield from executor.begin(review(part, reviewers))
    for task in watch:
        for part in drawing.advance(task, watch):
            yield from executor.begin(review(part, reviewers))
        yield from executor.advance(task)


class Drawing:
    """A plan that is being drawn: it comes in parts, one for each image, as soon as that has been read.

    `incomplete` are tags of destinations of which an audit has found something missing; `state` is what tells why a
    tag differs.
    """

    def __init__(
        self,
        spec: Spec,
        stores: Stores,
        tasks: Tasks,
        *,
        incomplete: Collection[Reference] = (),
        state: State | None = None,
    ) -> None:
        self._survey = Survey(spec.rules, stores, tasks, incomplete=incomplete, state=state, left_out=spec.left_out)
        self._specs = tuple(SpecPin(file.path, file.sha256) for file in spec.files)
        self._actions: dict[Wanted, Action] = {}
        survey = self._survey
        rules = with_unlisted(spec.rules, survey.rules)
        self._warnings = () if spec.is_part else find_dead(rules, survey.wants, survey.listings)

    @property
    def sights(self) -> tuple[Reference, ...]:
        """The sources as they were seen: each tag with its digest."""
        return self._survey.sights

    def begin(self, watch: Watch[Any]) -> Iterator[Plan]:
        """The part that is known at once; `watch` tells when to call `advance` for the others."""
        yield from map(self._part, self._survey.begin(watch))

    def advance(self, task: Task[Any], watch: Watch[Any]) -> Iterator[Plan]:
        """The parts that a task completes by its end; it may be a task of somebody else."""
        yield from map(self._part, self._survey.advance(task, watch))

    def check(self) -> None:
        """Raise Cancelled where it stopped the drawing before it was complete."""
        if self._survey.cancelled is not None:
            raise self._survey.cancelled

    @property
    def plan(self) -> Plan:
        """The actions of all parts so far, in the order of the spec; their contents are left to the parts."""
        actions = tuple(self._actions[want] for want in self._survey.wants if want in self._actions)
        return Plan(actions, {}, self._specs, found=self._survey.found, warnings=self._warnings)

    def _part(self, seen: Seen) -> Plan:
        part = review(diff(seen.wants, seen.inventory, self._specs)).plan  # by its gates: what they know is let go
        self._actions.update(zip(seen.wants, part.actions, strict=True))
        return part

"""Gates in a plan: what is asked for them, what a review makes of their verdicts, and what a file says of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from imagesync.gates import Candidate, Finding, Gate, Known, Mode, Need, PushedAt, Ruling, TimeNow, Unread, insisting
from imagesync.plan.actions import Action, Attach, Blocked, Copy, Plan, Waiting, WaitsFor
from imagesync.plan.diff import diff
from imagesync.plan.evidence import MAX_REFERRERS, read_spoken
from imagesync.plan.file import plan_from_json, plan_to_json
from imagesync.plan.gated import Gated
from imagesync.plan.gathering import Source, answer_all, gather_anew
from imagesync.plan.inventory import Broken, NotRead
from imagesync.plan.questions import HasReferrersApi, ListAttachmentTags, ListReferrers, ReadManifest, ReadPushTimes
from imagesync.plan.review import review
from imagesync.plan.summary import summarise
from imagesync.plan.wants import make_wants
from imagesync.reference import Tag
from imagesync.report.model import plan_exit_code
from imagesync.signature import LeftUnread, Rejected
from imagesync.spec.model import Rule
from imagesync.state import NOTHING_REMEMBERED
from imagesync.store import PushTime
from tests.plan.values import (
    HUB_NGINX,
    LOCAL_NGINX,
    make_index,
    make_inventory,
    make_manifest,
    make_reference,
    make_rule,
)
from tests.plan.world import World

CHILDREN = (make_manifest("amd64"), make_manifest("arm64"))
INDEX = make_index(*CHILDREN)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
PASSED, WARNED, WAITING, BLOCKED = Ruling.PASSED, Ruling.WARNED, Ruling.WAITING, Ruling.BLOCKED


@dataclass(frozen=True)
class Says:
    """Says the same of every image, if it knows what time it is."""

    ruling: Ruling

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:
        return (TimeNow(),)

    def judge(self, candidate: Candidate, known: Known) -> Finding:
        if isinstance(known[TimeNow()], Unread):
            return Finding.blocked("nobody knows the time")
        return Finding(self.ruling, f"it is {self.ruling.value}", f"help {self.ruling.value}")


KNOWN = Known({TimeNow(): "now"})


def gates(*rulings: Ruling) -> tuple[Gate, ...]:
    return tuple(Gate(ruling.value, Says(ruling)) for ruling in rulings)


def rule_with(*rulings: Ruling) -> Rule:
    return replace(make_rule("1"), gates=gates(*rulings))


def plan_with(*rulings: Ruling, known: Known = KNOWN) -> Plan:
    """A plan to copy one image that has these gates."""
    heads = {make_reference(HUB_NGINX, "1"): INDEX, make_reference(LOCAL_NGINX, "1"): None}
    inventory = replace(make_inventory(heads, contents=CHILDREN), known=known)
    return diff(make_wants([rule_with(*rulings)], {}), inventory)


def reviewed(*rulings: Ruling) -> Action:
    (action,) = review(plan_with(*rulings)).plan.actions
    return action


@pytest.mark.parametrize(
    ("rulings", "kind", "code"),
    [
        ((), Copy, 0),
        ((PASSED, PASSED), Copy, 0),
        ((PASSED, WAITING), Waiting, 0),
        ((WAITING, BLOCKED), Blocked, 3),
        ((BLOCKED,), Blocked, 3),
    ],
)
def test_a_review_blocks_or_waits_as_the_worst_gate_says(
    rulings: tuple[Ruling, ...], kind: type[Action], code: int
) -> None:
    action = reviewed(*rulings)
    assert isinstance(action, kind)
    assert plan_exit_code(Plan((action,)), detailed=False) == code


def test_all_that_holds_back_is_a_reason_with_what_would_help() -> None:
    action = reviewed(PASSED, WAITING, BLOCKED)
    assert isinstance(action, Blocked)
    assert action.reason == "gate waiting: it is waiting; gate blocked: it is blocked"
    assert (action.hint, action.kind) == ("help waiting; help blocked", "gate")


def test_what_waits_says_for_what() -> None:
    action = reviewed(WAITING)
    assert isinstance(action, Waiting)
    assert (action.reason, action.hint) == ("gate waiting: it is waiting", "help waiting")
    assert (action.waits_for, action.exit_code) == (WaitsFor.GATE, 0)


def test_a_copy_that_passes_keeps_every_verdict() -> None:
    heads = {make_reference(HUB_NGINX, "1"): INDEX, make_reference(LOCAL_NGINX, "1"): None}
    inventory = replace(make_inventory(heads, contents=CHILDREN), known=KNOWN)
    rule = replace(make_rule("1"), gates=(*gates(PASSED), Gate("soft", Says(BLOCKED), Mode.WARN)))
    (copy,) = review(diff(make_wants([rule], {}), inventory)).plan.actions
    assert isinstance(copy, Copy)
    assert [(one.gate, one.ruling) for one in copy.verdicts] == [("passed", PASSED), ("soft", WARNED)]


def test_a_reviewer_refuses_what_gates_let_pass_and_what_waits() -> None:
    for ruling in (PASSED, WAITING):
        (action,) = review(plan_with(ruling), (lambda _: "not today",)).plan.actions
        assert isinstance(action, Blocked)
        assert "not today" in action.reason
        assert action.kind == ""


def test_what_was_not_gathered_blocks() -> None:
    (action,) = review(plan_with(PASSED, known=Known())).plan.actions
    assert isinstance(action, Blocked)


def test_gates_judge_what_is_moved() -> None:
    (copy,) = plan_with(PASSED).copies()
    assert copy.gated is not None
    candidate = copy.gated.candidate
    assert (candidate.digest, candidate.source.digest) == (INDEX.digest, INDEX.digest)
    assert candidate.destination == copy.destination
    assert [image.manifest.digest for image in candidate.images()] == [child.digest for child in CHILDREN]


def test_all_rules_that_want_one_tag_have_their_gates_asked() -> None:
    wants = make_wants([make_rule("1"), rule_with(BLOCKED), rule_with(PASSED, BLOCKED)], {})
    (want,) = wants
    assert [gate.name for gate in want.gates] == ["blocked", "passed"]  # type: ignore[union-attr]


def test_an_attachment_to_a_tag_that_stays_is_not_gated() -> None:
    (copy,) = plan_with(BLOCKED).copies()
    attach = Attach(rule="x", place=copy.place, source=copy.source, destination=copy.destination, attachments=(copy,))
    assert review(Plan((attach,))).plan.actions == (attach,)


@pytest.mark.parametrize("rulings", [(PASSED,), (WAITING, PASSED), (BLOCKED, PASSED)])
def test_verdicts_come_back_from_a_file(rulings: tuple[Ruling, ...]) -> None:
    plan = review(plan_with(*rulings)).plan
    again = plan_from_json(plan_to_json(plan), name="plan.json")
    assert again == replace(plan, from_file=True)
    assert summarise(again) == summarise(plan)


def judged_anew(plan: Plan, *rulings: Ruling) -> Action:
    saved = plan_from_json(plan_to_json(review(plan).plan), name="plan.json")
    world = World(answers={TimeNow(): "later"})
    anew = world.run(gather_anew(saved, [rule_with(*rulings)], NOTHING_REMEMBERED))
    (action,) = review(anew).plan.actions
    return action


@pytest.mark.parametrize(
    ("before", "now", "kind"),
    [
        (PASSED, PASSED, Copy),
        (PASSED, BLOCKED, Blocked),
        (PASSED, WAITING, Waiting),
        (BLOCKED, PASSED, Blocked),
        (WAITING, PASSED, Waiting),
    ],
)
def test_a_worse_verdict_counts_for_a_saved_plan_and_a_better_one_does_not(
    before: Ruling, now: Ruling, kind: type[Action]
) -> None:
    assert isinstance(judged_anew(plan_with(before), now), kind)


def test_a_saved_plan_without_gates_is_judged_by_those_that_there_are_now() -> None:
    assert isinstance(judged_anew(plan_with(), BLOCKED), Blocked)


def test_verdicts_of_gates_that_are_no_more_are_forgotten() -> None:
    action = judged_anew(plan_with(PASSED))
    assert isinstance(action, Copy)
    assert action.verdicts == ()


def test_a_spent_budget_makes_an_image_wait_and_blocks_a_saved_one() -> None:
    spent = NotRead("no pulls left", "budget", None, 0)
    saved = plan_from_json(plan_to_json(review(plan_with(PASSED)).plan), name="plan.json")
    world = World(answers={TimeNow(): spent})
    (action,) = review(world.run(gather_anew(saved, [rule_with(PASSED)], NOTHING_REMEMBERED))).plan.actions
    assert isinstance(action, Blocked)


def test_what_gates_know_is_not_printed_and_let_go_once_they_have_said_it() -> None:
    plan = plan_with(PASSED)
    (copy,) = plan.copies()
    assert isinstance(copy.gated, Gated)
    assert "gated" not in repr(copy)
    once = review(plan).plan
    assert [copy.gated for copy in once.copies()] == [None]
    assert review(once).plan == once


def test_what_is_asked_for_by_hand_does_not_wait() -> None:
    gate, soft = Gate("hours", Says(WAITING)), Gate("soft", Says(WAITING), Mode.WARN)
    candidate = plan_with(PASSED).copies()[0].gated
    assert candidate is not None
    verdicts = [insisting(one).judge(candidate.candidate, KNOWN).ruling for one in (gate, soft)]
    assert verdicts == [BLOCKED, WARNED]


def test_so_many_referrers_are_opened_and_the_rest_is_told() -> None:
    many = [make_manifest(f"referrer {number}") for number in range(MAX_REFERRERS + 1)]
    world = World()
    world.list(HUB_NGINX, INDEX.digest, *many)
    pieces = world.run(read_spoken(HUB_NGINX, INDEX.digest, {}))
    assert pieces == (LeftUnread(f"{MAX_REFERRERS + 1} referrers: the first {MAX_REFERRERS} are read"),)
    assert len(world.reads()) == MAX_REFERRERS


@pytest.mark.parametrize(
    "question",
    [
        ListAttachmentTags(HUB_NGINX),
        HasReferrersApi(HUB_NGINX.registry, HUB_NGINX, INDEX.digest, "source"),
        ListReferrers(HUB_NGINX, INDEX.digest, "source"),
        ReadManifest(HUB_NGINX, CHILDREN[0].digest),
    ],
)
def test_a_registry_that_fails_says_nothing_of_any_piece(question: object) -> None:
    broken = Broken("503", "network")
    world = World(answers={question: broken})  # type: ignore[dict-item]
    world.list(HUB_NGINX, INDEX.digest, CHILDREN[0])
    assert world.run(read_spoken(HUB_NGINX, INDEX.digest, {})) == broken


def test_a_damaged_piece_takes_nothing_from_the_others() -> None:
    damaged = ReadManifest(HUB_NGINX, CHILDREN[0].digest)
    world = World(answers={damaged: Broken("other bytes", "integrity")})
    world.list(HUB_NGINX, INDEX.digest, *CHILDREN)
    assert world.run(read_spoken(HUB_NGINX, INDEX.digest, {})) == (Rejected("other bytes"),)


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        ({Tag("1"): PushTime(Tag("1"), INDEX.digest, LONG_AGO)}, LONG_AGO),
        ({Tag("1"): PushTime(Tag("1"), CHILDREN[0].digest, LONG_AGO)}, "another digest was pushed"),
        ({}, "does not say when it was pushed"),
        (Broken("source registry: does not tell", "unsupported"), "does not tell"),
    ],
)
def test_when_something_was_pushed_the_registry_is_asked_of_its_tag_and_digest(answer: Any, known: Any) -> None:
    source = replace(make_reference(HUB_NGINX, "1"), digest=INDEX.digest)
    asking = answer_all((PushedAt(source),), Source(HUB_NGINX, {}, NOTHING_REMEMBERED))
    assert next(asking) == (ReadPushTimes(HUB_NGINX, (Tag("1"),)),)
    with pytest.raises(StopIteration) as ended:
        asking.send({ReadPushTimes(HUB_NGINX, (Tag("1"),)): answer})
    found = ended.value.value[PushedAt(source)]
    assert known in found.reason if isinstance(found, Unread) else found == known

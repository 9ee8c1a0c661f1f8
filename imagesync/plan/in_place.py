"""In place: a tag of a stage that is right already, and of which no record says so, is judged by the stage's gates as
what moves is; else whoever may push there could put it on record past them. Pure; says what has to be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from imagesync.gates import Ruling, Verdict
from imagesync.lazy import replace
from imagesync.plan.actions import Action, Attach, Keep, Plan, Waiting, WaitsFor
from imagesync.plan.contents import CannotRead
from imagesync.plan.gathering import judge_by_itself
from imagesync.plan.questions import Asking, together
from imagesync.plan.together import HELD_EXIT_CODE
from imagesync.reference import Digest
from imagesync.spec.model import Rule
from imagesync.state import State

InPlace = Keep | Attach


def judge_in_place(plan: Plan, rules: Sequence[Rule], known: tuple[Mapping[str, Digest], State]) -> Asking[Plan]:
    """The plan with what gates say of what is in place. `known` are the digests on record by the names of rules, and
    what is remembered."""
    on_record, state = known
    unjudged = tuple(_unjudged(plan, on_record))
    judged = yield from together([_judge(action, rules, state) for action in unjudged])
    found: dict[int, Action] = {id(action): one for action, one in zip(unjudged, judged, strict=True)}
    return replace(plan, actions=tuple(found.get(id(action), action) for action in plan.actions))


def _unjudged(plan: Plan, on_record: Mapping[str, Digest]) -> Iterator[InPlace]:
    """What has another tag written in the same run is judged with that."""
    moving = {(copy.rule, copy.root.digest) for copy in plan.copies()}
    for action in plan.actions:
        if isinstance(action, Keep | Attach) and on_record.get(action.rule) != action.found:
            yield from () if (action.rule, action.found) in moving else (action,)


def _judge(action: InPlace, rules: Sequence[Rule], state: State) -> Asking[Action]:
    gates = tuple(dict.fromkeys(gate for rule in rules if rule.name == action.rule for gate in rule.gates))
    if not gates:
        return action
    try:
        verdicts = yield from judge_by_itself(gates, (action.source, action.destination), state)
    except CannotRead as error:
        verdicts = (Verdict(gates[0].name, Ruling.BLOCKED, error.broken.reason, error.broken.hint),)
    held = [verdict for verdict in verdicts if verdict.ruling.holds_back]
    return _held(action, held, verdicts) if held else replace(action, verdicts=verdicts)


def _held(action: InPlace, held: Sequence[Verdict], verdicts: tuple[Verdict, ...]) -> Waiting:
    return Waiting(
        rule=action.rule,
        place=action.place,
        source=action.source,
        destination=action.destination,
        reason="; ".join(map(str, held)),
        hint="; ".join(dict.fromkeys(verdict.hint for verdict in held if verdict.hint)) or None,
        exit_code=HELD_EXIT_CODE if any(verdict.ruling is Ruling.BLOCKED for verdict in held) else 0,
        waits_for=WaitsFor.GATE,
        verdicts=verdicts,
    )

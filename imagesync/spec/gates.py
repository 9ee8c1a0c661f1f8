"""`gates` of a spec: those with names of their own, and lists of names and gates, read into what images have to fulfil.

Values that the schema refused are passed over: it has said so already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from imagesync.errors import Problem
from imagesync.gates import Check, Gate, Mode
from imagesync.selection import IndexForm
from imagesync.spec.document import List, Map, Node, Scalar
from imagesync.spec.interpolate import Interpolator
from imagesync.spec.model import Rule
from imagesync.spec.nearness import near_words
from imagesync.spec.problems import Problems

if TYPE_CHECKING:
    from imagesync.spec.approvers import ApproversReader
    from imagesync.spec.checks import ChecksReader
    from imagesync.spec.signers import SignersReader
    from imagesync.spec.stages import Promotion

MODE = "mode"


class GatesReader:
    """Reads the gates of all files of a spec. `named` stand in the first of them."""

    def __init__(self, interpolator: Interpolator, problems: list[Problem], named: Mapping[str, Node]) -> None:
        self._interpolator = interpolator
        self._problems = Problems(problems)
        self._nodes = named
        self._read: dict[str, Gate | None] = {}
        self._open: list[str] = []

    @cached_property
    def checks(self) -> ChecksReader:
        """What reads checks; a spec without gates does not wait for all of them to be imported."""
        from imagesync.spec.checks import ChecksReader  # noqa: PLC0415

        return ChecksReader(self._interpolator, self._problems)

    @cached_property
    def signers(self) -> SignersReader:
        """What reads those who sign, and their keys."""
        from imagesync.spec.signers import SignersReader  # noqa: PLC0415

        return SignersReader(self.checks, self._problems)

    @cached_property
    def approvers(self) -> ApproversReader:
        """What reads who may approve."""
        from imagesync.spec.approvers import ApproversReader  # noqa: PLC0415

        return ApproversReader(self.checks, self.signers, self._problems)

    @cached_property
    def _kinds(self) -> Mapping[str, Callable[[Node], Check | None]]:
        """What reads each kind."""
        from imagesync.gates.combined import AllOf, AnyOf  # noqa: PLC0415 - few specs have gates

        checks, signers = self.checks, self.signers
        return {
            "require_platforms": checks.require_platforms,
            "labels": checks.labels,
            "size": checks.size,
            "window": checks.window,
            "min_age": checks.min_age,
            "soak": checks.soak,
            "vulnerabilities": signers.vulnerabilities,
            "signature": signers.signature,
            "attestation": signers.attestation,
            "approval": self.approvers.approval,
            "command": checks.command,
            "any_of": lambda node: self._combined(node, AnyOf),
            "all_of": lambda node: self._combined(node, AllOf),
        }

    def named(self) -> tuple[Gate, ...]:
        """Those that have a name of their own."""
        gates = (self._of_name(name) for name in self._nodes)
        return tuple(gate for gate in gates if gate is not None)

    def gates(self, node: Node | None) -> tuple[Gate, ...]:
        """What a list of names and gates comes to, each once."""
        items = node.items if isinstance(node, List) else ()
        found = (self._item(item) for item in items)
        return tuple(dict.fromkeys(gate for gate in found if gate is not None))

    def _item(self, node: Node) -> Gate | None:
        if isinstance(node, Map):
            return self._gate(node, "")
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return None
        if node.text not in self._nodes:
            near = near_words(node.text, self._nodes)
            known = f"`gates` has: {', '.join(self._nodes)}" if self._nodes else "name it under `gates`"
            self._problems.say(
                node.place, f"no gate is called {node.text!a}", f"did you mean {near[0]}?" if near else known
            )
            return None
        return self._of_name(node.text)

    def _of_name(self, name: str) -> Gate | None:
        node = self._nodes[name]
        if name in self._open:
            self._problems.say(node.place, f"the gate {name} leads back to itself", "take it out of what it combines")
            return None
        if name not in self._read:
            self._open.append(name)
            self._read[name] = self._gate(node, name) if isinstance(node, Map) else None
            self._open.pop()
        return self._read[name]

    def _gate(self, node: Map, name: str) -> Gate | None:
        kinds = [key for key in node.values if key in self._kinds]
        if len(kinds) != 1:
            said = f"{' and '.join(kinds)} in one gate" if kinds else "a gate that asks for nothing"
            self._problems.say(node.place, said, "a gate is of one kind; `all_of` combines several")
            return None
        [kind] = kinds
        check = self._kinds[kind](node.values[kind])
        if check is None and not len(self._problems):
            self._problems.say(node.place, f"this {kind} asks for nothing", "a gate that is none would let all pass")
        mode = node.get(MODE)
        is_warning = isinstance(mode, Scalar) and mode.text == Mode.WARN.value
        return Gate(name or kind, check, Mode.WARN if is_warning else Mode.ENFORCE) if check is not None else None

    def _combined(self, node: Node, combine: Callable[[tuple[Gate, ...]], Check]) -> Check | None:
        gates = self.gates(node)
        return combine(gates) if gates else None


def adding_up(above: Mapping[str, Node], own: Mapping[str, Node]) -> Mapping[str, Node]:
    """Values of an entry or image over those above it: they take their place, but for gates, which add up."""
    gates = (above.get("gates"), own.get("gates"))
    if not all(isinstance(node, List) for node in gates):
        return {**above, **own}
    items = tuple(item for node in gates if isinstance(node, List) for item in node.items)
    return {**above, **own, "gates": List(own["gates"].place, items)}


def find_commands(root: Node) -> Iterator[Problem]:
    """Programs that an included file would have run: it may say which images, and nothing of where they are judged."""
    nodes = [root]
    while nodes:
        node = nodes.pop()
        if isinstance(node, Map):
            if "gates" in node.values:
                yield from map(_not_here, _commands(node.values["gates"]))
            nodes += node.values.values()
        elif isinstance(node, List):
            nodes += node.items


def find_gates_that_cannot_pass(found: Iterable[tuple[Rule, Mapping[str, Node]]]) -> Iterator[Problem]:
    """Of an index that is made here, nobody has signed anything."""
    for rule, nodes in found:
        is_rewritten = bool(rule.platforms.keep) and rule.platforms.index is IndexForm.REWRITE
        if is_rewritten and any(_wants_signed_index(gate) for gate in rule.gates):
            message = "`platforms` makes a new index, which nobody has signed, and a gate wants it signed"
            hint = "give the gate `of: platforms`, or the image `index: sparse`"
            yield Problem(nodes["gates"].place, message, hint)


def find_gates_without_state(found: Iterable[tuple[Rule, Mapping[str, Node]]]) -> Iterator[Problem]:
    """Without a state nobody remembers when an image was first seen."""
    for rule, nodes in found:
        if any(counts_from_first_seen(gate) for gate in rule.gates):
            message = "`min_age` counts from when a digest was first seen, and there is no `state` that remembers it"
            hint = "add `state: FILE` or `state: REGISTRY/REPOSITORY`, or trust the registry: `{age: …, clock: pushed}`"
            yield Problem(nodes["gates"].place, message, hint)


def find_soaks_elsewhere(found: Iterable[tuple[Rule, Mapping[str, Node]]]) -> Iterator[Problem]:
    """Only what is promoted has a stage before."""
    for rule, nodes in found:
        if any(map(_soaks, rule.gates)):
            message = "`soak` counts how long a release has been at the stage before, and no stage comes before this"
            hint = "`min_age` counts how long an image has been known; `soak` is for `stages` of `promotions`"
            yield Problem(nodes["gates"].place, message, hint)


def _soaks(gate: Gate) -> bool:
    from imagesync.gates.soak import soaks  # noqa: PLC0415 - few specs have gates

    return soaks(gate)


def _wants_signed_index(gate: Gate) -> bool:
    from imagesync.gates.combined import checks_of  # noqa: PLC0415 - few specs have gates
    from imagesync.gates.signed import Attestation, Signature, Subject  # noqa: PLC0415

    wanted = (one for one in checks_of(gate) if isinstance(one, Signature | Attestation))
    return any(one.subject is Subject.INDEX for one in wanted)


def find_soaks_without_state(promotions: Iterable[Promotion]) -> Iterator[Problem]:
    """Without a state nobody remembers when something was first seen at a stage."""
    for stage in (stage for promotion in promotions for stage in promotion.stages):
        if any(map(_soaks_by_sight, stage.gates)):
            message = "`soak` counts from when it was first seen, and there is no `state` that remembers it"
            yield Problem(stage.place, message, "add `state: FILE` or `state: REGISTRY/REPOSITORY`")


def _soaks_by_sight(gate: Gate) -> bool:
    from imagesync.gates.soak import soaks_by_sight  # noqa: PLC0415 - as above

    return soaks_by_sight(gate)


def counts_from_first_seen(gate: Gate) -> bool:
    """Whether it asks a state how old an image is."""
    from imagesync.gates.age import Clock, MinAge  # noqa: PLC0415 - as above
    from imagesync.gates.combined import checks_of  # noqa: PLC0415

    return any(isinstance(one, MinAge) and one.clock is Clock.FIRST_SEEN for one in checks_of(gate))


def _commands(node: Node) -> Iterator[Scalar]:
    """The keys of the commands in a list of gates."""
    for item in node.items if isinstance(node, List) else ():
        if isinstance(item, Map):
            yield from (key for name, key in item.keys.items() if name == "command")
            for name in ("any_of", "all_of"):
                yield from _commands(item.values[name]) if name in item.values else ()


def _not_here(key: Scalar) -> Problem:
    message = "an included file may not say which programs are run"
    return Problem(key.place, message, "give it a name under `gates` of the first file, and use that here")

"""Gathering: asks what the gates of an image have to know, all of it in the same rounds. Pure.

Nothing is asked for tags that are right: only what would be copied is judged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from imagesync.gates import (
    Candidate,
    FirstSeen,
    Gate,
    Known,
    Need,
    PushedAt,
    ReadConfig,
    ReadSpoken,
    Unread,
    Verdict,
    needs_of,
)
from imagesync.lazy import dataclass, field, replace
from imagesync.manifest import IMAGE_CONFIG_TYPES, Content, Manifest, has_too_many_values
from imagesync.plan.actions import Copy, Plan
from imagesync.plan.candidates import candidate_of
from imagesync.plan.conformity import is_yielded_by
from imagesync.plan.contents import CannotRead, Place, read_contents
from imagesync.plan.gated import Gated
from imagesync.plan.image import AttachmentTags, Image, Overview
from imagesync.plan.inventory import Broken, NotRead
from imagesync.plan.questions import Asking, ReadBlob, ReadPushTimes, together
from imagesync.reference import Digest, Reference, Repository
from imagesync.spec.model import Rule
from imagesync.state import State

MAX_CONFIG_BYTES = 1024 * 1024
MAX_LABELS = 1000
_ASKED = ("os", "architecture", "variant", "os.version", "created")
"""What gates ask of a config besides its labels; the rest is not kept until they have said what they have to."""
_MAX_TEXT = 255


def gather(image: Image, contents: Mapping[Digest, Content], overview: Overview) -> Asking[Known]:
    """What is known then of an image that would be copied. Raises CannotRead where it has to wait for that."""
    gated = [want for want in image.wants if want.gates]
    candidates = [(want.gates, candidate_of(want, overview.heads, contents)) for want in gated]
    needs = dict.fromkeys(need for gates, candidate in candidates for need in needs_of(gates, candidate))
    source = Source(image.root.repository, contents, overview.state, overview.attachment_tags)
    return (yield from answer_all(tuple(needs), source))


def gather_anew(plan: Plan, rules: Sequence[Rule], state: State) -> Asking[Plan]:
    """A plan from a file, each copy with the gates that the rules have for it by now, and what is known by now."""
    anew = _Anew(plan.contents, rules, state)
    gated = iter((yield from together([anew.gather(copy) for copy in plan.copies()])))
    actions = tuple(next(gated) if isinstance(action, Copy) else action for action in plan.actions)
    return replace(plan, actions=actions)


@dataclass(frozen=True, slots=True)
class _Anew:
    """What a plan from a file is judged by: its manifests, the rules, and what is remembered."""

    contents: Mapping[Digest, Content]
    rules: Sequence[Rule]
    state: State

    def gather(self, copy: Copy) -> Asking[Copy]:
        yielding = (rule for rule in self.rules if rule.gates and is_yielded_by(rule, copy))
        gates = tuple(dict.fromkeys(gate for rule in yielding for gate in rule.gates))
        if not gates:
            return replace(copy, verdicts=())
        root, left_out = self.contents[copy.root.digest], frozenset(copy.left_out)
        candidate = Candidate(copy.source, copy.destination, root, self.contents, left_out)
        source = Source(copy.source.repository, self.contents, self.state)
        try:
            known = yield from answer_all(needs_of(gates, candidate), source)
        except CannotRead:
            known = Known()  # what is not known blocks
        return replace(copy, gated=Gated(gates, candidate, known), verdicts=())


def examine(gate: Gate, source: Reference, state: State) -> Asking[Verdict]:
    """What one gate says of an image that is not to be moved. Raises CannotRead where the image cannot be read."""
    (verdict,) = yield from judge_by_itself([gate], (source, source), state)
    return verdict


def judge_by_itself(
    gates: Sequence[Gate], sides: tuple[Reference, Reference], state: State
) -> Asking[tuple[Verdict, ...]]:
    """What gates say of an image for which nothing else is read; the first of both sides has its digest. Raises
    CannotRead, as above."""
    source, destination = sides
    digest = source.digest
    assert digest is not None  # noqa: S101 - narrows: it was resolved
    contents = yield from read_contents(Place(source.repository, "source", source.tag), {digest: None})
    candidate = Candidate(source, destination, contents[digest], contents)
    known = yield from answer_all(needs_of(gates, candidate), Source(source.repository, contents, state))
    return tuple(gate.judge(candidate, known) for gate in gates)


@dataclass(frozen=True, slots=True)
class Source:
    """Where an image is, what of it has been read, and what is known of the repository besides."""

    repository: Repository
    contents: Mapping[Digest, Content]
    state: State
    attachment_tags: AttachmentTags = field(default_factory=dict)


def answer_all(needs: tuple[Need, ...], source: Source) -> Asking[Known]:
    """An answer for each. Raises CannotRead where a later run can read what this one may not."""
    if not needs:
        return Known()
    answers = yield from together([_answer(need, source) for need in needs])
    for answer in answers:
        if isinstance(answer, NotRead):
            raise CannotRead(answer)
    return Known({need: _as_unread(answer) for need, answer in zip(needs, answers, strict=True)})


def _answer(need: Need, source: Source) -> Asking[Any]:
    if isinstance(need, FirstSeen):
        return source.state.first_seen(need.source, need.source.digest) if need.source.digest is not None else None
    if isinstance(need, PushedAt):
        return (yield from _pushed(need.source))
    if isinstance(need, ReadConfig):
        return (yield from _config(source.contents[need.digest], source.repository))
    if isinstance(need, ReadSpoken):
        from imagesync.plan.evidence import read_spoken  # noqa: PLC0415 - few specs have such a gate

        return (yield from read_spoken(source.repository, need.digest, source.attachment_tags))
    answers = yield (need,)
    return answers[need]


def _pushed(source: Reference) -> Asking[Any]:
    if source.tag is None:
        return Unread("it was named by its digest alone")
    question = ReadPushTimes(source.repository, (source.tag,))
    answer = (yield (question,))[question]
    if isinstance(answer, Broken):
        return answer
    pushed = answer.get(source.tag)
    if pushed is None:
        return Unread("its registry does not say when it was pushed")
    return pushed.at if pushed.digest == source.digest else Unread("its registry says when another digest was pushed")


def _config(manifest: Content, repository: Repository) -> Asking[Any]:
    if not isinstance(manifest, Manifest) or manifest.config.media_type not in IMAGE_CONFIG_TYPES:
        return Unread("it is no image")
    question = ReadBlob(repository, manifest.config.digest, manifest.config, MAX_CONFIG_BYTES)
    answers = yield (question,)
    raw = answers[question]
    return raw if isinstance(raw, Broken) else config_from_json(raw)


def config_from_json(raw: bytes) -> Any:
    """What gates may ask of a config; Unread where that cannot be told."""
    if has_too_many_values(raw):
        return Unread("its config has too many values to be read")
    try:
        config = json.loads(raw)
    except (ValueError, RecursionError):
        return Unread("its config is not JSON")
    return _kept(config) if isinstance(config, dict) else Unread("its config is not a JSON object")


def _kept(config: Mapping[str, Any]) -> Any:
    texts = {key: config.get(key) for key in _ASKED}
    short = {key: text for key, text in texts.items() if isinstance(text, str) and len(text) <= _MAX_TEXT}
    inner = config.get("config")
    labels = inner.get("Labels") if isinstance(inner, dict) else None
    named = {key: text for key, text in labels.items() if isinstance(text, str)} if isinstance(labels, dict) else {}
    if len(named) > MAX_LABELS:
        return Unread(f"its config has over {MAX_LABELS} labels")
    features = config.get("os.features")
    more = {"os.features": features[:MAX_LABELS]} if isinstance(features, list) else {}
    return {**short, **more, "config": {"Labels": named}}


def _as_unread(answer: Any) -> Any:
    return Unread(answer.reason, answer.hint) if isinstance(answer, Broken) else answer

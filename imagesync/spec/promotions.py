"""`promotions` of a spec, turned into values: names looked at, repositories resolved, every mistake with its place.

Values that the schema refused are passed over: it has said so already.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from imagesync.errors import InvalidReference, Place, Problem
from imagesync.gates import Gate
from imagesync.gates.soak import soaks, soaks_by_record
from imagesync.reference import Repository, Tag, check_path, parse_reference, starts_with_host
from imagesync.selection import Retag
from imagesync.settings import Secret
from imagesync.spec.document import List, Map, Node, Scalar
from imagesync.spec.gates import GatesReader, counts_from_first_seen
from imagesync.spec.interpolate import Interpolator
from imagesync.spec.moving import MovingReader
from imagesync.spec.names import SourceName, parse_source
from imagesync.spec.problems import Problems
from imagesync.spec.rules import read_attachments
from imagesync.spec.stages import KEY_PASSWORD, PromotedImage, Promotion, RecordSigning, Stage

JOURNAL = "{repository}/imagesync-journal"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_NAME_HINT = "a-z, 0-9, '_' and '-', at most 40 of them: it becomes part of a tag"


class PromotionsReader:
    """Reads the promotions of one file; what is wrong with them is added to `problems`."""

    def __init__(self, interpolator: Interpolator, problems: list[Problem], gates: GatesReader) -> None:
        self._interpolator = interpolator
        self._problems = Problems(problems)
        self._moving = MovingReader(interpolator, problems)
        self._gates_reader = gates

    def read(self, root: Node) -> Iterator[Promotion]:
        """Every promotion of a file that is right."""
        listed = root.get("promotions") if isinstance(root, Map) else None
        for node in listed.items if isinstance(listed, List) else ():
            if isinstance(node, Map):
                yield from self._promotion(node)

    def _promotion(self, node: Map) -> Iterator[Promotion]:
        before = len(self._problems)
        name = self._name(node.get("name"), "a promotion")
        images = [image for item in _items(node.get("images")) if (image := self._image(item)) is not None]
        self._tell_apart([(image.name, image.place) for image in images], "image")
        record = node.get("record")
        journal, sign = (record.get("journal"), record.get("sign")) if isinstance(record, Map) else (None, None)
        signing = self._signing(sign)
        stages = [stage for item in _items(node.get("stages")) if (stage := self._stage(item, journal)) is not None]
        self._tell_apart([(stage.name, stage.place) for stage in stages], "stage")
        self._check_stages(stages)
        self._check_first(stages)
        self._check_soaks(stages)
        if name is None or len(self._problems) > before:
            return
        promotion = Promotion(name, node.place, tuple(images), tuple(stages), signing)
        self._check_repositories(promotion)
        yield promotion

    def _signing(self, node: Node | None) -> RecordSigning | None:
        key, public = (node.get("key"), node.get("public_key")) if isinstance(node, Map) else (None, None)
        if not isinstance(key, Scalar) or not isinstance(public, Scalar):
            return None
        said = node.get("password") if isinstance(node, Map) else None
        password = self._secret(said, "the password of a key") if isinstance(said, Scalar) else KEY_PASSWORD
        private, found = self._secret(key, "a private key"), self._gates_reader.signers.public_key(public)
        if private is None or password is None or found is None:
            return None
        return RecordSigning(private, found, public.text, password)

    def _secret(self, node: Scalar, what: str) -> Secret | None:
        if node.text.startswith(("${secret:", "${file:")):
            return self._interpolator.secret(node)
        hint = f"write ${{secret:NAME}} or ${{file:PATH}}: {what} is no part of a spec"
        self._problems.say(node.place, f"{what} stands in the spec", hint)
        return None

    def _name(self, node: Node | None, what: str) -> str | None:
        text = self._interpolator.text(node) if isinstance(node, Scalar) else ""
        if node is None or not text:
            return None
        if not _NAME.fullmatch(text):
            self._problems.say(node.place, f"{text[:60]!a} cannot name {what}", _NAME_HINT)
            return None
        return text

    def _image(self, node: Node) -> PromotedImage | None:
        """`api`, or `{name, as}`: what it is called, and what its repository is below that of a stage."""
        said = node.get("name") if isinstance(node, Map) else node
        renamed = node.get("as") if isinstance(node, Map) else None
        if not isinstance(said, Scalar):
            return None
        name = self._path(said)
        below = self._path(renamed) if isinstance(renamed, Scalar) else name
        return PromotedImage(name, said.place, below) if name and below else None

    def _path(self, node: Scalar) -> str | None:
        text = self._interpolator.text(node)
        return self._problems.parsed(lambda: check_path(text), node.place) if text else None

    def _stage(self, node: Node, journal: Node | None) -> Stage | None:
        if not isinstance(node, Map):
            return None
        name, root = self._name(node.get("name"), "a stage"), self._root(node.get("repository"))
        current, retag = self._current(node.get("current")), self._retag(node.get("retag"))
        immutable = self._moving.immutable(node.get("immutable"))
        if current is not None and immutable.holds(current):
            hint = "let `immutable` leave it out: it moves with every release"
            self._problems.say(node.values["current"].place, f"`immutable` holds the current tag {current}", hint)
        gates = self._gates(node.get("gates"))
        entered = self._journal(journal, root) if root is not None else None
        if name is None or root is None or retag is None or entered is None:
            return None
        return Stage(
            name=name,
            place=node.place,
            root=root,
            journal=entered,
            retag=retag,
            immutable=immutable,
            gates=gates,
            current=current,
            attachments=read_attachments(node.get("attachments")),
            is_automatic=_is_true(node.get("auto")),
        )

    def _gates(self, node: Node | None) -> tuple[Gate, ...]:
        gates = self._gates_reader.gates(node)
        if node is not None and any(map(counts_from_first_seen, gates)):
            message = "`min_age` counts from when a sync entry has first seen a digest, and no promotion does"
            hint = "let the sync entry wait, or trust the registry: `{age: …, clock: pushed}`"
            self._problems.say(node.place, message, hint)
        return gates

    def _root(self, node: Node | None) -> SourceName | None:
        text = self._interpolator.text(node) if isinstance(node, Scalar) else ""
        if node is None or not text:
            return None
        found = self._problems.parsed(lambda: parse_source(text), node.place)
        if found is not None and found.is_layout:
            self._problems.say(node.place, f"{text} is no registry", "stages and their records are kept in registries")
            return None
        return found

    def _current(self, node: Node | None) -> Tag | None:
        text = self._interpolator.text(node) if isinstance(node, Scalar) else ""
        return self._problems.parsed(lambda: Tag(text), node.place) if node is not None and text else None

    def _retag(self, node: Node | None) -> Retag | None:
        """A template that makes another tag of every version: two may not become one."""
        text = self._interpolator.text(node) if isinstance(node, Scalar) else "{tag}"
        before, placeholder, after = text.partition("{tag}")
        if placeholder and not set(before + after) & set("{}"):
            return Retag(text)
        if node is not None and text:
            hint = 'write {tag} and more: "{tag}-staging"'
            self._problems.say(node.place, f"{text!a} does not tell versions apart", hint)
        return None

    def _journal(self, node: Node | None, root: SourceName) -> Repository | None:
        text = self._interpolator.text(node) if isinstance(node, Scalar) else JOURNAL
        place = node.place if node is not None else Place("")
        filled = text.replace("{repository}", str(root))
        return self._problems.parsed(partial(_parse_journal, filled), place) if text else None

    def _check_stages(self, stages: Iterable[Stage]) -> None:
        """Two stages where everything is called the same are one."""
        first: dict[object, Stage] = {}
        for stage in stages:
            other = first.setdefault((stage.root, stage.retag, stage.current), stage)
            if other is not stage:
                message = f"stage {stage.name} is where stage {other.name} is: nothing would move"
                hint = "give it another `repository`, `retag` or `current`"
                self._problems.say(stage.place, message, hint)

    def _check_first(self, stages: Sequence[Stage]) -> None:
        for stage in (stage for stage in stages[:1] if stage.is_automatic):
            message = f"nothing is promoted to {stage.name}, which is the first stage"
            self._problems.say(stage.place, message, "leave `auto` out: images are pushed there")

    def _check_soaks(self, stages: Sequence[Stage]) -> None:
        """Nothing is promoted to the first stage, so nothing is on record of it either."""
        for stage in stages[:1]:
            if any(map(soaks, stage.gates)):
                message = f"nothing soaks before it comes to {stage.name}, which is the first stage"
                self._problems.say(stage.place, message, "leave `soak` out: images are pushed there")
        for stage in stages[1:2]:
            if any(map(soaks_by_record, stage.gates)):
                message = f"nothing is on record of {stages[0].name}, which is the first stage, so nothing soaks there"
                hint = "count from when it was first seen there: `soak: {at_least: …, clock: first_seen}`"
                self._problems.say(stage.place, message, hint)

    def _check_repositories(self, promotion: Promotion) -> None:
        """Every image needs a repository of its own, and so does the journal."""
        for stage in promotion.stages:
            taken = {stage.journal: "the journal"}
            for image in promotion.images:
                repository = self._problems.parsed(partial(stage.repository_of, image), image.place)
                if repository is None:
                    return
                if repository in taken:
                    message = f"{repository} would hold {image.name} and {taken[repository]}"
                    self._problems.say(image.place, message, "give the image another `as`")
                taken[repository] = image.name

    def _tell_apart(self, named: Iterable[tuple[str, Place]], what: str) -> None:
        first: dict[str, Place] = {}
        for name, place in named:
            if first.setdefault(name, place) != place:
                message = f"another {what} is called {name!r} too, at {first[name]}"
                self._problems.say(place, message, f"give each {what} a name of its own")


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, List) else ()


def _is_true(node: Node | None) -> bool:
    return isinstance(node, Scalar) and node.value is True


def _parse_journal(text: str) -> Repository:
    if set(text) & set("{}"):
        raise InvalidReference(f"journal {text[:80]!a} has an unknown placeholder", hint="there is {repository} alone")
    if not starts_with_host(text):
        raise InvalidReference(f"journal {text[:80]!a} begins with no host", hint=f"write {JOURNAL}")
    reference = parse_reference(text)
    if "@" in text or ":" in text.rpartition("/")[2]:
        message = f"journal {text[:80]!a} names a tag: each entry has its own"
        raise InvalidReference(message, hint=f"write {reference.repository}")
    return reference.repository

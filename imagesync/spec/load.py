"""Reading a spec: the file and what it includes, through YAML, schema and rules, with all problems at once."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING

from imagesync.errors import Place, Problem, SpecError
from imagesync.lazy import dataclass, field, replace
from imagesync.reference import without_login
from imagesync.spec.ages import find_age_without_state
from imagesync.spec.conflicts import find_conflicts
from imagesync.spec.document import MAX_BYTES, List, Map, Node, Scalar, parse_document
from imagesync.spec.entries import count_entries, find_repeated_names, find_repeated_promotions
from imagesync.spec.gates import (
    GatesReader,
    find_commands,
    find_gates_that_cannot_pass,
    find_gates_without_state,
    find_soaks_elsewhere,
    find_soaks_without_state,
)
from imagesync.spec.hidden import hide_logins
from imagesync.spec.interpolate import Interpolator
from imagesync.spec.model import Rule, Spec, SpecFile, SpecWarning, StatePlace
from imagesync.spec.past_gates import past_gates
from imagesync.spec.pruning import find_prune_without_state
from imagesync.spec.registries import RegistriesReader
from imagesync.spec.remembering import (
    beside,
    find_drift_without_state,
    find_misplaced_state,
    kept_apart,
    read_state,
)
from imagesync.spec.rules import Nodes, Origin, RulesReader, named_problems
from imagesync.spec.schema import check_schema
from imagesync.spec.unused import unused_destinations, unused_registries

if TYPE_CHECKING:
    from imagesync.spec.stages import Promotion


@dataclass(slots=True)
class Loaded:
    """A spec, and where each of its rules' values came from."""

    spec: Spec
    origins: tuple[Origin, ...]
    registry_places: Mapping[str, Place]
    """Where each key of `registries` stands."""
    state_place: Place | None = None


def load_spec(path: str, *, environment: Mapping[str, str]) -> Spec:
    """Read a spec file, or standard input for `-`. Raises SpecError with every problem of every file.

    `environment` is where `${NAME}` is looked up. No request is made, no secret is read.
    """
    return load_with_origins(path, environment=environment).spec


def load_with_origins(path: str, *, environment: Mapping[str, str]) -> Loaded:
    """As load_spec, and keeps where values came from."""
    reading = _Reading(environment)
    loaded = reading.load(path)
    if reading.problems:
        raise SpecError(reading.problems)
    return loaded


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the first file says for all of them, and where it stands."""

    directory: Path
    defaults: Nodes
    destinations: Nodes
    gates: GatesReader


@dataclass(slots=True)
class _Reading:
    environment: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)
    warnings: list[SpecWarning] = field(default_factory=list)
    files: list[SpecFile] = field(default_factory=list)

    def load(self, path: str) -> Loaded:
        directory = Path() if path == "-" else Path(path).parent
        root = self._file(path, directory, included=False)
        root = root if isinstance(root, Map) else Map(Place(path), {}, {})
        interpolator = Interpolator(self.environment, directory, self.problems)
        settings = RegistriesReader(interpolator, directory, self.problems).read(root.get("registries"))
        defaults, destinations = _nodes(root.get("defaults")), _nodes(root.get("destinations"))
        self.problems += [problem for node in destinations.values() for problem in named_problems(node, interpolator)]
        shared = _Shared(directory, defaults, destinations, self._gates(root, interpolator))
        origins = self._rules(root, directory, shared)
        promotions = self._promotions(root, directory, shared.gates)
        roots: list[Node] = [root]
        for name in self._included(root.get("include"), path, interpolator):
            inner = self._file(name, directory, included=True)
            if inner is not None:
                first = sum(map(count_entries, roots))
                self.problems += find_commands(inner)
                origins += self._rules(inner, Path(name).parent, shared, first=first)
                promotions += self._promotions(inner, Path(name).parent, shared.gates)
                roots.append(inner)
        self.problems += find_repeated_names(roots)
        self.problems += find_repeated_promotions(promotions)
        self.problems += find_soaks_without_state(promotions) if root.get("state") is None else ()
        self.problems += find_conflicts(origin.rule for origin in origins)
        state = self._state(root.get("state"), interpolator, (origins, promotions))
        different = tuple({_meaning(origin): origin.rule for origin in reversed(origins)}.values())[::-1]
        apart = kept_apart(state, promotions)
        rules = tuple(beside(rule, apart) for rule in different)
        registries = root.get("registries")
        self.warnings += [*unused_destinations(root.get("destinations"), origins), *_said_twice(origins)]
        self.warnings += unused_registries(registries, settings, rules, promotions)
        self.warnings += past_gates(rules, promotions)
        warnings = tuple(dict.fromkeys(self.warnings))
        spec = Spec(
            rules,
            settings,
            tuple(self.files),
            str(directory),
            warnings,
            state,
            gates=shared.gates.named(),
            promotions=tuple(promotions),
            name=path,
        )
        places = {name: key.place for name, key in registries.keys.items()} if isinstance(registries, Map) else {}
        state_node = root.get("state")
        return Loaded(spec, tuple(origins), places, state_node.place if state_node is not None else None)

    def _gates(self, root: Map, interpolator: Interpolator) -> GatesReader:
        reader = GatesReader(interpolator, self.problems, _nodes(root.get("gates")))
        reader.named()  # for their mistakes, whether an image uses them or not
        return reader

    def _state(
        self, node: Node | None, interpolator: Interpolator, users: tuple[Sequence[Origin], Sequence[Promotion]]
    ) -> StatePlace | None:
        origins, promotions = users
        state = read_state(node, interpolator, self.problems)
        self.problems += find_gates_that_cannot_pass((origin.rule, origin.nodes) for origin in origins)
        self.problems += find_soaks_elsewhere((origin.rule, origin.nodes) for origin in origins)
        if node is None:
            self.problems += find_drift_without_state(origins)
            self.problems += find_prune_without_state((origin.rule, origin.nodes) for origin in origins)
            self.problems += find_gates_without_state((origin.rule, origin.nodes) for origin in origins)
            self.problems += find_age_without_state((origin.rule.tags, origin.nodes.get("tags")) for origin in origins)
        else:
            sound = () if self.problems else promotions  # names of the others may make no repository
            self.problems += find_misplaced_state(state, node.place, (origins, sound))
        return state

    def _rules(self, root: Node, folder: Path, shared: _Shared, *, first: int = 0) -> list[Origin]:
        interpolator = Interpolator(self.environment, folder, self.problems)
        reader = RulesReader(
            interpolator,
            self.problems,
            self.warnings,
            folder=folder,
            directory=shared.directory,
            is_single=partial(_is_single, shared.directory),
            gates=shared.gates,
        )
        return list(reader.read(root, shared.defaults, shared.destinations, first=first))

    def _promotions(self, root: Node, folder: Path, gates: GatesReader) -> list[Promotion]:
        """Those of one file. A spec without any does not wait for what reads them to be imported."""
        if not isinstance(root, Map) or root.get("promotions") is None:
            return []
        from imagesync.spec.promotions import PromotionsReader  # noqa: PLC0415

        interpolator = Interpolator(self.environment, folder, self.problems)
        return list(PromotionsReader(interpolator, self.problems, gates).read(root))

    def _file(self, path: str, directory: Path, *, included: bool) -> Node | None:
        """One file as nodes, checked against the schema; remembers its hash."""
        raw = self._bytes(path)
        if raw is None:
            return None
        name = path if path == "-" else Path(os.path.relpath(path, directory)).as_posix()
        self.files.append(SpecFile(name, hashlib.sha256(raw).hexdigest()))
        if len(raw) > MAX_BYTES:
            self.problems.append(Problem(Place(path), f"over {MAX_BYTES} bytes", "split it with `include`"))
            return None
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self.problems.append(Problem(Place(path), f"not UTF-8 at byte {error.start}"))
            return None
        root = parse_document(text, path, self.problems)
        if root is not None:
            hide_logins(root)
            check_schema(root, self.problems, included=included)
        return root

    def _bytes(self, path: str) -> bytes | None:
        try:
            if path == "-":
                return sys.stdin.buffer.read(MAX_BYTES + 1)
            with Path(path).open("rb") as file:
                return file.read(MAX_BYTES + 1)
        except OSError as error:
            place = Place(_without_password(path))
            self.problems.append(Problem(place, f"cannot be read: {error.strerror}", "give the spec's path"))
            return None

    def _included(self, node: Node | None, path: str, interpolator: Interpolator) -> list[str]:
        """The files that `include` names, sorted, each once."""
        found: dict[str, None] = {}
        directory = interpolator.folder
        items = node.items if isinstance(node, List) else ()
        for item in [one for one in items if isinstance(one, Scalar)]:
            for full in self._matching(item, directory, interpolator):
                if path != "-" and full.resolve() == Path(path).resolve():
                    hint = "narrow the pattern" if has_magic(item.text) else None
                    self.problems.append(Problem(item.place, f"{full.name} includes itself", hint))
                elif not full.is_file():
                    self.problems.append(Problem(item.place, f"{item.text!a} is not a file", "write FOLDER/*.yaml"))
                else:
                    found[str(full)] = None
        return list(found)

    def _matching(self, item: Scalar, directory: Path, interpolator: Interpolator) -> list[Path]:
        text = interpolator.text(item)
        matching = sorted(glob(text, root_dir=directory, recursive=True)) if text else []  # noqa: PTH207 - takes `../x`
        if text and not matching:
            what = "no file matches" if has_magic(text) else "there is no file"
            self.problems.append(Problem(item.place, f"{what} {text!r}", f"looked in {directory.absolute()}"))
        return [directory / name for name in matching]


def _without_password(path: str) -> str:
    """For a message that no such file is there: an address with its login may have been taken for one."""
    scheme, separator, rest = path.rpartition("://")
    login = rest.partition("/")[0].rpartition("@")[0]
    return f"{scheme}{separator}{without_login(rest)}" if ":" in login else path


def _is_single(directory: Path, registry: str) -> bool:
    """Whether an `oci:DIRECTORY` is itself a layout; what is missing or empty becomes a tree of them."""
    root = directory / registry.removeprefix("oci:")
    return os.path.isfile(root / "oci-layout")  # noqa: PTH113 - False, too, where nothing can be read


def _nodes(node: Node | None) -> Nodes:
    return node.values if isinstance(node, Map) else {}


_ANYWHERE = Place("")


def _said_twice(origins: Iterable[Origin]) -> Iterator[SpecWarning]:
    """Images that an entry has already, word for word: they are one."""
    first: dict[object, Place] = {}
    for origin in origins:
        rule = origin.rule
        before = first.setdefault(_meaning(origin), rule.place)
        if before != rule.place:
            yield SpecWarning(rule.place, f"{rule.name} stands at {before} already, and means the same there")


def _meaning(origin: Origin) -> Rule:
    """What makes two rules one: all but where they stand and how their image is spelt."""
    return replace(origin.rule, place=_ANYWHERE, image="")

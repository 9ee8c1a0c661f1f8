"""The survey: reads both sides at once. What to read, pure functions of plan say; when, the tasks.

Tag lists and heads of the whole spec come first, since conflicts and budgets are seen there alone. After that every
image is looked into on its own, so that the first is on its way while the last is still being read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from imagesync.errors import (
    AuthenticationError,
    BudgetError,
    Cancelled,
    ImagesyncError,
    IntegrityError,
    InternalError,
    NotFoundError,
    StoreError,
)
from imagesync.manifest import Content
from imagesync.plan.diff import Wanted
from imagesync.plan.inventory import Absent, Broken, Head, Listed, NotRead, Present, Unreadable
from imagesync.plan.judgement import taken_for_absent
from imagesync.plan.order import rank_of_read
from imagesync.plan.reading import (
    Answers,
    HasBlob,
    Image,
    IsEmpty,
    Question,
    ReadManifest,
    Rounds,
    Seen,
    images_of,
    look_into,
    perhaps_empty,
    seen_already,
)
from imagesync.plan.wants import Listings, Want, lists_needed, lists_trusted, make_wants, needs_list, wants_of
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.spec.model import Rule
from imagesync.store import ManifestFetcher, Resolver, Stores
from imagesync.tasks import Task, Tasks, Watch

V = TypeVar("V")


def read_listings(rules: Sequence[Rule], stores: Stores, tasks: Tasks) -> Listings:
    """The tag lists of the source repositories whose rules ask for one."""
    lists = {repository: _list(repository, stores, tasks) for repository in lists_needed(rules)}
    return dict(zip(lists, tasks.results(list(lists.values())), strict=True))


class Survey:
    """What both sides hold of what a spec wants, told image by image as it becomes known.

    Making one reads lists and heads, and waits for them: two requests a tag. What fails is a Broken and stops
    nothing else. Raises Cancelled, nothing else. `incomplete` are tags that are looked into though they are right.
    """

    def __init__(
        self, rules: Sequence[Rule], stores: Stores, tasks: Tasks, *, incomplete: Collection[Reference] = ()
    ) -> None:
        self._stores = stores
        self._tasks = tasks
        self._asked: dict[Question, Task[Any]] = {}
        self._waiting: dict[Task[Any], list[_Looking]] = {}
        self._turns: dict[str, deque[_Looking]] = {}
        """Images of registries that count what is read: each is read to its end before the next is begun."""
        self.wants, heads = read_heads(rules, stores, tasks)
        self._heads = taken_for_absent(self.wants, heads, incomplete)
        self.cancelled: Cancelled | None = None
        """Set when images were not looked into to the end, since the run was stopped."""

    def begin(self, watch: Watch[Any]) -> Iterator[Seen]:
        """Yield what the heads decide, and ask for what they do not: `watch` tells when to call `advance`."""
        yield seen_already(self.wants, self._heads)
        images = images_of(self.wants, self._heads)
        fresh = perhaps_empty(images, self._heads)
        for position, image in enumerate(images):
            looking = _Looking(image, position, look_into(image, self._heads, fresh))
            if self._stores.counts_pulls(looking.registry):
                self._turns.setdefault(looking.registry, deque()).append(looking)
            else:
                yield from self._go_on(looking, None, watch)
        for registry in self._turns:
            yield from self._begin_next(registry, watch)

    def advance(self, task: Task[Any], watch: Watch[Any]) -> Iterator[Seen]:
        """Take in a task that has finished; yields each image that is known whole with it."""
        if isinstance(task.error, Cancelled):
            self.cancelled = task.error
        for looking in self._waiting.pop(task, ()):
            looking.outstanding -= 1
            if not looking.outstanding:
                answers = {question: _answer_of(self._asked[question]) for question in looking.questions}
                yield from self._go_on(looking, answers, watch)

    def _go_on(self, looking: _Looking, answers: Answers | None, watch: Watch[Any]) -> Iterator[Seen]:
        """Ask the next round of questions, unless the image is known."""
        try:
            questions = next(looking.rounds) if answers is None else looking.rounds.send(answers)
            while not questions:
                questions = looking.rounds.send({})
        except StopIteration as end:
            yield from self._end_turn(looking, watch)
            yield Seen(looking.image.wants, end.value)
            return
        if not any(isinstance(question, ReadManifest) for question in questions):
            yield from self._end_turn(looking, watch)
        looking.questions, looking.outstanding = questions, len(set(questions))
        for question in dict.fromkeys(questions):
            task = self._ask(question, looking.position)
            if task not in self._waiting:
                watch.add(task)
            self._waiting.setdefault(task, []).append(looking)

    def _begin_next(self, registry: str, watch: Watch[Any]) -> Iterator[Seen]:
        """Let the next image of a registry be read that counts what is read."""
        if self._turns[registry]:
            looking = self._turns[registry].popleft()
            looking.has_turn = True
            yield from self._go_on(looking, None, watch)

    def _end_turn(self, looking: _Looking, watch: Watch[Any]) -> Iterator[Seen]:
        if looking.has_turn:
            looking.has_turn = False
            yield from self._begin_next(looking.registry, watch)

    def _ask(self, question: Question, position: int) -> Task[Any]:
        """The task that answers; each question has one, whoever asks."""
        if question not in self._asked:
            self._asked[question] = self._tasks.add(
                partial(_answer, question, self._stores),
                hosts=[question.repository.registry],
                rank=rank_of_read(position),
            )
        return self._asked[question]


@dataclass(eq=False, slots=True)
class _Looking:
    """An image that is being looked into: the questions of the present round, and how many are not answered."""

    image: Image
    position: int
    rounds: Rounds
    questions: tuple[Question, ...] = ()
    outstanding: int = 0
    has_turn: bool = False
    """The next image of its registry waits until its manifests are read."""

    @property
    def registry(self) -> str:
        """Where it is read."""
        return self.image.root.repository.registry


def read_heads(
    rules: Sequence[Rule], stores: Stores, tasks: Tasks
) -> tuple[tuple[Wanted, ...], Mapping[Reference, Head]]:
    """Lists and heads. A head is read as soon as the lists of its rule are there: no rule waits for another's."""
    lists = _Lists(rules, stores, tasks)
    heads = _Heads(frozenset(rule.source for rule in rules), stores, tasks)
    for ready in lists.ready():
        heads.ask(ready, lists)
    return make_wants(rules, lists.selected), heads.results()


class _Lists:
    """The tag lists that rules ask for: of sources, to select from, and of destinations, to trust them."""

    def __init__(self, rules: Sequence[Rule], stores: Stores, tasks: Tasks) -> None:
        self.selected: dict[Repository, tuple[Tag, ...] | Broken] = {}
        self.trusted: dict[Repository, frozenset[Tag]] = {}
        self._rules = rules
        self._watch: Watch[Any] = tasks.watch()
        self._asked: dict[Task[Any], tuple[dict[Repository, Any], Repository]] = {
            **{_list(one, stores, tasks): (self.selected, one) for one in lists_needed(rules)},
            **{_list_there(one, stores, tasks): (self.trusted, one) for one in lists_trusted(rules)},
        }
        for task in self._asked:
            self._watch.add(task)

    def ready(self) -> Iterator[list[Rule]]:
        """Yield the rules whose lists are there, as they come."""
        left = list(self._rules)
        yield [rule for rule in left if self._has_lists_of(rule)]
        for task in self._watch:
            left = [rule for rule in left if not self._has_lists_of(rule)]
            found, repository = self._asked[task]
            found[repository] = task.result()
            yield [rule for rule in left if self._has_lists_of(rule)]

    def _has_lists_of(self, rule: Rule) -> bool:
        is_selected = not needs_list(rule) or rule.source in self.selected
        return is_selected and all(one in self.trusted for one in lists_trusted([rule]))


class _Heads:
    """The heads that rules ask for, each reference once; what a trusted list has is not asked for."""

    def __init__(self, sources: frozenset[Repository], stores: Stores, tasks: Tasks) -> None:
        self._sources = sources
        self._stores = stores
        self._tasks = tasks
        self._asked: dict[Reference, Task[Head]] = {}
        self._listed: dict[Reference, Head] = {}

    def ask(self, rules: Iterable[Rule], lists: _Lists) -> None:
        wants = [want for rule in rules for want in wants_of(rule, lists.selected) if isinstance(want, Want)]
        listed = {want.destination: Listed() for want in wants if want.trusts_list and _is_listed(want, lists)}
        self._listed.update(listed)
        asked = [want for want in wants if want.destination not in listed]
        for reference in (*(want.source for want in asked), *(want.destination for want in asked)):
            if reference not in self._asked:
                self._asked[reference] = self._tasks.add(
                    partial(self._read, reference), hosts=[reference.repository.registry]
                )

    def results(self) -> dict[Reference, Head]:
        """What was read of each, rather than what a list says where another rule does not trust that."""
        read = dict(zip(self._asked, self._tasks.results(list(self._asked.values())), strict=True))
        return {**self._listed, **read}

    def _read(self, reference: Reference) -> Head:
        if reference.repository in self._sources:
            return _head(lambda: self._stores.source(reference.repository), reference, "source")
        return _head(lambda: self._stores.destination(reference.repository), reference, "destination")


def _head(open_store: Callable[[], Resolver], reference: Reference, side: str) -> Head:
    def resolve() -> Head:
        try:
            return Present(open_store().resolve(reference.target))
        except NotFoundError:
            return Absent()
        except AuthenticationError as error:
            if side == "destination" and error.is_refusal:
                return Unreadable(error.message)
            raise

    return or_broken(resolve, side)


def _list(repository: Repository, stores: Stores, tasks: Tasks) -> Task[tuple[Tag, ...] | Broken]:
    def read() -> tuple[Tag, ...] | Broken:
        return or_broken(lambda: stores.source(repository).list_tags(), "source")

    return tasks.add(read, hosts=[repository.registry])


def _list_there(repository: Repository, stores: Stores, tasks: Tasks) -> Task[frozenset[Tag]]:
    """The tags of a destination whose list is trusted; none where it cannot be read: then each is asked for."""

    def read() -> frozenset[Tag]:
        found = or_broken(lambda: stores.destination(repository).list_tags(), "destination")
        return frozenset() if isinstance(found, Broken) else frozenset(found)

    return tasks.add(read, hosts=[repository.registry])


def _is_listed(want: Want, lists: _Lists) -> bool:
    return want.destination.tag in lists.trusted[want.destination.repository]


def _answer(question: Question, stores: Stores) -> Content | bool | Broken:
    """Answer a question about one image, by what earlier runs have learnt where that says enough."""
    if isinstance(question, ReadManifest):
        return or_broken(lambda: _manifest(question, stores), "source")
    if isinstance(question, IsEmpty):
        return or_broken(lambda: _is_empty(question, stores), "destination")
    return or_broken(lambda: _has_blob(question, stores), "destination")


def _answer_of(task: Task[Any]) -> Any:
    return task.value if task.error is None else Broken.from_error(task.error)


def _manifest(question: ReadManifest, stores: Stores) -> Content:
    known = stores.memory.manifest(question.digest)
    if known is None:
        known = fetch_manifest(stores.source(question.repository), question.digest)
        stores.memory.keep_manifest(known)
    return known


def fetch_manifest(source: ManifestFetcher, digest: Digest) -> Content:
    """Read a manifest; bytes that do not match their digest are read once more, as those of a blob are."""
    try:
        return source.fetch_manifest(digest)
    except IntegrityError:
        return source.fetch_manifest(digest)


def _has_blob(question: HasBlob, stores: Stores) -> bool:
    if stores.memory.holds(question.repository, question.digest):
        return True
    is_there = stores.destination(question.repository).has_blob(question.blob)
    if is_there:
        stores.memory.note(question.repository, question.digest)
    return is_there


def _is_empty(question: IsEmpty, stores: Stores) -> bool:
    """One tag list, and a look for what an earlier run may have left; it need not be there to be empty."""
    if stores.memory.knows(question.repository):
        return False
    destination = stores.destination(question.repository)
    try:
        has_tags = bool(destination.list_tags())
    except NotFoundError:
        has_tags = False
    return not has_tags and not any(destination.has_blob(blob) for blob in question.probes)


def or_broken(read: Callable[[], V], side: str) -> V | Broken:
    """What was read of this side, or why it was not. Raises Cancelled, nothing else."""
    try:
        return read()
    except Cancelled:
        raise
    except ImagesyncError as error:
        return _broken(error, side)
    except Exception as error:  # noqa: BLE001 - a mistake of ours fails one image, and says so
        return Broken.from_error(InternalError.of(error))


def _broken(error: ImagesyncError, side: str) -> Broken:
    if isinstance(error, StoreError):
        error.side = side
    if isinstance(error, BudgetError):
        return NotRead(error.message, error.kind, error.hint, 0 if error.is_deferred else error.exit_code)
    return Broken.from_error(error)

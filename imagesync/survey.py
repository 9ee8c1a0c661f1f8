"""The survey: reads both sides at once. What to read, pure functions of plan say; when, the tasks.

Tag lists and heads of the whole spec come first, since conflicts and budgets are seen there alone. After that every
image is looked into on its own, so that the first is on its way while the last is still being read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from imagesync.plan.image import Image, Overview, images_of, perhaps_empty
from imagesync.plan.inventory import Absent, Broken, Head, Inventory, NotRead, Present, Unreadable
from imagesync.plan.order import rank_of_read
from imagesync.plan.questions import (
    Answers,
    Asking,
    HasBlob,
    HasReferrersApi,
    IsEmpty,
    ListReferrers,
    ListTags,
    Question,
    ReadHead,
    ReadManifest,
    Side,
)
from imagesync.plan.reading import Seen, look_into, seen_already
from imagesync.plan.wants import Listings, Want, lists_needed, make_wants, needs_list, wants_of
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.spec.model import Rule
from imagesync.store import ManifestFetcher, Readable, Resolver, Stores, Writable
from imagesync.tasks import Task, Tasks, Watch

V = TypeVar("V")


def read_listings(rules: Sequence[Rule], stores: Stores, tasks: Tasks) -> Listings:
    """The tag lists of the source repositories whose rules ask for one."""
    lists = {repository: _list(repository, stores, tasks) for repository in lists_needed(rules)}
    return dict(zip(lists, tasks.results(list(lists.values())), strict=True))


class Survey:
    """What both sides hold of what a spec wants, told image by image as it becomes known.

    Making one reads lists and heads, and waits for them: two requests a tag. What fails is a Broken and stops
    nothing else. Raises Cancelled, nothing else.
    """

    def __init__(self, rules: Sequence[Rule], stores: Stores, tasks: Tasks) -> None:
        self._stores = stores
        self._tasks = tasks
        self._asked: dict[Question, Task[Any]] = {}
        self._waiting: dict[Task[Any], list[_Looking]] = {}
        self.wants, self._heads, self._listings = _read_heads(rules, stores, tasks)
        self.cancelled: Cancelled | None = None
        """Set when images were not looked into to the end, since the run was stopped."""

    def begin(self, watch: Watch[Any]) -> Iterator[Seen]:
        """Yield what the heads decide, and ask for what they do not: `watch` tells when to call `advance`."""
        yield seen_already(self.wants, self._heads)
        images = images_of(self.wants, self._heads)
        overview = Overview(self._heads, perhaps_empty(images, self._heads), self._listings)
        for position, image in enumerate(images):
            yield from self._go_on(_Looking(image, position, look_into(image, overview)), None, watch)

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
            yield Seen((*looking.image.wants, *looking.image.kept), end.value)
            return
        looking.questions, looking.outstanding = questions, len(set(questions))
        for question in dict.fromkeys(questions):
            task = self._ask(question, looking.position)
            if task not in self._waiting:
                watch.add(task)
            self._waiting.setdefault(task, []).append(looking)

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
    rounds: Asking[Inventory]
    questions: tuple[Question, ...] = ()
    outstanding: int = 0


def _read_heads(
    rules: Sequence[Rule], stores: Stores, tasks: Tasks
) -> tuple[tuple[Wanted, ...], Mapping[Reference, Head], Listings]:
    """Lists and heads. A head is read as soon as its rule's list is there: no rule waits for another's."""
    watch: Watch[Any] = tasks.watch()
    lists = {_list(repository, stores, tasks): repository for repository in lists_needed(rules)}
    for task in lists:
        watch.add(task)
    listings: dict[Repository, tuple[Tag, ...] | Broken] = {}
    heads = _Heads(frozenset(rule.source for rule in rules), stores, tasks)
    heads.ask(rule for rule in rules if not needs_list(rule))
    for task in watch:
        repository = lists[task]
        listings[repository] = task.result()
        heads.ask((rule for rule in rules if rule.source == repository), listings)
    return make_wants(rules, listings), heads.results(), listings


class _Heads:
    """The heads that rules ask for, each reference once."""

    def __init__(self, sources: frozenset[Repository], stores: Stores, tasks: Tasks) -> None:
        self._sources = sources
        self._stores = stores
        self._tasks = tasks
        self._asked: dict[Reference, Task[Head]] = {}

    def ask(self, rules: Iterable[Rule], listings: Listings | None = None) -> None:
        wants = [want for rule in rules for want in wants_of(rule, listings or {}) if isinstance(want, Want)]
        for reference in (*(want.source for want in wants), *(want.destination for want in wants)):
            if reference not in self._asked:
                self._asked[reference] = self._tasks.add(
                    partial(self._read, reference), hosts=[reference.repository.registry]
                )

    def results(self) -> dict[Reference, Head]:
        return dict(zip(self._asked, self._tasks.results(list(self._asked.values())), strict=True))

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

    return _or_broken(resolve, side)


def _list(repository: Repository, stores: Stores, tasks: Tasks) -> Task[tuple[Tag, ...] | Broken]:
    def read() -> tuple[Tag, ...] | Broken:
        return _or_broken(lambda: stores.source(repository).list_tags(), "source")

    return tasks.add(read, hosts=[repository.registry])


def _answer(question: Question, stores: Stores) -> Any:
    """Answer a question about one image, by what earlier runs have learnt where that says enough."""
    if isinstance(question, ReadManifest):
        return _or_broken(lambda: _manifest(question, stores), question.side)
    if isinstance(question, ReadHead):
        store = partial(_store, question.repository, question.side, stores)
        return _head(store, question.reference, question.side)
    if isinstance(question, ListTags):
        return _or_broken(lambda: _tags(question, stores), "source")
    if isinstance(question, HasReferrersApi | ListReferrers):
        return _or_broken(lambda: _referrers(question, stores), question.side)
    if isinstance(question, IsEmpty):
        return _or_broken(lambda: _is_empty(question, stores), "destination")
    return _or_broken(lambda: _has_blob(question, stores), "destination")


def _store(repository: Repository, side: Side, stores: Stores) -> Readable | Writable:
    return stores.source(repository) if side == "source" else stores.destination(repository)


def _tags(question: ListTags, stores: Stores) -> tuple[Tag, ...]:
    """The tags of a source; a repository that has gone since its tag was read has none."""
    try:
        return stores.source(question.repository).list_tags()
    except NotFoundError:
        return ()


def _referrers(question: HasReferrersApi | ListReferrers, stores: Stores) -> Any:
    listed = _store(question.repository, question.side, stores).list_referrers(question.digest)
    return listed is not None if isinstance(question, HasReferrersApi) else listed or ()


def _answer_of(task: Task[Any]) -> Any:
    return task.value if task.error is None else Broken.from_error(task.error)


def _manifest(question: ReadManifest, stores: Stores) -> Content:
    known = stores.memory.manifest(question.digest)
    if known is None:
        known = _fetch(_store(question.repository, question.side, stores), question.digest)
        stores.memory.keep_manifest(known)
    return known


def _fetch(store: ManifestFetcher, digest: Digest) -> Content:
    """Read a manifest; bytes that do not match their digest are read once more, as those of a blob are."""
    try:
        return store.fetch_manifest(digest)
    except IntegrityError:
        return store.fetch_manifest(digest)


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


def _or_broken(read: Callable[[], V], side: str) -> V | Broken:
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

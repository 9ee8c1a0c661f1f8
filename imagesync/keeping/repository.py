"""The state in a repository: each run adds an artifact under a tag of its own, whoever reads merges all of them.

A registry can compare nothing before it sets a tag, so nothing that another may write is ever written. What is older
than a day is folded into one artifact and then deleted where that can be done; where it cannot, the fold names what it
stands for, and that is read no more (docs/adr/0018).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from imagesync.errors import (
    ImmutableError,
    InvalidManifest,
    InvalidReference,
    NotFoundError,
    StateError,
    StoreError,
)
from imagesync.keeping.artifact import layers_of, make_artifact, parse_folded
from imagesync.keeping.clock import FORGOTTEN_AFTER, MAX_SIGHTS, now
from imagesync.keeping.names import FOLD, RUN, is_fold, is_older, made_at, make_name
from imagesync.keeping.store import StateStore, delete_all, fetch, push
from imagesync.lazy import dataclass
from imagesync.log import log
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.state import NOTHING_REMEMBERED, State, state_from_json
from imagesync.state.document import MAX_BYTES

SETTLED_AFTER = timedelta(days=1)
"""What is older is written to by nobody any more: it may be folded."""
RENEWED_AFTER = timedelta(hours=12)
"""A run that takes longer goes on under another tag, well before the first may be folded."""
FOLDED_FROM = 10
"""From so many settled tags on, reading them costs more than folding them."""
MAX_READ = 5000
MAX_READ_BYTES = 4 * MAX_BYTES
"""Of all artifacts together."""
_TRIES = 5
_AT_ONCE = 32


OpenStore = Callable[[], AbstractContextManager[StateStore]]
T = TypeVar("T")


class Each(Protocol):
    """Calls a function with each of several tags, perhaps at the same time, and returns what came of it in order."""

    def __call__(self, run: Callable[[Tag], T], tags: Sequence[Tag], /) -> list[T]: ...


def one_by_one(run: Callable[[Tag], T], tags: Sequence[Tag], /) -> list[T]:
    return [run(tag) for tag in tags]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What one tag was found to hold, and which tags it stands for. `is_settled`: when it was read, nobody could be
    writing to it any more."""

    digest: Digest
    state: State
    folded: frozenset[Tag]
    is_settled: bool
    size_bytes: int


class RepositoryKeeper:
    """Implements Keeper over one repository; `open_store` is asked anew each time something is read or written, `each`
    says how many artifacts are read at once."""

    def __init__(
        self,
        repository: Repository,
        open_store: OpenStore,
        *,
        each: Each = one_by_one,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._repository = repository
        self._open_store = open_store
        self._each = each
        self._clock = clock
        self._kept: dict[Tag, _Kept] = {}
        self._own_tag: Tag | None = None
        self._own = NOTHING_REMEMBERED
        self._is_folded = False

    def load(self) -> State:
        """Every artifact there is. One that another run has folded while this one was reading is looked for again."""
        for _ in range(_TRIES - 1):
            with suppress(NotFoundError):
                return self._load()
        return self._load()

    def check_writable(self) -> None:
        """Nothing is plain of a registry before it is asked."""

    def add(self, news: State) -> None:
        """Write what this run has added so far under its own tag, then fold what is old."""
        self._renew()
        self._own = self._own.merge(news)
        with self._opened() as store:
            try:
                self._push(store, self._tag(), self._own)
            except ImmutableError:  # the registry moves no tag, not even our own
                self._own_tag = None
                self._push(store, self._tag(), self._own)
            self._fold(store)

    def _load(self) -> State:
        with self._opened() as store:
            self._kept = self._read_all(store)
        return NOTHING_REMEMBERED.merge(*(one.state for one in self._kept.values()))

    def _renew(self) -> None:
        made = made_at(self._own_tag) if self._own_tag is not None else None
        if made is not None and self._clock() - made >= RENEWED_AFTER:
            self._own_tag, self._own = None, NOTHING_REMEMBERED

    def _tag(self) -> Tag:
        """This run's own."""
        self._own_tag = self._own_tag or make_name(RUN, self._clock())
        return self._own_tag

    def _read_all(self, store: StateStore) -> dict[Tag, _Kept]:
        found: dict[Tag, _Kept] = {}
        folds, runs = self._list(store)
        for tag in folds:
            if tag not in _covered(found):
                self._take(found, [tag], store)
        left = [tag for tag in runs if tag not in _covered(found)]
        for start in range(0, len(left), _AT_ONCE):
            self._take(found, left[start : start + _AT_ONCE], store)
        covered = _covered(found)
        return {tag: one for tag, one in found.items() if tag not in covered}

    def _take(self, found: dict[Tag, _Kept], tags: Sequence[Tag], store: StateStore) -> None:
        if len(found) + len(tags) > MAX_READ or sum(one.size_bytes for one in found.values()) > MAX_READ_BYTES:
            message = f"state {self._repository} has over {MAX_READ} tags to read, or over {MAX_READ_BYTES} bytes"
            raise StateError(message, hint="let imagesync delete tags there: then it folds them")
        found.update(zip(tags, self._each(partial(self._read, store), tags), strict=True))

    def _list(self, store: StateStore) -> tuple[list[Tag], list[Tag]]:
        """The tags of the state: folds, the latest first, since they spare others, and those of runs."""
        try:
            listed = store.list_tags()
        except NotFoundError:
            return [], []
        foreign = [tag for tag in listed if made_at(tag) is None and not tag.startswith("sha256-")]
        if foreign:
            named = ", ".join(foreign[:3])
            message = f"state {self._repository} has tags of something else: {named}"
            raise StateError(message, hint="a state needs a repository of its own")
        tags = [tag for tag in listed if made_at(tag) is not None]
        return sorted(filter(is_fold, tags), reverse=True), [tag for tag in tags if not is_fold(tag)]

    def _read(self, store: StateStore, tag: Tag) -> _Kept:
        name = str(Reference(self._repository, tag))
        content = store.fetch_manifest(tag)
        try:
            layer, names = layers_of(content)
            named = parse_folded(fetch(store, names)) if names is not None else frozenset()
        except (InvalidManifest, InvalidReference) as error:
            hint = "delete that tag, if what its run has remembered may be lost"
            raise StateError(f"state {name} is damaged or none: {error.message}", hint=hint) from error
        state = state_from_json(fetch(store, layer), name=name)
        folded = frozenset(one for one in named if is_older(one, made_at(tag)))
        is_settled = is_older(tag, self._clock() - SETTLED_AFTER)
        size_bytes = layer.size_bytes + (names.size_bytes if names is not None else 0)
        return _Kept(content.digest, state, folded, is_settled, size_bytes)

    def _push(self, store: StateStore, tag: Tag, state: State, folded: frozenset[Tag] = frozenset()) -> None:
        push(store, make_artifact(state, tag, folded), tag)

    def _fold(self, store: StateStore) -> None:
        """Once a run. What goes wrong here leaves everything readable, and is tried again by the next run."""
        settled = {tag: one for tag, one in self._kept.items() if one.is_settled}
        if self._is_folded or len(settled) < FOLDED_FROM:
            return
        self._is_folded = True
        state = NOTHING_REMEMBERED.merge(*(one.state for one in settled.values()))
        folded = frozenset(settled).union(*(one.folded for one in settled.values()))
        try:
            there = folded & set(store.list_tags())
            state = state.tidied(self._clock() - FORGOTTEN_AFTER, MAX_SIGHTS)
            self._push(store, make_name(FOLD, self._clock()), state, there)
            delete_all(store, {tag: settled[tag].digest if tag in settled else None for tag in sorted(there)})
        except StoreError as error:
            log.warning("old entries of the state could not be folded", reason=str(error))

    @contextmanager
    def _opened(self) -> Iterator[StateStore]:
        with self._open_store() as store:
            try:
                yield store
            except StoreError as error:
                error.side = error.side or "state"
                raise


def _covered(found: Mapping[Tag, _Kept]) -> frozenset[Tag]:
    """The tags that need not be read, since a fold stands for them."""
    return frozenset[Tag]().union(*(one.folded for one in found.values()))

"""The state in a repository: names, folds, what two that fold at once keep, and what is no state."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from imagesync.errors import ImmutableError, IntegrityError, NotFoundError, StateError, StoreError, UnsupportedError
from imagesync.keeping import repository as module
from imagesync.keeping.artifact import FOLDED_TYPE, TYPE, Artifact, make_artifact
from imagesync.keeping.names import is_fold, made_at, make_name
from imagesync.keeping.repository import RepositoryKeeper
from imagesync.keeping.store import push
from imagesync.layout import LayoutRepository, LayoutTree
from imagesync.manifest import OCI_MANIFEST, Content, Descriptor, digest_of, parse_manifest
from imagesync.reference import Digest, Repository, Tag
from imagesync.state import State
from tests.images import make_artifact as make_other_artifact
from tests.images import make_image, push_image
from tests.state.values import APP, HUB_APP, NOON, ONE, TWO, seen, tagged, written

WHERE = Repository("registry.internal", "team/state")


class Place:
    """One repository, whose deletions may be refused, and keepers of it at whatever time it is."""

    def __init__(self, folder: Path) -> None:
        self.store = Refusing(LayoutTree(folder).repository("team/state"))
        self.now = NOON

    def keeper(self) -> RepositoryKeeper:
        return RepositoryKeeper(WHERE, lambda: nullcontext(self.store), clock=lambda: self.now)

    def runs(self, count: int, *, first: int = 0, each: timedelta = timedelta(hours=4)) -> None:
        """So many runs, each of which writes a tag of its own, and the time goes on."""
        for number in range(first, first + count):
            self.now += each
            keeper = self.keeper()
            keeper.load()
            keeper.add(State.of([written(tag=f"t{number}")]))

    def owned(self) -> set[str]:
        return {str(entry.destination.tag) for entry in self.keeper().load().owned(APP)}

    def tags(self) -> list[str]:
        return list(self.store.list_tags())


class Refusing:
    """A layout that does what a registry may do: refuse to delete, or let something happen in between."""

    def __init__(self, inner: LayoutRepository) -> None:
        self._inner = inner
        self.refuses_tags = self.refuses_manifests = self.refuses_to_move = False
        self.before_fetch: list[Any] = []
        self.reads: list[str] = []
        self._pushed: set[Tag | None] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def fetch_manifest(self, target: Tag | Digest) -> Content:
        if self.before_fetch:
            self.before_fetch.pop()()
        self.reads.append(str(target))
        return self._inner.fetch_manifest(target)

    def push_manifest(self, content: Content, tag: Tag | None = None) -> None:
        if self.refuses_to_move and tag in self._pushed:
            raise ImmutableError("tag is immutable")
        self._pushed.add(tag)
        self._inner.push_manifest(content, tag)

    def delete_tag(self, tag: Tag) -> None:
        if self.refuses_tags:
            raise UnsupportedError("deletes no tag")
        self._inner.delete_tag(tag)

    def delete_manifest(self, digest: Digest) -> None:
        if self.refuses_manifests:
            raise UnsupportedError("deletes nothing")
        self._inner.delete_manifest(digest)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(module, "FOLDED_FROM", 3)
    return Place(tmp_path)


@contextmanager
def raises_state_error(part: str) -> Iterator[None]:
    with pytest.raises(StateError) as caught:
        yield
    assert part in str(caught.value)
    assert "team/state" in str(caught.value)


def test_a_name_says_when_it_was_made_and_no_two_are_alike() -> None:
    assert make_name("run", NOON) != make_name("run", NOON)
    assert made_at(make_name("fold", NOON)) == NOON
    assert is_fold(make_name("fold", NOON))
    for other in ("latest", "run-20260301T120000Z", "run-20261301T120000Z-00000000", "run-20260301T120000Z-XXXXXXXX"):
        assert made_at(Tag(other)) is None


def test_each_run_has_one_tag_however_often_it_adds(place: Place) -> None:
    keeper = place.keeper()
    keeper.add(State.of([written(tag="1")]))
    keeper.add(State.of([written(tag="2")]))
    (tag,) = place.tags()
    assert tag.startswith("run-20260301T120000Z-")
    assert place.owned() == {"1", "2"}


def test_where_no_tag_may_move_each_addition_has_its_own(place: Place) -> None:
    place.store.refuses_to_move = True
    keeper = place.keeper()
    keeper.add(State.of([written(tag="1")]))
    keeper.add(State.of([written(tag="2")]))
    assert len(place.tags()) == 2
    assert place.owned() == {"1", "2"}


def test_a_run_that_takes_long_goes_on_under_another_tag(place: Place) -> None:
    """The first may be folded by another run once it is a day old: nothing may be added to it by then."""
    keeper = place.keeper()
    keeper.add(State.of([written(tag="1")]))
    place.now += module.RENEWED_AFTER
    keeper.add(State.of([written(tag="2")]))
    assert len(place.tags()) == 2
    assert place.owned() == {"1", "2"}


def test_what_is_older_than_a_day_is_folded_and_deleted(place: Place) -> None:
    place.runs(14)
    young = [tag for tag in place.tags() if place.now - made(tag) <= module.SETTLED_AFTER]
    assert len(place.tags()) < 14
    assert set(young) <= set(place.tags())
    assert any(map(is_fold, map(Tag, place.tags())))
    assert place.owned() == {f"t{number}" for number in range(14)}


def made(tag: str) -> datetime:
    found = made_at(Tag(tag))
    assert found is not None
    return found


@pytest.mark.parametrize("refuses_manifests", [False, True])
def test_where_tags_cannot_be_deleted_their_manifests_are_or_nothing_is_read_twice(
    place: Place, refuses_manifests: bool
) -> None:
    place.store.refuses_tags, place.store.refuses_manifests = True, refuses_manifests
    place.runs(14)
    assert len(place.tags()) == 14 + sum(map(is_fold, map(Tag, place.tags()))) if refuses_manifests else True
    place.store.reads.clear()
    assert place.owned() == {f"t{number}" for number in range(14)}
    assert len(place.store.reads) < 14


def test_two_that_fold_at_once_lose_nothing(place: Place) -> None:
    place.runs(module.FOLDED_FROM)
    place.now += timedelta(days=2)
    one, two = place.keeper(), place.keeper()
    one.load()
    two.load()
    one.add(State.of([written(tag="one")]))
    two.add(State.of([written(tag="two")]))
    assert sum(map(is_fold, map(Tag, place.tags()))) == 2
    assert place.owned() == {"one", "two", *(f"t{number}" for number in range(module.FOLDED_FROM))}
    place.runs(8, first=100)
    assert {"one", "two", "t0"} <= place.owned()


def test_a_reader_whose_tag_is_folded_away_meanwhile_reads_again(place: Place) -> None:
    place.runs(module.FOLDED_FROM)
    place.now += timedelta(days=2)
    other = place.keeper()
    other.load()
    place.store.before_fetch = [lambda: other.add(State.of([written(tag="other")]))]
    assert place.owned() == {"other", *(f"t{number}" for number in range(module.FOLDED_FROM))}


def test_what_was_added_to_a_run_after_it_was_read_is_not_folded_away(place: Place) -> None:
    """Read while it was young, folded a day later: whoever folds has not seen what was added in between."""
    place.runs(module.FOLDED_FROM - 1)
    young = place.keeper()
    young.add(State.of([written(tag="before")]))
    folding = place.keeper()
    folding.load()
    young.add(State.of([written(tag="after")]))
    place.now += timedelta(days=2)
    folding.add(State.of([written(tag="last")]))
    assert {"before", "after", "last"} <= place.owned()


def test_a_fold_that_cannot_be_written_leaves_everything_as_it_was(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.runs(module.FOLDED_FROM)
    place.now += timedelta(days=2)
    keeper = place.keeper()
    keeper.load()

    def refuse(*_: object) -> None:
        raise StoreError("quota exceeded")

    monkeypatch.setattr(module, "delete_all", refuse)
    keeper.add(State.of([written(tag="new")]))
    assert len(place.owned()) == module.FOLDED_FROM + 1


def test_old_first_sights_go_with_a_fold_but_for_the_last_of_a_tag(place: Place) -> None:
    keeper = place.keeper()
    keeper.add(State.of([seen(ONE, seconds=1), seen(TWO, seconds=2)]))
    place.now += timedelta(days=500)
    place.runs(module.FOLDED_FROM)
    place.now += timedelta(days=2)
    place.runs(1)
    assert [sight.digest for sight in place.keeper().load().sights(tagged(HUB_APP))] == [TWO]


def test_a_document_that_is_large_is_a_blob_of_its_own(place: Place) -> None:
    entries = [written(tag=f"t{number}") for number in range(1000)]
    place.keeper().add(State.of(entries))
    assert len(place.owned()) == 1000


def test_tags_of_something_else_are_refused(place: Place) -> None:
    push_image(place.store, make_image("app"), "latest")
    with raises_state_error("has tags of something else: latest (a state needs a repository of its own)"):
        place.keeper().load()


def test_the_signature_of_a_state_is_no_other_thing(place: Place) -> None:
    place.keeper().add(State.of([written()]))
    push_image(place.store, make_image("signature"), f"sha256-{'0' * 64}.sig")
    assert place.owned() == {"1.0"}


@pytest.mark.parametrize("image", [make_image("app"), make_other_artifact("sbom")], ids=["image", "artifact"])
def test_what_has_the_name_of_a_run_and_is_no_state_is_refused(place: Place, image: Any) -> None:
    push_image(place.store, image, make_name("run", NOON))
    with raises_state_error("is damaged or none: it is no state (delete that tag"):
        place.keeper().load()


def hostile(place: Place, *bodies: tuple[str, bytes]) -> None:
    """An artifact with these layers under the name of a fold."""
    layers = [Descriptor(media_type, digest_of(body), len(body)) for media_type, body in bodies]
    artifact = make_artifact(State.of([written()]), make_name("fold", NOON))
    document = json.loads(artifact.manifest.raw)
    document["layers"] = [{"mediaType": one.media_type, "digest": one.digest, "size": one.size_bytes} for one in layers]
    blobs = {**artifact.blobs, **{layer: body for layer, (_, body) in zip(layers, bodies, strict=True)}}
    manifest = parse_manifest(json.dumps(document).encode(), OCI_MANIFEST)
    push(place.store, Artifact(manifest, blobs), make_name("fold", NOON))


EMPTY = b'{"format_version": 1, "first_seen": [], "written": [], "deleted": [], "narrowed": []}'


@pytest.mark.parametrize(
    ("bodies", "said"),
    [
        (((TYPE, b"{}"),), "there is no format_version"),
        (((TYPE, EMPTY), (TYPE, EMPTY)), "its layers are not"),
        (((TYPE, EMPTY), (FOLDED_TYPE, b"{")), "its list of names is no JSON"),
        (((TYPE, EMPTY), (FOLDED_TYPE, b"[" * 100_000)), "its list of names is no JSON"),
        (((TYPE, EMPTY), (FOLDED_TYPE, b"{}")), "its list of names is none"),
        (((TYPE, EMPTY), (FOLDED_TYPE, b'["../x"]')), "is not a tag"),
        ((("text/plain", b"x"),), "its layers are not"),
    ],
)
def test_what_is_no_state_is_refused_whatever_it_holds(
    place: Place, bodies: tuple[tuple[str, bytes], ...], said: str
) -> None:
    hostile(place, *bodies)
    with raises_state_error(said):
        place.keeper().load()


def test_a_fold_hides_nothing_that_is_younger_than_itself(place: Place) -> None:
    keeper = place.keeper()
    place.now += timedelta(hours=1)
    keeper.add(State.of([written()]))
    (own,) = place.tags()
    name = make_name("fold", NOON)
    push(place.store, make_artifact(State.of([]), name, [Tag(own)]), name)
    assert place.owned() == {"1.0"}


def test_a_layer_that_is_not_there_is_told(place: Place) -> None:
    hostile(place, (TYPE, EMPTY))
    place.store.delete_blob(digest_of(EMPTY))
    with pytest.raises(NotFoundError) as caught:
        place.keeper().load()
    assert caught.value.side == "state"


def test_a_layer_with_other_bytes_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile(place, (TYPE, EMPTY))
    monkeypatch.setattr(Refusing, "fetch_blob", lambda *_: nullcontext(iter([b"x" * 9999])), raising=False)
    with pytest.raises(IntegrityError, match="has other bytes"):
        place.keeper().load()


def test_more_than_a_state_has_is_not_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_READ", 3)
    place.runs(4)
    with raises_state_error("has over 3 tags to read"):
        place.keeper().load()

"""The survey: reads both sides at once into an Inventory. What to read, pure functions of plan say, round by round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from imagesync.errors import (
    AuthenticationError,
    Cancelled,
    ImagesyncError,
    IntegrityError,
    InternalError,
    NotFoundError,
    StoreError,
)
from imagesync.manifest import MAX_DEPTH, MAX_ENTRIES, Content, Descriptor, Index
from imagesync.plan.diff import Wanted, blobs_to_check, contents_to_read, perhaps_empty, probes
from imagesync.plan.inventory import Absent, Broken, Head, Inventory, Present, Unreadable
from imagesync.plan.wants import Listings, Want, lists_needed, make_wants
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.spec.model import Rule
from imagesync.store import ManifestFetcher, Resolver, Stores
from imagesync.tasks import Tasks

K = TypeVar("K")
V = TypeVar("V")


def survey(rules: Sequence[Rule], stores: Stores, tasks: Tasks) -> tuple[tuple[Wanted, ...], Inventory]:
    """Read tag lists, the heads of both sides, the manifests of what differs, and which blobs are there.

    An unchanged tag costs one request a side. What fails is a Broken in the inventory and stops nothing else;
    only Cancelled is raised.
    """
    listings = read_listings(rules, stores, tasks)
    wants = make_wants(rules, listings)
    heads = _read_heads(wants, stores, tasks)
    contents, broken = _read_contents(contents_to_read(wants, heads), stores, tasks)
    seen = Inventory(listings, heads, contents, broken)
    present = _read_present(blobs_to_check(wants, seen), heads, stores, tasks)
    return wants, Inventory(listings, heads, contents, broken, present)


def read_listings(rules: Sequence[Rule], stores: Stores, tasks: Tasks) -> Listings:
    """The tag lists of the source repositories whose rules ask for one."""

    def read(repository: Repository) -> tuple[Tag, ...] | Broken:
        return _or_broken(lambda: stores.source(repository).list_tags(), "source")

    return _read_all(lists_needed(rules), read, lambda repository: repository.registry, tasks)


def _read_heads(wants: Iterable[Wanted], stores: Stores, tasks: Tasks) -> Mapping[Reference, Head]:
    pairs = [want for want in wants if isinstance(want, Want)]
    sources = dict.fromkeys(want.source for want in pairs)
    destinations = dict.fromkeys(want.destination for want in pairs if want.destination not in sources)

    def read(reference: Reference) -> Head:
        if reference in sources:
            return _head(lambda: stores.source(reference.repository), reference, "source")
        return _head(lambda: stores.destination(reference.repository), reference, "destination")

    return _read_all((*sources, *destinations), read, lambda reference: reference.repository.registry, tasks)


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


def _read_contents(
    roots: Mapping[Digest, Reference], stores: Stores, tasks: Tasks
) -> tuple[dict[Digest, Content], dict[Digest, Broken]]:
    """Read every root and what its indexes list, all images one level at a time, each digest once."""
    contents: dict[Digest, Content] = {}
    broken: dict[Digest, Broken] = {}
    counts: Counter[Digest] = Counter()
    level: dict[Digest, dict[Digest, int | None]] = {root: {root: None} for root in roots}
    for _ in range(MAX_DEPTH):
        missing = {
            Reference(roots[root].repository, None, digest): size
            for root, entries in level.items()
            for digest, size in entries.items()
            if digest not in contents
        }
        found = _read_manifests(missing, stores, tasks)
        contents.update((content.digest, content) for content in found.values() if not isinstance(content, Broken))
        failures = {reference: content for reference, content in found.items() if isinstance(content, Broken)}
        below: dict[Digest, dict[Digest, int | None]] = {}
        for root, entries in level.items():
            references = [Reference(roots[root].repository, None, digest) for digest in entries]
            failure = next((failures[reference] for reference in references if reference in failures), None)
            children = _children(entries, contents)
            counts[root] += len(children)
            if failure is not None or counts[root] > MAX_ENTRIES:
                broken[root] = failure or _TOO_LARGE
            elif children:
                below[root] = children
        level = below
    broken.update(dict.fromkeys(level, _TOO_LARGE))
    return contents, broken


_TOO_LARGE = Broken(
    f"index is nested more than {MAX_DEPTH} levels deep, or lists more than {MAX_ENTRIES} manifests", "manifest"
)


def _children(digests: Iterable[Digest], contents: Mapping[Digest, Content]) -> dict[Digest, int | None]:
    """The manifests that these list, each with the size that its entry says."""
    indexes = [content for digest in digests if isinstance(content := contents.get(digest), Index)]
    entries = [entry for index in indexes for entry in index.successors() if entry.is_manifest]
    return {entry.digest: entry.size_bytes for entry in entries}


def _read_manifests(
    wanted: Mapping[Reference, int | None], stores: Stores, tasks: Tasks
) -> dict[Reference, Content | Broken]:
    """Each manifest, by digest. One of another size than its entry says is thrown away as soon as it is read."""

    def read(reference: Reference) -> Content | Broken:
        found = _or_broken(lambda: _fetch(stores.source(reference.repository), reference), "source")
        announced = wanted[reference]
        if isinstance(found, Broken) or announced in (None, len(found.raw)):
            return found
        return Broken(f"source {reference}: {len(found.raw)} bytes, the index says {announced}", IntegrityError.kind)

    return _read_all(wanted, read, lambda reference: reference.repository.registry, tasks)


def _fetch(source: ManifestFetcher, reference: Reference) -> Content:
    """Read a manifest; bytes that do not match their digest are read once more, as those of a blob are."""
    try:
        return source.fetch_manifest(reference.target)
    except IntegrityError:
        return source.fetch_manifest(reference.target)


def _read_present(
    asked: Mapping[Repository, tuple[Descriptor, ...]], heads: Mapping[Reference, Head], stores: Stores, tasks: Tasks
) -> dict[Repository, frozenset[Digest]]:
    """Which of these blobs each destination repository holds; an empty one is not asked blob by blob."""
    suspects = _without_tags(perhaps_empty(asked, heads), stores, tasks)
    probed = _held({repository: probes(asked[repository]) for repository in suspects}, stores, tasks)
    empty = {repository for repository, held in probed.items() if not held}
    rest = {repository: blobs for repository, blobs in asked.items() if repository not in empty}
    return {**_held(rest, stores, tasks), **{repository: frozenset() for repository in empty}}


def _without_tags(repositories: Iterable[Repository], stores: Stores, tasks: Tasks) -> list[Repository]:
    """Those of the repositories that have no tag, or do not exist."""

    def read(repository: Repository) -> bool:
        try:
            return not stores.destination(repository).list_tags()
        except NotFoundError:
            return True
        except StoreError:
            return False

    found = _read_all(repositories, read, lambda repository: repository.registry, tasks)
    return [repository for repository, is_empty in found.items() if is_empty]


def _held(
    asked: Mapping[Repository, tuple[Descriptor, ...]], stores: Stores, tasks: Tasks
) -> dict[Repository, frozenset[Digest]]:
    """Ask for each blob; one that cannot be asked for counts as missing."""

    def read(key: tuple[Repository, Descriptor]) -> bool:
        repository, blob = key
        held = _or_broken(lambda: stores.destination(repository).has_blob(blob), "destination")
        return held is True

    keys = [(repository, blob) for repository, blobs in asked.items() for blob in blobs]
    found = _read_all(keys, read, lambda key: key[0].registry, tasks)
    return {
        repository: frozenset(blob.digest for blob in blobs if found[repository, blob])
        for repository, blobs in asked.items()
    }


def _read_all(keys: Iterable[K], read: Callable[[K], V], host: Callable[[K], str], tasks: Tasks) -> dict[K, V]:
    """One task for each key, under the limit of its host."""
    unique = list(dict.fromkeys(keys))
    reads = [tasks.add(partial(read, key), hosts=[host(key)]) for key in unique]
    return dict(zip(unique, tasks.results(reads), strict=True))


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
    return Broken.from_error(error)

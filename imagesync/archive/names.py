"""What a docker-archive calls its images, and which of them a name asks for. Pure.

Names come from whoever wrote the archive: they are parsed as references, and are never a path of a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from imagesync.errors import IntegrityError, InvalidReference
from imagesync.lazy import dataclass
from imagesync.reference import HUB, Reference, Repository, RepositoryList, Tag, parse_reference, starts_with_host

CONTAINERD_NAME = "io.containerd.image.name"
_SHOWN = 10
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SavedName:
    """One name of an image. Without a repository any name will do; without a tag it is called by digest alone."""

    repository: Repository | None
    tag: Tag | None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag is not None else ""
        return f"{short_name(self.repository) if self.repository else ''}{tag}"


@dataclass(frozen=True, slots=True)
class Named(Generic[T]):
    """An image, in whatever form an archive holds it, and what it is called there."""

    image: T
    names: tuple[SavedName, ...] = ()


def parse_name(text: object) -> SavedName:
    """One of RepoTags. Raises IntegrityError for what is no reference."""
    try:
        found = parse_reference(text if isinstance(text, str) else "")
    except InvalidReference as error:
        raise IntegrityError(f"calls an image {ascii(text)[:120]}, which is no reference") from error
    return SavedName(found.repository, found.tag)


def parse_layout_name(annotations: Mapping[str, str], ref_name: str | None) -> tuple[SavedName, ...]:
    """What an index.json calls an entry: Docker gives a full reference, other tools a tag alone."""
    if CONTAINERD_NAME in annotations:
        return (parse_name(annotations[CONTAINERD_NAME]),)
    if ref_name is None:
        return ()
    return (SavedName(None, Tag(ref_name)) if Tag.is_valid(ref_name) else parse_name(ref_name),)


def short_name(repository: Repository) -> str:
    """As Docker prints it: without Docker Hub's host, and without its `library/`."""
    if repository.registry == HUB:
        return repository.path.removeprefix("library/")
    return str(repository)


def relative_name(repository: Repository) -> str:
    """Without any host."""
    return short_name(repository) if repository.registry == HUB else repository.path


def called(path: str, images: Iterable[Named[T]]) -> Iterator[tuple[T, Tag | None]]:
    """The images that a name asks for, each with its tags under it, or once without; those without a name, too."""
    whole = parse_reference(path).repository if starts_with_host(path) else None
    for one in images:
        meant = [name for name in one.names if name.repository in (None, whole) or _is_short(path, name.repository)]
        tags = dict.fromkeys(name.tag for name in meant if name.tag is not None)
        for tag in tags or ((None,) if meant or not one.names else ()):
            yield one.image, tag


def by_tag(path: str, images: Iterable[Named[T]], key: Callable[[T], object]) -> dict[Tag, T]:
    """The images under a name by tag. Raises IntegrityError where a tag is two of them: those of another `key`."""
    found: dict[Tag, T] = {}
    for image, tag in called(path, images):
        if tag is not None and key(found.setdefault(tag, image)) != key(image):
            names = sorted({str(name) for one in images for name in one.names if name.tag == tag})
            hint = f"ask for one by its whole name: {', '.join(names[:_SHOWN])}"
            raise IntegrityError(f"holds two images that are called {path}:{tag}", hint=hint)
    return found


def what_is_there(images: Iterable[Named[T]]) -> str | None:
    """A hint, for a name that is not."""
    names = list(dict.fromkeys(str(name) for one in images for name in one.names))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"it holds {', '.join(names[:_SHOWN])}{more}" if names else None


def list_names(images: Iterable[Named[T]], prefix: str) -> RepositoryList:
    """The names of all images without their hosts, those below a prefix."""
    repositories = (name.repository for one in images for name in one.names)
    return RepositoryList.of((relative_name(one) for one in repositories if one is not None), prefix)


def reference_in(registry: str, name: SavedName, otherwise: str) -> Reference:
    """How a command line asks for an image; `otherwise` is what one is called that has no name."""
    repository = Repository(registry, short_name(name.repository) if name.repository else otherwise)
    return Reference(repository, name.tag or Tag("latest"))


def _is_short(path: str, repository: Repository | None) -> bool:
    return repository is not None and path in (repository.path, relative_name(repository))

"""Names: Digest, Tag, Repository and Reference, parsed once and printed back the same.

The grammar is that of distribution/reference with Docker Hub's rules; where the library accepts what can
only be a mistake (a port of 99999, a host of 300 letters) imagesync refuses. No I/O, no spec rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from imagesync.errors import InvalidReference
from imagesync.lazy import dataclass
from imagesync.redaction import redacted

MAX_REFERENCE_LENGTH = 4096
MAX_PATH_LENGTH = 255
MAX_HOST_LENGTH = 253
HUB = "docker.io"
HUB_ALIASES = frozenset({HUB, "index.docker.io"})
HUB_WIRE_HOSTS = frozenset({"registry-1.docker.io", "registry.hub.docker.com"})
DIGEST_LENGTHS = {"sha256": 64, "sha512": 128}
"""Hex letters by algorithm; the algorithms whose bytes imagesync can check."""
DOCKER_ARCHIVE = "docker-archive:"
LAYOUT_SCHEMES = (DOCKER_ARCHIVE, "oci-archive:", "oci:")
"""What is read without a network: `DIRECTORY` or `FILE` stands behind it."""
ARCHIVE_SCHEMES = (DOCKER_ARCHIVE, "oci-archive:")
"""Of those, what is never written."""
LAYOUT_FILES = frozenset({"blobs", "index.json", "oci-layout"})
"""What a layout keeps in its folder: no component of a repository name below one may be called so."""

_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_DOMAIN_COMPONENT = r"(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])"
PATH_PATTERN = rf"{_COMPONENT}(?:/{_COMPONENT})*"
TAG_PATTERN = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_REGISTRY_PORTS = frozenset({"443", "5000", "5001", "8080", "8081", "8082", "8443"})
_PATH = re.compile(PATH_PATTERN, re.ASCII)
_TAG = re.compile(TAG_PATTERN, re.ASCII)
_HOST = re.compile(
    rf"(?P<name>{_DOMAIN_COMPONENT}(?:\.{_DOMAIN_COMPONENT})*|\[[A-Fa-f0-9:]+\])(?::(?P<port>[0-9]+))?",
    re.ASCII,
)
_HEX64 = re.compile(r"[a-f0-9]{64}", re.ASCII)
_HEX = re.compile(r"[a-f0-9]+", re.ASCII)


class Digest(str):
    """`algorithm:hex`, checked when made. Paths and URLs are built from nothing else.

    Image spec, "Digests". Raises InvalidReference for another algorithm, length or letter case.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Digest:
        return text if isinstance(text, Digest) else super().__new__(cls, _check_digest(text))

    @property
    def algorithm(self) -> str:
        return self.partition(":")[0]

    @property
    def encoded(self) -> str:
        return self.partition(":")[2]

    @property
    def short(self) -> str:
        """For people: the algorithm and the first twelve hex letters."""
        return f"{self.algorithm}:{self.encoded[:12]}"

    @property
    def as_tag(self) -> str:
        """The name of the tag under which clients keep the list of what speaks of it, where a store makes none
        (distribution spec, "Referrers Tag Schema"). A whole sha512 would leave no room for an ending."""
        return f"{self.algorithm}-{self.encoded[:64]}"


class Tag(str):
    """A tag, checked when made: 1 to 128 of `A-Za-z0-9_.-`, not starting with `.` or `-`."""

    __slots__ = ()

    def __new__(cls, text: str) -> Tag:
        if isinstance(text, Tag):
            return text
        if not _TAG.fullmatch(text):
            raise InvalidReference(
                f"{_shown(text)} is not a tag: 1 to 128 letters, digits, '_', '.', '-', not starting with '.' or '-'"
            )
        return super().__new__(cls, text)

    @staticmethod
    def is_valid(text: str) -> bool:
        return _TAG.fullmatch(text) is not None


class TagList(tuple[Tag, ...]):
    """The tags of a repository, sorted, each once. What its list holds besides, and is no tag, is `illegal`."""

    illegal: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: Iterable[str]) -> TagList:
        """Of whatever names a server or a folder lists."""
        found = sorted(set(names))
        listed = cls(Tag(name) for name in found if Tag.is_valid(name))
        listed.illegal = tuple(name for name in found if not Tag.is_valid(name))
        return listed


class RepositoryList(tuple[str, ...]):
    """Paths of repositories, sorted, each once. What a list holds besides, and is no path, is `illegal`."""

    illegal: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: Iterable[str], prefix: str = "") -> RepositoryList:
        """Of whatever names a server or a folder lists, those below a prefix."""
        found = sorted({name for name in names if not prefix or name.startswith(f"{prefix}/")})
        listed = cls(name for name in found if is_path(name))
        listed.illegal = tuple(name for name in found if not is_path(name))
        return listed


@dataclass(frozen=True, slots=True, order=True)
class Repository:
    """Where one image's tags live.

    `registry` is a host with an optional port (`docker.io`, `localhost:5000`), or, for a folder or tar of
    images, `oci:DIRECTORY`, `oci-archive:FILE` or `docker-archive:FILE`. `path` is the name in it (`library/nginx`);
    in a docker-archive it may begin with the host that the image is of.
    """

    registry: str
    path: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.path}"

    @property
    def is_layout(self) -> bool:
        """True for folders and archives, which no network is needed for."""
        return self.registry.startswith(LAYOUT_SCHEMES)

    @property
    def host(self) -> str:
        """Of the registry that its images are of: a docker-archive may name one. Empty where nothing does."""
        if self.registry.startswith(DOCKER_ARCHIVE):
            return split_saved(self.path)[0]
        return "" if self.is_layout else self.registry

    @property
    def path_below_host(self) -> str:
        """`path` without the host of a docker-archive."""
        return split_saved(self.path)[1] if self.registry.startswith(DOCKER_ARCHIVE) else self.path


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A repository with a tag, a digest, or both: with both, the digest is what is read."""

    repository: Repository
    tag: Tag | None = None
    digest: Digest | None = None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag is not None else ""
        digest = f"@{self.digest}" if self.digest is not None else ""
        return f"{self.repository}{tag}{digest}"

    @property
    def target(self) -> Tag | Digest:
        """What to ask the registry for: the digest if there is one, else the tag."""
        target = self.digest or self.tag
        if target is None:
            raise InvalidReference(f"{self.repository} has neither a tag nor a digest")
        return target


@dataclass(frozen=True, slots=True)
class Name:
    """A path with an optional tag and digest, without a host: how a spec names an image below its source."""

    path: str
    tag: Tag | None = None
    digest: Digest | None = None


def parse_reference(text: str) -> Reference:
    """Parse `[host/]path[:tag][@digest]` by Docker's rules: `nginx` is `docker.io/library/nginx:latest`.

    Hosts are folded to lower case, but for one that only its capitals make a host. Raises InvalidReference,
    saying which rule was broken.
    """
    _check_text(text)
    remainder, tag, digest = _split(text)
    host, path = _split_host(remainder)
    repository = make_repository(host, path)
    if tag is None and digest is None:
        tag = Tag("latest")
    return Reference(repository, tag, digest)


def parse_name(text: str) -> Name:
    """Parse `path[:tag][@digest]`, a name relative to a source; no host, no default tag."""
    _check_text(text)
    remainder, tag, digest = _split(text)
    return Name(check_path(remainder), tag, digest)


@lru_cache(maxsize=4096)
def make_repository(registry: str, path: str) -> Repository:
    """A Repository from its two parts, by Docker Hub's rules: `docker.io` and `nginx` make `library/nginx`."""
    if registry.startswith(DOCKER_ARCHIVE):
        return Repository(registry, _saved_path(path))
    if registry.startswith(LAYOUT_SCHEMES):
        return Repository(registry, check_layout_path(path))
    host = normalise_host(registry)
    if host == HUB and "/" not in path:
        path = f"library/{path}"
    return Repository(host, check_path(path))


def normalise_host(text: str) -> str:
    """Check `host[:port]` and fold it to the form hosts are compared in: lower case, `docker.io` for its alias."""
    match = _HOST.fullmatch(text)
    if match is None and "@" in text:
        raise InvalidReference("a host is written without a login", hint=f"write {_shown(without_login(text))[1:-1]}")
    if match is None and "://" in text:
        host = text.partition("://")[2].partition("/")[0]
        raise InvalidReference(f"{_shown(text)} is a URL", hint=f"write the host alone: {_shown(host)[1:-1]}")
    if match is None:
        raise InvalidReference(f"{_shown(text)} is not a host: letters, digits, '-', '.', and an optional :port")
    port = match["port"]
    if port is not None and not 1 <= int(port[:6]) <= 65535:
        raise InvalidReference(f"port {port[:12]} of {_shown(text)} is not between 1 and 65535")
    if len(match["name"]) > MAX_HOST_LENGTH:
        raise InvalidReference(f"host of {len(match['name'])} characters: DNS allows {MAX_HOST_LENGTH}")
    folded = text.lower()
    if folded in HUB_ALIASES and text != folded:
        raise InvalidReference(f"write {folded} in lower case, {_shown(text)} is read differently by other tools")
    if not starts_with_host(f"{folded}/"):
        return text  # only its capitals make it a host: folded, it would be printed as a name on Docker Hub
    return HUB if folded in HUB_ALIASES else folded


def check_path(text: str) -> str:
    """Return a repository path unchanged if it fits the distribution spec's <name>, else raise InvalidReference."""
    if not _PATH.fullmatch(text):
        if _PATH.fullmatch(text.lower()):
            raise InvalidReference(f"repository name {_shown(text)} must be lower case", hint=f"write {text.lower()}")
        raise InvalidReference(
            f"{_shown(text)} is not a repository name: "
            "components of a-z and 0-9, joined by '.', '_', '__' or dashes, separated by '/'"
        )
    if len(text) > MAX_PATH_LENGTH:
        raise InvalidReference(f"repository name of {len(text)} characters: {MAX_PATH_LENGTH} are allowed")
    return text


def is_path(text: str) -> bool:
    """Whether check_path lets it pass."""
    return len(text) <= MAX_PATH_LENGTH and _PATH.fullmatch(text) is not None


def check_layout_path(text: str) -> str:
    """The path of a repository that is kept in a tree of layouts; raises InvalidReference."""
    reserved = LAYOUT_FILES.intersection(check_path(text).split("/"))
    if reserved:
        raise InvalidReference(f"{text} cannot be kept in a layout: {min(reserved)!r} is one of its own names")
    return text


def split_saved(path: str) -> tuple[str, str]:
    """The host, which may be empty, and the path of an image that is called so in a docker-archive."""
    host, _, rest = path.partition("/")
    return (host, rest) if starts_with_host(path) else ("", path)


def _saved_path(text: str) -> str:
    """A name in a docker-archive, checked: a path, or a full reference with Docker Hub's rules applied."""
    host, path = split_saved(text)
    return str(make_repository(host, path)) if host else check_path(path)


def starts_with_host(text: str) -> bool:
    """Whether the first component of a name would be read as a host by Docker's rule."""
    first, slash, _ = text.partition("/")
    return bool(slash) and (first == "localhost" or "." in first or ":" in first or first != first.lower())


def is_loopback(registry: str) -> bool:
    """Whether a registry's host is this machine by its name alone: `localhost`, 127.0.0.0/8, `[::1]`."""
    host = registry.rsplit(":", 1)[0] if not registry.endswith("]") else registry
    return host in ("localhost", "[::1]") or re.fullmatch(r"127(?:\.[0-9]{1,3}){3}", host) is not None


def footguns(text: str) -> tuple[str, ...]:
    """Warnings for references that parse but are surely not what was meant.

    Each is one sentence; the empty tuple for a reference without surprises (or one that does not parse).
    """
    try:
        reference = parse_reference(text)
    except InvalidReference:
        return ()
    repository, warnings = reference.repository, []
    if repository.registry in HUB_WIRE_HOSTS:
        warnings.append(f"{repository.registry} is Docker Hub's wire host: did you mean docker.io/{repository.path}?")
    first = text.partition("/")[0].partition("@")[0]
    if "/" not in text and first.partition(":")[0] in DIGEST_LENGTHS and ":" in first:
        warnings.append(f"this is a digest read as the image {repository.path}: write NAME@{text}")
    elif "/" not in text and (first.startswith("localhost") or "." in first.partition(":")[0] or _is_port(first)):
        warnings.append(f"this is read as the image {reference}, not as a registry")
    if "/" in text and first != first.lower():
        warnings.append(f"capitals make {first!r} a host: repository names are lower case")
    if len(str(repository)) > MAX_PATH_LENGTH:
        warnings.append(f"host and name have over {MAX_PATH_LENGTH} characters together: older clients refuse it")
    return tuple(warnings)


def _is_port(text: str) -> bool:
    return text.partition(":")[2] in _REGISTRY_PORTS


def _check_text(text: str) -> None:
    if len(text) > MAX_REFERENCE_LENGTH:
        raise InvalidReference(f"reference of {len(text)} characters: {MAX_REFERENCE_LENGTH} are allowed")
    if not text:
        raise InvalidReference("an empty reference")
    if text != text.strip():
        raise InvalidReference(f"{_shown(text)} has white space around it")
    scheme, separator, rest = text.partition("://")
    if separator:
        raise InvalidReference(
            f"{_shown(text)} is a URL, not a reference",
            hint=f"drop {_shown(scheme)[1:-1]}://, write {_shown(without_login(rest))[1:-1]}",
        )
    if _HEX64.fullmatch(text):
        raise InvalidReference("64 hex letters are an image id, not a name", hint=f"write NAME@sha256:{text}")


def _split(text: str) -> tuple[str, Tag | None, Digest | None]:
    """Take digest and tag off the end."""
    remainder, at, digest_text = text.partition("@")
    digest = Digest(digest_text) if at else None
    colon = remainder.rfind(":")
    if colon <= remainder.rfind("/"):
        return remainder, None, digest
    return remainder[:colon], Tag(remainder[colon + 1 :]), digest


def _split_host(text: str) -> tuple[str, str]:
    if not starts_with_host(text):
        return HUB, text
    host, _, path = text.partition("/")
    return host, path


def _check_digest(text: str) -> str:
    algorithm, colon, encoded = text.partition(":")
    length = DIGEST_LENGTHS.get(algorithm)
    if not colon or length is None:
        raise InvalidReference(f"{_shown(text)} is not a digest: sha256:… or sha512:… in lower case")
    if len(encoded) != length or not _HEX.fullmatch(encoded):
        raise InvalidReference(f"{algorithm} takes {length} lower-case hex letters, found {_shown(encoded)}")
    return text


def without_login(address: str) -> str:
    """An address that was written with a user and a password before its host, without those. It has no scheme."""
    host, slash, path = address.partition("/")
    return f"{host.rpartition('@')[2]}{slash}{path}"


def _shown(text: str) -> str:
    """Without secrets, quoted, escaped and cut, so that a message stays one short printable line."""
    text = redacted(text)
    return ascii(text if len(text) <= 80 else f"{text[:77]}...")

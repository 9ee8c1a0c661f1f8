"""Names in a spec: sources, image names and destination templates, turned into repositories. Pure.

Follows Docker's rules for hosts and for Docker Hub. Raises InvalidReference with what to do about it.
"""

from __future__ import annotations

import posixpath
import re

from imagesync.errors import InvalidReference
from imagesync.lazy import dataclass
from imagesync.reference import (
    ARCHIVE_SCHEMES,
    DOCKER_ARCHIVE,
    HUB,
    LAYOUT_FILES,
    LAYOUT_SCHEMES,
    Name,
    Repository,
    check_path,
    make_repository,
    normalise_host,
    parse_name,
    parse_reference,
    split_saved,
    starts_with_host,
    without_login,
)

PLACEHOLDERS = ("host", "path", "name")
MAX_ALTERNATIVES = 1000
_BRACES = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class SourceName:
    """Where an image's source is: `registry` and the `prefix` of its path, which may be empty."""

    registry: str
    prefix: str = ""

    @property
    def is_layout(self) -> bool:
        return self.registry.startswith(LAYOUT_SCHEMES)

    def __str__(self) -> str:
        return f"{self.registry}/{self.prefix}" if self.prefix else self.registry


@dataclass(frozen=True, slots=True)
class ImageName:
    """One image: its repository, `written` as {name} has it, and tag and digest where they were given."""

    repository: Repository
    written: str
    name: Name


def parse_source(text: str) -> SourceName:
    """`registry`, `registry/prefix`, `oci:DIRECTORY`, `oci-archive:FILE` or `docker-archive:FILE`."""
    if text.startswith(LAYOUT_SCHEMES):
        _check_place(text)
        return SourceName(text)
    _check_no_url(text)
    host, _, prefix = text.partition("/")
    prefix = prefix.rstrip("/")
    if not is_host(host):
        raise InvalidReference(f"source {text!r} begins with no host", hint=f"write docker.io/{_printable(text)}")
    return SourceName(normalise_host(host), check_path(prefix) if prefix else "")


def is_host(text: str) -> bool:
    """Whether a first component is a host by Docker's rule."""
    return starts_with_host(f"{text}/")


def expand_alternatives(text: str) -> tuple[str, ...]:
    """`bitnami/{kafka,redis}` is two names. Raises InvalidReference for unpaired braces or too many names."""
    if set(_BRACES.sub("", text)) & set("{}"):
        raise InvalidReference(f"{text!r} has an unpaired brace", hint="alternatives are written {a,b}")
    names, end = [""], 0
    for match in _BRACES.finditer(text):
        choices = match[1].split(",")
        if len(choices) == 1:
            raise InvalidReference(f"{match[0]!r} holds one name alone", hint="alternatives are written {a,b}")
        if len(names) * len(choices) > MAX_ALTERNATIVES:
            raise InvalidReference(f"{_cut(text)!r} stands for over {MAX_ALTERNATIVES} names")
        between = text[end : match.start()]
        names = [f"{name}{between}{choice.strip()}" for name in names for choice in choices]
        end = match.end()
    return tuple(dict.fromkeys(name + text[end:] for name in names))


def _cut(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


def image_below(source: SourceName, text: str, *, is_literal: bool) -> ImageName:
    """A name relative to a source. In string form one that starts with a host is an error; `name:` is literal."""
    if source.registry.startswith(DOCKER_ARCHIVE):
        return _image_saved(source, text)
    if not is_literal:
        check_relative(source, text)
    name = parse_name(text)
    path = posixpath.join(source.prefix, name.path)
    return ImageName(make_repository(source.registry, path), name.path, name)


def _image_saved(source: SourceName, text: str) -> ImageName:
    """A name in a docker-archive, which has no folders that a host could be mistaken for."""
    host, rest = split_saved(text)
    name = parse_name(rest)
    path = f"{host}/{name.path}" if host else name.path
    return ImageName(make_repository(source.registry, path), name.path, name)


def check_relative(source: SourceName, text: str) -> None:
    """Refuse a full reference below a source, and show both ways to write what may have been meant."""
    host, _, rest = text.partition("/")
    if not rest or (host != "localhost" and not set(host) & set(".:")):
        return  # capitals alone make no host here: that they are wrong is said of the path
    same = host == source.registry
    fix = f"write `{_printable(rest)}`" if same else "move it to an entry without `source`"
    raise InvalidReference(
        f"{text!r} starts with a host, and this entry has the source {source}",
        hint=f"{fix}; or, where the path below {source} is really spelt so, `- name: {_printable(text)}`",
    )


def image_alone(text: str) -> ImageName:
    """A full reference, in an entry without `source`."""
    reference = parse_reference(text)
    _, bare = split_alone(text)
    written = re.split(r"[:@]", bare, maxsplit=1)[0]
    has_tag = reference.tag is not None and f":{reference.tag}" in bare
    tag = reference.tag if has_tag else None
    return ImageName(reference.repository, written, Name(written, tag, reference.digest))


def split_alone(text: str) -> tuple[str, str]:
    """The registry of a full reference, and what stands behind it."""
    host, slash, rest = text.partition("/")
    return (normalise_host(host), rest) if slash and is_host(host) else (HUB, text)


def renamed_path(text: str, image: ImageName) -> str:
    """An image's `as`, which may use {path} and {name}: the repository below the destination."""
    if set(_BRACES.sub("", text)) & set("{}"):
        raise InvalidReference(f"{text!r} has an unpaired brace", hint="placeholders are {path} and {name}")
    if set(text) & set(":@"):
        raise InvalidReference(f"{text!r} has a tag or digest", hint="`as` is the repository: `retag` sets the tag")
    return check_path(_filled(text, {"name": image.written, "path": image.repository.path_below_host}))


def destination_repository(template: str, image: ImageName, renamed: str | None) -> Repository:
    """Fill a destination template; without a placeholder `/{name}` is added. `renamed` is the image's `as`."""
    values = {"name": image.written, "path": image.repository.path_below_host}
    if renamed is not None:
        values["name"] = values["path"] = renamed_path(renamed, image)
    if "{host}" in template:
        if not image.repository.host:
            raise InvalidReference("{host} has no value for an image from a folder", hint="use {path} or {name}")
        values["host"] = image.repository.host.replace(":", "-").lower()
    template = with_placeholder(template)
    if template.startswith("oci:"):
        directory, path = split_layout(template)
        return make_repository(directory, _filled(path, values))
    host, _, path = _filled(template, values).partition("/")
    return make_repository(host, path)


def with_placeholder(template: str) -> str:
    """A destination template with `/{name}` added where it has no placeholder."""
    return template if _BRACES.search(template) else f"{template.rstrip('/')}/{{name}}"


def layout_name(registry: str) -> str:
    """The one repository of a DIRECTORY that is itself a layout, whatever the images in it are called."""
    folder = registry.rpartition("/")[2].rpartition(":")[2].lower()
    name = re.sub(r"[^a-z0-9]+", "-", folder).strip("-")
    return name if name and name not in LAYOUT_FILES else "image"


def check_destination(text: str) -> None:
    """Raise InvalidReference for a destination that no image could make right."""
    for name in _BRACES.findall(text):
        if name not in PLACEHOLDERS:
            raise InvalidReference(f"{{{name}}} is not known", hint="allowed are {host}, {path} and {name}")
    if set(_BRACES.sub("", text)) & set("{}"):
        raise InvalidReference(f"{text!r} has an unpaired brace", hint="placeholders are {host}, {path} and {name}")
    if text.startswith(ARCHIVE_SCHEMES):
        raise InvalidReference("an archive can only be read", hint="write to oci:DIRECTORY")
    if text.startswith("oci:"):
        _check_place(text)
        return
    _check_no_url(text)
    host, _, path = text.partition("/")
    if not is_host(host):
        shown = _printable(text)
        hint = f"write docker.io/{shown}, or give the host its port: {_printable(host)}:443/…"
        raise InvalidReference(f"destination {text!r} begins with no host", hint=hint)
    if set(path) & set(":@"):
        raise InvalidReference(f"destination {text!r} has a tag or digest", hint="`retag` and `as_tag` set the tag")
    _check_template(normalise_host(host), path)


def _check_template(host: str, path: str) -> None:
    """Raise InvalidReference where the path could be right for no image at all."""
    filled = _BRACES.sub("x", path.rstrip("/"))
    if filled:
        make_repository(host, filled)


def _check_place(text: str) -> None:
    """Raise InvalidReference where a scheme for folders and files is followed by none, or by a URL's slashes."""
    scheme, _, place = text.partition(":")
    if place.startswith("//"):
        raise InvalidReference(f"{text!r} is a URL", hint=f"write {scheme}:{_printable(place.removeprefix('//'))}")
    if not place:
        raise InvalidReference(f"{text!r} names no {'directory' if scheme == 'oci' else 'file'}")


def _check_no_url(text: str) -> None:
    scheme, separator, rest = text.partition("://")
    if separator:
        raise InvalidReference(
            f"{text!r} is a URL", hint=f"drop {_printable(scheme)}://, write {_printable(without_login(rest))}"
        )


def _printable(text: str) -> str:
    """For a hint: what is not printable is escaped."""
    return text if text.isprintable() else ascii(text)[1:-1]


def split_layout(template: str) -> tuple[str, str]:
    """The DIRECTORY, and what is below it: that begins with the first component that has a placeholder."""
    parts = template.split("/")
    first = next(number for number, part in enumerate(parts) if "{" in part)
    directory = "/".join(parts[:first])
    if directory in ("", "oci:"):
        raise InvalidReference(f"{template!r} names no directory", hint="write oci:DIRECTORY")
    return directory, "/".join(parts[first:])


def _filled(template: str, values: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise InvalidReference(f"{{{match[1]}}} is not known here", hint="allowed are {path} and {name}")
        return values[match[1]]

    return _BRACES.sub(value, template)

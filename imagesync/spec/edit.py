"""Changing a spec's text: a first one to start from, and one image more. Comments and order stay as they are."""

from __future__ import annotations

from collections.abc import Iterator

from imagesync.errors import InvalidReference, Problem, SpecError, UsageError
from imagesync.lazy import dataclass
from imagesync.reference import HUB, Reference, parse_reference, starts_with_host
from imagesync.selection import TagPattern
from imagesync.spec.document import List, Map, Node, Scalar, parse_document
from imagesync.spec.names import ImageName, SourceName, expand_alternatives, image_alone, image_below, parse_source

_INITIAL = """\
# For completion and checks in an editor: imagesync schema > sync.schema.json
# yaml-language-server: $schema=sync.schema.json
# What belongs where. `imagesync plan sync.yaml` shows what would be done, `imagesync apply sync.yaml` does it.
version: 1

# Logins and TLS, by host. None is needed where `docker login` or `imagesync login` was used.
# registries:
#   registry.internal:5000:
#     auth:
#       username: "${USER_NAME}"
#       password: "${secret:REGISTRY_PASSWORD}"
#     tls:
#       ca: certs/ca.pem

sync:
  - source: docker.io
    destination: localhost:5000       # or registry/prefix, or a template with {host}, {path} and {name}
    images:
      - nginx:latest                  # name[:tag][@digest]
      # - name: redis
      #   tags: ["7.4", "7.4-alpine", "8.*"]
"""


def initial_spec() -> str:
    """A commented spec to start from."""
    return _INITIAL


@dataclass(frozen=True, slots=True)
class _Entry:
    """A sync entry, with `defaults` where it says nothing. `source` is None where images are full references."""

    images: List
    destination: Node | None
    source: SourceName | None
    tags: Node | None


def add_reference(text: str, reference: str, *, destination: str | None) -> str:
    """The text with one image more: in the entry whose source fits, else in one without a source, else in a new
    entry to `destination`. Unchanged where an entry selects it already. With `destination` only entries to that one
    are looked at. Raises SpecError, InvalidReference, UsageError."""
    wanted = parse_reference(reference)
    if wanted.tag is None:
        hint = f"write NAME:TAG@{wanted.digest}"
        raise UsageError(f"{reference} has no tag, and content without a tag would be garbage there", hint=hint)
    root = _parsed(text)
    entries = [entry for entry in _entries(root) if destination is None or _is_to(entry, destination)]
    if any(_selects(entry, item, wanted) for entry in entries for item in entry.images.items):
        return text
    lines = [(entry, line) for entry in entries if (line := _line_for(entry, wanted, reference)) is not None]
    if not lines:
        return _new_entry(text, root, f"{reference}{_missing_tag(wanted, reference)}", destination)
    entry, line = min(lines, key=lambda pair: pair[0].source is None)
    return _into(text, entry.images, line)


def _parsed(text: str) -> Map:
    problems: list[Problem] = []
    root = parse_document(text, "spec", problems)
    if problems:
        raise SpecError(problems)
    if not isinstance(root, Map):
        raise UsageError("the spec is not a map", hint="`imagesync validate` says more")
    return root


def _entries(root: Map) -> Iterator[_Entry]:
    """The entries that an image can be put into. One whose source is a variable is left alone."""
    sync, found = root.get("sync"), root.get("defaults")
    defaults = found.values if isinstance(found, Map) else {}
    for entry in sync.items if isinstance(sync, List) else ():
        values = {**defaults, **entry.values} if isinstance(entry, Map) else {}
        images, source = values.get("images"), values.get("source")
        try:
            parsed = parse_source(source.text) if isinstance(source, Scalar) else None
        except InvalidReference:
            continue
        if isinstance(images, List) and images.items:
            yield _Entry(images, values.get("destination"), parsed, values.get("tags"))


def _is_to(entry: _Entry, destination: str) -> bool:
    node = entry.destination
    return isinstance(node, Scalar) and node.text == destination


def _selects(entry: _Entry, item: Node, wanted: Reference) -> bool:
    """Whether an image of the spec is this one, or holds it by its tags."""
    name = item.get("name") if isinstance(item, Map) else item
    tags = (item.get("tags") if isinstance(item, Map) else None) or entry.tags
    if not isinstance(name, Scalar):
        return False
    try:
        images = [
            _image(entry.source, text, is_literal=isinstance(item, Map)) for text in expand_alternatives(name.text)
        ]
        patterns = [TagPattern.parse(text) for text in _texts(tags)]
    except InvalidReference:
        return False
    for image in images:
        if image.repository != wanted.repository or image.name.digest != wanted.digest:
            continue
        if image.name.tag == wanted.tag:
            return True
        if image.name.tag is None and wanted.tag is not None and any(one.matches(wanted.tag) for one in patterns):
            return True
    return False


def _image(source: SourceName | None, text: str, *, is_literal: bool) -> ImageName:
    return image_alone(text) if source is None else image_below(source, text, is_literal=is_literal)


def _texts(node: Node | None) -> list[str]:
    """The tags and patterns; of a map of steps those that are taken whatever the steps say: no list is read here."""
    if node is None:
        return ["latest"]
    if isinstance(node, Map):
        return _texts(node.get("always")) if "always" in node.values else []
    nodes = node.items if isinstance(node, List) else (node,)
    return [one.text for one in nodes if isinstance(one, Scalar)]


def _line_for(entry: _Entry, wanted: Reference, reference: str) -> str | None:
    """How an entry writes the image, without the dash; None where its source is another."""
    if entry.source is None:
        return _quoted(f"{reference}{_missing_tag(wanted, reference)}")
    relative = _relative(entry.source, wanted)
    if relative is None:
        return None
    return f"{{name: {_quoted(relative)}}}" if starts_with_host(relative) else _quoted(relative)


def _missing_tag(wanted: Reference, reference: str) -> str:
    """`:latest` where it is implied: an entry's own `tags` would be taken else."""
    return "" if wanted.digest or reference.endswith(f":{wanted.tag}") else f":{wanted.tag}"


def _relative(source: SourceName, wanted: Reference) -> str | None:
    path = wanted.repository.path
    if source.registry != wanted.repository.registry:
        return None
    if source.prefix:
        if not path.startswith(f"{source.prefix}/"):
            return None
        path = path.removeprefix(f"{source.prefix}/")
    elif source.registry == HUB and path.count("/") == 1:
        path = path.removeprefix("library/")
    return f"{path}:{wanted.tag}" + (f"@{wanted.digest}" if wanted.digest else "")


def _into(text: str, images: List, line: str) -> str:
    """Below the last image; in a list in brackets before the first, whose place is known to the letter."""
    at, lines = _line(images), text.splitlines(keepends=True)
    column = images.place.column - 1
    if _is_in_brackets(text, images):
        lines[at] = f"{lines[at][: column + 1]}{line}, {lines[at][column + 1 :]}"
        return "".join(lines)
    return _after(text, _last_line(images), [f"{' ' * column}- {line}"])


def _new_entry(text: str, root: Map, reference: str, destination: str | None) -> str:
    sync, found = root.get("sync"), root.get("defaults")
    defaults = found.values if isinstance(found, Map) else {}
    if destination is None and "destination" not in defaults:
        raise UsageError(f"no entry of the spec has a source for {reference}", hint="add --destination DESTINATION")
    if "source" in defaults:
        raise UsageError("`defaults` has a source, so no entry takes full references", hint="add an entry by hand")
    if not isinstance(sync, List) or not sync.items or _is_in_brackets(text, sync):
        raise UsageError("the spec has no list of sync entries", hint="`imagesync init` writes a spec to start from")
    indent = " " * (sync.place.column - 1)
    images = ["images:", f"  - {_quoted(reference)}"]
    keys = images if destination is None else [f"destination: {_quoted(destination)}", *images]
    block = [f"{'  ' if number else '- '}{line}" for number, line in enumerate(keys)]
    last = _with_comments(text, _last_line(sync), sync.place.column - 1)
    return _after(text, last, [indent + line for line in block])


def _is_in_brackets(text: str, node: Node) -> bool:
    column = node.place.column - 1
    return text.splitlines()[_line(node)][column : column + 1] == "["


def _line(node: Node) -> int:
    return node.place.line - 1


def _last_line(node: Node) -> int:
    """The last line that anything below this node begins in, from 0."""
    if isinstance(node, Scalar):
        return _line(node) + node.text.count("\n")
    below = node.items if isinstance(node, List) else tuple(node.values.values())
    return max([_line(node), *(_last_line(child) for child in below)])


def _with_comments(text: str, line: int, column: int) -> int:
    """The last of the comment lines that follow and are indented deeper than `column`: they belong to what is above."""
    lines = text.splitlines()
    for number, following in enumerate(lines[line + 1 :], start=line + 1):
        bare = following.lstrip()
        if not bare.startswith("#") or len(following) - len(bare) <= column:
            return number - 1
    return max(line, len(lines) - 1)


def _after(text: str, line: int, block: list[str]) -> str:
    """The text with these lines below one of its own, which end as its lines do."""
    ending = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    if not lines[line].endswith("\n"):
        lines[line] += ending
    return "".join([*lines[: line + 1], *(added + ending for added in block), *lines[line + 1 :]])


def _quoted(text: str) -> str:
    """Quoted where YAML would read the plain text otherwise."""
    problems: list[Problem] = []
    node = parse_document(text, "value", problems)
    plain = isinstance(node, Scalar) and node.value == text and not problems and " #" not in text
    return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

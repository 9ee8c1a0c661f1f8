"""Changing a spec's text: a first one to start from, and one image more. Comments and order stay as they are."""

from __future__ import annotations

from imagesync.errors import InvalidReference, Problem, SpecError, UsageError
from imagesync.reference import HUB, Reference, parse_reference
from imagesync.spec.document import List, Map, Node, Scalar, parse_document
from imagesync.spec.names import SourceName, parse_source

_INITIAL = """\
# yaml-language-server: $schema=https://imagesync.dev/schema/sync-v1.json
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


def add_reference(text: str, reference: str, *, destination: str | None) -> str:
    """The text with one image more: in the entry whose source fits, else in one without a source, else in a new
    entry to `destination`. Unchanged where it stands there already. Raises SpecError, InvalidReference, UsageError."""
    wanted = parse_reference(reference)
    problems: list[Problem] = []
    root = parse_document(text, "spec", problems)
    if problems or not isinstance(root, Map):
        raise SpecError(problems)
    sync = root.get("sync")
    if not isinstance(sync, List) or not sync.items:
        raise UsageError("the spec has no sync entries", hint="`imagesync init` writes a spec to start from")
    entries = [entry for entry in sync.items if isinstance(entry, Map)]
    fitting = [entry for entry in entries if _name_in(entry, wanted, reference) is not None]
    fitting.sort(key=lambda entry: entry.get("source") is None)
    if destination is None and fitting:
        return _into(text, fitting, wanted, reference)
    return _new_entry(text, sync, reference, destination)


def _into(text: str, fitting: list[Map], wanted: Reference, reference: str) -> str:
    for entry in fitting:
        images = entry.get("images")
        if any(_is_same(item, entry, wanted) for item in (images.items if isinstance(images, List) else ())):
            return text
    images = fitting[0].get("images")
    name = _name_in(fitting[0], wanted, reference)
    if (
        not isinstance(images, List)
        or not images.items
        or not text.splitlines()[_line(images)].lstrip().startswith("-")
    ):
        raise UsageError("the images of that entry are not a list of lines", hint=f"add it by hand: - {name}")
    return _after(text, _last_line(images), f"{' ' * (images.place.column - 1)}- {_quoted(name or reference)}")


def _new_entry(text: str, sync: List, reference: str, destination: str | None) -> str:
    if destination is None:
        raise UsageError(f"no entry of the spec has a source for {reference}", hint="add --destination DESTINATION")
    indent = " " * (sync.place.column - 1)
    block = [f"- destination: {_quoted(destination)}", "  images:", f"    - {_quoted(reference)}"]
    last = _with_comments(text, _last_line(sync), sync.place.column - 1)
    return _after(text, last, "\n".join(indent + line for line in block))


def _name_in(entry: Map, wanted: Reference, reference: str) -> str | None:
    """How an entry would write the image: relative to its source; None where the source is another."""
    node = entry.get("source")
    if node is None:
        return reference
    if not isinstance(node, Scalar):
        return None
    try:
        source = parse_source(node.text)
    except InvalidReference:
        return None
    return _relative(source, wanted)


def _relative(source: SourceName, wanted: Reference) -> str | None:
    path = wanted.repository.path
    if source.registry != wanted.repository.registry:
        return None
    if source.prefix:
        if not path.startswith(f"{source.prefix}/"):
            return None
        path = path.removeprefix(f"{source.prefix}/")
    elif source.registry == HUB:
        path = path.removeprefix("library/") if path.count("/") == 1 else path
    tag = f":{wanted.tag}" if wanted.tag else ""
    return f"{path}{tag}" + (f"@{wanted.digest}" if wanted.digest else "")


def _is_same(item: Node, entry: Map, wanted: Reference) -> bool:
    text = item.text if isinstance(item, Scalar) else None
    if text is None:
        return False
    node = entry.get("source")
    try:
        if isinstance(node, Scalar):
            return _relative(parse_source(node.text), wanted) in (text, f"{text}:latest")
        return parse_reference(text) == wanted
    except InvalidReference:
        return False


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


def _after(text: str, line: int, block: str) -> str:
    lines = text.splitlines()
    return "\n".join([*lines[: line + 1], block, *lines[line + 1 :]]) + "\n"


def _quoted(text: str) -> str:
    """Quoted where YAML would read the plain text otherwise."""
    problems: list[Problem] = []
    node = parse_document(text, "value", problems)
    plain = isinstance(node, Scalar) and node.value == text and not problems and " #" not in text
    return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

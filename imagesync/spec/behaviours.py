"""What `registries` says of how a registry behaves, and of what is created there. What the schema refused is passed
over here."""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import TypeVar

from imagesync.behaviour import (
    CREATED_WITH,
    TABLE,
    Catalog,
    Chunks,
    Creation,
    Deletes,
    Kind,
    Mount,
    Referrers,
    RepositoryTemplate,
    Repush,
    Said,
)
from imagesync.errors import Problem
from imagesync.lazy import dataclass
from imagesync.settings import RegistrySettings, Settings
from imagesync.spec.document import List, Map, Node, Scalar
from imagesync.spec.interpolate import Interpolator
from imagesync.spec.sizes import format_size, parse_size

E = TypeVar("E", bound=Enum)
_MOST_BYTES = TABLE[Kind.GENERIC].manifest_bytes
_KEYS = {
    "immutable": "mutable_tags",
    "scan_on_push": "scan_on_push",
    "lifecycle": "lifecycle",
    "encryption": "kms_key",
    "tags": "tags",
    "public": "is_public",
    "storage_limit": "storage_bytes",
}
"""The keys of `create`, and what of a template they become."""


@dataclass(frozen=True, slots=True)
class BehaviourReader:
    """Reads `kind`, `behaviour` and `create` of one entry; relative paths count from `folder`."""

    interpolator: Interpolator
    folder: Path
    problems: list[Problem]

    def said(self, entry: Map) -> Said | None:
        """What holds instead of the table."""
        node = entry.get("behaviour")
        if not isinstance(node, Map):
            return None
        said = Said(
            mount=_one_of(Mount, node.get("mount")),
            chunks=_one_of(Chunks, node.get("chunks")),
            referrers=_one_of(Referrers, node.get("referrers")),
            page_size=_number(node.get("page_size")),
            catalog=_one_of(Catalog, node.get("catalog")),
            repush=_one_of(Repush, node.get("repush")),
            creation=_one_of(Creation, node.get("creation")),
            deletes=_one_of(Deletes, node.get("deletes")),
            manifest_bytes=self._manifest_bytes(node.get("manifest_size")),
        )
        if said.chunks is Chunks.NEVER and entry.get("chunk_size") is not None:
            message = "`chunks: never` and a `chunk_size` exclude each other"
            self.problems.append(Problem(node.keys["chunks"].place, message, "keep one"))
        return said

    def kind(self, entry: Map) -> Kind | None:
        return _one_of(Kind, entry.get("kind"))

    def create(self, entry: Map) -> RepositoryTemplate | None:
        """What is created with which settings."""
        node = entry.get("create")
        if not isinstance(node, Map):
            return None
        encryption = node.get("encryption")
        return RepositoryTemplate(
            mutable_tags=self._mutable_tags(node.get("immutable")),
            scan_on_push=_is_true(node.get("scan_on_push")),
            kms_key=self._text(encryption.get("kms")) if isinstance(encryption, Map) else None,
            tags=self._tags(node.get("tags")),
            lifecycle=self._lifecycle(node.get("lifecycle")),
            is_public=_is_true(node.get("public")),
            storage_bytes=_size(node.get("storage_limit")),
        )

    def check(self, registries: Node | None, settings: Settings) -> None:
        """Find what says something and does nothing: a `create` where nothing is created, or not with that. A pattern
        stands for hosts of which this is seen when one of them is met."""
        for name, entry in registries.values.items() if isinstance(registries, Map) else ():
            node = entry.get("create") if isinstance(entry, Map) else None
            if isinstance(node, Map) and not any(char in name for char in "*?"):
                host = name.partition("/")[0].lower()
                creation = settings.for_host(host).behaviour_at(host).creation
                self._check_create(node, host, creation)

    def _check_create(self, node: Map, host: str, creation: Creation) -> None:
        if creation not in CREATED_WITH:
            message = f"nothing can be created at {host}: {_OTHERWISE[creation]}"
            hint = "leave `create` out, or say `kind: ecr` or `kind: harbor` if that is what it is"
            self.problems.append(Problem(node.place, message, hint))
            return
        allowed = [key for key, name in _KEYS.items() if name in CREATED_WITH[creation]]
        for name, key in node.keys.items():
            if name in _KEYS and name not in allowed:
                message = f"{name!r} is nothing that {creation.value} can be told"
                self.problems.append(Problem(key.place, message, f"allowed are: {', '.join(allowed)}"))

    def _manifest_bytes(self, node: Node | None) -> int | None:
        size_bytes = _size(node)
        if node is not None and size_bytes is not None and size_bytes > _MOST_BYTES:
            message = f"a manifest of {format_size(size_bytes)} is not read from anywhere"
            self.problems.append(Problem(node.place, message, f"at most {format_size(_MOST_BYTES)}"))
        return size_bytes

    def _mutable_tags(self, node: Node | None) -> tuple[str, ...] | None:
        if isinstance(node, Map):
            return tuple(self._texts(node.get("except")))
        return () if _is_true(node) else None

    def _tags(self, node: Node | None) -> tuple[tuple[str, str], ...]:
        given = node.values.items() if isinstance(node, Map) else ()
        return tuple((key, self.interpolator.text(value)) for key, value in given if isinstance(value, Scalar))

    def _lifecycle(self, node: Node | None) -> str | None:
        """The text of the file, which has to be JSON: the registry would say so after the repository is there."""
        if not isinstance(node, Scalar):
            return None
        path = (self.folder / self.interpolator.text(node)).absolute()
        try:
            text = path.read_text("utf-8")
            json.loads(text)
        except (OSError, ValueError, RecursionError) as error:
            message = f"file {node.text} is no lifecycle policy: {type(error).__name__}"
            self.problems.append(Problem(node.place, message, f"looked for JSON in {path}"))
            return None
        return text

    def _text(self, node: Node | None) -> str | None:
        return self.interpolator.text(node) if isinstance(node, Scalar) else None

    def _texts(self, node: Node | None) -> Iterable[str]:
        items = node.items if isinstance(node, List) else ()
        return (self.interpolator.text(item) for item in items if isinstance(item, Scalar))


_OTHERWISE = {
    Creation.ON_PUSH: "its repositories are made by the first push",
    Creation.COMMAND: "no API of it that is known makes repositories",
}


def settings_in_words(own: RegistrySettings) -> dict[str, str | None]:
    """What an entry says of these, as text for people; None for what it does not say."""
    said = own.behaviour.values() if own.behaviour is not None else {}
    texts = {name: value.value if isinstance(value, Enum) else str(value) for name, value in said.items()}
    if "manifest_bytes" in said:
        texts["manifest_size"] = format_size(int(texts.pop("manifest_bytes")))
    return {
        "kind": own.kind.value if own.kind is not None else None,
        "behaviour": ", ".join(f"{name} {text}" for name, text in texts.items()) or None,
        "create": (str(own.create) or "with the registry's own settings") if own.create is not None else None,
    }


def _one_of(kind: type[E], node: Node | None) -> E | None:
    values = {one.value: one for one in kind}
    return values.get(node.text) if isinstance(node, Scalar) else None


def _is_true(node: Node | None) -> bool:
    return isinstance(node, Scalar) and node.value is True


def _number(node: Node | None) -> int | None:
    return node.value if isinstance(node, Scalar) and type(node.value) is int else None


def _size(node: Node | None) -> int | None:
    return parse_size(node.text) if isinstance(node, Scalar) else None

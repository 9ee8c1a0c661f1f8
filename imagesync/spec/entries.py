"""The sync entries of a spec's files, as nodes, and how many there are; and whether names tell entries apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from imagesync.errors import Place, Problem
from imagesync.spec.document import List, Map, Node, Scalar

if TYPE_CHECKING:
    from imagesync.spec.stages import Promotion


def count_entries(root: Node) -> int:
    """How many sync entries a file has, right or wrong: the next file's are numbered after them."""
    return len(entries_of(root))


def find_repeated_names(roots: Iterable[Node]) -> list[Problem]:
    """Entries of all files that share a name: `--only NAME` would not know which is meant."""
    first: dict[str, Place] = {}
    problems = []
    for root in roots:
        for entry in entries_of(root):
            name = entry.get("name") if isinstance(entry, Map) else None
            if isinstance(name, Scalar) and first.setdefault(name.text, name.place) != name.place:
                message = f"another entry is called {name.text!r} too, at {first[name.text]}"
                problems.append(Problem(name.place, message, "give each entry a name of its own"))
    return problems


def entries_of(root: Node) -> tuple[Node, ...]:
    entries = root.get("sync") if isinstance(root, Map) else None
    return entries.items if isinstance(entries, List) else ()


def find_repeated_promotions(promotions: Iterable[Promotion]) -> Iterator[Problem]:
    """Promotions of all files that share a name: `promote NAME:VERSION` would not know which is meant."""
    first: dict[str, Place] = {}
    for promotion in promotions:
        if first.setdefault(promotion.name, promotion.place) != promotion.place:
            message = f"another promotion is called {promotion.name!r} too, at {first[promotion.name]}"
            yield Problem(promotion.place, message, "give each promotion a name of its own")

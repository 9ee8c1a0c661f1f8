"""The headers of an answer, by name, however that is written; those that come twice are kept twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping


class Headers(Mapping[str, str]):
    """The value of a name is all its values, with commas between them (RFC 9110, 5.3)."""

    def __init__(self, lines: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in lines:
            self._values.setdefault(name.lower(), []).append(value)

    def values_of(self, name: str) -> list[str]:
        """Each value of a name, in the order they came."""
        return self._values.get(name.lower(), [])

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._values[name.lower()])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

"""The fields of lazy dataclasses, and what is made of an object by them."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")
MISSING: Any = object()


class Field:
    """What `field` said of one field. The names are those of `dataclasses.Field`."""

    __slots__ = ("compare", "default", "default_factory", "hash", "kw_only", "name", "repr", "type")

    def __init__(self, *, default: Any = MISSING, default_factory: Any = MISSING, **said: bool) -> None:
        self.name = self.type = ""
        self.default = default
        self.default_factory = default_factory
        self.repr = said.pop("repr", True)
        self.compare = said.pop("compare", True)
        self.hash = said.pop("hash", self.compare)
        self.kw_only = False
        if said:
            raise TypeError(f"a field of a lazy dataclass cannot be told {', '.join(said)}")

    def as_standard(self) -> Any:
        """The same for `dataclasses`."""
        from dataclasses import field as standard  # noqa: PLC0415 - few ask

        defaults = {"default": self.default, "default_factory": self.default_factory}
        given = {name: value for name, value in defaults.items() if value is not MISSING}
        return standard(**given, repr=self.repr, compare=self.compare, hash=self.hash, kw_only=self.kw_only)


field = Field


def fields(one: Any) -> tuple[Field, ...]:
    """The fields of a class, or of an object's: those of its base first."""
    return tuple(one.__lazy_fields__.values())


def replace(one: T, /, **changes: Any) -> T:
    """The same object with other values."""
    kept: list[str] = [name for name in one.__lazy_fields__ if name not in changes]  # type: ignore[attr-defined]
    return type(one)(**{name: getattr(one, name) for name in kept}, **changes)

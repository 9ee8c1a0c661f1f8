"""Declaring a lazy dataclass: it gets its slots at once, and its methods with its first object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from imagesync.lazy.field import MISSING, Field, fields
from imagesync.lazy.methods import methods_of

_UNKNOWN = ("InitVar", "KW_ONLY")


def dataclass(
    *, slots: bool = False, frozen: bool = False, eq: bool = True, order: bool = False, kw_only: bool = False
) -> Callable[[type], Any]:
    """As that of dataclasses, for classes without an `__init__` of their own whose annotations are text.

    Fields are always in slots; without `slots=True` an object has a `__dict__` beside them, as a cached property needs.
    """

    def declare(written: type) -> Any:
        if "__init__" in vars(written):
            raise TypeError(f"{written.__qualname__}: a lazy dataclass writes its __init__ itself")
        made = _with_slots(written, () if slots else ("__dict__",), kw_only=kw_only)

        def first_init(self: Any, *values: Any, **named: Any) -> None:
            for name, method in methods_of(made, frozen=frozen, eq=eq, order=order).items():
                setattr(made, name, method)
            made.__init__(self, *values, **named)

        made.__init__ = first_init
        return made

    return declare


def _with_slots(written: type, more: tuple[str, ...], *, kw_only: bool) -> Any:
    """The class once more: none is given slots after it was made."""
    own = {name: _field_of(written, name, kw_only=kw_only) for name in _annotated(written)}
    inherited: dict[str, Field] = getattr(written, "__lazy_fields__", {})
    left_out = {"__dict__", "__weakref__", *own}
    body = {
        **{name: value for name, value in vars(written).items() if name not in left_out},
        "__qualname__": written.__qualname__,
        "__slots__": (*(name for name in own if name not in inherited), *more),
        "__lazy_fields__": inherited | own,
        "__dataclass_fields__": _STANDARD_FIELDS,
    }
    return type(written)(written.__name__, written.__bases__, body)


def _annotated(written: type) -> list[str]:
    """The names that are fields."""
    for name, text in written.__annotations__.items():
        if text.startswith(_UNKNOWN):
            raise TypeError(f"{written.__qualname__}.{name}: a lazy dataclass does not know {text}")
    return [name for name, text in written.__annotations__.items() if not text.startswith("ClassVar")]


def _field_of(written: type, name: str, *, kw_only: bool) -> Field:
    said = vars(written).get(name, MISSING)
    found = said if isinstance(said, Field) else Field(default=said)
    if type(found.default).__hash__ is None:
        raise ValueError(f"{written.__qualname__}.{name}: all objects would share this default, use default_factory")
    found.name, found.type, found.kw_only = name, written.__annotations__[name], kw_only
    return found


class _StandardFields:
    """What `dataclasses.asdict` and others want to know of a class: told once, by a twin that they make themselves."""

    def __get__(self, _one: object, owner: Any) -> Any:
        from dataclasses import make_dataclass  # noqa: PLC0415 - few ask

        named = [(one.name, one.type, one.as_standard()) for one in fields(owner)]
        twin = make_dataclass(owner.__name__, named, init=False, repr=False, eq=False)
        owner.__dataclass_fields__ = vars(twin)["__dataclass_fields__"]
        return owner.__dataclass_fields__


_STANDARD_FIELDS = _StandardFields()

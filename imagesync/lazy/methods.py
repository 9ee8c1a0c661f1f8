"""The methods of a lazy dataclass. All but `__init__` are the same for every class. That one is written and compiled,
as `dataclasses` does it: nothing makes objects faster."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from imagesync.lazy.field import MISSING, Field, fields

Values = Callable[[Any], Any]
"""The values of an object that count for something: one of them, or a tuple."""
_EQUALITY = {"__eq__": operator.eq}
_ORDER = {"__lt__": operator.lt, "__le__": operator.le, "__gt__": operator.gt, "__ge__": operator.ge}


def methods_of(made: type, *, frozen: bool, eq: bool, order: bool) -> dict[str, Any]:
    """What a class is given; what it has of its own stays. `__init__` comes last: another thread that finds it uses
    the others."""
    every = fields(made)
    compared = _values(one for one in every if one.compare)
    methods: dict[str, Any] = {"__repr__": _repr(every), "__match_args__": _positional(every)}
    methods |= _FROZEN if frozen else {}
    comparisons = {**(_EQUALITY if eq else {}), **(_ORDER if order else {})}
    methods |= {name: _comparison(compared, holds) for name, holds in comparisons.items()}
    if eq:
        methods["__hash__"] = _hash(_values(one for one in every if one.hash)) if frozen else None
    own = {name for name, method in vars(made).items() if method is not None}
    return {name: method for name, method in methods.items() if name not in own} | {"__init__": _init(made)}


def _values(chosen: Iterable[Field]) -> Values:
    names = [one.name for one in chosen]
    return operator.attrgetter(*names) if names else lambda _one: ()


def _positional(every: Iterable[Field]) -> tuple[str, ...]:
    return tuple(one.name for one in every if not one.kw_only)


def _comparison(values: Values, holds: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def compare(self: Any, other: Any) -> Any:
        return holds(values(self), values(other)) if other.__class__ is self.__class__ else NotImplemented

    return compare


def _hash(values: Values) -> Callable[[Any], int]:
    return lambda self: hash(values(self))


def _repr(every: Iterable[Field]) -> Callable[[Any], str]:
    names = [one.name for one in every if one.repr]

    def shown(self: Any) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__qualname__}({values})"

    return shown


def _refuse(_self: Any, name: str, _value: object = None) -> NoReturn:
    from dataclasses import FrozenInstanceError  # noqa: PLC0415 - for mistakes only

    raise FrozenInstanceError(f"{name!r} of a frozen object cannot be changed")


def _state(self: Any) -> list[Any]:
    return [getattr(self, one.name) for one in fields(self)]


def _restore(self: Any, values: Sequence[Any]) -> None:
    for one, value in zip(fields(self), values, strict=True):
        object.__setattr__(self, one.name, value)


_FROZEN = {"__setattr__": _refuse, "__delattr__": _refuse, "__getstate__": _state, "__setstate__": _restore}
"""What is frozen is copied without setting anything in the usual way."""


def _init(made: type) -> Any:
    """Write `__init__`. What sets a slot is called for each: also where the object refuses to be changed."""
    every = sorted(fields(made), key=lambda one: one.kw_only)
    parameters = ["self", *map(_parameter, every)]
    first_keyword = 1 + len(_positional(every))
    if first_keyword < len(parameters):
        parameters.insert(first_keyword, "*")
    lines = [*map(_assignment, every), "self.__post_init__()" if hasattr(made, "__post_init__") else "pass"]
    names: dict[str, Any] = {"__name__": made.__module__, "MISSING": MISSING}
    for one in every:
        names[f"_set_{one.name}"] = getattr(made, one.name).__set__
        names[f"_default_{one.name}"], names[f"_make_{one.name}"] = one.default, one.default_factory
    # Of names in our own code, nothing else.
    exec(f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines), names)  # noqa: S102
    names["__init__"].__qualname__ = f"{made.__qualname__}.__init__"
    return names["__init__"]


def _parameter(one: Field) -> str:
    if one.default is not MISSING:
        return f"{one.name}=_default_{one.name}"
    return one.name if one.default_factory is MISSING else f"{one.name}=MISSING"


def _assignment(one: Field) -> str:
    made = f"_make_{one.name}() if {one.name} is MISSING else {one.name}"
    return f"_set_{one.name}(self, {one.name if one.default_factory is MISSING else made})"

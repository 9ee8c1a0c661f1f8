"""Lazy dataclasses are dataclasses: what those of the standard library do, ours do."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import threading
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from imagesync.lazy import MISSING, declaring, field, fields, replace

T = TypeVar("T")
KINDS = [pytest.param(dataclasses, id="of the standard library"), pytest.param(declaring, id="lazy")]


def make_layer(module: Any) -> Any:
    """A class with all that ours use, made by `dataclasses` or by us."""
    own = dataclasses.field if module is dataclasses else field

    @module.dataclass(frozen=True, slots=True, order=True)
    class Layer:
        """Of an image."""

        kinds: ClassVar[int] = 3
        name: str
        size: int = 1
        tags: list[str] = own(default_factory=list, compare=False)
        secret: str = own(default="", repr=False)
        seen: int = own(default=0, repr=False, hash=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "name", self.name.lower())

        @property
        def is_large(self) -> bool:
            return self.size > 10

    return Layer


@pytest.fixture(params=KINDS)
def layer(request: pytest.FixtureRequest) -> Any:
    return make_layer(request.param)


def test_it_is_made_of_positions_names_and_defaults(layer: Any) -> None:
    one = layer("Base", 20, secret="s")
    assert (one.name, one.size, one.tags, one.secret, one.seen) == ("base", 20, [], "s", 0)
    assert one.is_large
    assert layer.kinds == 3


def test_each_object_has_a_default_of_its_own(layer: Any) -> None:
    assert layer("a").tags is not layer("a").tags


@pytest.mark.parametrize("arguments", [((), {}), (("a", 1, [], "", 0, 6), {}), (("a",), {"size": 1, "weight": 2})])
def test_other_arguments_are_refused_by_name(layer: Any, arguments: tuple[Any, Any]) -> None:
    with pytest.raises(TypeError, match=r"Layer\.__init__\(\)"):
        layer(*arguments[0], **arguments[1])


def test_it_shows_its_fields_but_those_that_hide(layer: Any) -> None:
    assert repr(layer("a", secret="hidden")).endswith("Layer(name='a', size=1, tags=[])")


def test_it_equals_what_has_the_same_values_and_the_same_class(layer: Any) -> None:
    assert layer("a", tags=["x"]) == layer("A", tags=["y"])
    assert layer("a") != layer("b")
    assert layer("a") != make_layer(dataclasses)("a")
    assert layer("a") != ("a", 1, [], "", 0)


def test_it_is_a_key_by_what_is_hashed(layer: Any) -> None:
    assert hash(layer("a", seen=1)) == hash(layer("a", seen=2))
    assert {layer("a"): 1}[layer("a")] == 1
    assert layer("a", seen=1) != layer("a", seen=2)


def test_it_has_an_order_within_its_class(layer: Any) -> None:
    assert sorted([layer("b"), layer("a", 2), layer("a")]) == [layer("a"), layer("a", 2), layer("b")]
    assert layer("a") <= layer("a") < layer("b") >= layer("b") > layer("a")
    with pytest.raises(TypeError):
        _ = layer("a") < ("b",)


def test_what_is_frozen_cannot_be_changed(layer: Any) -> None:
    one = layer("a")
    for change in (lambda: setattr(one, "size", 2), lambda: delattr(one, "size")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            change()
    with pytest.raises((AttributeError, TypeError)):
        one.weight = 3
    assert one.size == 1


def test_it_is_copied(layer: Any) -> None:
    one = layer("a", tags=["x"])
    assert copy.copy(one).tags is one.tags
    assert copy.deepcopy(one).tags == ["x"]
    assert copy.deepcopy(one).tags is not one.tags


def test_it_is_taken_apart_by_a_pattern(layer: Any) -> None:
    match layer("a", 7):
        case layer(name, size, secret=secret):
            assert (name, size, secret) == ("a", 7, "")
        case _:
            pytest.fail("no match")


def test_it_keeps_its_name_and_its_doc(layer: Any) -> None:
    assert (layer.__name__, layer.__doc__, layer.__module__) == ("Layer", "Of an image.", __name__)
    assert layer.__qualname__ == "make_layer.<locals>.Layer"


def test_the_standard_library_knows_it(layer: Any) -> None:
    one = layer("a")
    assert dataclasses.is_dataclass(one)
    assert dataclasses.asdict(one) == {"name": "a", "size": 1, "tags": [], "secret": "", "seen": 0}
    assert dataclasses.replace(one, size=4) == layer("a", 4)
    assert [known.name for known in dataclasses.fields(layer)] == ["name", "size", "tags", "secret", "seen"]
    assert [known.repr for known in dataclasses.fields(layer)] == [True, True, True, False, False]


def test_the_standard_library_is_told_once() -> None:
    layer = make_layer(declaring)
    assert layer("a").__dataclass_fields__ is layer.__dataclass_fields__


def test_its_fields_say_their_defaults() -> None:
    layer = make_layer(declaring)
    assert [one.name for one in fields(layer)] == [one.name for one in fields(layer("a"))]
    assert {one.name for one in fields(layer) if one.default is MISSING} == {"name", "tags"}


def test_it_is_replaced_with_what_has_other_values() -> None:
    one = make_layer(declaring)("a", 2, ["x"])
    assert replace(one, size=3) == type(one)("a", 3, ["x"])
    with pytest.raises(TypeError):
        replace(one, weight=3)


@pytest.mark.parametrize("module", KINDS)
def test_fields_may_be_given_by_name_alone(module: Any) -> None:
    @module.dataclass(frozen=True, slots=True, kw_only=True)
    class Pair:
        left: int = 0
        right: int

    assert (Pair(right=2).left, Pair(right=2).right) == (0, 2)
    with pytest.raises(TypeError):
        Pair(1, 2)


@pytest.mark.parametrize("module", KINDS)
def test_a_class_has_the_fields_of_its_base_first(module: Any) -> None:
    @module.dataclass(frozen=True, slots=True)
    class Named:
        name: str
        size: int = 1

    @module.dataclass(frozen=True, slots=True)
    class Tagged(Named):
        size: int = 5
        tag: str = "latest"

    assert repr(Tagged("a")).endswith("Tagged(name='a', size=5, tag='latest')")
    assert Tagged("a", 1) != Named("a")
    assert (Named("a").size, isinstance(Tagged("a"), Named)) == (1, True)
    assert not hasattr(Tagged("a"), "__dict__")


@pytest.mark.parametrize("module", KINDS)
def test_a_class_keeps_methods_of_its_own(module: Any) -> None:
    @module.dataclass(frozen=True, slots=True)
    class Folded:
        name: str

        def __repr__(self) -> str:
            return "folded"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Folded) and self.name.lower() == other.name.lower()

        def __hash__(self) -> int:
            return 7

    assert (repr(Folded("a")), hash(Folded("a"))) == ("folded", 7)
    assert Folded("a") == Folded("A")


@pytest.mark.parametrize("module", KINDS)
def test_what_can_change_is_no_key_and_what_is_itself_alone_is_one(module: Any) -> None:
    @module.dataclass(slots=True)
    class Count:
        number: int = 0

    @module.dataclass(eq=False, slots=True)
    class Task(Generic[T]):
        number: int = 0

    count, task = Count(), Task[int]()
    count.number = task.number = 4
    assert count == Count(4)
    assert task != Task(4)
    assert {task: 1}[task] == 1
    with pytest.raises(TypeError):
        hash(count)


@pytest.mark.parametrize("module", KINDS)
def test_a_cached_property_has_room_where_not_all_is_in_slots(module: Any) -> None:
    @module.dataclass(frozen=True)
    class Numbers:
        numbers: tuple[int, ...] = ()

        @cached_property
        def total(self) -> list[int]:
            return [sum(self.numbers)]

    one = Numbers((1, 2))
    assert one.total is one.total
    assert one == Numbers((1, 2))


@pytest.mark.parametrize("module", KINDS)
def test_a_class_may_have_no_field(module: Any) -> None:
    @module.dataclass(frozen=True, slots=True)
    class Nothing:
        pass

    assert Nothing() == Nothing()
    assert len({Nothing(), Nothing()}) == 1


def test_nothing_is_written_before_the_first_object() -> None:
    layer = make_layer(declaring)
    assert "__eq__" not in vars(layer)
    assert list(inspect.signature(layer).parameters) == ["values", "named"]
    layer("a")
    assert "__eq__" in vars(layer)
    assert list(inspect.signature(layer).parameters) == ["name", "size", "tags", "secret", "seen"]


def test_whoever_finds_a_class_made_by_another_thread_finds_all_of_it() -> None:
    for _ in range(20):
        layer = make_layer(declaring)
        start = threading.Barrier(4)
        found: list[bool] = []

        def make(layer: Any = layer, start: threading.Barrier = start, found: list[bool] = found) -> None:
            start.wait()
            found.append(layer("a") == layer("a") and layer("a") < layer("b"))

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [True] * 4


def test_a_class_cannot_be_made_in_a_way_of_its_own() -> None:
    def own_init(self: object) -> None: ...

    with pytest.raises(TypeError, match="__init__"):
        declaring.dataclass(slots=True)(type("Own", (), {"__init__": own_init}))


@pytest.mark.parametrize("annotation", ["InitVar[int]", "KW_ONLY"])
def test_what_only_dataclasses_know_is_refused(annotation: str) -> None:
    with pytest.raises(TypeError, match="does not know"):
        declaring.dataclass(slots=True)(type("Strange", (), {"__annotations__": {"one": annotation}}))


@pytest.mark.parametrize("module", KINDS)
def test_a_default_that_can_change_is_refused(module: Any) -> None:
    with pytest.raises(ValueError, match="default_factory"):
        module.dataclass(slots=True)(type("Shared", (), {"__annotations__": {"one": "list"}, "one": []}))


def test_a_field_cannot_be_told_what_it_does_not_know() -> None:
    with pytest.raises(TypeError, match="init"):
        field(init=False)

"""The lock file: the same text for the same pins, and everything that is wrong with one at once, with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import LockError
from imagesync.reference import TAG_PATTERN, Digest, Tag
from imagesync.spec.lock import lock_from_text, lock_to_text
from imagesync.spec.pins import Lock, Pin

A, B = (Digest(f"sha256:{letter * 64}") for letter in "ab")
HUB = "docker.io/library/nginx"


def make_lock(*lines: str) -> str:
    return "version: 1\ntags:\n" + "".join(f"  {line}\n" for line in lines)


def mistakes(text: str) -> list[str]:
    with pytest.raises(LockError) as caught:
        lock_from_text(text, name="sync.lock")
    assert caught.value.exit_code == 4
    return [str(problem) for problem in caught.value.problems]


def test_a_lock_is_sorted_and_has_a_line_for_each_tag() -> None:
    lock = Lock.of([Pin("oci:air gap/app", Tag("2"), B), Pin(HUB, Tag("latest"), A), Pin(HUB, Tag("1.27"), A)])
    assert lock_to_text(lock).splitlines()[1:] == [
        "version: 1",
        "tags:",
        f"  {HUB}:1.27: {A}",
        f"  {HUB}:latest: {A}",
        f'  "oci:air gap/app:2": {B}',
    ]


SOURCES = st.one_of(
    st.from_regex(r"[a-z0-9]{1,5}\.example(:5000)?/[a-z0-9]{1,8}(/[a-z0-9]{1,8})?", fullmatch=True),
    st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=10).map(
        lambda text: f"oci:{text}/x"
    ),
)
PINS = st.lists(
    st.builds(
        Pin,
        SOURCES,
        st.from_regex(TAG_PATTERN, fullmatch=True).map(Tag),
        st.binary(min_size=32, max_size=32).map(lambda raw: Digest(f"sha256:{raw.hex()}")),
    ),
    unique_by=str,
)


@given(PINS)
def test_what_is_written_is_read_back_and_written_the_same(pins: list[Pin]) -> None:
    text = lock_to_text(Lock.of(pins))
    lock = lock_from_text(text, name="sync.lock")
    assert {str(pin): pin.digest for pin in lock.pins} == {str(pin): pin.digest for pin in pins}
    assert lock_to_text(lock) == text == lock_to_text(Lock.of(reversed(pins)))


def test_each_pin_knows_its_line() -> None:
    (pin,) = lock_from_text(make_lock(f"{HUB}:1: {A}"), name="sync.lock").pins
    assert str(pin.place) == "sync.lock:3:3"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"{HUB}:1: sha256:abc", "3:30: sha256 takes 64 lower-case hex letters, found 'abc'"),
        (f"{HUB}:1: {A.upper()}", "is not a digest"),
        (f"{HUB}:1: ''", "3:30: '' is not a digest"),
        (f"{HUB}:1:", "a digest belongs here"),
        (f"{HUB}:1: [{A}]", "a digest belongs here"),
        (f"nginx:1: {A}", "3:3: 'nginx:1' is not a reference in full\n    write docker.io/library/nginx:1"),
        (f"{HUB}: {A}", f"is not a reference in full\n    write {HUB}:latest"),
        (f"{HUB}@{B}: {A}", f"is not a reference in full\n    write {HUB}:TAG"),
        (f"HUB.example/Nginx:1: {A}", "must be lower case"),
        (f"oci:folder/app: {A}", "is no tag of a layout"),
        (f"oci:folder/app:-x: {A}", "is not a tag"),
    ],
)
def test_a_wrong_line_says_what_is_wrong_and_where(line: str, said: str) -> None:
    (mistake,) = mistakes(make_lock(line))
    assert mistake.startswith("sync.lock:3:")
    assert said in mistake


def test_a_tag_that_stands_twice_is_a_mistake() -> None:
    """As a merge leaves it that takes both sides."""
    (mistake,) = mistakes(make_lock(f"{HUB}:1: {A}", f"{HUB}:1: {B}"))
    assert mistake.startswith(f"sync.lock:4:3: key '{HUB}:1' stands twice, first in line 3")


def test_what_a_merge_leaves_in_conflict_is_no_lock() -> None:
    assert mistakes(f"<<<<<<< ours\n{make_lock()}=======\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing is in it"),
        ("- 1", "a lock is a map"),
        ("version: 2\ntags: {}", "1:10: this imagesync reads locks of version 1"),
        ("version: '1'\ntags: {}", "this imagesync reads locks of version 1"),
        ("tags: {}", "key 'version' is missing"),
        ("version: 1", "key 'tags' is missing"),
        ("version: 1\ntags: []", "2:7: `tags` is a map of references and digests"),
        ("version: 1\ntags: {}\ntag: {}", "3:1: unknown key 'tag'\n    did you mean tags?"),
        ("version: 1\ntags: {}\nother: {}", "allowed here: version, tags"),
    ],
)
def test_what_is_no_lock_says_so(text: str, said: str) -> None:
    (mistake,) = mistakes(text)
    assert said in mistake


def test_all_mistakes_are_told_at_once() -> None:
    assert len(mistakes(make_lock("nginx:1: x", f"{HUB}:1: y", f"{HUB}:2: {A}"))) == 3


def test_an_empty_lock_is_one() -> None:
    assert lock_from_text(lock_to_text(Lock()), name="sync.lock") == Lock()

"""Every list and every chain of redirects ends: what a server may send, and how often it may send us on. S4, S6, S10,
S21.

Caps on heads are tested in test_head_lines and test_framing, on errors in test_transport, on tokens in test_auth, on
manifests in test_repository, on the depth and width of an index in tests/wire/test_manifests.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from itertools import count
from pathlib import Path

import pytest

from imagesync.errors import LimitError, NetworkError, ProtocolError, StoreError
from imagesync.manifest import OCI_INDEX, OCI_MANIFEST, Content, digest_of
from imagesync.reference import Digest
from imagesync.registry import RemoteRepository
from imagesync.registry.client import MAX_REDIRECTS
from imagesync.registry.listing import MAX_NAME_LENGTH
from tests.conftest import MakeRegistry
from tests.fakes.registry import FakeRegistry
from tests.registry.remote import Source, make_blob, make_manifest, open_repository
from tests.registry.wire import WireServer, answer, read_head

RECORD = Path(__file__).parents[2] / "docs" / "adr" / "0033-where-a-registry-may-send-us.md"
UNITS = {"": 1, " KiB": 1024, " MiB": 1024**2}
ROWS = re.findall(r"^\| [^|]+ \| `([\w.]+)\.(MAX_\w+)` \| ([0-9]+)( [KM]iB)? \|$", RECORD.read_text(), re.M)
SUBJECT = Digest(digest_of(b"subject"))
Document = Callable[[int], object]


class Endless(WireServer):
    """A registry whose lists have one page after the other; `document` makes the page of a number."""

    def __init__(self, document: Document, *headers: str) -> None:
        self._document, self._headers = document, headers
        self._numbers: Iterator[int] = count(1)
        self.pages = 0
        super().__init__(self._play)

    def _play(self, opened: socket.socket) -> None:
        while head := read_head(opened):
            path = re.findall(rb"GET ([^ ?]*)", head)[0].decode()
            self.pages = number = next(self._numbers)
            link = f'Link: <{path}?page={number}>; rel="next"'
            opened.sendall(answer(json.dumps(self._document(number)).encode(), "200 OK", link, *self._headers))


def new_tag(number: int) -> object:
    return {"tags": [f"v{number}"]}


def new_referrer(number: int) -> object:
    entry = {"mediaType": OCI_MANIFEST, "digest": digest_of(str(number).encode()), "size": 1}
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [{**entry, "annotations": {"x": "y" * 1000}}]}


def check_ends(
    server: WireServer, ask: Callable[[RemoteRepository], object], kind: type[StoreError], said: str
) -> None:
    with server, open_repository(server) as repository, pytest.raises(kind, match=said):
        ask(repository)


@pytest.mark.parametrize(
    ("name", "most", "said"), [("MAX_PAGES", 5, "more than 5 pages"), ("MAX_ENTRIES", 5, "more than 5 entries")]
)
def test_a_tag_list_with_always_one_more_page_is_an_error(
    monkeypatch: pytest.MonkeyPatch, name: str, most: int, said: str
) -> None:
    """TAG-03: and never a list that is cut short, from which something would be pruned."""
    monkeypatch.setattr(f"imagesync.registry.pages.{name}", most)
    server = Endless(new_tag)
    check_ends(server, RemoteRepository.list_tags, LimitError, said)
    assert server.pages <= most + 1


@pytest.mark.parametrize(
    ("page", "ask"),
    [(new_tag, RemoteRepository.list_tags), (new_referrer, lambda one: one.list_referrers(SUBJECT))],
    ids=["tags", "referrers"],
)
def test_a_list_whose_pages_take_too_long_together_is_an_error(
    monkeypatch: pytest.MonkeyPatch, page: Document, ask: Callable[[RemoteRepository], object]
) -> None:
    """Each page may take six minutes, and there may be ten thousand of them."""
    monkeypatch.setattr("imagesync.settings.LIST_WAITS", 0)
    server = Endless(page, f"Content-Type: {OCI_INDEX}")
    check_ends(server, ask, NetworkError, "did not come to its end")
    assert server.pages == 1


def test_a_single_page_with_too_many_entries_is_an_error(
    monkeypatch: pytest.MonkeyPatch, registry: FakeRegistry
) -> None:
    """S10: a million short names fit into one page."""
    monkeypatch.setattr("imagesync.registry.pages.MAX_ENTRIES", 5)
    registry.script("GET", "/tags/list", status=200, body=json.dumps({"tags": [f"v{n}" for n in range(6)]}).encode())
    with open_repository(registry) as repository, pytest.raises(LimitError, match="more than 5 entries"):
        repository.list_tags()


def test_a_page_of_brackets_is_no_list(registry: FakeRegistry) -> None:
    """S10: each pair takes twenty times its length in memory."""
    registry.script("GET", "/tags/list", status=200, body=b'{"tags":[' + b"[]," * 1_000_000 + b'"v1"]}')
    with open_repository(registry) as repository, pytest.raises(ProtocolError, match="not a list of tags"):
        repository.list_tags()


def test_a_tag_list_of_empty_pages_is_an_error() -> None:
    """TAG-03: its `last` grows, and nothing else."""
    server = Endless(lambda _number: {"tags": []})
    check_ends(server, RemoteRepository.list_tags, ProtocolError, "adds nothing")
    assert server.pages == 1


def test_a_page_that_is_too_long_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagesync.registry.listing.MAX_PAGE_BYTES", 1000)
    server = Endless(lambda _number: {"tags": ["x" * 100] * 100})
    check_ends(server, RemoteRepository.list_tags, ProtocolError, "longer than 1000 bytes")


def test_a_name_that_is_too_long_to_be_one_is_kept_in_part(registry: FakeRegistry) -> None:
    registry.script("GET", "/tags/list", status=200, body=json.dumps({"tags": ["x" * 100_000, "v1"]}).encode())
    with open_repository(registry) as repository:
        tags = repository.list_tags()
    assert (tags, tags.illegal) == (("v1",), ("x" * MAX_NAME_LENGTH,))


@pytest.mark.parametrize(("name", "most"), [("MAX_ENTRIES", 5), ("MAX_BYTES", 6000)])
def test_referrers_without_end_are_an_error(monkeypatch: pytest.MonkeyPatch, name: str, most: int) -> None:
    monkeypatch.setattr(f"imagesync.registry.referrers.{name}", most)
    server = Endless(new_referrer, f"Content-Type: {OCI_INDEX}")
    check_ends(server, lambda one: one.list_referrers(SUBJECT), LimitError, "more than")
    assert server.pages <= 6


@pytest.mark.parametrize(("module", "name", "number", "unit"), ROWS, ids=[f"{row[0]}.{row[1]}" for row in ROWS])
def test_a_cap_is_what_the_record_says(module: str, name: str, number: str, unit: str) -> None:
    assert getattr(import_module(f"imagesync.{module}"), name) == int(number) * UNITS[unit]


def test_the_record_has_a_table_of_caps() -> None:
    assert len(ROWS) == 28


def test_a_chain_of_redirects_has_an_end() -> None:
    """BLB-03: each leads to another place."""
    asked = []

    def play(opened: socket.socket) -> None:
        while read_head(opened):
            asked.append(1)
            opened.sendall(answer(b"", "307 Temporary Redirect", f"Location: /elsewhere/{len(asked)}"))

    blob = make_blob(b"a layer")
    with WireServer(play) as server, open_repository(server) as repository:
        fetched = repository.fetch_blob(blob)
        with pytest.raises(ProtocolError, match=f"more than {MAX_REDIRECTS} redirects"), fetched:
            pytest.fail("opened")
    assert len(asked) == MAX_REDIRECTS + 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ["POST uploads", "PATCH uploads", "PUT uploads", "PUT manifests", "DELETE manifests"])
def test_what_writes_is_sent_nowhere_by_a_redirect(make_registry: MakeRegistry, place: str, status: int) -> None:
    """S21: neither a body nor a login is sent on, nor is anything sent twice."""
    registry, other = make_registry(), make_registry()
    method, _, path = place.partition(" ")
    registry.script(method, f"/{path}/", status=status, headers={"Location": f"{other.url}/elsewhere"})
    large = b"x" * 2_000_000 if method == "PATCH" else b"small"
    manifest: Content = make_manifest(b"{}")
    with open_repository(registry) as repository:
        calls = {
            "uploads": partial(repository.push_blob, make_blob(large), Source(large)),
            "manifests": partial(repository.push_manifest, manifest)
            if method == "PUT"
            else partial(repository.delete_manifest, manifest.digest),
        }
        with pytest.raises(ProtocolError, match=f"answered .*{status}"):
            calls[path]()
    assert len(other.log) == 0
    assert len(registry.log.entries(method, f"/{path}/")) == 1


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found"])
def test_of_an_answer_that_is_not_accepted_little_is_read(status: str) -> None:
    """S10: a success that nobody can use has no end either, as little as an error."""
    taken = []

    def play(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(answer(b"x" * 64 * 1024**2, status))
        taken.append("all of it")

    layer = make_blob(b"a layer")
    refused = pytest.raises(StoreError, match=f"answered .*{status[:3]}")
    with WireServer(play) as server, open_repository(server) as repository, refused:
        repository.push_blob(layer, Source(b"a layer"))
    assert taken == []

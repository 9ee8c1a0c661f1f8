"""When tags were pushed, as the APIs of registries say: whatever they say is checked, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from imagesync.errors import AuthenticationError, NotFoundError, ProtocolError, UnsupportedError
from imagesync.manifest import digest_of
from imagesync.reference import Repository, Tag, make_repository
from imagesync.registry.catalogs.times import push_time
from imagesync.store import PushTime
from tests.fakes.api import FakeApi
from tests.registry.remote import PLAIN, open_registries
from tests.registry.vendors import (
    GHCR,
    GITLAB,
    HARBOR,
    HUB,
    QUAY,
    WITH_LOGIN,
    Vendor,
    ghcr_set_up,
    harbor_set_up,
    hub_page,
    hub_set_up,
)

AT = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
TEXT = "2026-05-01T12:30:00Z"
DIGEST = digest_of(b"image")
FIRST = {
    "hub": "/v2/namespaces/team/repositories/app/tags?page_size=100",
    "quay": "/api/v1/repository/team/app/tag/?onlyActiveTags=true&limit=100&page=1",
    "harbor": "/api/v2.0/projects/team/repositories/app/artifacts?page=1&page_size=100&with_tag=true",
    "ghcr": "/orgs/team/packages/container/app/versions?per_page=100",
}
SECOND = {name: f"{target.replace('&page=1', '')}&page=2" for name, target in FIRST.items()}
VENDORS = pytest.mark.parametrize("vendor", [HUB, QUAY, HARBOR, GHCR], ids=lambda vendor: vendor.name)


def page(vendor: Vendor, api: FakeApi, tags: list[str], *, has_more: bool = False) -> tuple[Any, Mapping[str, str]]:
    """A page of tags, each pushed at AT; of a list that has more, the first."""
    link = {"Link": f'<{api.url}{SECOND[vendor.name]}>; rel="next"'} if has_more else {}
    if vendor is HUB:
        results = [{"name": tag, "digest": DIGEST, "tag_last_pushed": "2026-05-01T12:30:00.000000Z"} for tag in tags]
        return {"next": f"{api.url}{SECOND['hub']}" if has_more else None, "results": results}, {}
    if vendor is QUAY:
        found = [{"name": tag, "manifest_digest": DIGEST, "start_ts": int(AT.timestamp())} for tag in tags]
        return {"tags": found, "page": 1, "has_additional": has_more}, {}
    if vendor is HARBOR:
        found = [{"name": tag, "push_time": "2026-05-01T12:30:00.000Z"} for tag in tags]
        return [{"digest": DIGEST, "tags": found}, {"digest": digest_of(str(tags).encode()), "tags": None}], link
    versions = [{"name": DIGEST, "created_at": TEXT, "metadata": {"container": {"tags": tags}}}]
    untagged = {"name": digest_of(str(tags).encode()), "created_at": TEXT, "metadata": {"container": {"tags": []}}}
    return [*versions, untagged], link


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as started:
        yield started


def times(host: str, *tags: str, path: str = "team/app") -> Mapping[Tag, PushTime]:
    with open_registries((host, WITH_LOGIN)) as registries:
        return registries.push_times(host).push_times(Repository(host, path), [Tag(tag) for tag in tags])


def pushed(*tags: str) -> dict[Tag, PushTime]:
    return {Tag(tag): PushTime(Tag(tag), DIGEST, AT) for tag in tags}


@VENDORS
def test_what_is_told_of_tags_is_found_on_whatever_page(
    vendor: Vendor, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = vendor.set_up(api, monkeypatch)
    for target, tags, has_more in ((FIRST[vendor.name], ["1", "x"], True), (SECOND[vendor.name], ["2"], False)):
        document, headers = page(vendor, api, tags, has_more=has_more)
        api.on(f"GET {target}", document, headers=headers)
    assert times(host, "1", "2", "none") == pushed("1", "2")
    assert {one.authorization for one in api.asked if one.line == f"GET {FIRST[vendor.name]}"} == {vendor.login}


@VENDORS
def test_no_more_pages_are_read_than_it_takes(vendor: Vendor, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    host = vendor.set_up(api, monkeypatch)
    document, headers = page(vendor, api, ["1", "x"], has_more=True)
    api.on(f"GET {FIRST[vendor.name]}", document, headers=headers)
    assert times(host, "1") == pushed("1")
    assert f"GET {SECOND[vendor.name]}" not in api.lines


@pytest.mark.parametrize("vendor", [HARBOR, GHCR], ids=lambda vendor: vendor.name)
def test_a_page_without_any_tag_is_not_the_end(vendor: Vendor, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of GitHub's versions and Harbor's artifacts most have no tag."""
    host = vendor.set_up(api, monkeypatch)
    for target, tags, has_more in ((FIRST[vendor.name], [], True), (SECOND[vendor.name], ["1"], False)):
        document, headers = page(vendor, api, tags, has_more=has_more)
        api.on(f"GET {target}", document, headers=headers)
    assert times(host, "1") == pushed("1")


@VENDORS
@pytest.mark.parametrize(
    ("status", "body", "own"),
    [
        (403, b"{}", AuthenticationError),
        (404, b"{}", NotFoundError),
        (200, b"<html>", ProtocolError),
        (200, b'{"results":1,"tags":1}', ProtocolError),
        (302, b"", ProtocolError),
    ],
)
def test_a_refusal_is_an_error(
    vendor: Vendor, api: FakeApi, monkeypatch: pytest.MonkeyPatch, *, status: int, body: bytes, own: type[Exception]
) -> None:
    host = vendor.set_up(api, monkeypatch)
    for target in (FIRST[vendor.name], "/users/team/packages/container/app/versions?per_page=100"):
        api.on(f"GET {target}", body, status=status, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(own) as raised:
        times(host, "1")
    assert "secret" not in str(raised.value)


@VENDORS
def test_pages_that_lead_in_a_circle_are_an_error(
    vendor: Vendor, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = vendor.set_up(api, monkeypatch)
    for target in (FIRST[vendor.name], SECOND[vendor.name]):
        document, headers = page(vendor, api, ["x"], has_more=True)
        api.on(f"GET {target}", document, headers=headers)
    with pytest.raises(ProtocolError, match="does not end"):
        times(host, "1")


@pytest.mark.parametrize("number", [0, -1, 10**4299, True, "1", None, 1.5])
def test_a_page_of_quay_with_a_senseless_number_is_the_last_or_leads_on(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, number: object
) -> None:
    host = QUAY.set_up(api, monkeypatch)
    document = page(QUAY, api, ["1"])[0]
    api.on(f"GET {FIRST['quay']}", {**document, "page": number, "has_additional": True})
    api.on(f"GET {SECOND['quay']}", page(QUAY, api, ["2"])[0])
    assert times(host, "1", "2") in (pushed("1"), pushed("1", "2"))


def test_what_stands_below_a_project_of_harbor_is_escaped_twice(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    host = harbor_set_up(api, monkeypatch)
    target = "/api/v2.0/projects/team/repositories/a%252Fb/artifacts?page=1&page_size=100&with_tag=true"
    api.on(f"GET {target}", page(HARBOR, api, ["1"])[0])
    assert times(host, "1", path="team/a/b") == pushed("1")


def test_a_package_of_a_user_is_found_with_its_slashes_escaped(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    host = ghcr_set_up(api, monkeypatch)
    api.on("GET /users/team/packages/container/a%2Fb/versions?per_page=100", page(GHCR, api, ["1"])[0])
    assert times(host, "1", path="team/a/b") == pushed("1")


def test_a_registry_that_does_not_tell_says_so_and_is_looked_at_once(api: FakeApi) -> None:
    api.on("GET /v2/", {})
    with open_registries((api.host, PLAIN)) as registries:
        teller = registries.push_times(api.host)
        for _ in range(2):
            with pytest.raises(UnsupportedError, match="does not say when"):
                teller.push_times(make_repository(api.host, "team/app"), [Tag("1")])
    assert api.lines == ["GET /v2/"]


def test_gitlab_does_not_tell(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take a request for each tag."""
    host = GITLAB.set_up(api, monkeypatch)
    with pytest.raises(UnsupportedError):
        times(host, "1")


def test_docker_hub_is_logged_in_to_once_for_several_repositories(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = hub_set_up(api, monkeypatch)
    api.on(f"GET {FIRST['hub']}", hub_page(api, [], "")[0])
    api.on(f"GET {FIRST['hub'].replace('app', 'web')}", hub_page(api, [], "")[0])
    with open_registries((host, WITH_LOGIN)) as registries:
        teller = registries.push_times(host)
        for path in ("team/app", "team/web"):
            assert teller.push_times(Repository(host, path), [Tag("1")]) == {}
    assert len([line for line in api.lines if line.startswith("POST")]) == 1


@pytest.mark.parametrize(
    "at",
    [
        *("", "yesterday", "2026-05-01", "2026-05-01T12:30:00", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        *("9" * 100, "9999-99-99T00:00:00Z", None, True, 0, -1, 10**30, 1.5, {}, []),
    ],
)
def test_what_is_no_time_is_left_out(at: object) -> None:
    assert push_time("1", DIGEST, at) is None


@pytest.mark.parametrize("at", [TEXT, "2026-05-01T14:30:00+02:00", int(AT.timestamp())])
def test_a_time_is_told_in_utc(at: object) -> None:
    assert push_time("1", DIGEST, at) == PushTime(Tag("1"), DIGEST, AT)


@pytest.mark.parametrize(("tag", "digest"), [("-x", DIGEST), (None, DIGEST), ("1", "sha256:ab"), ("1", None), ("1", 7)])
def test_what_is_no_tag_or_no_digest_is_left_out(tag: object, digest: object) -> None:
    assert push_time(tag, digest, TEXT) is None

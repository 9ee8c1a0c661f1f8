"""What a registry lists as referrers: page after page, or not at all."""

from __future__ import annotations

import json

import pytest

from imagesync.errors import NetworkError, ProtocolError
from imagesync.manifest import OCI_INDEX
from imagesync.reference import Digest
from tests.fakes.registry import FakeRegistry
from tests.images import descriptor_of, make_image, make_referrer, push_image
from tests.registry.remote import open_repository

IMAGE = make_image()
REFERRERS = [make_referrer(IMAGE.root, name) for name in "ab"]
PATH = f"/v2/a/b/referrers/{IMAGE.digest}"


def script_page(registry: FakeRegistry, *names: str, link: str = "", times: int | None = 1, **headers: str) -> None:
    entries = [descriptor_of(REFERRERS["ab".index(name)].root) for name in names]
    body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
    said = {"Content-Type": OCI_INDEX, **({"Link": link} if link else {}), **headers}
    registry.script("GET", "/referrers/", status=200, headers=said, body=body, times=times)


def listed(registry: FakeRegistry) -> list[Digest] | None:
    with open_repository(registry) as repository:
        found = repository.list_referrers(IMAGE.digest)
    return None if found is None else [entry.digest for entry in found]


def test_what_names_a_digest_as_its_subject_is_listed(registry: FakeRegistry) -> None:
    """RFR-01."""
    for made in (IMAGE, *REFERRERS):
        push_image(registry.repository("a/b"), made)
    assert set(listed(registry) or ()) == {made.digest for made in REFERRERS}
    assert registry.log.lines() == [f"GET {PATH} 200"]


def test_a_digest_without_referrers_has_an_empty_list(registry: FakeRegistry) -> None:
    assert listed(registry) == []


def test_every_page_is_read(registry: FakeRegistry) -> None:
    """RFR-01. A filter is never asked for, so it does not matter whether it would be honoured."""
    script_page(registry, "a", link=f'<{PATH}?page=2>; rel="next"')
    script_page(registry, "b")
    assert listed(registry) == [made.digest for made in REFERRERS]
    assert [entry.query for entry in registry.log.entries()] == ["", "page=2"]


@pytest.mark.parametrize("link", ["https://evil.example/x", "http://127.0.0.1:1/x"])
def test_a_page_on_another_host_is_refused(registry: FakeRegistry, link: str) -> None:
    script_page(registry, "a", link=f'<{link}>; rel="next"')
    with pytest.raises(ProtocolError, match="another host"):
        listed(registry)


def test_pages_that_lead_in_a_circle_are_an_error(registry: FakeRegistry) -> None:
    script_page(registry, "a", link=f'<{PATH}?page=1>; rel="next"', times=None)
    with pytest.raises(ProtocolError, match="does not end"):
        listed(registry)


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_to_a_web_page_is_not_followed_and_means_that_there_is_no_list(
    registry: FakeRegistry, status: int
) -> None:
    """RFR-03: GHCR."""
    registry.script("GET", "/referrers/", status=status, headers={"Location": f"{registry.url}/login"})
    assert listed(registry) is None
    assert len(registry.log) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 405, 406, 501])
def test_a_refusal_means_that_there_is_no_list(registry: FakeRegistry, status: int) -> None:
    """RFR-02, RFR-03."""
    registry.script("GET", "/referrers/", status=status, body=b"404 page not found\n")
    assert listed(registry) is None


@pytest.mark.parametrize("content_type", ["text/html", "application/json", ""])
def test_an_answer_of_another_type_means_that_there_is_no_list(registry: FakeRegistry, content_type: str) -> None:
    """RFR-03."""
    registry.script("GET", "/referrers/", status=200, headers={"Content-Type": content_type}, body=b"<html>")
    assert listed(registry) is None


def test_a_body_that_is_no_list_is_an_error(registry: FakeRegistry) -> None:
    registry.script("GET", "/referrers/", status=200, headers={"Content-Type": OCI_INDEX}, body=b"[]")
    with pytest.raises(ProtocolError, match="not a list of referrers"):
        listed(registry)


def test_a_server_that_fails_says_nothing_of_what_it_can(registry: FakeRegistry) -> None:
    """One bad day must not take the attachments of every image away."""
    registry.script("GET", "/referrers/", status=503)
    with pytest.raises(NetworkError):
        listed(registry)

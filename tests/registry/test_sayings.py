"""What vendors say in words of their own, as they document it or their sources have it: each with what to do."""

from __future__ import annotations

import json

import pytest

from imagesync.behaviour import Kind
from imagesync.errors import AuthenticationError, ImmutableError, NetworkError, StoreError, UnsupportedError
from imagesync.reference import Tag
from imagesync.registry.answers import class_for, hint_for, parse_refusal
from imagesync.store import Pushed
from tests.fakes.registry import FakeRegistry
from tests.registry.remote import Source, make_blob
from tests.registry.test_kinds import CONFIG, IMAGE, LAYER, MANIFEST, OTHER, TAG, UPLOADS, fill, of_kind, opened

HELM = "application/vnd.cncf.helm.config.v1+json"


def answer(code: str, message: str, detail: object = None) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message, "detail": detail}]}).encode()


PROXY_CACHE = answer("DENIED", "can not push artifact to a proxy project: hub")
LOCKED = answer(
    "DENIED", "The operation is disallowed on this registry, repository or image. View troubleshooting steps"
)
NOT_LISTED = answer("MANIFEST_INVALID", "manifest invalid", f"unknown media type: {HELM}")
NO_ARTIFACT = answer(
    "MANIFEST_INVALID",
    "manifest invalid",
    {"message": f"failed to parse manifest: manifest data does not match schema: '{HELM}' is not one of ['a', 'b']"},
)


def test_a_push_to_a_proxy_cache_of_harbor_is_told_to_go_elsewhere(registry: FakeRegistry) -> None:
    registry.script("POST", UPLOADS, status=403, body=PROXY_CACHE)
    with opened(registry, of_kind(Kind.HARBOR)) as repository, pytest.raises(UnsupportedError) as raised:
        repository.push_blob(make_blob(LAYER), Source(LAYER))
    assert "is a proxy cache, which takes no pushes" in (raised.value.hint or "")
    assert "create" not in (raised.value.hint or "")


@pytest.mark.parametrize("status", [400, 403, 405])
def test_a_tag_that_is_locked_at_azure_is_told_with_what_unlocks_it(registry: FakeRegistry, status: int) -> None:
    with opened(registry, of_kind(Kind.ACR)) as repository:
        fill(repository)
        registry.script("PUT", "/v2/a/b/manifests/", status=status, body=LOCKED)
        registry.log.clear()
        with pytest.raises(ImmutableError) as raised:
            repository.push_manifest(IMAGE, Tag("2"))
    assert "az acr repository update" in (raised.value.hint or "")
    assert len(registry.log.lines("PUT")) == 1


def test_a_lock_that_keeps_from_reading_is_a_right_that_lacks(registry: FakeRegistry) -> None:
    registry.script("", MANIFEST, status=403, body=LOCKED)
    with opened(registry, of_kind(Kind.ACR)) as repository, pytest.raises(AuthenticationError) as raised:
        repository.fetch_manifest(TAG)
    assert "`--read-enabled`" in (raised.value.hint or "")


def test_a_nexus_that_lets_nothing_be_written_twice_keeps_its_tag(registry: FakeRegistry) -> None:
    with opened(registry, of_kind(Kind.NEXUS)) as repository:
        fill(repository)
        body = answer("UNKNOWN", "Repository does not allow updating assets: docker-hosted")
        registry.script("PUT", MANIFEST, status=400, body=body)
        with pytest.raises(ImmutableError) as raised:
            repository.push_manifest(OTHER, TAG)
    assert "allow redeploying" in (raised.value.hint or "")


def test_a_lock_of_azures_is_no_refusal_to_delete_by_tag_or_by_digest(registry: FakeRegistry) -> None:
    """Else all that a run prunes there would go by digest from then on."""
    with opened(registry, of_kind(Kind.ACR)) as repository:
        fill(repository)
        registry.script("DELETE", "/v2/a/b/manifests/", status=405, body=LOCKED)
        for delete in (lambda: repository.delete_tag(TAG), lambda: repository.delete_manifest(IMAGE.digest)):
            with pytest.raises(ImmutableError) as raised:
                delete()
            assert "`--delete-enabled true`" in (raised.value.hint or "")


def test_who_is_kept_out_by_azures_firewall_is_not_told_of_logins(registry: FakeRegistry) -> None:
    body = answer("DENIED", "client with IP '192.0.2.7' is not allowed access. Refer https://aka.ms/acr/firewall")
    registry.script("", "/v2/", status=403, body=body)
    with opened(registry, of_kind(Kind.ACR)) as repository, pytest.raises(AuthenticationError) as raised:
        repository.push_blob(make_blob(LAYER), Source(LAYER))
    assert (raised.value.hint or "").startswith("the registry's firewall lets the address of this machine not through")
    assert "log in" not in (raised.value.hint or "")


@pytest.mark.parametrize("kind", [Kind.GITLAB, Kind.GENERIC])
def test_the_media_type_that_gitlab_does_not_list_is_named(registry: FakeRegistry, kind: Kind) -> None:
    with opened(registry, of_kind(kind)) as repository:
        fill(repository)
        registry.script("PUT", MANIFEST, status=400, body=NOT_LISTED)
        with pytest.raises(UnsupportedError, match="unknown media type: application/vnd") as raised:
            repository.push_manifest(IMAGE, TAG)
    assert "attachments: none" in (raised.value.hint or "")


@pytest.mark.parametrize(
    "body",
    [NO_ARTIFACT, answer("MANIFEST_INVALID", "manifest invalid", {"message": "manifest schema version not supported"})],
)
def test_an_artifact_that_quay_does_not_allow_is_told_with_what_allows_it(registry: FakeRegistry, body: bytes) -> None:
    with opened(registry, of_kind(Kind.QUAY)) as repository:
        fill(repository)
        registry.script("PUT", MANIFEST, status=400, body=body)
        with pytest.raises(UnsupportedError, match=r"400 MANIFEST_INVALID: manifest invalid .*manifest") as raised:
            repository.push_manifest(IMAGE, TAG)
    assert "ALLOWED_OCI_ARTIFACT_TYPES" in (raised.value.hint or "")


def test_an_empty_layer_that_ecr_is_ill_of_is_told_to_be_the_reason(registry: FakeRegistry) -> None:
    """aws/containers-roadmap#1074: 500, however it is sent."""
    registry.script("PUT", UPLOADS, status=500)
    with opened(registry, of_kind(Kind.ECR)) as repository:
        for _ in range(2):  # as one body with the PUT, and by PATCH
            with pytest.raises(NetworkError, match="500") as raised:
                repository.push_blob(make_blob(b""), Source(b""))
            assert "aws/containers-roadmap#1074" in (raised.value.hint or "")
        with pytest.raises(NetworkError) as raised:
            repository.push_blob(make_blob(CONFIG), Source(CONFIG))
        assert raised.value.hint is None


def test_an_empty_layer_goes_wherever_it_is_taken(registry: FakeRegistry) -> None:
    with opened(registry, of_kind(Kind.GENERIC)) as repository:
        assert repository.push_blob(make_blob(b""), Source(b"")) is Pushed.UPLOADED


def test_a_gitlab_of_old_goes_on_to_delete_by_digest(registry: FakeRegistry) -> None:
    """Which had `DELETE …/tags/reference/TAG` instead, that newer ones do not have any more (werf#7866)."""
    with opened(registry, of_kind(Kind.GITLAB)) as repository:
        fill(repository)
        registry.script("DELETE", MANIFEST, status=400, body=answer("DIGEST_INVALID", "invalid digest"))
        with pytest.raises(UnsupportedError, match="deletes no tag by its name"):
            repository.delete_tag(TAG)
        repository.delete_manifest(IMAGE.digest)
    assert not [line for line in registry.log.lines("DELETE") if "tags/reference" in line]


@pytest.mark.parametrize(
    ("status", "body", "own"),
    [
        (500, LOCKED, NetworkError),
        (404, answer("NAME_UNKNOWN", "team/unknown-media-type"), StoreError),
        (401, answer("UNAUTHORIZED", "authentication required"), StoreError),
    ],
)
def test_what_is_no_such_saying_is_taken_as_its_code_and_status_say(
    status: int, body: bytes, own: type[StoreError]
) -> None:
    refusal = parse_refusal(status, "application/json", body)
    assert issubclass(class_for(refusal), own)
    assert class_for(refusal) not in (UnsupportedError, ImmutableError)
    assert "Quay" not in (hint_for(StoreError, refusal, is_write=True) or "")

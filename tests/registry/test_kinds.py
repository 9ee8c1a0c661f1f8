"""What a registry's kind changes: a stand-in for each quirk of the table, with the row that makes it bearable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from imagesync.behaviour import Catalog, Deletes, Kind, Said
from imagesync.errors import (
    AuthenticationError,
    ImmutableError,
    LimitError,
    NetworkError,
    NotFoundError,
    StoreError,
    UnsupportedError,
)
from imagesync.reference import Tag, make_repository
from imagesync.registry import RemoteRepository
from imagesync.registry.habits import UploadHabits
from imagesync.settings import RegistrySettings
from imagesync.store import Pushed
from tests.fakes.api import FakeApi
from tests.fakes.registry import FakeRegistry
from tests.images import make_bytes, make_referrer, push_image
from tests.registry.remote import PLAIN, Source, make_blob, make_manifest, open_registries
from tests.registry.vendors import WITH_LOGIN

MIB = 1024 * 1024
CONFIG, LAYER = b"{}", b"layer"
IMAGE, OTHER = make_manifest(CONFIG, LAYER), make_manifest(CONFIG)
LARGE = make_bytes("cut", 3 * MIB)
TAG = Tag("1")
MANIFEST, UPLOADS = "/v2/a/b/manifests/1$", "/v2/a/b/blobs/uploads/"
IMMUTABLE = json.dumps(
    {"errors": [{"code": "TAG_INVALID", "message": "it cannot be overwritten because the tag is immutable."}]}
).encode()


@contextmanager
def opened(registry: FakeRegistry, settings: RegistrySettings) -> Iterator[RemoteRepository]:
    with open_registries((registry.host, settings.over(PLAIN))) as registries:
        yield registries.repository(make_repository(registry.host, "a/b"))


def of_kind(kind: Kind) -> RegistrySettings:
    return RegistrySettings(kind=kind)


def saying(**columns: object) -> RegistrySettings:
    return RegistrySettings(behaviour=replace(Said(), **columns))  # type: ignore[arg-type]


def fill(repository: RemoteRepository) -> None:
    for data in (CONFIG, LAYER):
        repository.push_blob(make_blob(data), Source(data))
    repository.push_manifest(IMAGE, TAG)


def test_ecr_is_asked_for_a_tag_before_it_is_written_and_not_told_what_it_has(registry: FakeRegistry) -> None:
    """MAN-18: an immutable tag refuses the digest that it has, too."""
    with opened(registry, of_kind(Kind.ECR)) as repository:
        fill(repository)
        registry.script("PUT", MANIFEST, status=400, body=IMMUTABLE)
        registry.log.clear()
        repository.push_manifest(IMAGE, TAG)
        assert registry.log.lines() == ["HEAD /v2/a/b/manifests/1 200"]
        with pytest.raises(ImmutableError):
            repository.push_manifest(OTHER, TAG)


def test_elsewhere_a_tag_is_written_without_a_look(registry: FakeRegistry) -> None:
    with opened(registry, of_kind(Kind.GENERIC)) as repository:
        fill(repository)
    assert registry.log.lines("HEAD", "manifests") == []


@pytest.mark.parametrize("kind", [Kind.ECR, Kind.GAR, Kind.GHCR, Kind.GITEA])
def test_where_chunks_are_not_taken_an_upload_that_was_cut_begins_anew(registry: FakeRegistry, kind: Kind) -> None:
    """UPL-10: a second PATCH with a Content-Range is answered 416, or with the Range of the first."""
    registry.script("PATCH", UPLOADS, status=502, is_done=True, times=1)
    with opened(registry, of_kind(kind)) as repository:
        with pytest.raises(NetworkError, match="502"):
            repository.push_blob(make_blob(LARGE), Source(LARGE))
        assert repository.push_blob(make_blob(LARGE), Source(LARGE)) is Pushed.UPLOADED
    assert [entry.headers.get("Content-Range") for entry in registry.log.entries("PATCH")] == [None, None]
    assert registry.log.lines("GET", UPLOADS) == []


def test_who_asks_for_chunks_is_taken_to_know_that_they_are_taken(registry: FakeRegistry) -> None:
    settings = RegistrySettings(kind=Kind.GHCR, chunk_bytes=2 * MIB)
    with opened(registry, settings) as repository:
        assert repository.push_blob(make_blob(LARGE), Source(LARGE)) is Pushed.UPLOADED
    assert len(registry.log.entries("PATCH")) == 2


def test_chunks_that_another_layer_of_settings_forbids_are_not_sent() -> None:
    never = replace(RegistrySettings(kind=Kind.GHCR).behaviour_at("ghcr.io"))
    assert UploadHabits.of(never, 2 * MIB) == UploadHabits(resumes=False)


@pytest.mark.parametrize("kind", [Kind.GHCR, Kind.DISTRIBUTION])
def test_who_lists_no_referrers_is_not_believed_to_list_one_that_it_is_given(
    registry: FakeRegistry, kind: Kind
) -> None:
    """Though it names the subject: nobody would look there."""
    with opened(registry, of_kind(kind)) as repository:
        fill(repository)
        referrer = push_image(repository, make_referrer(IMAGE))
        assert not repository.push_referrer(referrer.root, IMAGE.digest)


@pytest.mark.parametrize("kind", [Kind.GHCR, Kind.DISTRIBUTION])
def test_who_lists_no_referrers_is_not_asked(registry: FakeRegistry, kind: Kind) -> None:
    """RFR-03."""
    with opened(registry, of_kind(kind)) as repository:
        assert repository.list_referrers(IMAGE.digest) is None
    assert registry.log.lines() == []


def test_artifactory_is_not_asked_to_mount(registry: FakeRegistry) -> None:
    with opened(registry, of_kind(Kind.ARTIFACTORY)) as repository:
        pushed = repository.push_blob(make_blob(LAYER), Source(LAYER), make_repository(registry.host, "n"))
    assert pushed is Pushed.UPLOADED
    assert [entry.query for entry in registry.log.entries("POST")] == [""]


@pytest.mark.parametrize("kind", [Kind.DOCKER_HUB, Kind.GHCR])
def test_who_deletes_nothing_is_not_asked_to_and_the_error_says_what_else_helps(
    registry: FakeRegistry, kind: Kind
) -> None:
    """DEL-02."""
    with opened(registry, of_kind(kind)) as repository:
        for delete in (lambda: repository.delete_tag(TAG), lambda: repository.delete_manifest(IMAGE.digest)):
            with pytest.raises(UnsupportedError, match="deletes nothing") as raised:
                delete()
            assert "deletes: auto" in (raised.value.hint or "")
    assert registry.log.lines() == []


@pytest.mark.parametrize(("deletes", "allowed"), [(Deletes.TAG, "manifests/1"), (Deletes.DIGEST, "manifests/sha256:")])
def test_what_is_deleted_in_one_way_alone_is_not_tried_in_the_other(
    registry: FakeRegistry, deletes: Deletes, allowed: str
) -> None:
    with opened(registry, saying(deletes=deletes)) as repository:
        fill(repository)
        ways = [lambda: repository.delete_tag(TAG), lambda: repository.delete_manifest(IMAGE.digest)]
        refused = ways.pop(1 if deletes is Deletes.TAG else 0)
        with pytest.raises(UnsupportedError, match=f"by {deletes.value} alone"):
            refused()
        ways[0]()
    assert [allowed in line for line in registry.log.lines("DELETE")] == [True]


def test_a_manifest_that_is_too_large_for_a_registry_is_not_sent(registry: FakeRegistry) -> None:
    """MAN-09."""
    with opened(registry, saying(manifest_bytes=100)) as repository, pytest.raises(LimitError, match="takes 100"):
        repository.push_manifest(IMAGE, TAG)
    assert registry.log.lines() == []


def test_a_refused_page_size_is_learnt_and_the_next_list_is_asked_for_without(registry: FakeRegistry) -> None:
    """TAG-06: ECR answers 405 to more than it gives."""
    with opened(registry, saying(page_size=2000)) as repository:
        fill(repository)
        registry.script("GET", "tags/list", status=405, times=1)
        assert repository.list_tags() == repository.list_tags() == (TAG,)
        assert repository._client.learnt() == {"page_size": "its own"}
    assert [entry.query for entry in registry.log.entries("GET", "tags/list")] == ["n=2000", "", ""]


def test_a_zot_that_takes_oci_types_alone_says_so(registry: FakeRegistry) -> None:
    registry.script("PUT", MANIFEST, status=415)
    with opened(registry, of_kind(Kind.ZOT)) as repository, pytest.raises(UnsupportedError) as raised:
        repository.push_manifest(IMAGE, TAG)
    assert "docker2s2" in (raised.value.hint or "")


def test_a_harbor_that_is_said_to_be_one_is_listed_by_its_api_alone() -> None:
    with FakeApi() as api:
        api.on("GET /api/v2.0/projects/team/repositories?page=1&page_size=100", [{"name": "team/app"}])
        settings = RegistrySettings(kind=Kind.HARBOR).over(WITH_LOGIN)
        with open_registries((api.host, settings)) as registries:
            assert registries.lister(api.host).list_repositories("team") == ("team/app",)
    assert api.lines == ["GET /api/v2.0/projects/team/repositories?page=1&page_size=100"]


def test_a_registry_that_is_said_to_list_nothing_is_not_asked(registry: FakeRegistry) -> None:
    with open_registries((registry.host, saying(catalog=Catalog.NEVER).over(PLAIN))) as registries:
        with pytest.raises(UnsupportedError, match="lists nothing") as raised:
            registries.lister(registry.host).list_repositories("team")
        assert "name the repositories" in (raised.value.hint or "")
    assert registry.log.lines() == []


@pytest.mark.parametrize(
    ("kind", "status", "error", "said"),
    [
        (Kind.ECR, 404, NotFoundError, "run `aws ecr create-repository --repository-name a/b`, or `create: {}`"),
        (Kind.HARBOR, 404, NotFoundError, "create the project a at https://"),
        (Kind.HARBOR, 401, AuthenticationError, "if it is not there yet, create the project a at https://"),
        (Kind.GAR, 404, NotFoundError, "run `gcloud artifacts repositories create b --repository-format=docker"),
        (Kind.GAR, 403, AuthenticationError, "--project=a`"),
        (Kind.GITLAB, 403, AuthenticationError, "create the project a/b at your GitLab/projects/new"),
    ],
)
def test_a_first_push_that_is_refused_says_how_the_repository_is_made(
    registry: FakeRegistry, kind: Kind, status: int, error: type[StoreError], said: str
) -> None:
    """UPL-14."""
    registry.script("POST", UPLOADS, status=status)
    with opened(registry, of_kind(kind)) as repository, pytest.raises(error) as raised:
        repository.push_blob(make_blob(LAYER), Source(LAYER))
    assert said in (raised.value.hint or "")


@pytest.mark.parametrize(
    ("realm", "said"),
    [
        ("/service/token", "create the project a at https://"),
        ("/jwt/auth", "create the project a/b at"),
        ("/v2/auth", ""),
        ("/token", ""),
    ],
)
def test_software_of_ones_own_is_known_by_its_realm_where_a_push_is_refused(realm: str, said: str) -> None:
    """UPL-14, where nobody has said `kind`."""
    with FakeApi() as api:
        challenge = {"WWW-Authenticate": f'Bearer realm="{api.url}{realm}",service="x"'}
        api.on(f"POST {UPLOADS}", {}, status=401, headers=challenge)
        api.on(f"GET {realm}?service=x&scope=repository%3Aa%2Fb%3Apull%2Cpush", {"token": "t"})
        with open_registries((api.host, WITH_LOGIN)) as registries:
            repository = registries.repository(make_repository(api.host, "a/b"))
            with pytest.raises(AuthenticationError) as raised:
                repository.push_blob(make_blob(LAYER), Source(LAYER))
    hint = raised.value.hint or ""
    assert said in hint
    assert ("create" in hint) is bool(said)


@pytest.mark.parametrize("kind", [Kind.GENERIC, Kind.GHCR, Kind.QUAY])
def test_where_a_push_makes_repositories_no_command_is_named(registry: FakeRegistry, kind: Kind) -> None:
    registry.script("POST", UPLOADS, status=404)
    with opened(registry, of_kind(kind)) as repository, pytest.raises(NotFoundError) as raised:
        repository.push_blob(make_blob(LAYER), Source(LAYER))
    assert "create" not in (raised.value.hint or "")


def test_an_expired_session_is_not_taken_for_a_repository_that_is_not_there(registry: FakeRegistry) -> None:
    registry.script("PUT", UPLOADS, status=404)
    with opened(registry, of_kind(Kind.ECR)) as repository, pytest.raises(StoreError) as raised:
        repository.push_blob(make_blob(LARGE), Source(LARGE))
    assert "create-repository" not in str(raised.value)

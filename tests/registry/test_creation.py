"""Creators at a registry: what is asked of Harbor's API, as whom, and what may not be created at all."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from imagesync.behaviour import Kind, RepositoryTemplate
from imagesync.errors import AuthenticationError, NetworkError, ProtocolError, UnsupportedError
from imagesync.reference import make_repository
from imagesync.registry import Registries
from imagesync.settings import RegistrySettings
from imagesync.store import Creator
from tests.fakes.api import FakeApi
from tests.registry.remote import open_registries
from tests.registry.vendors import BASIC, WITH_LOGIN

FIND, CREATE = "HEAD /api/v2.0/projects?project_name=team", "POST /api/v2.0/projects"


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as started:
        yield started


def creator(registries: Registries, api: FakeApi) -> Creator:
    found = registries.creator(make_repository(api.host, "team/app"))
    assert found is not None
    return found


def harbor(api: FakeApi, template: RepositoryTemplate) -> tuple[str, RegistrySettings]:
    return api.host, RegistrySettings(kind=Kind.HARBOR, create=template).over(WITH_LOGIN)


def test_a_project_is_looked_for_and_created_as_its_template_says_with_the_registrys_login(api: FakeApi) -> None:
    api.on(FIND, b"", status=404).on(CREATE, status=201)
    template = RepositoryTemplate(is_public=True, scan_on_push=True, storage_bytes=5_000)
    with open_registries(harbor(api, template)) as registries:
        found = creator(registries, api)
        assert (str(found.makes), found.what) == (f"{api.host}/team", "project")
        assert found.is_missing()
        found.create()
    look, made = api.asked
    assert (look.line, made.line) == (FIND, CREATE)
    assert {look.authorization, made.authorization} == {BASIC}
    assert json.loads(made.body) == {
        "project_name": "team",
        "metadata": {"public": "true", "auto_scan": "true"},
        "storage_limit": 5_000,
    }


def test_a_project_is_private_unless_the_spec_says_otherwise(api: FakeApi) -> None:
    api.on(CREATE, status=201)
    with open_registries(harbor(api, RepositoryTemplate())) as registries:
        creator(registries, api).create()
    assert json.loads(api.asked[0].body) == {"project_name": "team", "metadata": {"public": "false"}}


def test_a_project_that_is_there_is_not_missing_and_one_that_came_meanwhile_is_no_failure(api: FakeApi) -> None:
    api.on(FIND, b"").on(CREATE, status=409)
    with open_registries(harbor(api, RepositoryTemplate())) as registries:
        assert not creator(registries, api).is_missing()
        creator(registries, api).create()


def test_a_login_without_the_right_to_create_projects_is_told(api: FakeApi) -> None:
    api.on(CREATE, {"errors": [{"code": "FORBIDDEN", "message": "forbidden"}]}, status=403)
    own = harbor(api, RepositoryTemplate())
    with open_registries(own) as registries, pytest.raises(AuthenticationError, match="403") as raised:
        creator(registries, api).create()
    assert "right to create projects" in (raised.value.hint or "")


def test_a_harbor_that_shows_its_projects_to_nobody_wants_a_login(api: FakeApi) -> None:
    api.on(FIND, b"", status=401)
    with open_registries(harbor(api, RepositoryTemplate())) as registries:
        found = creator(registries, api)
        with pytest.raises(AuthenticationError, match="find project") as raised:
            found.is_missing()
    assert "right to create projects" in (raised.value.hint or "")


@pytest.mark.parametrize("status", [302, 500])
def test_an_answer_that_says_neither_is_no_absence(api: FakeApi, status: int) -> None:
    api.on(FIND, b"", status=status, headers={"Location": f"{api.url}/login"} if status == 302 else {})
    api.on("HEAD /login", b"")
    own = harbor(api, RepositoryTemplate())
    with open_registries(own) as registries, pytest.raises((NetworkError, ProtocolError)):
        creator(registries, api).is_missing()
    assert set(api.lines) == {FIND}


@pytest.mark.parametrize(
    ("kind", "template", "said"),
    [
        (Kind.GENERIC, RepositoryTemplate(), "nothing"),
        (Kind.HARBOR, RepositoryTemplate(kms_key="alias/x"), "no such thing"),
        (Kind.ECR, RepositoryTemplate(is_public=True), "no such thing"),
    ],
)
def test_what_a_registry_cannot_be_told_is_an_error_before_anything_is_asked(
    api: FakeApi, kind: Kind, template: RepositoryTemplate, said: str
) -> None:
    """Behind a pattern, of which a spec cannot say what it stands for."""
    settings = RegistrySettings(kind=kind, create=template).over(WITH_LOGIN)
    with open_registries((api.host, settings)) as registries, pytest.raises(UnsupportedError, match=said):
        creator(registries, api)
    assert api.lines == []


def test_without_create_nobody_creates(api: FakeApi) -> None:
    with open_registries((api.host, RegistrySettings(kind=Kind.HARBOR).over(WITH_LOGIN))) as registries:
        assert registries.creator(make_repository(api.host, "team/app")) is None
        assert not registries.creates(make_repository(api.host, "team/app"))

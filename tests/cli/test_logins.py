"""login, logout, auth check; and that no command ever shows a secret."""

from __future__ import annotations

import base64
import io
import json
import os
from pathlib import Path

import pytest

from imagesync.errors import Cancelled
from imagesync.registry.client import WIRE_HOSTS, RegistryClient
from imagesync.server.auth import Auth, BasicAuth, TokenAuth
from tests.cli.command import Cli, Mirror, Ran
from tests.conftest import MakeRegistry
from tests.fakes.api import FakeApi
from tests.fakes.registry import FakeRegistry
from tests.secrets import LONG_PASSWORD as PASSWORD
from tests.secrets import WRONG_PASSWORD as WRONG

USERS = {"robot": PASSWORD}
ENCODED = base64.b64encode(f"robot:{PASSWORD}".encode()).decode()


@pytest.fixture(params=[BasicAuth, TokenAuth])
def guarded(request: pytest.FixtureRequest, make_registry: MakeRegistry) -> FakeRegistry:
    """A registry that lets nobody in without a login."""
    auth: Auth = request.param(USERS)
    return make_registry(auth=auth)


def _config() -> Path:
    return Path(os.environ["DOCKER_CONFIG"]) / "config.json"


def _login(cli: Cli, monkeypatch: pytest.MonkeyPatch, host: str, password: str) -> Ran:
    monkeypatch.setattr("sys.stdin", io.StringIO(password))
    return cli("login", host, "-u", "robot", "--password-stdin")


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_login_is_kept_where_docker_keeps_its_own(
    cli: Cli, guarded: FakeRegistry, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    ran = _login(cli, monkeypatch, guarded.host, PASSWORD + ending)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith(f"Logged in to {guarded.host}; kept in ")
    assert json.loads(_config().read_text())["auths"] == {guarded.host: {"auth": ENCODED}}
    assert _config().stat().st_mode & 0o777 == 0o600


def test_a_kept_login_is_used_and_forgotten(
    cli: Cli, guarded: FakeRegistry, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = Mirror(cli, registry, guarded)
    mirror.fill("1")
    _login(cli, monkeypatch, guarded.host, PASSWORD)
    assert cli("apply", mirror.spec()).code == 0
    gone = cli("logout", guarded.host)
    assert (gone.code, gone.err.startswith(f"Forgot the login of {guarded.host}")) == (0, True)
    assert guarded.host not in _config().read_text()
    mirror.fill("2")
    refused = cli("apply", mirror.spec("app:2"))
    assert refused.code == 1
    assert f"destination {guarded.host}/app" in refused.out
    assert "no login" in refused.out


def test_a_page_is_no_registry_to_log_in_to(cli: Cli, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    """ERR-02: a proxy's page answers 200 to everything."""
    registry.script("", "/v2/", status=200, headers={"Content-Type": "text/html"}, body=b"<html>Sign in</html>")
    for ran in (_login(cli, monkeypatch, registry.host, PASSWORD), cli("auth", "check", registry.host)):
        assert (ran.code, "answered with an HTML page: that is no registry" in ran.text) == (1, True)
        assert f"`curl -v http://{registry.host}/v2/`" in ran.text
    assert not _config().exists()
    spec = cli.file(
        f"version: 1\nsync:\n  - source: {registry.host}\n    destination: oci:out\n    images: ['app:1']\n"
    )
    assert "HTML page" in cli("auth", "check", spec).out
    assert f"{registry.host}/app:1: GET manifest: answered with an HTML page" in cli("plan", spec).out


def test_a_deadline_is_no_word_of_a_registry_on_logins(
    cli: Cli, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_client: RegistryClient, _call: object) -> None:
        raise Cancelled("the deadline has passed")

    monkeypatch.setattr(RegistryClient, "send", stop)
    ran = cli("auth", "check", registry.host)
    assert ran.out.startswith(f"x  {registry.host} (pull): no answer\n     the deadline has passed\n")


def test_a_wrong_password_is_told_and_not_kept(
    cli: Cli, guarded: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = _login(cli, monkeypatch, guarded.host, WRONG)
    assert (ran.code, ran.out) == (1, "")
    assert guarded.host in ran.err
    assert "401" in ran.err
    assert WRONG not in ran.err
    assert not _config().exists()


def test_an_empty_password_is_refused_without_a_request(
    cli: Cli, guarded: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = _login(cli, monkeypatch, guarded.host, "\n")
    assert (ran.code, "the password is empty" in ran.err) == (4, True)
    assert len(guarded.log) == 0


def test_without_a_terminal_the_password_comes_from_standard_input(
    cli: Cli, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    ran = cli("login", registry.host, "-u", "robot")
    assert (ran.code, "use --password-stdin" in ran.err) == (4, True)


def test_a_logout_where_there_was_no_login_says_so(cli: Cli) -> None:
    ran = cli("logout", "registry.example.org")
    assert (ran.code, ran.err) == (0, "There was no login for registry.example.org.\n")


def _guarded_spec(mirror: Mirror) -> str:
    login = '{auth: {username: robot, password: "${secret:MIRROR_PASSWORD}"}}'
    return mirror.spec(registries={mirror.source.host: login, mirror.destination.host: login})


@pytest.fixture
def secretive(cli: Cli, guarded: FakeRegistry, make_registry: MakeRegistry, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    """A mirror from a registry with a login to one with tokens, and the password in the environment."""
    monkeypatch.setenv("MIRROR_PASSWORD", PASSWORD)
    mirror = Mirror(cli, guarded, make_registry(auth=TokenAuth(USERS)))
    mirror.fill("1")
    return mirror


def test_auth_check_names_each_login_and_where_it_came_from(secretive: Mirror) -> None:
    ran = secretive.cli("auth", "check", _guarded_spec(secretive))
    assert ran.code == 0
    source, destination = ran.out.splitlines()[:2]
    assert source.startswith(f"ok {secretive.source.host}/app (pull): spec registries/{secretive.source.host}")
    assert destination.startswith(f"ok {secretive.destination.host}/app (pull,push): spec registries/")
    assert ran.out.count("environment variable MIRROR_PASSWORD") == 2
    assert PASSWORD not in ran.text
    assert secretive.writes() == []


def test_auth_check_with_a_wrong_password_fails_and_names_the_source(
    secretive: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRROR_PASSWORD", WRONG)
    ran = secretive.cli("auth", "check", _guarded_spec(secretive))
    assert ran.code == 1
    assert ran.out.count("x  127.0.0.1:") == 2
    assert ran.out.count("answered 401") == 2
    assert "environment variable MIRROR_PASSWORD" in ran.out
    assert WRONG not in ran.text


def test_auth_check_without_the_secret_names_what_is_not_set(
    secretive: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MIRROR_PASSWORD")
    ran = secretive.cli("auth", "check", _guarded_spec(secretive))
    assert ran.code in (1, 4)
    assert "MIRROR_PASSWORD" in ran.text


def test_auth_check_of_one_host_uses_what_login_kept(
    cli: Cli, guarded: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    _login(cli, monkeypatch, guarded.host, PASSWORD)
    ran = cli("auth", "check", guarded.host)
    assert ran.code == 0
    assert ran.out.startswith(f"ok {guarded.host} (pull): ")
    assert "config.json" in ran.out


def test_auth_check_as_json(secretive: Mirror) -> None:
    found = secretive.cli("auth", "check", _guarded_spec(secretive), "--format", "json").json()
    assert [(answer["access"], answer["error"]) for answer in found] == [("pull", None), ("pull,push", None)]
    assert found[0]["behaviour"]["concurrency"] == {"value": "16", "from": "table"}


def test_auth_check_shows_how_a_host_behaves_and_who_says_so(cli: Cli, make_registry: MakeRegistry) -> None:
    registry = make_registry()
    said = "{kind: harbor, concurrency: 3, behaviour: {deletes: tag, manifest_size: 1MiB}, chunk_size: 1MiB}"
    spec = Mirror(cli, registry, registry).spec("app:1", to="oci:mirror", registries={registry.host: said})
    ran = cli("auth", "check", spec)
    assert f"{registry.host} behaves as harbor (spec):" in ran.out
    assert "mount auto, chunks of 1MiB (spec), referrers auto, page_size 1000, catalog harbor," in ran.out
    assert "deletes tag (spec), manifest_size 1MiB (spec), concurrency 3 (spec)" in ran.out


def test_auth_check_tells_what_a_host_seems_to_be(cli: Cli) -> None:
    with FakeApi() as api:
        challenge = {"WWW-Authenticate": f'Bearer realm="{api.url}/service/token",service="harbor-registry"'}
        api.on("GET /v2/", {}, status=401, headers=challenge).on("GET /v2/", {})
        api.on("GET /service/token?service=harbor-registry", {"token": "t"})
        ran = cli("auth", "check", api.host)
    assert (
        "behaves as generic (nothing says what it is; its token server is that of harbor: say `kind: harbor`):"
        in ran.out
    )


def test_auth_check_of_a_host_shows_its_row_of_the_table(
    cli: Cli, make_registry: MakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(WIRE_HOSTS, "ghcr.io", make_registry().host)
    ran = cli("auth", "check", "ghcr.io")
    assert "ghcr.io behaves as ghcr (its name):" in ran.out
    assert "chunks never, referrers tag, page_size 1000, catalog ghcr" in ran.out


def _handed_out(*registries: FakeRegistry) -> set[str]:
    """Every credential that was sent to these registries: tokens and logins, without their schemes."""
    sent = {entry.headers.get("Authorization", "") for registry in registries for entry in registry.log.entries()}
    return {header.partition(" ")[2] for header in sent if header}


@pytest.mark.parametrize("is_right", [True, False])
@pytest.mark.parametrize("form", ["console", "json"])
def test_no_secret_is_shown_saved_or_logged(
    secretive: Mirror, monkeypatch: pytest.MonkeyPatch, is_right: bool, form: str
) -> None:
    if not is_right:
        monkeypatch.setenv("MIRROR_PASSWORD", WRONG)
    spec, loud = _guarded_spec(secretive), ("-v", "--log-format", form)
    texts = [
        secretive.cli("validate", spec, *loud).text,
        secretive.cli("config", spec, *loud).text,
        secretive.cli("plan", spec, "-o", "plan.json", *loud).text,
        secretive.cli("plan", spec, "--format", "json", *loud).text,
        secretive.cli("auth", "check", spec, *loud).text,
        secretive.cli("apply", spec, "--report", "report.json", *loud).text,
        secretive.cli("apply", spec, "--report", "report.md", *loud).text,
        *(Path(name).read_text() for name in ("plan.json", "report.json", "report.md")),
    ]
    assert bool(secretive.tags()) is is_right
    secrets = {PASSWORD, WRONG, *_handed_out(secretive.source, secretive.destination)}
    assert len(secrets) > 2
    assert "request" in texts[2]
    assert not [secret for secret in secrets for text in texts if secret in text]
    assert not [text for text in texts if "authorization" in text.lower().replace("authorization server", "")]


@pytest.mark.parametrize("loud", [(), ("-v",), ("-v", "--log-format", "json")])
def test_a_server_that_repeats_what_it_was_sent_cannot_have_it_printed(
    secretive: Mirror, monkeypatch: pytest.MonkeyPatch, loud: tuple[str, ...]
) -> None:
    """S14: not on the console, not as an annotation, not in a plan or a report."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    message = f"no {PASSWORD} here, you sent {ENCODED}, see https://ann:{PASSWORD}@help/?sig={PASSWORD}"
    body = json.dumps({"errors": [{"code": "DENIED", "message": message}]}).encode()
    secretive.source.script("HEAD", "/manifests/", status=405)
    secretive.source.script("GET", "/manifests/", status=400, body=body)
    spec = _guarded_spec(secretive)
    texts = [
        secretive.cli("plan", spec, "-o", "plan.json", *loud).text,
        secretive.cli("apply", spec, "--report", "report.json", *loud).text,
        *(Path(name).read_text() for name in ("plan.json", "report.json")),
    ]
    assert all("no *** here, you sent ***, see https://***@help/?sig=***" in text for text in texts[:2])
    assert not [text for text in texts if PASSWORD in text or ENCODED in text]


def test_auth_check_in_a_job_of_gitlab_says_that_its_token_was_used(
    cli: Cli, make_registry: MakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = make_registry(auth=TokenAuth({"gitlab-ci-token": PASSWORD}))
    for name, value in {"GITLAB_CI": "true", "CI_REGISTRY": registry.host, "CI_JOB_TOKEN": PASSWORD}.items():
        monkeypatch.setenv(name, value)
    ran = cli("auth", "check", Mirror(cli, registry, registry).spec("app:1", to=f"{registry.host}/mirror"))
    assert (ran.code, ran.out.count("): CI_JOB_TOKEN of the job, bearer")) == (0, 2)
    assert PASSWORD not in ran.text

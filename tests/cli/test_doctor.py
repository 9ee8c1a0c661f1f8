"""doctor: what it asks, to the last request; what it says of what is wrong; and that it writes nothing."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from imagesync.cancellation import Cancellation
from imagesync.cli import session
from imagesync.registry import addresses
from imagesync.registry.addresses import SocketAddress
from imagesync.server.auth import Auth, BasicAuth, TokenAuth
from tests.cli.command import WRITES, Cli, Mirror, Ran
from tests.conftest import Certificates, MakeRegistry
from tests.fakes.names import Names
from tests.fakes.registry import FakeRegistry
from tests.secrets import LONG_PASSWORD as PASSWORD
from tests.secrets import WRONG_PASSWORD as WRONG

CLOSED = "127.0.0.1:9"
"""Where nobody listens."""
LOGIN = '{auth: {username: robot, password: "${secret:MIRROR_PASSWORD}"}}'


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRROR_PASSWORD", PASSWORD)


def checks(ran: Ran, host: str) -> dict[str, dict[str, Any]]:
    """Of one registry, by topic."""
    found = next(one for one in ran.json()["registries"] if one["registry"] == host)
    return {check["topic"]: check for check in found["checks"]}


def jwt(access: object) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"access": access}).encode()).decode().rstrip("=")
    return f"e30.{claims}.c2ln"


def plain_source(host: str) -> str:
    return (
        f"version: 1\nregistries: {{'{host}': {{tls: disabled}}}}\n"
        f"sync:\n  - source: {host}\n    destination: oci:out\n    images: ['app:1']\n"
    )


@pytest.fixture
def guarded(cli: Cli, make_registry: MakeRegistry) -> Mirror:
    """A source that wants a password, and a destination that wants tokens."""
    return Mirror(
        cli, make_registry(auth=BasicAuth({"robot": PASSWORD})), make_registry(auth=TokenAuth({"robot": PASSWORD}))
    )


def guarded_spec(mirror: Mirror, *images: str) -> str:
    return mirror.spec(*images, registries={mirror.source.host: LOGIN, mirror.destination.host: LOGIN})


def test_a_registry_costs_one_request_and_a_repository_another_and_a_token(guarded: Mirror) -> None:
    guarded.fill("1")
    guarded.fill("1", path="web")
    ran = guarded.cli("doctor", guarded_spec(guarded, "app:1", "web:1"), "--concurrency", "1")
    assert ran.code == 0, ran.text
    assert guarded.source.log.lines() == [
        "GET /v2/ 401",
        "HEAD /v2/app/manifests/1 200",
        "HEAD /v2/web/manifests/1 200",
    ]
    assert guarded.destination.log.lines() == [
        "GET /v2/ 401",
        "GET /token 200",
        "GET /v2/app/tags/list 404",
        "GET /token 200",
        "GET /v2/web/tags/list 404",
    ]


def test_nothing_is_written_unless_it_is_asked_for(guarded: Mirror) -> None:
    guarded.fill("1")
    spec = guarded_spec(guarded)
    assert guarded.cli("doctor", spec).code == 0
    assert guarded.writes() == []
    assert guarded.cli("doctor", spec, "--probe-push").code == 0
    assert {line.partition(" ")[0] for line in guarded.writes()} <= {"POST", "DELETE"}
    assert not list(guarded.destination.root.rglob("blobs/sha256/*"))


def test_the_text_groups_by_registry_and_its_signs_survive_without_color(guarded: Mirror) -> None:
    guarded.fill("1")
    ran = guarded.cli("doctor", guarded_spec(guarded))
    assert ran.out.startswith(
        f"{guarded.source.host}  source\n  ✓ proxy       none\n  ✓ name        127.0.0.1 (loopback)\n"
    )
    assert f"\n\n{guarded.destination.host}  destination\n" in ran.out
    assert "\n  ✓ pull        app: can be read (1 is there)\n" in ran.out
    assert (
        "\n  - push        app: cannot be told without a write; the repository is not there yet\n      → `--probe"
        in ran.out
    )
    assert PASSWORD not in ran.text


def test_a_wrong_password_is_told_once_for_all_repositories(guarded: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRROR_PASSWORD", WRONG)
    ran = guarded.cli("doctor", guarded_spec(guarded, "app:1", "web:1"))
    assert ran.code == 1
    assert ran.out.count("✗") == 2
    assert ran.out.count("→") == 2
    assert "app, web: not tried: its login was refused" in ran.out
    assert WRONG not in ran.text


@pytest.mark.parametrize("auth", [BasicAuth, TokenAuth])
def test_no_upload_is_begun_with_a_login_that_was_refused(
    cli: Cli, make_registry: MakeRegistry, monkeypatch: pytest.MonkeyPatch, auth: Callable[..., Auth]
) -> None:
    monkeypatch.setenv("MIRROR_PASSWORD", WRONG)
    mirror = Mirror(cli, make_registry(), make_registry(auth=auth({"robot": PASSWORD})))
    mirror.fill("1")
    ran = cli("doctor", mirror.spec(registries={mirror.destination.host: LOGIN}), "--probe-push", "--format", "json")
    assert checks(ran, mirror.destination.host)["login"]["status"] == "failed"
    assert (ran.code, mirror.writes()) == (1, [])


def test_a_helper_that_is_not_there_is_told_as_what_is_wrong_with_the_login(guarded: Mirror) -> None:
    helped = "{auth: {helper: nowhere}}"
    spec = guarded.spec(registries={guarded.source.host: helped, guarded.destination.host: LOGIN})
    ran = guarded.cli("doctor", spec, "--format", "json")
    login = checks(ran, guarded.source.host)["login"]
    assert (ran.code, login["status"]) == (1, "failed")
    assert "docker-credential-nowhere" in login["detail"] + login["next_step"]


def test_a_token_that_allows_less_than_was_asked_for_is_a_failure(guarded: Mirror) -> None:
    token = jwt([{"type": "repository", "name": "app", "actions": ["pull"]}])
    guarded.destination.script("GET", "/token", status=200, body=json.dumps({"token": token}).encode())
    guarded.destination.script("GET", "/tags/list", status=200, body=b'{"tags": []}')
    guarded.fill("1")
    ran = guarded.cli("doctor", guarded_spec(guarded), "--format", "json")
    push = checks(ran, guarded.destination.host)["push"]
    assert (ran.code, push["status"], push["detail"]) == (1, "failed", "the token server grants pull")
    assert push["next_step"].startswith("give the account the right to push here")


def test_what_the_table_says_of_a_kind_is_heeded(guarded: Mirror) -> None:
    kind = LOGIN.replace("{auth:", "{kind: gitlab, behaviour: {deletes: never}, auth:")
    spec = guarded.spec(
        "{name: 'app:1', prune: true}",
        registries={guarded.source.host: LOGIN, guarded.destination.host: kind},
    )
    guarded.cli.file(f"state: state.json\n{Path(spec).read_text()}", spec)
    guarded.fill("1")
    ran = guarded.cli("doctor", spec, "--format", "json")
    found = checks(ran, guarded.destination.host)
    assert (ran.code, found["kind"]["detail"]) == (1, "gitlab")
    assert found["delete"]["detail"] == f"by its API {guarded.destination.host} deletes nothing"
    assert "create the project app" in found["push"]["next_step"]


def test_a_clock_that_is_five_minutes_ahead_is_a_warning(mirror: Mirror) -> None:
    ahead = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
    mirror.source.script("GET", "^/v2/$", headers={"Date": ahead})
    mirror.fill("1")
    ran = mirror.cli("doctor", mirror.spec(), "--format", "json")
    clock = checks(ran, mirror.source.host)["clock"]
    assert (ran.code, clock["status"]) == (0, "warning")
    assert clock["detail"].endswith("min ahead of this machine's")
    assert "timedatectl" in clock["next_step"]


@pytest.mark.parametrize(
    ("answer", "detail", "step"),
    [
        ((200, {"Content-Type": "text/html"}, b"<html>Log in</html>"), "an HTML page", "login page"),
        ((404, {}, b"404 page not found"), "404: 404 page not found", "check host and port"),
        ((502, {}, b""), "502", "nobody behind it"),
        ((401, {}, b""), "asks for a login and not for which", "Basic, or Bearer"),
        ((401, {"WWW-Authenticate": "Negotiate"}, b""), "not known here: negotiate", "Basic, or Bearer"),
        ((401, {"WWW-Authenticate": 'Bearer realm="file:///etc"'}, b""), "realm is refused", "correct the realm"),
    ],
)
def test_what_is_no_registry_is_told_with_what_to_do(
    mirror: Mirror, answer: tuple[int, dict[str, str], bytes], detail: str, step: str
) -> None:
    mirror.fill("1")
    status, headers, body = answer
    mirror.source.script("GET", "^/v2/$", status=status, headers=headers, body=body)
    ran = mirror.cli("doctor", mirror.spec(), "--format", "json")
    found = checks(ran, mirror.source.host)["registry"]
    assert (ran.code, found["status"]) == (1, "failed")
    assert detail in found["detail"]
    assert step in found["next_step"]


def test_a_name_without_an_address_is_told_and_nothing_is_sent(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_host: str, _port: int) -> list[SocketAddress]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(addresses, "look_up", unknown)
    ran = cli("doctor", "--registry", "registry.example.org", "--format", "json")
    name = checks(ran, "registry.example.org")["name"]
    assert (ran.code, ran.json()["summary"]["requests"]) == (1, 0)
    assert name["detail"] == "the name registry.example.org has no address: Name or service not known"
    assert "getent hosts registry.example.org" in name["next_step"]


def test_each_address_of_a_name_is_shown_with_how_near_it_is(
    cli: Cli, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = registry.host.partition(":")[2]
    host = f"registry.example.org:{port}"
    names = Names()
    names.add("registry.example.org", ["93.184.216.34", "10.0.0.7"])
    monkeypatch.setattr(addresses, "look_up", names)
    spec = cli.file(plain_source(host))
    found = checks(cli("doctor", spec, "--format", "json"), host)
    assert found["name"]["detail"] == "93.184.216.34 (public), 10.0.0.7 (private)"
    assert (found["tls"]["status"], found["tls"]["detail"]) == ("warning", "none, plain HTTP: tls: disabled")


def test_a_proxy_is_named_with_what_is_not_checked_behind_it(
    cli: Cli, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The registry takes the whole address on the request line, as a proxy does."""
    monkeypatch.setenv("http_proxy", f"http://user:{PASSWORD}@{registry.host}")
    spec = cli.file(plain_source("registry.example.org"))
    ran = cli("doctor", spec, "--format", "json")
    found = checks(ran, "registry.example.org")
    assert found["proxy"]["detail"].startswith(f"http://{registry.host} (http_proxy); it looks names up")
    assert found["name"]["detail"].startswith("of the proxy 127.0.0.1: ")
    assert PASSWORD not in ran.text


def test_a_proxy_that_is_down_is_told_with_how_to_do_without(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    found = checks(cli("doctor", "--registry", "registry.example.org", "--format", "json"), "registry.example.org")
    assert found["connection"]["status"] == "failed"
    assert "NO_PROXY=registry.example.org" in found["connection"]["next_step"]


def test_a_host_that_no_proxy_is_asked_for_says_so(
    cli: Cli, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    found = checks(cli("doctor", "--registry", registry.host, "--format", "json"), registry.host)
    assert found["proxy"]["detail"].startswith("none: NO_PROXY leaves this host out")


def test_what_is_left_of_a_pull_limit_is_told(mirror: Mirror) -> None:
    mirror.fill("1")
    limit = {"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "3;w=21600"}
    mirror.source.script("HEAD", "manifests", headers=limit)
    ran = mirror.cli("doctor", mirror.spec(), "--format", "json")
    found = checks(ran, mirror.source.host)["limit"]
    assert (ran.code, found["status"], found["detail"]) == (0, "warning", "3 of 100 pulls left in 6 h")


def test_a_mirror_is_looked_at_as_well(mirror: Mirror, make_registry: MakeRegistry) -> None:
    near = make_registry()
    mirror.fill("1")
    spec = mirror.spec(registries={mirror.source.host: f'{{mirrors: ["{near.host}"]}}'})
    ran = mirror.cli("doctor", spec, "--format", "json")
    roles = {one["registry"]: one["roles"] for one in ran.json()["registries"]}
    assert roles[near.host] == [f"mirror of {mirror.source.host}"]
    assert near.log.lines() == ["GET /v2/ 200", "HEAD /v2/app/manifests/1 404", "GET /v2/app/tags/list 404"]


def test_a_dead_registry_is_tried_once_and_not_asked_again(mirror: Mirror) -> None:
    mirror.fill("1")
    ran = mirror.cli("doctor", mirror.spec(to=CLOSED), "--format", "json")
    found = checks(ran, CLOSED)
    assert (ran.code, found["connection"]["status"], found["push"]["status"]) == (1, "failed", "skipped")
    assert checks(ran, mirror.source.host)["pull"]["status"] == "ok"


def test_a_deadline_leaves_what_was_found_until_then(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes what it is sent and says nothing holds up no other."""
    monkeypatch.setattr(session, "Cancellation", lambda _seconds: Cancellation(0.5, grace_seconds=0.1))
    mirror.fill("1")
    with closing(socket.create_server(("127.0.0.1", 0))) as mute:
        host = f"127.0.0.1:{mute.getsockname()[1]}"
        spec = mirror.spec(to=host, registries={host: "{tls: disabled}"})
        ran = mirror.cli("doctor", spec, "--timeout", "1s", "--format", "json")
    assert (ran.code, checks(ran, mirror.source.host)["pull"]["status"]) == (1, "ok")
    assert checks(ran, host)["connection"]["detail"] == "the time was up before it was looked at"
    assert checks(ran, host)["push"]["status"] == "skipped"


def test_one_registry_can_be_looked_at_without_a_spec(cli: Cli, registry: FakeRegistry) -> None:
    ran = cli("doctor", "--registry", registry.host)
    assert (ran.code, registry.log.lines()) == (0, ["GET /v2/ 200", "GET /v2/ 200"])
    assert "login       to enter: nobody, the registry asked for none" in ran.out


def test_one_registry_of_a_spec_is_looked_at_with_what_the_spec_says_of_it(guarded: Mirror) -> None:
    guarded.fill("1")
    ran = guarded.cli("doctor", guarded_spec(guarded), "--registry", guarded.source.host, "--format", "json")
    assert (ran.code, [one["registry"] for one in ran.json()["registries"]]) == (0, [guarded.source.host])
    assert checks(ran, guarded.source.host)["pull"]["status"] == "ok"
    assert len(guarded.destination.log) == 0


def test_only_narrows_it(mirror: Mirror) -> None:
    ran = mirror.cli("doctor", mirror.spec("app:1", "web:1"), "--only", "sync[0]/web", "--format", "json")
    assert checks(ran, mirror.source.host)["pull"]["about"] == "web"
    assert not mirror.source.log.lines(path="/app/")


def test_nobody_named_is_a_wrong_command(cli: Cli) -> None:
    ran = cli("doctor")
    assert (ran.code, "--registry HOST" in ran.err) == (4, True)


@pytest.mark.parametrize("written", ["robot:hunter2@registry.example:5000", "registry.example:5000"])
def test_a_host_in_place_of_a_spec_is_told_how_it_is_asked(cli: Cli, written: str) -> None:
    ran = cli("doctor", written)
    assert (ran.code, "`imagesync doctor --registry registry.example:5000`" in ran.err) == (4, True)
    assert "hunter2" not in ran.text


def test_a_url_in_place_of_a_host_is_told_what_to_write(cli: Cli) -> None:
    ran = cli("doctor", "--registry", "https://robot:hunter2@registry.example/v2/")
    assert (ran.code, "hunter2" in ran.text) == (4, False)
    ran = cli("doctor", "--registry", "https://registry.example/v2/")
    assert (ran.code, "write the host alone: registry.example\n" in ran.err) == (4, True)


@pytest.mark.parametrize("command", ["doctor", "plan", "validate"])
@pytest.mark.parametrize("written", ["robot:hunter2@host", "https://robot:hunter2@registry.example/x"])
def test_an_address_in_place_of_a_spec_is_told_without_its_password(cli: Cli, command: str, written: str) -> None:
    ran = cli(command, written)
    assert (ran.code, "hunter2" in ran.text) == (4, False)


def test_a_wrong_spec_is_no_diagnosis(cli: Cli) -> None:
    assert cli("doctor", cli.file("version: 1\nsync: 3\n")).code == 4


def test_a_certificate_and_its_authority_are_shown(
    cli: Cli, make_registry: MakeRegistry, certificates: Certificates
) -> None:
    registry = make_registry(tls=certificates.server)
    spec = cli.file(
        f"version: 1\nregistries: {{'{registry.host}': {{tls: {{ca: {certificates.ca}}}}}}}\n"
        f"sync:\n  - source: {registry.host}\n    destination: oci:out\n    images: ['app:1']\n"
    )
    tls = checks(cli("doctor", spec, "--format", "json"), registry.host)["tls"]
    assert tls["status"] == "ok"
    assert tls["detail"].startswith("TLSv1.3, certificate by OU=Testing CA")


def test_the_markdown_has_a_row_for_each_check(mirror: Mirror) -> None:
    mirror.fill("1")
    ran = mirror.cli("doctor", mirror.spec(), "--format", "markdown")
    assert ran.out.startswith("**2 registries: ")
    assert f"| ✓ ok | `{mirror.source.host}` | `pull` | `app: can be read (1 is there)` |  |" in ran.out
    assert Path("sync.yaml").exists()
    assert not WRITES & {line.partition(" ")[0] for line in mirror.requests()}


@pytest.mark.parametrize("realm", ["http://169.254.169.254/latest", "http://127.0.0.1:9/token"])
def test_a_token_server_that_is_not_reached_or_not_to_be_is_a_failure_without_a_repository_too(
    cli: Cli, registry: FakeRegistry, realm: str
) -> None:
    challenge = {"WWW-Authenticate": f'Bearer realm="{realm}",service="x"'}
    registry.script("GET", "/v2/", status=401, headers=challenge)
    ran = cli("doctor", "--registry", registry.host, "--format", "json")
    login = checks(ran, registry.host)["login"]
    assert (ran.code, login["status"]) == (1, "failed")
    assert realm[7:16] in login["detail"]


def test_who_is_kept_out_as_a_whole_is_told_of_firewalls(cli: Cli, registry: FakeRegistry) -> None:
    registry.script("GET", "/v2/", status=403, body=b'{"errors":[{"code":"DENIED","message":"not from there"}]}')
    ran = cli("doctor", "--registry", registry.host)
    assert ran.code == 1
    assert "403: DENIED: not from there" in ran.out
    assert "a firewall or a list of addresses may keep this machine out" in ran.out


def test_a_file_of_authorities_that_holds_none_is_told_so(
    cli: Cli, make_registry: MakeRegistry, certificates: Certificates
) -> None:
    host = make_registry(tls=certificates.server).host
    Path("ca.pem").write_text("no certificate")
    spec = cli.file(
        f"version: 1\nregistries: {{'{host}': {{tls: {{ca: ca.pem}}}}}}\n"
        f"sync:\n  - source: {host}\n    destination: oci:out\n    images: ['app:1']\n"
    )
    found = checks(cli("doctor", spec, "--format", "json"), host)["tls"]
    assert found["status"] == "failed"
    assert "cannot be read: no certificate or crl found" in found["detail"]
    assert found["next_step"] == "it must be there, and hold certificates as PEM"


def test_a_repository_that_a_run_creates_is_not_probed_to_be_there(cli: Cli, registry: FakeRegistry) -> None:
    """Harbor says 404 until the project is there."""
    registry.script("POST", "/blobs/uploads/", status=404, body=b'{"errors":[{"code":"NAME_UNKNOWN"}]}')

    def push_with(settings: str) -> dict[str, Any]:
        spec = cli.file(
            f"version: 1\nregistries: {{'{registry.host}': {{kind: harbor{settings}}}}}\n"
            f"sync:\n  - source: oci:in\n    destination: {registry.host}/proj\n    images: ['app:1']\n"
        )
        return checks(cli("doctor", spec, "--probe-push", "--format", "json"), registry.host)["push"]

    assert push_with(", create: {}")["status"] == "skipped"
    found = push_with("")
    assert (found["status"], "create the project proj" in found["next_step"]) == ("failed", True)

"""doctor at real registries: with TLS, htpasswd and tokens, and everything that is usually wrong there."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.real.conftest import Real
from tests.real.layouts import SAMPLE
from tests.real.registries import PASSWORD, USERNAME, Authority, RealRegistry, tls_registry
from tests.real.sync import Sync


class Patient(Sync):
    """Whose machine knows neither logins nor authorities, and whose spec does."""

    def environment(self) -> dict[str, str]:
        known = super().environment()
        del known["REGISTRY_AUTH_FILE"], known["SSL_CERT_FILE"]
        return {**known, "MIRROR_PASSWORD": PASSWORD}

    def checks(self, spec: str, *arguments: str) -> tuple[int, dict[str, list[dict[str, Any]]]]:
        """The exit code, and of each registry its checks."""
        done = self.run("doctor", spec, "--format", "json", *arguments)
        assert done.stdout, done.stderr
        found = json.loads(done.stdout)["registries"]
        assert PASSWORD not in done.stdout + done.stderr
        return done.returncode, {one["registry"]: one["checks"] for one in found}


class Forgetful(Patient):
    """Who has the password wrong."""

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "MIRROR_PASSWORD": "wrong-horse"}


class Issuing(Authority):
    """An authority whose certificates are for another host, or end when they should not."""

    def __init__(self, folder: Path, *names: str, days: int = 30) -> None:
        super().__init__(folder)
        self._names = names or ("127.0.0.1",)
        self._ends = datetime.now(UTC) + timedelta(days=days, hours=1)

    def write_certificate(self, folder: Path) -> tuple[Path, Path]:
        begins = datetime.now(UTC) - timedelta(days=60)
        issued = self._authority.issue_cert(*self._names, not_before=begins, not_after=self._ends)
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(key)
        return certificate, key

    def context(self) -> Any:
        context = super().context()
        context.check_hostname, context.verify_mode = False, 0
        return context


def spec_for(registry: RealRegistry, *, ca: Path | None, login: bool = False) -> str:
    trust = f"    tls: {{ca: {ca}}}\n" if ca else ""
    auth = f'    auth: {{username: {USERNAME}, password: "${{secret:MIRROR_PASSWORD}}"}}\n' if login else ""
    hosts = f"  {registry.host}:\n{trust}{auth}" if trust or auth else ""
    tokens = urlsplit(registry.tokens.realm).netloc if registry.tokens else ""
    hosts += f"  {tokens}:\n{trust}" if tokens and trust else ""
    return (
        f"version: 1\n{f'registries:{chr(10)}{hosts}' if hosts else ''}"
        f"state: sync.state.json\n"
        f"sync:\n"
        f"  - source: oci:{SAMPLE.folder.parent}\n"
        f"    destination: {registry.host}/mirror\n"
        f"    prune: true\n"
        f"    images:\n"
        f"      - hello:1.0\n"
    )


def by_topic(checks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {check["topic"]: check for check in checks}


def states(checks: list[dict[str, Any]]) -> dict[str, str]:
    return {check["topic"]: check["status"] for check in checks}


WELL = dict.fromkeys(("proxy", "name", "connection", "tls", "registry", "kind", "clock", "login"), "ok")


def test_a_token_registry_that_is_well_shows_every_right(real: Real, tmp_path: Path) -> None:
    before = len(real.token.requests())
    code, found = Patient(tmp_path, real).checks(spec_for(real.token, ca=real.authority.file, login=True))
    checks = by_topic(found[real.token.host])
    assert (code, states(found[real.token.host])) == (0, WELL | {"push": "ok", "delete": "ok"})
    assert "TLSv1.3, certificate by OU=Testing CA" in checks["tls"]["detail"]
    assert checks["registry"]["detail"].startswith("asks for a login: Bearer, tokens from https://127.0.0.1:")
    assert checks["login"]["detail"].startswith(f"spec registries/{real.token.host}, environment variable")
    assert checks["push"]["detail"] == "the token allows it; the repository is not there yet"
    asked = [(one.method, one.path, one.status) for one in real.token.requests(since=before)]
    assert asked == [("GET", "/v2/", 401), ("GET", "/v2/mirror/hello/tags/list?n=1", 404)]


def test_a_password_registry_tells_of_no_right_to_write_before_a_write(real: Real, tmp_path: Path) -> None:
    before = len(real.basic.requests())
    code, found = Patient(tmp_path, real).checks(spec_for(real.basic, ca=real.authority.file, login=True))
    checks = found[real.basic.host]
    assert (code, states(checks)) == (0, WELL | {"push": "skipped", "delete": "skipped"})
    assert not [one for one in real.basic.requests(since=before) if one.is_write]


def test_an_upload_that_is_begun_and_taken_back_shows_it(real: Real, tmp_path: Path) -> None:
    before = len(real.basic.requests())
    spec = spec_for(real.basic, ca=real.authority.file, login=True)
    code, found = Patient(tmp_path, real).checks(spec, "--probe-push")
    assert (code, by_topic(found[real.basic.host])["push"]["status"]) == (0, "ok")
    writes = [(one.method, one.status) for one in real.basic.requests(since=before) if one.is_write]
    assert writes == [("POST", 202), ("DELETE", 204)]


@pytest.mark.parametrize("kind", ["basic", "token"])
def test_a_wrong_password_is_one_failure_that_says_whose_it_is(real: Real, tmp_path: Path, kind: str) -> None:
    registry: RealRegistry = getattr(real, kind)
    spec = spec_for(registry, ca=real.authority.file, login=True)
    code, found = Forgetful(tmp_path, real).checks(spec)
    checks = found[registry.host]
    assert (code, states(checks)) == (1, WELL | {"login": "failed", "push": "skipped", "delete": "skipped"})
    login = by_topic(checks)["login"]
    assert "401" in login["detail"]
    assert "check" in login["next_step"]


def test_an_authority_that_nobody_knows_is_named_with_what_to_write(real: Real, tmp_path: Path) -> None:
    code, found = Patient(tmp_path, real).checks(spec_for(real.token, ca=None, login=True))
    tls = by_topic(found[real.token.host])["tls"]
    assert (code, tls["status"]) == (1, "failed")
    assert "is not trusted" in tls["detail"]
    assert "certificate by OU=Testing CA" in tls["detail"]
    assert f'registries: {{"{real.token.host}": {{tls: {{ca: FILE}}}}}}' in tls["next_step"]


def test_a_token_server_that_is_not_trusted_is_named(real: Real, tmp_path: Path) -> None:
    tokens = real.token.tokens
    assert tokens is not None
    spec = spec_for(real.token, ca=real.authority.file, login=True)
    server = urlsplit(tokens.realm).netloc
    code, found = Patient(tmp_path, real).checks(
        spec.replace(f"  {server}:\n    tls: {{ca: {real.authority.file}}}\n", "")
    )
    checks = by_topic(found[real.token.host])
    assert (code, checks["login"]["status"], checks["push"]["status"]) == (1, "skipped", "failed")
    assert f"certificate of {server} is not trusted" in checks["push"]["detail"]
    assert server in checks["push"]["next_step"]


def test_another_authority_is_as_wrong_as_none(real: Real, tmp_path: Path) -> None:
    other = Authority(tmp_path)
    code, found = Patient(tmp_path, real).checks(spec_for(real.token, ca=other.file, login=True))
    assert (code, by_topic(found[real.token.host])["tls"]["status"]) == (1, "failed")


@pytest.fixture(
    params=[
        ((), -1, "failed", "certificate has expired", "renew the certificate"),
        (("registry.example.org",), 30, "failed", "mismatch", "it is for registry.example.org"),
        ((), 3, "warning", "(3 days left)", "renew the certificate"),
    ]
)
def ill(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[RealRegistry, str, str, str]]:
    """A registry with such a certificate, how that stands, and what is said of it."""
    names, days, *said = request.param
    authority = Issuing(tmp_path, *names, days=days)
    with tls_registry(authority) as registry:
        yield registry, *said


def test_a_certificate_that_is_wrong_is_told_of_with_the_way_out(
    real: Real, tmp_path: Path, ill: tuple[RealRegistry, str, str, str]
) -> None:
    registry, status, detail, step = ill
    assert registry.authority is not None
    code, found = Patient(tmp_path, real).checks(spec_for(registry, ca=registry.authority.file))
    tls = by_topic(found[registry.host])["tls"]
    assert (tls["status"], code) == (status, int(status == "failed"))
    assert detail in tls["detail"]
    assert step in tls["next_step"]


def test_plain_http_at_a_port_with_tls_is_found_out(real: Real, tmp_path: Path) -> None:
    disabled = f"version: 1\nregistries:\n  {real.token.host}: {{tls: disabled}}\n"
    spec = spec_for(real.token, ca=None).replace("version: 1\n", disabled)
    code, found = Patient(tmp_path, real).checks(spec)
    check = by_topic(found[real.token.host])["registry"]
    assert (code, check["status"]) == (1, "failed")
    assert check["detail"] == "plain HTTP is asked of a server that speaks TLS"
    assert "tls: disabled" in check["next_step"]


def test_a_port_where_nobody_listens_says_so_and_holds_up_no_other(real: Real, tmp_path: Path) -> None:
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        closed = f"127.0.0.1:{bound.getsockname()[1]}"
        spec = f"version: 1\nsync:\n  - source: {closed}\n    destination: {real.plain.host}\n    images: [hello]\n"
        code, found = Patient(tmp_path, real).checks(spec.replace("[hello]", "['hello:1.0']"))
    assert (code, by_topic(found[closed])["connection"]["status"]) == (1, "failed")
    assert "start it" in by_topic(found[closed])["connection"]["next_step"]
    assert states(found[real.plain.host])["registry"] == "ok"


def test_a_source_is_read_and_a_missing_repository_told_from_a_missing_tag(real: Real, tmp_path: Path) -> None:
    spec = f"version: 1\nsync:\n  - source: {real.plain.host}\n    destination: oci:out\n    images: ['nothing:1.0']\n"
    code, found = Patient(tmp_path, real).checks(spec)
    check = by_topic(found[real.plain.host])["pull"]
    assert (code, check["status"]) == (1, "failed")
    assert "NAME_UNKNOWN" in check["detail"]
    assert "check the repository's name" in check["next_step"]

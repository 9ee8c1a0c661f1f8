"""Logins and authorities that the spec names, against real registries that demand both."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from imagesync.registry.unproven import MOST_TRIES
from tests.real.conftest import Real
from tests.real.layouts import SAMPLE
from tests.real.registries import PASSWORD, USERNAME, RealRegistry
from tests.real.sync import Sync


@pytest.fixture(params=["basic", "token"])
def registry(request: pytest.FixtureRequest, real: Real) -> RealRegistry:
    found: RealRegistry = getattr(real, request.param)
    return found


class Stranger(Sync):
    """A user whose machine knows neither the logins nor the authority: only the spec does."""

    def environment(self) -> dict[str, str]:
        known = super().environment()
        del known["REGISTRY_AUTH_FILE"], known["SSL_CERT_FILE"]
        return {**known, "MIRROR_PASSWORD": PASSWORD}


class Forgetful(Stranger):
    """A stranger who has the password wrong."""

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "MIRROR_PASSWORD": "wrong-horse"}


def _spec(registry: RealRegistry, real: Real, repository: str) -> str:
    return (
        f"version: 1\n"
        f"registries:\n"
        f"  {registry.host}:\n"
        f"    auth:\n"
        f"      username: {USERNAME}\n"
        f'      password: "${{secret:MIRROR_PASSWORD}}"\n'
        f"    tls:\n"
        f"      ca: {real.authority.file}\n"
        f"{_token_server(registry, real)}"
        f"sync:\n"
        f"  - source: oci:{SAMPLE.folder.parent}\n"
        f"    destination: {registry.host}/{repository}\n"
        f"    images:\n"
        f"      - hello:1.0\n"
    )


def _token_server(registry: RealRegistry, real: Real) -> str:
    """The server that gives the tokens is a host of its own, and its certificate is checked as well."""
    if registry.tokens is None:
        return ""
    host = urlsplit(registry.tokens.realm).netloc
    return f"  {host}:\n    tls:\n      ca: {real.authority.file}\n"


def test_a_login_and_an_authority_of_the_spec_are_enough(real: Real, registry: RealRegistry, tmp_path: Path) -> None:
    Stranger(tmp_path, real).apply(_spec(registry, real, "by-spec"))
    assert real.skopeo.inspect_raw(f"{registry.host}/by-spec/hello:1.0") == SAMPLE.root_bytes("1.0")


def test_a_password_of_the_spec_reaches_no_output(real: Real, registry: RealRegistry, tmp_path: Path) -> None:
    stranger, spec = Stranger(tmp_path, real), _spec(registry, real, "quiet")
    runs = [
        stranger.run("plan", spec, "-v", "-o", "plan.json"),
        stranger.run("apply", spec, "-v", "--report", "report.json"),
        stranger.run("config", spec),
    ]
    assert [done.returncode for done in runs] == [0, 0, 0]
    files = [(tmp_path / name).read_text() for name in ("plan.json", "report.json")]
    assert not [text for done in runs for text in (done.stdout, done.stderr, *files) if PASSWORD in text]


def test_a_wrong_password_fails_and_says_whose_it_was(real: Real, registry: RealRegistry, tmp_path: Path) -> None:
    """AUTH-02."""
    done = Forgetful(tmp_path, real).run("apply", _spec(registry, real, "refused"))
    assert done.returncode == 1
    assert registry.host in done.stdout + done.stderr
    assert "wrong-horse" not in done.stdout + done.stderr
    assert registry.tags("refused/hello") == []


def test_a_wrong_password_is_tried_few_times_however_many_repositories_it_is_for(real: Real, tmp_path: Path) -> None:
    """AUTH-02: by what the registry itself says that it was shown."""
    image = "      - hello:1.0\n"
    many = "".join(f"      - {{name: 'hello:1.0', as: refused{number}}}\n" for number in range(12))
    log = real.basic.folder / "registry.log"
    before = log.read_text().count("error authenticating user")
    done = Forgetful(tmp_path, real).run("apply", _spec(real.basic, real, "refused").replace(image, many))
    assert done.returncode == 1
    assert log.read_text().count("error authenticating user") - before == MOST_TRIES


def test_a_registry_whose_authority_nobody_knows_is_refused(real: Real, registry: RealRegistry, tmp_path: Path) -> None:
    spec = _spec(registry, real, "unknown").replace(f"    tls:\n      ca: {real.authority.file}\n", "", 1)
    done = Stranger(tmp_path, real).run("apply", spec)
    assert done.returncode == 1
    assert "certificate" in (done.stdout + done.stderr).lower()
    assert registry.tags("unknown/hello") == []

"""Logins that are kept and forgotten: found again afterwards, and nothing else in the file changed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from imagesync.errors import AuthenticationError, UsageError
from imagesync.registry.credentials import CredentialStore
from imagesync.registry.logins import forget_login, save_login
from imagesync.settings import DefaultAuth, Secret
from tests import secrets

HOST = "registry.example"
PASSWORD = Secret.literal(secrets.PASSWORD)
HELPER = """
import json, pathlib, sys
kept = pathlib.Path(__file__).with_name("kept.json")
logins = json.loads(kept.read_text()) if kept.exists() else {}
action, text = sys.argv[1], sys.stdin.read()
if action == "store":
    login = json.loads(text)
    logins[login["ServerURL"]] = login
elif action == "erase":
    logins.pop(text, None)
elif text in logins:
    print(json.dumps(logins[text]))
else:
    print("credentials not found in native keychain")
    sys.exit(1)
kept.write_text(json.dumps(logins))
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "PATH": str(tmp_path)}


def write_file(home: Path, text: str) -> Path:
    path = home / ".docker" / "config.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def write_helper(directory: Path, body: str = HELPER) -> None:
    program = directory / "docker-credential-box"
    program.write_text(f"#!{sys.executable} -IS\n{body}")
    program.chmod(0o755)


def find_user(environment: dict[str, str], host: str = HOST) -> str | None:
    found = CredentialStore(environment).find(host, "a/b", DefaultAuth())
    return found.username if found else None


def test_a_login_is_found_again_and_only_its_owner_may_read_it(tmp_path: Path, environment: dict[str, str]) -> None:
    assert save_login(HOST, "user", PASSWORD, environment) == "~/.docker/config.json"
    assert find_user(environment) == "user"
    path = tmp_path / ".docker" / "config.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["config.json"]
    assert forget_login(HOST, environment) == "~/.docker/config.json"
    assert find_user(environment) is None
    assert forget_login(HOST, environment) is None


def test_docker_hub_is_kept_under_dockers_own_key(tmp_path: Path, environment: dict[str, str]) -> None:
    write_file(tmp_path, '{"auths": {"index.docker.io": {}}}')
    save_login("docker.io", "user", PASSWORD, environment)
    kept = json.loads((tmp_path / ".docker" / "config.json").read_text())
    assert list(kept["auths"]) == ["https://index.docker.io/v1/"]
    assert find_user(environment, "docker.io") == "user"


@pytest.mark.parametrize("indent", ["\t", "  "])
def test_the_rest_of_the_file_stays_as_it_was(tmp_path: Path, environment: dict[str, str], indent: str) -> None:
    data: dict[str, Any] = {
        "HttpHeaders": {"X": "ü<>&"},
        "auths": {"z.example": {"auth": "eDp5"}, f"{HOST}/team": {"auth": "dDp5"}},
        "psFormat": "table {{.ID}}",
        "aliases": {"b": 1, "a": [1.5, None, True]},
    }
    before = json.dumps(data, indent=indent, ensure_ascii=False) + "\n"
    path = write_file(tmp_path, before)
    save_login(HOST, "user", PASSWORD, environment)
    assert list(json.loads(path.read_text())["auths"]) == ["z.example", f"{HOST}/team", HOST]
    forget_login(HOST, environment)
    assert path.read_text() == before


def test_a_link_to_the_file_stays_a_link(tmp_path: Path, environment: dict[str, str]) -> None:
    real = tmp_path / "real-auth.json"
    real.write_text("{}")
    link = tmp_path / ".docker" / "config.json"
    link.parent.mkdir()
    link.symlink_to(real)
    save_login(HOST, "user", PASSWORD, environment)
    assert link.is_symlink()
    assert HOST in real.read_text()


def test_a_file_that_hides_all_others_is_the_one_written(tmp_path: Path, environment: dict[str, str]) -> None:
    environment["REGISTRY_AUTH_FILE"] = str(tmp_path / "sub" / "auth.json")
    assert save_login(HOST, "user", PASSWORD, environment) == "~/sub/auth.json"
    assert find_user(environment) == "user"
    assert not (tmp_path / ".docker").exists()


@pytest.mark.parametrize("config", [{"credsStore": "box"}, {"credHelpers": {HOST: "box"}}])
def test_a_helper_keeps_the_login_where_there_is_one(
    tmp_path: Path, environment: dict[str, str], config: dict[str, Any]
) -> None:
    write_helper(tmp_path)
    path = write_file(tmp_path, json.dumps(config))
    assert save_login(HOST, "user", PASSWORD, environment) == "docker-credential-box"
    assert json.loads(path.read_text()) == config
    assert find_user(environment) == "user"
    assert forget_login(HOST, environment) == "docker-credential-box"
    assert find_user(environment) is None
    assert forget_login(HOST, environment) is None


def test_logging_out_forgets_what_is_in_the_helper_and_what_is_in_the_file(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    write_helper(tmp_path)
    write_file(tmp_path, json.dumps({"credsStore": "box", "auths": {HOST: {"auth": "dTpw"}}}))
    save_login(HOST, "user", PASSWORD, environment)
    assert forget_login(HOST, environment) == "docker-credential-box and ~/.docker/config.json"
    assert find_user(environment) is None


def test_a_helper_that_fails_is_an_error_and_the_secret_goes_to_no_file(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    write_helper(tmp_path, "import sys; print(sys.stdin.read()); sys.exit(3)")
    path = write_file(tmp_path, '{"credsStore": "box"}')
    with pytest.raises(AuthenticationError, match="exit code 3") as caught:
        save_login(HOST, "user", PASSWORD, environment)
    assert "hunter2" not in str(caught.value) + path.read_text()


def test_a_damaged_file_is_left_alone(tmp_path: Path, environment: dict[str, str]) -> None:
    path = write_file(tmp_path, "{damaged")
    with pytest.raises(AuthenticationError, match="not JSON"):
        save_login(HOST, "user", PASSWORD, environment)
    assert path.read_text() == "{damaged"


@pytest.mark.parametrize(("username", "secret"), [("", "pw"), ("user", ""), ("a:b", "pw")])
def test_half_a_login_is_refused(environment: dict[str, str], username: str, secret: str) -> None:
    with pytest.raises(UsageError):
        save_login(HOST, username, Secret.literal(secret), environment)


def test_without_a_home_there_is_no_place_for_a_login() -> None:
    with pytest.raises(UsageError, match="no place"):
        save_login(HOST, "user", PASSWORD, {})

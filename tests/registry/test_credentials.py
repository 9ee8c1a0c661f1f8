"""Where a login is found: files of docker and podman, credential helpers, the spec; and what ends the search."""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import AuthenticationError
from imagesync.registry.asked_helpers import HELPER_SECONDS
from imagesync.registry.credential import Credential
from imagesync.registry.credentials import CredentialStore
from imagesync.registry.dockerconfig import DockerConfig, normalise_key
from imagesync.settings import Anonymous, DefaultAuth, Helper, IdentityToken, Password, Secret

HOST = "registry.example"
DEFAULT = DefaultAuth()


def make_auth(username: str, password: str = "pw") -> dict[str, str]:
    return {"auth": base64.b64encode(f"{username}:{password}".encode()).decode()}


def write(path: Path, data: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))
    return path


class Home:
    """A home folder with credential files and helpers in it, and the environment that goes with it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bin = path / "bin"
        self.bin.mkdir()
        self.environment = {"HOME": str(path), "PATH": f"{self.bin}:/usr/bin:/bin"}

    def write_docker(self, **data: Any) -> None:
        write(self.path / ".docker" / "config.json", data)

    def write_helper(self, name: str, python: str) -> None:
        """A helper whose `server` is what it is asked for, and which notes each question in a file."""
        program = self.bin / f"docker-credential-{name}"
        program.write_text(
            f"#!{sys.executable} -IS\nimport json, sys, time\naction, server = sys.argv[1], sys.stdin.read()\n"
            f"open({str(self.path / 'asked')!r}, 'a').write(f'{{action}} {{server}}\\n')\n{python}\n"
        )
        program.chmod(0o755)

    def asked(self) -> list[str]:
        return (self.path / "asked").read_text().splitlines()

    def find(self, host: str = HOST, path: str = "team/app", login: Any = DEFAULT) -> Credential | None:
        return CredentialStore(self.environment, helper_timeout_seconds=10).find(host, path, login)

    def user(self, host: str = HOST, path: str = "team/app") -> str | None:
        found = self.find(host, path)
        return found.username if found else None


ANSWER = "print(json.dumps({'ServerURL': server, 'Username': 'helped', 'Secret': 'helper-secret'}))"
NOT_FOUND = "print('credentials not found in native keychain'); sys.exit(1)"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_without_any_file_there_is_no_login(home: Home) -> None:
    assert home.find() is None
    assert CredentialStore({}).find(HOST, "a", DEFAULT) is None


def test_dockers_file_is_read_and_named(home: Home) -> None:
    home.write_docker(auths={HOST: make_auth("user", "p:w")})
    found = home.find()
    assert found == Credential("user", Secret.literal("p:w"), None, "~/.docker/config.json auths")


def test_the_sources_are_asked_in_order(home: Home) -> None:
    """Decisions 21: each later source is hidden by the one before it."""
    environment = home.environment
    configuration, runtime = home.path / "configuration", home.path / "runtime"
    write(configuration / "containers/auth.json", {"auths": {HOST: make_auth("configuration")}})
    environment["XDG_CONFIG_HOME"] = str(configuration)
    assert home.user() == "configuration"
    write(runtime / "containers/auth.json", {"auths": {HOST: make_auth("runtime")}})
    environment["XDG_RUNTIME_DIR"] = str(runtime)
    assert home.user() == "runtime"
    home.write_docker(auths={HOST: make_auth("docker")})
    assert home.user() == "docker"
    write(home.path / "other" / "config.json", {"auths": {HOST: make_auth("other")}})
    environment["DOCKER_CONFIG"] = str(home.path / "other")
    assert home.user() == "other"
    environment["DOCKER_AUTH_CONFIG"] = json.dumps({"auths": {HOST: make_auth("inline")}})
    assert home.user() == "inline"
    alone = write(home.path / "alone.json", {"auths": {HOST: make_auth("alone")}})
    environment["REGISTRY_AUTH_FILE"] = str(alone)
    assert home.user() == "alone"


def test_a_source_without_a_match_is_passed_over(home: Home) -> None:
    home.environment["DOCKER_AUTH_CONFIG"] = json.dumps({"auths": {"other.example": make_auth("inline")}})
    home.write_docker(auths={HOST: {}})
    write(home.path / ".config/containers/auth.json", {"auths": {HOST: make_auth("podman")}})
    assert home.user() == "podman"


def test_registry_auth_file_is_the_only_file_read(home: Home) -> None:
    home.write_docker(auths={HOST: make_auth("docker")})
    home.environment["REGISTRY_AUTH_FILE"] = str(write(home.path / "alone.json", {}))
    assert home.user() is None


def test_a_registry_auth_file_that_is_not_there_is_an_error(home: Home) -> None:
    home.environment["REGISTRY_AUTH_FILE"] = str(home.path / "nothing.json")
    with pytest.raises(AuthenticationError, match="REGISTRY_AUTH_FILE"):
        home.find()


@pytest.mark.parametrize(
    ("path", "user"),
    [("team/app", "app"), ("team/app/sub", "app"), ("team/other", "team"), ("team2/app", "host"), ("te", "host")],
)
def test_the_longest_path_above_a_repository_wins(home: Home, path: str, user: str) -> None:
    """S16: whole names only, so `team` is not above `team2`."""
    home.write_docker(
        auths={HOST: make_auth("host"), f"{HOST}/team": make_auth("team"), f"{HOST}/team/app": make_auth("app")}
    )
    assert home.user(path=path) == user


def test_a_path_wins_over_a_helper(home: Home) -> None:
    home.write_docker(auths={f"{HOST}/team": make_auth("team")}, credHelpers={HOST: "missing"})
    found = home.find()
    assert found is not None
    assert (found.username, found.origin) == ("team", f"~/.docker/config.json auths {HOST}/team")


@pytest.mark.parametrize("key", ["evil-registry.example", "registry.example:5000", "example", "registry.example.evil"])
def test_another_host_is_no_match(home: Home, key: str) -> None:
    """S16."""
    home.write_docker(auths={key: make_auth("wrong")})
    assert home.user() is None


@pytest.mark.parametrize(
    ("key", "host"),
    [
        ("docker.io", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("https://index.docker.io/v2/", "docker.io"),
        ("index.docker.io/v1/", "docker.io"),
        ("https://registry.example/v1/", HOST),
        ("http://registry.example", HOST),
        ("Registry.Example", HOST),
        ("https://registry.example:5000/v2/", "registry.example:5000"),
    ],
)
def test_old_spellings_of_a_host_are_understood(home: Home, key: str, host: str) -> None:
    home.write_docker(auths={key: make_auth("user")})
    assert home.user(host, "library/nginx") == "user"


def test_the_exact_key_wins_over_other_spellings(home: Home) -> None:
    home.write_docker(auths={f"https://{HOST}": make_auth("old"), HOST: make_auth("exact")})
    assert home.user() == "exact"
    home.write_docker(auths={"docker.io": make_auth("short"), "https://index.docker.io/v1/": make_auth("docker's")})
    assert home.user("docker.io") == "docker's"


def test_all_forms_of_an_entry_are_read(home: Home) -> None:
    home.write_docker(auths={HOST: {"username": "plain", "password": "pw"}})
    assert home.find() == Credential("plain", Secret.literal("pw"), None, "~/.docker/config.json auths")
    home.write_docker(auths={HOST: make_auth("0000", "") | {"identitytoken": "identity"}})
    assert home.find() == Credential("0000", None, Secret.literal("identity"), "~/.docker/config.json auths")
    home.write_docker(auths={HOST: {"registrytoken": "ready"}})
    assert home.find() == Credential("", None, None, "~/.docker/config.json auths", Secret.literal("ready"))


@pytest.mark.parametrize(
    "content",
    [
        b"{hunter2",
        b'["hunter2"]',
        b"\xff\xfehunter2",
        b'{"auths": "hunter2"}',
        b'{"auths": {"registry.example": "hunter2"}}',
        b'{"auths": {"registry.example": {"auth": "hunter2!"}}}',
        b'{"auths": {"registry.example": {"auth": "aHVudGVyMg=="}}}',
        b'{"auths": {"registry.example": {"auth": ["hunter2"]}}}',
        b'{"credHelpers": {"registry.example": ["hunter2"]}}',
        b'{"credsStore": ["hunter2"]}',
        b'{"a": ' + b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_an_error_that_names_it_and_shows_none_of_it(home: Home, content: bytes) -> None:
    path = home.path / ".docker" / "config.json"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(AuthenticationError, match=r"~/\.docker/config\.json") as caught:
        home.find()
    assert "hunter" not in repr(caught.value) + str(caught.value)
    assert caught.value.reference == HOST


def test_a_file_that_cannot_be_read_is_an_error(home: Home) -> None:
    (home.path / ".docker" / "config.json").mkdir(parents=True)
    with pytest.raises(AuthenticationError, match="cannot be read"):
        home.find()


def test_a_helper_for_the_host_is_asked(home: Home) -> None:
    home.write_helper("one", ANSWER)
    home.write_docker(credHelpers={HOST: "one"}, credsStore="missing", auths={HOST: make_auth("file")})
    assert home.find() == Credential("helped", Secret.literal("helper-secret"), None, "docker-credential-one")
    assert home.asked() == [f"get {HOST}"]


def test_the_store_is_asked_where_no_helper_is_named_and_the_file_after_it(home: Home) -> None:
    home.write_helper("store", f"if server == {HOST!r}:\n    {ANSWER}\nelse:\n    {NOT_FOUND}")
    home.write_docker(credsStore="store", auths={HOST: {}, "second.example": make_auth("file")})
    assert home.user() == "helped"
    assert home.user("second.example") == "file"
    assert home.user("third.example") is None


def test_a_helper_that_has_no_login_leaves_the_host_to_the_next_source(home: Home) -> None:
    home.write_helper("one", NOT_FOUND)
    home.write_docker(credHelpers={HOST: "one"})
    write(home.path / ".config/containers/auth.json", {"auths": {HOST: make_auth("podman")}})
    assert home.user() == "podman"


def test_docker_hub_is_asked_for_by_dockers_name_and_by_podmans(home: Home) -> None:
    home.write_helper("one", f"if server == 'docker.io':\n    {ANSWER}\nelse:\n    {NOT_FOUND}")
    home.write_docker(credHelpers={"https://index.docker.io/v1/": "one"})
    assert home.user("docker.io", "library/nginx") == "helped"
    assert home.asked() == ["get https://index.docker.io/v1/", "get docker.io"]


def test_the_user_token_means_an_identity_token(home: Home) -> None:
    home.write_helper("one", "print(json.dumps({'ServerURL': server, 'Username': '<token>', 'Secret': 'identity'}))")
    home.write_docker(credsStore="one")
    assert home.find() == Credential("", None, Secret.literal("identity"), "docker-credential-one")


@pytest.mark.parametrize(
    ("python", "message"),
    [
        ("print('hunter2'); sys.exit(1)", "exit code 1"),
        ("print('hunter2 junk')", "no login"),
        ("print(json.dumps(['hunter2']))", "no login"),
        ("print(json.dumps({'Username': 1, 'Secret': 'hunter2'}))", "no login"),
        ("sys.stdout.buffer.write(bytes([255]))", "no login"),
    ],
)
def test_a_helper_that_fails_ends_the_search_and_shows_nothing(home: Home, python: str, message: str) -> None:
    """AUTH-17, S15."""
    home.write_helper("bad", python)
    home.write_docker(credsStore="bad", auths={HOST: make_auth("file")})
    with pytest.raises(AuthenticationError, match=message) as caught:
        home.find()
    assert "docker-credential-bad" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_helper_that_hangs_is_ended_with_all_that_it_started(home: Home) -> None:
    """AUTH-17."""
    home.write_helper("slow", "import subprocess\nsubprocess.run(['sleep', '60'])")
    home.write_docker(credsStore="slow")
    started = time.monotonic()
    with pytest.raises(AuthenticationError, match=r"within 0\.5 seconds"):
        CredentialStore(home.environment, helper_timeout_seconds=0.5).find(HOST, "a", DEFAULT)
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("name", ["../evil", "a b", "a;b", "", "a/b", "é"])
def test_a_helpers_name_is_a_plain_word(home: Home, name: str) -> None:
    with pytest.raises(AuthenticationError, match="not the name"):
        home.find(login=Helper(name))


def test_a_helper_that_is_not_installed_is_an_error(home: Home) -> None:
    home.write_docker(credsStore="absent")
    with pytest.raises(AuthenticationError, match="docker-credential-absent is not on PATH"):
        home.find()


def test_a_helper_is_asked_once_by_many_threads_and_again_after_a_while(home: Home) -> None:
    home.write_helper("one", ANSWER)
    home.write_docker(credsStore="one")
    now = 0.0
    store = CredentialStore(home.environment, clock=lambda: now)
    ready = threading.Barrier(8)

    def find(_: int) -> Credential | None:
        ready.wait(10)
        return store.find(HOST, "a", DEFAULT)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(find, range(8)))) == 1
    assert len(home.asked()) == 1
    now = HELPER_SECONDS
    store.find(HOST, "a", DEFAULT)
    assert len(home.asked()) == 2


def test_the_specs_login_comes_before_every_file(home: Home) -> None:
    home.write_docker(auths={HOST: make_auth("file")})
    password = Password(Secret.literal("user"), Secret("environment variable PW", lambda: "pw"))
    assert home.find(login=password) == Credential(
        "user", Secret.literal("pw"), None, f"spec registries/{HOST}, environment variable PW"
    )
    token = IdentityToken(Secret.literal("identity"))
    assert home.find(login=token) == Credential("", None, Secret.literal("identity"), f"spec registries/{HOST}")
    assert home.find(login=Anonymous()) is None


def test_a_secret_that_is_not_set_is_an_authentication_error(home: Home) -> None:
    name = "IMAGESYNC_TEST_SECRET_THAT_IS_NOT_SET"
    with pytest.raises(AuthenticationError, match=name):
        home.find(login=IdentityToken(Secret.from_environment(name)))


def test_the_repr_of_a_credential_shows_where_it_is_from_and_no_more() -> None:
    """SEC-01."""
    secrets = (Secret.literal("hunter2"), Secret.literal("identity-secret"), Secret.literal("ready-made"))
    login = Credential("user", secrets[0], secrets[1], "a file", secrets[2])
    assert (
        repr(login)
        == "Credential(password=***, identity_token=***, origin='a file', registry_token=***, usable_until=inf)"
    )


@given(st.text())
def test_any_key_is_normalised_to_something_stable(key: str) -> None:
    once = normalise_key(key)
    assert not once.endswith("/")


@given(st.recursive(st.none() | st.text(max_size=5), lambda inner: st.dictionaries(st.text(max_size=5), inner)))
def test_any_json_is_read_or_refused(data: object) -> None:
    with suppress(AuthenticationError):  # and nothing else is raised
        config = DockerConfig.parse(json.dumps(data), "file")
        found = config.entry_for_path("a", "b/c")
        assert found is None or found[0] in ("a/b/c", "a/b")
        assert config.entry_for_host("a") is None or "a" in map(normalise_key, data["auths"])  # type: ignore[index]

"""The `registries` part: what each key becomes, and what would say something and do nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesync.settings import (
    Acr,
    Anonymous,
    Auth,
    DefaultAuth,
    DockerHub,
    Ecr,
    Gar,
    Helper,
    Password,
    PullBudget,
    RegistrySettings,
    Timeouts,
    Tls,
    WhenSpent,
)
from tests.spec.written import found, load, shown, with_registries

TLS_FORMS = "insecure or disabled or {ca, certificate, key}"
RATE = "a rate as 50MB/s or 512KiB/s"
WORDS = "default or anonymous or ecr or gar or acr"
MAPS = "{username, password} or {token} or {helper} or {ecr} or {gar} or {acr} or {dockerhub} or {pull, push}"
AUTH_FORMS = f"{WORDS} or {MAPS}"
CLIENT = "22222222-2222-2222-2222-222222222222"
PROVIDER = "projects/1/locations/global/workloadIdentityPools/ci/providers/github"


def settings(folder: Path, text: str, host: str) -> RegistrySettings:
    return load(folder, with_registries(text)).settings.for_host(host)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("default", Auth(DefaultAuth(), DefaultAuth())),
        ("anonymous", Auth(Anonymous(), Anonymous())),
        ("{helper: ecr-login}", Auth(Helper("ecr-login"), Helper("ecr-login"))),
        ("ecr", Auth(Ecr(), Ecr())),
        ("{ecr: {profile: build}}", Auth(Ecr(profile="build"), Ecr(profile="build"))),
        ("{pull: default, push: {ecr: {region: eu-west-1}}}", Auth(DefaultAuth(), Ecr(region="eu-west-1"))),
        ("{push: ecr}", Auth(DefaultAuth(), Ecr())),
        ("gar", Auth(Gar(), Gar())),
        (f"{{pull: gar, push: {{gar: {{workload_identity: {PROVIDER}}}}}}}", Auth(Gar(), Gar(None, PROVIDER))),
        ("{pull: {gar: {service_account: a@b.example}}, push: acr}", Auth(Gar("a@b.example"), Acr())),
        (
            f"{{push: {{acr: {{tenant: a.example, client_id: {CLIENT}}}}}}}",
            Auth(DefaultAuth(), Acr("a.example", CLIENT)),
        ),
        (
            f"{{push: {{dockerhub: {{organization: acme, connection: {CLIENT}}}}}}}",
            Auth(DefaultAuth(), DockerHub("acme", CLIENT)),
        ),
        ("{pull: anonymous}", Auth(Anonymous(), DefaultAuth())),
        ("{push: {helper: x}, pull: default}", Auth(DefaultAuth(), Helper("x"))),
        ("{push: anonymous}", Auth(DefaultAuth(), Anonymous())),
    ],
)
def test_auth_is_one_login_or_two(text: str, expected: Auth, tmp_path: Path) -> None:
    assert settings(tmp_path, f"quay.io: {{auth: {text}}}", "quay.io").auth == expected


@pytest.mark.parametrize(("text", "seconds"), [("250ms", 0.25), ("7s", 7.0), ("2m", 120.0), ("3h", 10800.0)])
def test_a_time_is_a_number_and_a_unit(text: str, seconds: float, tmp_path: Path) -> None:
    found = settings(tmp_path, f"quay.io: {{timeouts: {{read: {text}}}}}", "quay.io").timeouts
    assert found == Timeouts(read_seconds=seconds)


def test_a_chunk_size_is_a_number_of_bytes(tmp_path: Path) -> None:
    assert settings(tmp_path, "quay.io: {chunk_size: 90MB}", "quay.io").chunk_bytes == 90_000_000
    assert settings(tmp_path, "'*.io': {chunk_size: 1GiB}", "quay.io").chunk_bytes == 1024**3
    assert settings(tmp_path, "quay.io: {chunk_size: 90MB}", "ghcr.io").chunk_bytes is None


def test_servers_that_a_registry_may_name_are_hosts_with_or_without_a_port(tmp_path: Path) -> None:
    text = "quay.io: {token_realm_allow: [Auth, 'auth.internal:5001', '[::1]']}\n'*.io': {token_realm_allow: [x.y]}"
    assert settings(tmp_path, text, "quay.io").token_realm_allow == ("auth", "auth.internal:5001", "[::1]")
    assert settings(tmp_path, text, "ghcr.io").token_realm_allow == ("x.y",)
    assert settings(tmp_path, text, "ghcr.com").token_realm_allow is None


@pytest.mark.parametrize(
    ("text", "bytes_per_second"),
    [
        ("7B/s", 7),
        ("50KB/s", 50_000),
        ("50MB/s", 50_000_000),
        ("2GB/s", 2_000_000_000),
        ("512KiB/s", 524_288),
        ("1MiB/s", 1_048_576),
        ("3GiB/s", 3 * 2**30),
    ],
)
def test_a_bandwidth_is_a_number_of_bytes_a_second(text: str, bytes_per_second: int, tmp_path: Path) -> None:
    assert settings(tmp_path, f"quay.io: {{bandwidth: {text}}}", "quay.io").bandwidth == bytes_per_second


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{budget: 80/6h}", PullBudget(80, 21600, WhenSpent.STOP)),
        ("{budget: 1/30m, when_spent: stop}", PullBudget(1, 1800, WhenSpent.STOP)),
        ("{budget: 5000/90s, when_spent: defer}", PullBudget(5000, 90, WhenSpent.DEFER)),
    ],
)
def test_a_budget_is_a_number_of_pulls_and_a_time(text: str, expected: PullBudget, tmp_path: Path) -> None:
    assert settings(tmp_path, f"quay.io: {{pulls: {text}}}", "quay.io").pulls == expected


def test_a_host_without_limits_has_none(tmp_path: Path) -> None:
    found = settings(tmp_path, "quay.io: {concurrency: 9}", "quay.io")
    assert (found.bandwidth, found.pulls) == (None, None)


@pytest.mark.parametrize("name", ["index.docker.io", "docker.io"])
def test_docker_hub_is_one_host_under_its_names(name: str, tmp_path: Path) -> None:
    assert settings(tmp_path, f"{name}: {{concurrency: 9}}", "docker.io").concurrency == 9


def test_a_host_in_capitals_is_the_host(tmp_path: Path) -> None:
    assert settings(tmp_path, "Quay.IO: {concurrency: 9}", "quay.io").concurrency == 9


def test_a_bare_word_may_have_settings_where_it_is_a_mirror(tmp_path: Path) -> None:
    text = "quay.io: {mirrors: [cache]}\ncache: {tls: disabled}"
    assert settings(tmp_path, text, "quay.io").mirrors == ("cache",)
    assert settings(tmp_path, text, "cache").tls != Tls()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("quay io", "'quay io' is not a host: letters, digits, '-', '.', and an optional :port"),
        ("https://quay.io", "'https://quay.io' is a URL\n    drop https://"),
        ("ghcr.io/Acme", "repository name 'Acme' must be lower case\n    write acme"),
        ("host:99999", "port 99999 of 'host:99999' is not between 1 and 65535"),
        ("nginx", "'nginx' begins with no host\n    a host has a dot or a port, or is localhost: nginx:443"),
        (
            "'quay.io/acme/*'",
            (
                "'quay.io/acme/*' is no pattern: it stands for hosts alone\n"
                "    write the host/prefix in full, or a pattern without the prefix"
            ),
        ),
        (
            "'*.Internal'",
            (
                "'*.Internal' matches no host: they are compared in lower case\n"
                "    letters a to z, digits, '.', '-', ':', and '*' or '?'"
            ),
        ),
    ],
)
def test_a_key_that_no_host_has_is_refused(name: str, expected: str, tmp_path: Path) -> None:
    problems = found(tmp_path, with_registries(f"{name}: {{concurrency: 2}}"))
    assert shown(problems, tmp_path) == f"sync.yaml:3:3: {expected}"


def test_one_host_under_two_spellings_is_refused(tmp_path: Path) -> None:
    text = with_registries("docker.io: {concurrency: 2}\nindex.docker.io: {auth: default}")
    expected = "sync.yaml:4:3: docker.io has settings twice, under two spellings\n    keep one"
    assert shown(found(tmp_path, text), tmp_path) == expected


def test_below_a_prefix_stands_auth_alone(tmp_path: Path) -> None:
    """Decision 20."""
    problems = found(tmp_path, with_registries("quay.io/x:\n  auth: default\n  tls: disabled\n  concurrency: 3"))
    assert [(problem.place.line, problem.message) for problem in problems] == [
        (5, "'tls' holds for a whole host"),
        (6, "'concurrency' holds for a whole host"),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("auth: {username: a}", "11: key 'password' is missing\n    add `password:`"),
        ("auth: {user: a, password: b}", "12: unknown key 'user'\n    did you mean username?"),
        ("auth: {username: a, password: b, token: c}", "38: unknown key 'token'\n    allowed here: username, password"),
        ("auth: {pull: default, username: a}", "27: unknown key 'username'\n    allowed here: pull, push"),
        ("auth: {helper: a/b}", "20: found 'a/b', where the NAME of a docker-credential-NAME belongs"),
        ("auth: {ecr: {role: mirror}}", "24: found 'mirror', where the ARN of a role belongs"),
        ("auth: {ecr: {rol: a}}", "18: unknown key 'rol'\n    did you mean role?"),
        ("auth: {ecr: {}}", "17: found an empty map, where {role, profile, region} belongs"),
        ("auth: {ecr: {region: EU}}", "26: found 'EU', where the name of a region belongs"),
        (
            "auth: {gar: {service_account: mirror}}",
            "35: found 'mirror', where the address of a service account belongs",
        ),
        ("auth: {gar: {workload_identity: ci}}", "37: found 'ci', where the full name of a provider belongs"),
        ("auth: {acr: {client_id: ci}}", "29: found 'ci', where the ID of an application belongs"),
        ("auth: {acr: {tenant: a/b}}", "26: found 'a/b', where the ID or domain of a directory belongs"),
        ("auth: {dockerhub: {organization: acme}}", "23: key 'connection' is missing\n    add `connection:`"),
        (
            "auth: dockerhub",
            f"11: found 'dockerhub', where {AUTH_FORMS} belongs\n    dockerhub begins a map: {{dockerhub: …}}",
        ),
        ("auth: erc", f"11: found 'erc', where {AUTH_FORMS} belongs\n    did you mean ecr?"),
        (
            "auth: {username: x, password: 123}",
            "35: found what YAML takes for no text, where text belongs\n    quote it",
        ),
        ("tls: {certificate: sync.yaml}", "10: `certificate` and `key` go together\n    give both, or neither"),
        (
            "tls: disable",
            f"10: found 'disable', where {TLS_FORMS} belongs\n    did you mean disabled?",
        ),
        ("tls: {ca: nope.pem}", "15: file nope.pem is not there\n    looked for nope.pem"),
        (
            "mirrors: [a b]",
            "15: 'a b' is not a host: letters, digits, '-', '.', and an optional :port\n    a mirror is a host",
        ),
        ("mirrors: []", "14: found an empty list, where a list of hosts belongs"),
        (
            "token_realm_allow: [a b]",
            (
                "25: 'a b' is not a host: letters, digits, '-', '.', and an optional :port\n"
                "    a token server is a host, or host:port"
            ),
        ),
        (
            "token_realm_allow: [169.254.169.254]",
            "25: '169.254.169.254' is link-local: no registry may name it\n    leave it out",
        ),
        (
            "token_realm_allow: ['0.0.0.0:5001']",
            "25: '0.0.0.0:5001' is reserved: no registry may name it\n    leave it out",
        ),
        ("token_realm_allow: []", "24: found an empty list, where a list of hosts belongs"),
        ("timeouts: {conect: 10s}", "16: unknown key 'conect'\n    did you mean connect?"),
        ("timeouts: {connect: 10 s}", "25: found '10 s', where a time as 10s, 15m or 2h belongs"),
        ("timeouts: {}", "15: found an empty map, where {connect, read, commit} belongs"),
        (
            "quota: {budget: 80/6h}",
            (
                "5: unknown key 'quota'\n"
                "    allowed here: auth, tls, concurrency, timeouts, mirrors, token_realm_allow, "
                "kind, behaviour, create, chunk_size, bandwidth, pulls"
            ),
        ),
        (
            "kind: podman",
            (
                "11: found 'podman', where docker-hub or ecr or ecr-public or gar or gcr or acr or ghcr or gitlab or "
                "quay or harbor or artifactory or nexus or distribution or zot or gitea or generic belongs"
            ),
        ),
        ("behaviour: {mount: no}", "24: found no, where auto or never belongs"),
        ("behaviour: {manifest_size: 5MiB}", "32: a manifest of 5MiB is not read from anywhere\n    at most 4MiB"),
        (
            "{behaviour: {chunks: never}, chunk_size: 1MiB}",
            "18: `chunks: never` and a `chunk_size` exclude each other\n    keep one",
        ),
        (
            "create: {}",
            (
                "13: nothing can be created at quay.io: its repositories are made by the first push\n"
                "    leave `create` out, or say `kind: ecr` or `kind: harbor` if that is what it is"
            ),
        ),
        (
            "{kind: gar, create: {}}",
            (
                "25: nothing can be created at quay.io: no API of it that is known makes repositories\n"
                "    leave `create` out, or say `kind: ecr` or `kind: harbor` if that is what it is"
            ),
        ),
        (
            "{kind: harbor, create: {immutable: true}}",
            "29: 'immutable' is nothing that harbor can be told\n    allowed are: scan_on_push, public, storage_limit",
        ),
        (
            "{kind: ecr, create: {lifecycle: none.json}}",
            ("37: file none.json is no lifecycle policy: FileNotFoundError\n    looked for JSON in none.json"),
        ),
        ("chunk_size: 90", "17: found 90, where a size as 90MB or 64MiB belongs"),
        ("chunk_size: 90 MB", "17: found '90 MB', where a size as 90MB or 64MiB belongs"),
        ("chunk_size: 5KB", "17: a chunk of 5KB is less than 64KiB\n    each chunk costs a request"),
        (
            "pulls: {budget: 80}",
            "21: found 80, where a number of pulls and a time as 80/6h belongs",
        ),
        ("pulls: {budget: 80/6d}", "21: found '80/6d', where a number of pulls and a time as 80/6h belongs"),
        ("pulls: {budget: 0/6h}", "21: found '0/6h', where a number of pulls and a time as 80/6h belongs"),
        ("pulls: {when_spent: stop}", "12: key 'budget' is missing\n    add `budget:`"),
        (
            "pulls: {budget: 80/6h, when_spent: wait}",
            "40: found 'wait', where stop or defer belongs",
        ),
        ("pulls: 80/6h", "12: found '80/6h', where {budget, when_spent} belongs"),
        ("bandwidth: 50MB", f"16: found '50MB', where {RATE} belongs"),
        ("bandwidth: 50 MB/s", f"16: found '50 MB/s', where {RATE} belongs"),
        ("bandwidth: 50mb/s", f"16: found '50mb/s', where {RATE} belongs"),
        ("bandwidth: 0MB/s", f"16: found '0MB/s', where {RATE} belongs"),
        ("bandwidth: 1.5MB/s", f"16: found '1.5MB/s', where {RATE} belongs"),
        (
            "auth:",
            f"10: found nothing, where {AUTH_FORMS} belongs",
        ),
    ],
)
def test_what_is_wrong_with_a_setting_is_said_at_it(line: str, expected: str, tmp_path: Path) -> None:
    problems = found(tmp_path, with_registries(f"quay.io:\n  {line}"))
    assert shown(problems, tmp_path) == f"sync.yaml:4:{expected}"


def test_a_role_may_be_a_variable(tmp_path: Path) -> None:
    text = with_registries("quay.io: {auth: {ecr: {role: '${ROLE:-arn:aws:iam::111122223333:role/x}'}}}")
    assert load(tmp_path, text).settings.for_host("quay.io").auth == Auth(
        *[Ecr("arn:aws:iam::111122223333:role/x")] * 2
    )


def test_a_key_without_settings_is_no_template_in_braces(tmp_path: Path) -> None:
    expected = "sync.yaml:3:11: found nothing, where a map of settings belongs"
    assert shown(found(tmp_path, with_registries("quay.io:")), tmp_path) == expected


def test_files_count_from_the_folder_of_the_spec_and_may_be_absolute(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    text = f"a.io: {{tls: {{ca: ./ca.pem}}}}\nb.io: {{tls: {{ca: '{tmp_path}/ca.pem'}}}}"
    assert settings(tmp_path, text, "a.io").tls == Tls(ca=tmp_path / "ca.pem")
    assert settings(tmp_path, text, "b.io").tls == Tls(ca=tmp_path / "ca.pem")


def test_a_login_is_not_read_while_the_spec_is(tmp_path: Path) -> None:
    text = 'quay.io: {auth: {username: "${NOBODY}", password: "${file:/nowhere}"}}'
    auth = settings(tmp_path, text, "quay.io").auth
    assert auth is not None
    assert isinstance(auth.pull, Password)
    assert auth.pull.password.origin == "file /nowhere"

"""inspect and tags: what they show of an image and of a selection."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from imagesync.layout.document import REF_NAME
from imagesync.server.auth import BasicAuth
from tests.cli.command import Cli, Mirror
from tests.conftest import MakeRegistry
from tests.images import make_image, make_index
from tests.secrets import LONG_PASSWORD


def test_inspect_shows_digest_platforms_sizes_and_labels(mirror: Mirror) -> None:
    image = mirror.fill("1", image=make_index("seen"))
    ran = mirror.cli("inspect", f"{mirror.source.host}/app:1")
    assert (ran.code, ran.err) == (0, "")
    assert f"digest      {image.digest}" in ran.out
    for platform in ("linux/amd64", "linux/arm64"):
        assert f"  {platform}  sha256:" in ran.out
        assert f"seed=seen {platform}" in ran.out
    assert "2 layers  2.1 kB" in ran.out


def test_inspect_as_json_names_every_platform(mirror: Mirror) -> None:
    image = mirror.fill("1")
    found = mirror.cli("inspect", f"{mirror.source.host}/app:1", "--format", "json").json()
    assert found["digest"] == image.digest
    assert [part["platform"] for part in found["manifests"]] == ["linux/amd64", "linux/arm64"]
    assert [part["digest"] for part in found["manifests"]] == [child.digest for child in image.children]


def test_inspect_raw_prints_the_manifests_own_bytes(mirror: Mirror) -> None:
    image = mirror.fill("1")
    ran = mirror.cli("inspect", f"{mirror.source.host}/app:1", "--raw")
    assert f"sha256:{hashlib.sha256(ran.out.encode()).hexdigest()}" == image.digest


def test_inspect_by_digest_and_of_a_single_image(mirror: Mirror) -> None:
    image = mirror.fill("1", image=make_image("single"))
    ran = mirror.cli("inspect", f"{mirror.source.host}/app@{image.digest}")
    assert "linux/amd64" in ran.out


def test_inspect_reads_a_layout(mirror: Mirror) -> None:
    image = mirror.fill("1")
    mirror.cli("copy", f"{mirror.source.host}/app:1", "oci:./out")
    assert image.digest in mirror.cli("inspect", "oci:./out/app:1").out


def test_a_layout_on_the_command_line_counts_from_here_whatever_the_spec(mirror: Mirror) -> None:
    mirror.fill("1")
    mirror.cli("copy", f"{mirror.source.host}/app:1", "oci:./out")
    mirror.spec(name="deep/er/sync.yaml")
    assert mirror.cli("inspect", "oci:./out/app:1", "--spec", "deep/er/sync.yaml").code == 0
    assert mirror.cli("tags", "deep/er/sync.yaml", "--repository", "oci:./out/app").out == "1\n"


def test_inspect_of_what_is_not_there_names_it(mirror: Mirror) -> None:
    ran = mirror.cli("inspect", f"{mirror.source.host}/app:lost")
    assert (ran.code, ran.out) == (1, "")
    assert f"{mirror.source.host}/app:lost" in ran.err
    assert "404" in ran.err


def test_tags_gives_the_reason_for_every_tag_it_drops(mirror: Mirror) -> None:
    mirror.fill("1.0", "1.1", "2.0")
    ran = mirror.cli("tags", mirror.spec('{name: app, tags: ["1.*"]}'))
    assert ran.code == 0
    assert ran.out.splitlines() == [
        f"sync[0]/app ({mirror.source.host}/app): keeps 2 of 3",
        "  + 1.0",
        "  + 1.1",
        "  - 2.0  matches no pattern",
    ]
    assert {line.partition(" ")[0] for line in mirror.requests()} == {"GET"}


def test_tags_that_are_named_exactly_cost_no_request(mirror: Mirror) -> None:
    ran = mirror.cli("tags", mirror.spec("app:1"))
    assert (ran.code, "+ 1" in ran.out) == (0, True)
    assert mirror.requests() == []


def test_tags_shows_what_each_step_of_a_selection_drops(mirror: Mirror) -> None:
    mirror.fill("7.2.0", "7.4", "7.4.1", "8.0-rc1", "8.0.0", "latest")
    tags = '{include: ["7*", "8*"], versions: "<9", newest: 1, always: [latest]}'
    ran = mirror.cli("tags", mirror.spec(f"{{name: app, tags: {tags}}}"))
    assert ran.out.splitlines() == [
        f"sync[0]/app ({mirror.source.host}/app): keeps 2 of 6",
        "    listed                  6",
        "    include         -1      5 left",
        "    versions        -2      3 left",
        "    sort             0      3 left",
        "    newest          -2      1 left",
        "    always          +1      2 left",
        "  + 8.0.0",
        "  + latest",
        "  - 7.2.0  is not among the newest 1",
        "  - 7.4  floats: 7.4.1 is more exact",
        "  - 7.4.1  is not among the newest 1",
        "  - 8.0-rc1  is a pre-release",
    ]


def test_a_selection_can_be_tried_on_a_repository(mirror: Mirror) -> None:
    mirror.fill("7.2.0", "7.4.1", "latest")
    here = ("tags", "--repository", f"{mirror.source.host}/app", "--tags", '{versions: "7.x", newest: 1}')
    assert f"{mirror.source.host}/app: keeps 1 of 3" in mirror.cli(*here).out
    (found,) = mirror.cli(*here, "--format", "json").json()
    assert found["kept"] == ["7.4.1"]
    assert [(drop["tag"], drop["step"]) for drop in found["dropped"]] == [("7.2.0", "newest"), ("latest", "versions")]
    assert {"step": "versions", "change": -1, "left": 2} in found["steps"]


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ("{versions: y}", "--tags:1:12: 'y' is not a range of versions"),
        ("{version: x}", "--tags:1:2: unknown key 'version'\n    did you mean versions?"),
        ("{", "--tags:2:1: not YAML"),
        ("", "--tags: nothing is in it"),
        ("1.10", "--tags:1:1: YAML reads 1.10 as the number 1.1"),
    ],
)
def test_a_selection_that_is_none_is_refused_before_any_request(tags: str, said: str, mirror: Mirror) -> None:
    ran = mirror.cli("tags", "--repository", f"{mirror.source.host}/app", "--tags", tags)
    assert (ran.code, mirror.requests()) == (4, [])
    assert ran.err.startswith(said)


def test_a_selection_to_try_needs_a_repository(mirror: Mirror) -> None:
    ran = mirror.cli("tags", mirror.spec("app:1"), "--tags", "latest")
    assert (ran.code, "add --repository REFERENCE" in ran.err) == (4, True)


def test_a_name_in_a_layout_that_is_no_tag_is_dropped_counted_and_shown_safely(mirror: Mirror) -> None:
    """TAG-05."""
    mirror.fill("1")
    mirror.cli("copy", f"{mirror.source.host}/app:1", "oci:./out")
    (index,) = Path("out").rglob("index.json")
    document = json.loads(index.read_text())
    for name in ("\x1b[31mred", "../../x", "x" * 200):
        document["manifests"].append({**document["manifests"][0], "annotations": {REF_NAME: name}})
    index.write_text(json.dumps(document))
    ran = mirror.cli("tags", "--repository", "oci:./out/app")
    assert ran.out == "1\n"
    assert "3 of the listed names are no legal tags: \\x1b[31mred, ../../x, xxx" in ran.err
    tried = mirror.cli("tags", "--repository", "oci:./out/app", "--tags", '"*"')
    assert "    legal           -3      1 left" in tried.out
    assert "  - \\x1b[31mred  is no legal tag" in tried.out
    assert max(map(len, tried.out.splitlines())) < 170


def test_of_many_names_that_are_no_tags_a_few_are_shown(mirror: Mirror) -> None:
    """TAG-05."""
    mirror.fill("1")
    mirror.cli("copy", f"{mirror.source.host}/app:1", "oci:./out")
    (index,) = Path("out").rglob("index.json")
    document = json.loads(index.read_text())
    named = [{**document["manifests"][0], "annotations": {REF_NAME: f"-{number}"}} for number in range(12)]
    index.write_text(json.dumps({**document, "manifests": [*document["manifests"], *named]}))
    ran = mirror.cli("tags", "--repository", "oci:./out/app")
    assert ran.err.startswith("12 of the listed names are no legal tags: -0, -1, -10, ")
    assert ran.err.endswith(" and 2 more\n")


def test_tags_as_json(mirror: Mirror) -> None:
    mirror.fill("1.0", "2.0")
    (found,) = mirror.cli("tags", mirror.spec('{name: app, tags: ["1.*"]}'), "--format", "json").json()
    assert (found["kept"], [drop["tag"] for drop in found["dropped"]]) == (["1.0"], ["2.0"])


def test_tags_of_a_repository_that_is_not_there_fail_alone(mirror: Mirror) -> None:
    mirror.fill("1.0")
    ran = mirror.cli("tags", mirror.spec('{name: app, tags: ["*"]}', '{name: lost, tags: ["*"]}'))
    assert ran.code == 1
    assert "+ 1.0" in ran.out
    assert f"x tags cannot be listed: source {mirror.source.host}/lost: list tags" in ran.out


def test_tags_of_one_repository_one_a_line(mirror: Mirror) -> None:
    mirror.fill("1", "2")
    ran = mirror.cli("tags", "--repository", f"{mirror.source.host}/app")
    assert ran.out == "1\n2\n"
    found = mirror.cli("tags", "--repository", f"{mirror.source.host}/app", "--format", "json").json()
    assert found == {"repository": f"{mirror.source.host}/app", "tags": ["1", "2"], "illegal": []}


def test_tags_of_nothing_is_a_usage_error(mirror: Mirror) -> None:
    ran = mirror.cli("tags")
    assert (ran.code, "SPEC or --repository REFERENCE" in ran.err) == (4, True)


@pytest.mark.parametrize("name", ["::error::x", "a\n::error::x", "\x1b[31mred", "../up"])
def test_a_tag_that_is_none_never_reaches_the_terminal_as_it_is(mirror: Mirror, name: str) -> None:
    mirror.fill("1")
    body = json.dumps({"name": "app", "tags": ["1", name]}).encode()
    mirror.source.script("GET", "/tags/list", status=200, headers={"Content-Type": "application/json"}, body=body)
    ran = mirror.cli("tags", "--repository", f"{mirror.source.host}/app")
    assert "\x1b" not in ran.text
    assert not [line for line in ran.text.splitlines() if line.lstrip().startswith("::")]


def test_control_characters_of_a_label_are_escaped(mirror: Mirror) -> None:
    mirror.fill("1", image=make_image("\x1b[31mred\n::error::x"))
    ran = mirror.cli("inspect", f"{mirror.source.host}/app:1")
    assert "\x1b" not in ran.out
    assert "\n::error" not in ran.out
    assert Path("sync.yaml").exists() is False


def test_tags_shows_which_version_each_alias_follows(mirror: Mirror) -> None:
    mirror.fill("7.2.6", "7.4.1", "7.4.2", "latest")
    spec = mirror.spec("{name: app, tags: {versions: '*'}, aliases: ['{major}.{minor}', stable]}")
    out = mirror.cli("tags", spec).out
    assert "  + 7.2  alias of 7.2.6\n  + 7.4  alias of 7.4.2\n  + stable  alias of 7.4.2\n" in out
    (found,) = mirror.cli("tags", spec, "--format", "json").json()
    assert found["aliases"] == {"7.2": "7.2.6", "7.4": "7.4.2", "stable": "7.4.2"}


@pytest.fixture
def knowing(cli: Cli, make_registry: MakeRegistry) -> Mirror:
    """A registry that is sent a login, and repeats it in whatever it keeps: labels, platforms, names on its list."""
    registry = make_registry(auth=BasicAuth({"robot": LONG_PASSWORD}))
    cli.file(json.dumps({"auths": {registry.host: {"username": "robot", "password": LONG_PASSWORD}}}), "auth.json")
    mirror = Mirror(cli, registry, registry)
    mirror.fill("1", image=make_image(f"a {LONG_PASSWORD}", platform=f"linux/{LONG_PASSWORD}"))
    registry.script("GET", "tags/list", status=200, body=json.dumps({"tags": ["1", f"-{LONG_PASSWORD}"]}).encode())
    return mirror


@pytest.mark.parametrize("shape", ["text", "json"])
def test_a_login_that_an_image_repeats_is_not_shown(
    knowing: Mirror, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S14: what a server says of an image it may have learnt from us."""
    monkeypatch.setenv("REGISTRY_AUTH_FILE", "auth.json")
    ran = knowing.cli("inspect", f"{knowing.source.host}/app:1", "--format", shape)
    assert ran.code == 0
    assert LONG_PASSWORD not in ran.text
    assert "***" in ran.out
    ran = knowing.cli("tags", "--repository", f"{knowing.source.host}/app", "--format", shape)
    assert ran.code == 0
    assert LONG_PASSWORD not in ran.text
    ran = knowing.cli("tags", knowing.spec('{name: app, as: b, tags: ["1*"]}'), "--format", shape)
    assert (ran.code, LONG_PASSWORD in ran.text) == (0, False)

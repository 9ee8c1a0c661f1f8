"""What a spec comes to: every value with the line it came from, and no secret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from imagesync.errors import SpecError, UsageError
from imagesync.spec.explain import Line, explain, render
from tests.spec.written import make_files, with_images, with_registries

SPEC = """\
version: 1
include: [more.yaml]
registries:
  docker.io:
    auth: {username: "${HUB_USER}", password: "${secret:HUB_TOKEN}"}
    concurrency: 4
  ghcr.io/acme:
    auth: {pull: anonymous, push: {token: plain-text}}
  a.io:
    auth: {helper: pass}
    tls: disabled
    timeouts: {read: 90s}
    mirrors: [b.io]
    chunk_size: 64MiB
destinations:
  inside: a.io/{host}/{path}
defaults:
  destination: inside
  on_empty: warn
sync:
  - name: bases
    source: docker.io
    tags: ["1.*"]
    images:
      - nginx
      - name: redis
        as: cache/{name}
        tags: "7"
        retag: {"7": stable}
"""
MORE = """\
sync:
  - images:
      - name: quay.io/a/b@sha256:%s
        as_tag: v1
""" % ("a" * 64)
ENVIRONMENT = {"HUB_USER": "someone", "HUB_TOKEN": "hunter2"}


def explained(folder: Path, name: str | None = None, environment: Mapping[str, str] = ENVIRONMENT) -> tuple[Line, ...]:
    path = make_files(folder, {"sync.yaml": SPEC, "more.yaml": MORE})
    return explain(str(path), environment=environment, name=name)


def values(lines: tuple[Line, ...], subject: str) -> list[tuple[str, str, int | None]]:
    """Key, value and line of one subject."""
    return [(one.key, one.value, one.place.line if one.place else None) for one in lines if one.subject == subject]


def test_every_value_of_an_image_has_the_line_it_came_from(tmp_path: Path) -> None:
    lines = explained(tmp_path)
    assert values(lines, "bases/nginx") == [
        ("source", "docker.io/library/nginx", 25),
        ("destination", "a.io/docker.io/library/nginx", 18),
        ("tags", "1.*", 23),
        ("retag", "{tag}", None),
        ("on_empty", "warn", 19),
        ("attachments", "all", None),
    ]
    assert values(lines, "bases/redis") == [
        ("source", "docker.io/library/redis", 26),
        ("as", "cache/{name}", 27),
        ("destination", "a.io/docker.io/cache/redis", 18),
        ("tags", "7", 28),
        ("retag", "7 -> stable", 29),
        ("on_empty", "warn", 19),
        ("attachments", "all", None),
    ]


@pytest.mark.parametrize(
    ("written", "shown"),
    [('["3.*", "/v[0-9]+/"]', "3.*, /v[0-9]+/"), ('{tags: ["3.*"], trust: list}', "3.*; trust: list"), ("[]", "none")],
)
def test_what_is_immutable_is_told_where_it_was_said(tmp_path: Path, written: str, shown: str) -> None:
    path = make_files(tmp_path, {"sync.yaml": with_images(f"- name: nginx\n  immutable: {written}\n- redis")})
    lines = [line for line in explain(str(path), environment={}) if line.key == "immutable"]
    assert [(line.subject, line.value, line.place.line if line.place else 0) for line in lines] == [
        ("sync[0]/nginx", shown, 7)
    ]


def test_how_what_is_replaced_is_kept_is_told_where_it_was_said(tmp_path: Path) -> None:
    images = "- name: nginx\n  keep_previous: '{tag}-previous'\n- redis"
    path = make_files(tmp_path, {"sync.yaml": with_images(images)})
    lines = [line for line in explain(str(path), environment={}) if line.key == "keep_previous"]
    assert [(line.subject, line.value) for line in lines] == [("sync[0]/nginx", "{tag}-previous")]


def test_an_image_of_an_included_file_names_that_file(tmp_path: Path) -> None:
    found = [line for line in explained(tmp_path) if line.subject == "sync[1]/a/b"]
    assert [(line.key, line.value) for line in found if line.key in ("tags", "digest")] == [
        ("tags", "v1"),
        ("digest", f"sha256:{'a' * 64}"),
    ]
    places = {line.key: line.place for line in found}
    assert str(places["tags"]).endswith("more.yaml:4:17")
    assert str(places["destination"]).endswith("sync.yaml:18:16")


def test_settings_are_shown_as_they_are_said(tmp_path: Path) -> None:
    lines = explained(tmp_path)
    found = {(one.subject, one.key): one.value for one in lines if one.subject.startswith("registries/")}
    assert found == {
        ("registries/docker.io", "auth"): (
            "username *** from environment variable HUB_USER, password *** from environment variable HUB_TOKEN"
        ),
        ("registries/docker.io", "concurrency"): "4",
        ("registries/ghcr.io/acme", "auth"): "pull anonymous; push token *** from the spec",
        ("registries/a.io", "auth"): "helper pass",
        ("registries/a.io", "tls"): "disabled",
        ("registries/a.io", "timeouts"): "connect 10s, read 90s, commit 900s",
        ("registries/a.io", "mirrors"): "b.io",
        ("registries/a.io", "chunk_size"): "64MiB",
    }


def test_servers_that_a_registry_may_name_are_shown(tmp_path: Path) -> None:
    text = "version: 1\nregistries: {a.io: {token_realm_allow: [auth.internal, 'localhost:5001']}}\nsync: []\n"
    lines = explain(str(make_files(tmp_path, {"sync.yaml": text})), environment={})
    assert [(one.key, one.value) for one in lines] == [("token_realm_allow", "auth.internal, localhost:5001")]


def test_what_a_registry_is_and_creates_is_shown_in_words(tmp_path: Path) -> None:
    said = "{kind: harbor, behaviour: {deletes: tag, manifest_size: 1MiB}, create: {scan_on_push: true, public: true}}"
    lines = explain(str(make_files(tmp_path, {"sync.yaml": with_registries(f"a.io: {said}")})), environment={})
    assert [(one.key, one.value) for one in lines] == [
        ("kind", "harbor"),
        ("behaviour", "deletes tag, manifest_size 1MiB"),
        ("create", "scanned on push, public"),
    ]


def test_a_clouds_login_is_shown_as_it_is_said(tmp_path: Path) -> None:
    role = "arn:aws:iam::111122223333:role/mirror"
    text = with_registries(f"a.io: {{auth: {{pull: ecr, push: {{ecr: {{role: '{role}', region: x-1}}}}}}}}")
    [line] = explain(str(make_files(tmp_path, {"sync.yaml": text})), environment={})
    assert line.value == f"pull ecr; push ecr role {role}, region x-1"


def test_limits_are_shown_in_words(tmp_path: Path) -> None:
    text = "version: 1\nregistries: {a.io: {bandwidth: 5MiB/s, pulls: {budget: 80/6h, when_spent: defer}}}\nsync: []\n"
    lines = explain(str(make_files(tmp_path, {"sync.yaml": text})), environment={})
    assert [(one.key, one.value) for one in lines] == [
        ("bandwidth", "5MiB/s"),
        ("pulls", "80 pulls in 6 hours, when spent: defer"),
    ]


def test_no_secret_is_shown_nor_anything_under_auth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    shown = render(explained(tmp_path)) + repr(explained(tmp_path))
    assert not [secret for secret in ("hunter2", "plain-text", "someone") if secret in shown]


def test_it_works_where_no_secret_is_set(tmp_path: Path) -> None:
    assert explained(tmp_path, environment={}) == explained(tmp_path)


def test_one_image_is_shown_with_the_registries_it_touches(tmp_path: Path) -> None:
    lines = explained(tmp_path, "bases/nginx")
    assert {line.subject for line in lines} == {"registries/docker.io", "registries/a.io", "bases/nginx"}
    entry = explained(tmp_path, "bases")
    assert {"bases/nginx", "bases/redis"} < {line.subject for line in entry}


def test_a_name_that_is_none_says_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        explained(tmp_path, "base")
    assert caught.value.hint is not None
    assert "bases/nginx" in caught.value.hint


def test_a_wrong_spec_is_not_explained(tmp_path: Path) -> None:
    path = make_files(tmp_path, {"sync.yaml": "version: 2\nsync: []\n"})
    with pytest.raises(SpecError):
        explain(str(path), environment={})


def test_lines_are_printed_under_their_subject(tmp_path: Path) -> None:
    text = render(explained(tmp_path, "bases/nginx")).replace(f"{tmp_path}/", "")
    assert "\n\nbases/nginx\n  source: docker.io/library/nginx " in text
    assert text.splitlines()[-2].split() == ["on_empty:", "warn", "sync.yaml:19:13"]
    assert text.splitlines()[-3].split() == ["retag:", "{tag}", "default"]
    assert render(()) == ""


def test_every_step_has_the_line_it_came_from(tmp_path: Path) -> None:
    tags = '{versions: ">=7.2 <9",\n          newest: 3, always: [latest]}'
    path = make_files(
        tmp_path, {"sync.yaml": SPEC.replace('tags: "7"', f"tags: {tags}").replace('"7": stable', "latest: x")}
    )
    make_files(tmp_path, {"more.yaml": MORE})
    lines = explain(str(path), environment=ENVIRONMENT, name="bases/redis")
    assert [one for one in values(lines, "bases/redis") if one[0].startswith("tags")] == [
        ("tags.versions", ">=7.2 <9", 28),
        ("tags.sort", "version", None),
        ("tags.newest", "3", 29),
        ("tags.always", "latest", 29),
    ]

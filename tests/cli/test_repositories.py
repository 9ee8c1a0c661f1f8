"""Globs over repositories on the command line: what every command makes of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import Mirror

ALL = '{name: "team/*", tags: "*"}'


@pytest.fixture
def team(mirror: Mirror) -> Mirror:
    """A source with two repositories that the glob finds, and two that it does not."""
    for path in ("team/a", "team/b", "team/b/c", "other"):
        mirror.fill("1", path=path)
    return mirror


def test_every_repository_that_a_glob_finds_is_brought(team: Mirror) -> None:
    spec = team.spec(ALL)
    planned = team.cli("plan", spec)
    assert planned.code == 0
    assert f"{team.source.host}/team/* stands for 2 repositories." in planned.out
    ran = team.cli("apply", spec)
    assert (ran.code, set(team.tags("team/a")), set(team.tags("team/b"))) == (0, {"1"}, {"1"})
    assert (team.tags("team/b/c"), team.tags("other")) == ({}, {})
    team.forget()
    assert team.cli("apply", spec).code == 0
    assert team.writes() == []
    assert team.cli("audit", spec).code == 0


def test_a_repository_that_is_new_is_brought_by_the_next_run(team: Mirror) -> None:
    spec = team.spec(ALL)
    team.cli("apply", spec)
    team.fill("1", path="team/new")
    assert team.cli("apply", spec).code == 0
    assert set(team.tags("team/new")) == {"1"}


def test_validate_asks_nobody(team: Mirror) -> None:
    ran = team.cli("validate", team.spec(ALL))
    assert (ran.code, ran.out) == (0, "sync.yaml: 1 image in 1 file, no mistakes.\n")
    assert team.requests() == []


def test_config_shows_a_glob_with_its_templates(team: Mirror) -> None:
    ran = team.cli("config", team.spec('{name: "team/*", as: "x/{name}"}'), "--explain", "sync[0]/team/*")
    assert ran.code == 0
    assert f"source: {team.source.host}/team/*" in ran.out
    assert f"destination: {team.destination.host}/{{name}}" in ran.out
    assert "as: x/{name}" in ran.out


def test_tags_shows_what_a_glob_finds(team: Mirror) -> None:
    ran = team.cli("tags", team.spec(ALL))
    assert ran.code == 0
    assert ran.out.splitlines() == [
        f"sync[0]/team/a ({team.source.host}/team/a): keeps 1 of 1",
        "  + 1",
        f"sync[0]/team/b ({team.source.host}/team/b): keeps 1 of 1",
        "  + 1",
    ]
    assert ran.err == f"{team.source.host}/team/* stands for 2 repositories.\n"


def test_tags_says_why_a_glob_has_none(team: Mirror) -> None:
    ran = team.cli("tags", team.spec('"nobody/*"'))
    assert ran.code == 1
    assert f"x no repository is like {team.source.host}/nobody/*: 0 are listed there" in ran.out
    ran = team.cli("tags", team.spec('{name: "nobody/*", on_empty: warn}'), "--format", "json")
    assert (ran.code, ran.json()[0]["kind"]) == (0, "skipped")


def test_a_glob_that_finds_nothing_fails_or_is_a_remark(team: Mirror) -> None:
    ran = team.cli("plan", team.spec('"nobody/*"'))
    assert (ran.code, "`**` crosses" in ran.out, "stands for" in ran.out) == (1, True, False)
    ran = team.cli("plan", team.spec('{name: "nobody/*", on_empty: warn}'))
    assert (ran.code, "no repository is like" in ran.out) == (0, True)


def test_a_registry_without_a_list_fails_the_glob_and_no_other_image(team: Mirror) -> None:
    team.source.script("GET", "_catalog", status=404)
    ran = team.cli("apply", team.spec(ALL, "other:1"))
    assert ran.code == 1
    assert "repositories cannot be listed" in ran.out
    assert "name the repositories, or write {a,b}" in ran.out
    assert set(team.tags("other")) == {"1"}


@pytest.mark.parametrize("name", ["sync[0]", "sync[0]/team/*"])
def test_only_takes_a_glob_as_it_is_written(team: Mirror, name: str) -> None:
    assert team.cli("apply", team.spec(ALL, "other:1"), "--only", name).code == 0
    assert set(team.tags("team/a")) == {"1"}


def test_only_takes_a_name_that_a_glob_finds_and_asks_for_no_list(team: Mirror) -> None:
    spec = team.spec(ALL, "other:1")
    assert team.cli("apply", spec, "--only", "sync[0]/team/a").code == 0
    assert (set(team.tags("team/a")), team.tags("team/b"), team.tags("other")) == ({"1"}, {}, {})
    assert not team.source.log.lines("GET", "_catalog")
    assert team.cli("apply", spec, "--only", "sync[0]/team/b/c").code == 4


def test_shards_part_what_a_glob_finds(team: Mirror) -> None:
    for number in range(6):
        team.fill("1", path=f"team/n{number}")
    spec, found = team.spec(ALL), []
    for part in ("1/3", "2/3", "3/3"):
        ran = team.cli("tags", spec, "--shard", part, "--format", "json")
        found.append({one["rule"] for one in ran.json()})
    assert sorted(rule for part in found for rule in part) == [
        f"sync[0]/team/{name}" for name in ("a", "b", "n0", "n1", "n2", "n3", "n4", "n5")
    ]


def test_a_plan_file_of_a_glob_is_carried_out_without_a_list(team: Mirror) -> None:
    spec = team.spec(ALL)
    assert team.cli("plan", spec, "-o", "plan.json").code == 0
    saved = json.loads(Path("plan.json").read_text())
    assert saved["found"] == [{"glob": f"{team.source.host}/team/*", "repositories": 2, "illegal": 0}]
    team.fill("1", path="team/new")
    team.forget()
    assert team.cli("apply", spec, "--plan", "plan.json").code == 0
    assert (set(team.tags("team/a")), team.tags("team/new")) == ({"1"}, {})
    assert not team.source.log.lines("GET", "_catalog")


def test_a_plan_file_cannot_be_widened_beyond_a_glob(team: Mirror) -> None:
    spec = team.spec(ALL)
    team.cli("plan", spec, "-o", "plan.json")
    text = Path("plan.json").read_text()
    Path("plan.json").write_text(text.replace('"path": "team/a"', '"path": "else/a"'))
    ran = team.cli("apply", spec, "--plan", "plan.json")
    assert (ran.code, "no rule of the spec yields" in ran.err) == (4, True)


def test_a_repair_brings_what_a_glob_promises(team: Mirror) -> None:
    ran = team.cli("apply", team.spec(ALL), "--repair")
    assert (ran.code, set(team.tags("team/a")), set(team.tags("team/b"))) == (0, {"1"}, {"1"})


def test_the_report_tells_what_globs_found(team: Mirror) -> None:
    ran = team.cli("apply", team.spec(ALL), "--format", "json")
    assert ran.json()["found"][0]["repositories"] == 2
    assert {outcome["rule"] for outcome in ran.json()["outcomes"]} == {"sync[0]/team/a", "sync[0]/team/b"}


def test_a_glob_over_a_folder_of_layouts_and_over_its_tar(team: Mirror) -> None:
    team.cli("apply", team.spec(ALL, to="oci:air"))
    spec = team.cli.file(
        f"version: 1\nsync:\n  - source: oci:air\n    destination: {team.destination.host}\n    images: ['**:1']\n"
    )
    ran = team.cli("apply", spec)
    assert (ran.code, set(team.tags("team/a")), set(team.tags("team/b"))) == (0, {"1"}, {"1"})
    assert "oci:air/** stands for 2 repositories." in ran.out


def test_a_layout_alone_takes_no_glob(team: Mirror) -> None:
    team.cli("copy", f"{team.source.host}/team/a:1", "oci:one")
    host = team.destination.host
    entry = f"  - source: oci:one/team/a\n    destination: {host}\n    images: ['*:1']\n"
    spec = team.cli.file(f"version: 1\nsync:\n{entry}")
    ran = team.cli("plan", spec)
    assert (ran.code, "is one layout, which answers to any name" in ran.out) == (1, True)


def test_what_a_glob_holds_immutable_a_copy_by_hand_does_not_move(team: Mirror) -> None:
    spec = team.spec('{name: "team/*", tags: "*", immutable: ["*"]}')
    team.cli("apply", spec)
    before = team.tags("team/a")
    ran = team.cli("copy", f"{team.source.host}/other:1", f"{team.destination.host}/team/a:1", "--spec", spec)
    assert (ran.code, team.tags("team/a")) == (3, before)


def test_auth_check_looks_at_what_a_glob_finds_and_says_where_nothing_is_listed(team: Mirror) -> None:
    spec = team.spec(ALL)
    ran = team.cli("auth", "check", spec)
    assert (ran.code, f"{team.source.host}/team/a and 1 more (pull)" in ran.out) == (0, True)
    team.source.script("GET", "_catalog", status=404)
    ran = team.cli("auth", "check", spec)
    assert (ran.code, f"x  {team.source.host}/team/* (list)" in ran.out) == (1, True)


def test_what_is_said_for_all_is_not_called_dead_while_a_glob_could_not_be_listed(mirror: Mirror) -> None:
    """What the glob would have found may be like it."""
    mirror.fill("1.0", path="solo")
    mirror.source.script("GET", "_catalog", status=404)
    name = mirror.spec("{name: 'team/*', tags: '9.*'}", "solo:1.0")
    text = Path(name).read_text(encoding="utf-8")
    Path(name).write_text(text.replace("sync:", "defaults: {immutable: ['9.*']}\nsync:"), encoding="utf-8")
    ran = mirror.cli("plan", name)
    assert ran.code == 1
    assert "is immutable, and no tag" not in ran.err


def test_a_glob_does_not_find_the_journal_of_a_promotion(team: Mirror) -> None:
    spec = Path(team.spec(ALL))
    first, second = f"{team.source.host}/team", f"{team.destination.host}/other"
    stages = f"[{{name: dev, repository: {first}}}, {{name: live, repository: {second}}}]"
    spec.write_text(f"{spec.read_text()}promotions: [{{name: shop, images: [a], stages: {stages}}}]\n")
    team.fill("shop.dev.20260301T120000Z-0123456789ab.hold", path="team/imagesync-journal")
    ran = team.cli("plan", str(spec))
    assert f"{team.source.host}/team/* stands for 2 repositories." in ran.out

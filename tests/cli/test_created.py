"""`sort: created` as a user meets it: dates in `tags`, what they cost, and a budget that is too small for them."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from tests.cli.command import Cli, Mirror
from tests.images import make_image, make_index

SELECTION = "{include: ['[abc]', none], sort: created, newest: 2}"


@pytest.fixture
def mirror(cli: Cli, mirror: Mirror) -> Mirror:
    for day, tag in enumerate(["b", "c", "a"], start=1):
        mirror.fill(tag, image=make_image(tag, layers=1, created=f"2025-01-{day:02d}T12:00:00Z"))
    mirror.fill("none", image=make_image("none", layers=1))
    mirror.forget()
    return mirror


def spec(mirror: Mirror, pulls: str = "") -> str:
    registries = {mirror.source.host: f"{{pulls: {pulls}}}"} if pulls else None
    return mirror.spec(f"{{name: app, tags: {SELECTION}}}", registries=registries)


def test_tags_shows_when_images_were_made_and_what_it_took_to_know(mirror: Mirror) -> None:
    ran = mirror.cli("tags", spec(mirror))
    assert ran.code == 0
    assert ran.out.splitlines()[1:] == [
        "    listed                  4",
        "    include          0      4 left",
        "    sort             0      4 left",
        "    newest          -2      2 left",
        "  + a  2025-01-03 12:00 UTC",
        "  + c  2025-01-02 12:00 UTC",
        "  - b  2025-01-01 12:00 UTC  is not among the newest 2",
        "  - none  date unknown  is not among the newest 2: its config names no date",
    ]
    assert ran.err == "Read 4 manifests to know when images were made.\n"


def test_tags_of_a_repository_shows_them_too_and_json_has_them(mirror: Mirror) -> None:
    here = ("tags", "--repository", f"{mirror.source.host}/app", "--tags", SELECTION)
    assert "  + a  2025-01-03 12:00 UTC" in mirror.cli(*here).out
    (found,) = mirror.cli(*here, "--format", "json").json()
    assert found["kept"] == ["a", "c"]
    assert found["created"]["a"] == "2025-01-03T12:00:00+00:00"
    assert found["created"]["none"] is None


def test_with_a_cache_tags_reads_no_manifest_twice(mirror: Mirror) -> None:
    name = spec(mirror, "{budget: 4/6h}")
    ran = mirror.cli("tags", name, "--cache", "cache")
    assert ran.err == f"Read 4 manifests to know when images were made; 0 pulls left on {mirror.source.host}.\n"
    mirror.forget()
    ran = mirror.cli("tags", name, "--cache", "cache")
    assert ran.code == 0
    assert {line.partition(" ")[0] for line in mirror.requests()} == {"HEAD", "GET"}
    assert not mirror.source.log.entries("GET", "/manifests/|/blobs/")


@pytest.mark.parametrize(("when_spent", "code"), [("stop", 3), ("defer", 0)])
def test_a_budget_that_is_too_small_for_all_dates_is_not_begun(mirror: Mirror, when_spent: str, code: int) -> None:
    """Half of them would be of no use, and would be missing elsewhere."""
    ran = mirror.cli("plan", spec(mirror, f"{{budget: 3/6h, when_spent: {when_spent}}}"))
    assert ran.code == code
    assert not mirror.source.log.entries("GET", "/manifests/")
    assert "… app  waits: it cannot be told which tags are kept" in ran.out
    assert "that takes up to 4 pulls, and 3 of the budget of 3 pulls in 6 hours are left" in ran.out
    assert "sort by version; `--cache` keeps what was read" in ran.out
    assert "1 waiting" in ran.out
    assert f"Used 0 pulls on {mirror.source.host}, 3 left" in ran.out


def test_such_a_plan_can_be_saved_and_carried_out(mirror: Mirror) -> None:
    name = spec(mirror, "{budget: 3/6h, when_spent: defer}")
    assert mirror.cli("plan", name, "-o", "plan.json").code == 0
    ran = mirror.cli("apply", name, "--plan", "plan.json", "--report", "report.json")
    assert (ran.code, mirror.writes()) == (0, [])
    assert "… app  waiting: it cannot be told" in ran.out


def test_a_budget_is_shared_by_all_selections_of_a_run(mirror: Mirror) -> None:
    for day in (1, 2, 3):
        mirror.fill(f"v{day}", path="more", image=make_index(f"more {day}", created=f"2025-02-{day:02d}T00:00:00Z"))
    images = f"{{name: app, tags: {SELECTION}}}", "{name: more, tags: {sort: created, newest: 1}}"
    registries = {mirror.source.host: "{pulls: {budget: 9/6h}}"}
    ran = mirror.cli("plan", mirror.spec(*images, registries=registries))
    assert ran.code == 3
    assert len(mirror.source.log.entries("GET", "/manifests/")) <= 9
    assert "that takes up to" in ran.out


def test_an_audit_says_that_nobody_knows_what_is_promised(mirror: Mirror) -> None:
    ran = mirror.cli("audit", spec(mirror, "{budget: 3/6h}"))
    assert ran.code == 1
    assert "it cannot be told which tags are kept" in ran.out


def test_an_audit_finds_the_promised_tags_by_their_dates(mirror: Mirror) -> None:
    name = spec(mirror)
    assert mirror.cli("apply", name).code == 0
    assert mirror.cli("audit", name).code == 0
    assert sorted(mirror.tags()) == ["a", "c"]


def test_a_plan_by_dates_conforms_to_its_spec(mirror: Mirror) -> None:
    name = spec(mirror)
    assert mirror.cli("plan", name, "-o", "plan.json").code == 0
    assert mirror.cli("apply", name, "--plan", "plan.json").code == 0
    assert sorted(mirror.tags()) == ["a", "c"]


@pytest.mark.parametrize("source", ["oci:./out/app", "oci-archive:./out.tar"])
def test_the_images_of_a_layout_have_dates_too(mirror: Mirror, source: str) -> None:
    mirror.cli("copy", f"{mirror.source.host}/app:a", "oci:./out")
    mirror.cli("copy", f"{mirror.source.host}/app:b", "oci:./out")
    if source.startswith("oci-archive"):
        with tarfile.open("out.tar", "w") as tar:
            for file in Path("out/app").iterdir():
                tar.add(file, arcname=file.name)
    ran = mirror.cli("tags", "--repository", source, "--tags", "{sort: created, newest: 1}")
    assert ran.code == 0, ran.text
    assert "  + a  2025-01-03 12:00 UTC" in ran.out
    assert "  - b  2025-01-01 12:00 UTC" in ran.out


def test_a_lock_is_left_as_it_is_where_a_budget_leaves_open_which_tags_are_taken(mirror: Mirror) -> None:
    assert mirror.cli("lock", spec(mirror)).code == 0
    before = Path("sync.lock").read_text(encoding="utf-8")
    for option in ("--quiet", "--check"):
        ran = mirror.cli("lock", spec(mirror, "{budget: 3/6h, when_spent: defer}"), option)
        assert ran.code == 1
        assert "Not everything could be read: sync.lock is left as it is." in ran.err
    assert Path("sync.lock").read_text(encoding="utf-8") == before

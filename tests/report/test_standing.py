"""How tags stand, in every form: a line a tag, its counts, and nothing let through."""

from __future__ import annotations

import json

from imagesync.errors import Place
from imagesync.plan.standing import Kind, Standing, Standings
from imagesync.reference import Reference, Repository, Tag
from imagesync.report.github import annotations_of_standings
from imagesync.report.standing_json import standings_to_json
from imagesync.report.standing_markdown import render_standings as render_markdown
from imagesync.report.standing_text import adoption_sentence, drift_sentence, render_standings
from tests.report.values import HOSTILE, make_digest

APP = Repository("registry.internal:5000", "mirror/app")
PLACE = Place("sync.yaml", 6, 9)
SOURCE = Reference(Repository("docker.io", "library/app"), Tag("1"), make_digest("4"))


def make_standing(kind: Kind, tag: str, *, failure: str = "") -> Standing:
    destination = Reference(APP, Tag(tag))
    there = None if kind in (Kind.GONE, Kind.UNREADABLE) else make_digest("9" if kind is Kind.DRIFTED else "4")
    wrote = None if kind in (Kind.FOUND, Kind.UNOWNED) else make_digest("4")
    return Standing(kind, "bases/app", PLACE, str(destination), destination, SOURCE, there, wrote, failure)


def sample(failure: str = "no answer") -> Standings:
    kinds = {"1": Kind.DRIFTED, "2": Kind.GONE, "3": Kind.FOUND, "4": Kind.OWNED}
    tags = [make_standing(kind, tag) for tag, kind in kinds.items()]
    return Standings((*tags, make_standing(Kind.UNREADABLE, "5", failure=failure)))


def test_each_tag_has_a_line_and_the_counts_come_last() -> None:
    told = sample().of({Kind.DRIFTED, Kind.GONE, Kind.UNREADABLE})
    assert render_standings(told, drift_sentence(sample()), color=False) == (
        "! registry.internal:5000/mirror/app:1  drifted: has sha256:999999999999, imagesync wrote sha256:444444444444\n"
        "! registry.internal:5000/mirror/app:2  gone: is not there, imagesync wrote sha256:444444444444\n"
        "x registry.internal:5000/mirror/app:5  not readable: no answer\n"
        "\n"
        "Drift: 1 drifted, 1 gone, 1 not readable, of 5 tags."
    )


def test_where_nothing_drifted_what_is_pending_is_said_besides() -> None:
    found = Standings((make_standing(Kind.PENDING, "1"), make_standing(Kind.OWNED, "2")))
    sentence = "No drift. No other hand has changed any of 2 tags. Besides: 1 pending."
    assert drift_sentence(found) == sentence
    assert render_standings((), sentence, color=False) == sentence


def test_an_adoption_says_what_was_left_and_why() -> None:
    found = sample()
    adopted = found.of({Kind.FOUND})
    said = adoption_sentence(found, adopted, is_done=True)
    assert said == "Adopted 1 tag. Left: 1 differing, 1 not there, 1 not readable. 1 was imagesync's already."
    assert adoption_sentence(found, adopted, is_done=False).startswith("Would adopt 1 tag. ")


def test_json_has_every_tag_and_every_count() -> None:
    document = json.loads(standings_to_json(sample(), exit_code=1))
    assert document["format_version"] == 1
    assert document["summary"] == {
        "tags": 5,
        "drifted": 1,
        "gone": 1,
        "pending": 0,
        "unowned": 0,
        "found": 1,
        "owned": 1,
        "not_readable": 1,
        "exit_code": 1,
    }
    assert document["tags"][0] == {
        "standing": "drifted",
        "subject": "registry.internal:5000/mirror/app:1",
        "rule": "bases/app",
        "place": {"file": "sync.yaml", "line": 6, "column": 9},
        "source": str(SOURCE),
        "source_digest": make_digest("4"),
        "destination_digest": make_digest("9"),
        "written_digest": make_digest("4"),
        "reason": "has sha256:999999999999, imagesync wrote sha256:444444444444",
        "hint": None,
    }


def test_json_of_an_adoption_says_of_each_tag_whether_it_was() -> None:
    found = sample()
    document = json.loads(standings_to_json(found, adopted=found.of({Kind.FOUND}), exit_code=0))
    assert document["summary"]["adopted"] == 1
    assert [tag["adopted"] for tag in document["tags"]] == [False, False, True, False, False]


def test_markdown_has_a_row_for_each_tag() -> None:
    lines = render_markdown(sample().tags[:1], "Drift.").splitlines()
    assert lines[0] == "**Drift.**"
    assert lines[-1].startswith("| drifted | `registry.internal:5000/mirror/app:1` | `has sha256:999999999999, ")


def test_nothing_that_a_server_says_gets_through() -> None:
    found = sample(HOSTILE)
    text = render_standings(found.tags, "x", color=False)
    assert "\x1b" not in text
    assert len(text.splitlines()) == 7
    row = render_markdown(found.tags[-1:], "x").splitlines()[-1]
    assert row.count("|") == 5
    assert json.loads(standings_to_json(found, exit_code=1))["tags"][-1]["reason"] == HOSTILE


def test_ci_gets_a_warning_for_drift_and_an_error_for_what_cannot_be_read() -> None:
    lines = annotations_of_standings([*sample().tags, make_standing(Kind.PENDING, "6")]).splitlines()
    assert [line.partition(" ")[0] for line in lines] == [
        "::warning",
        "::warning",
        "::notice",
        "::notice",
        "::notice",
        "::error",
    ]

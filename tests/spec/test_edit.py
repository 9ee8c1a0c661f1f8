"""Putting an image into a spec: into the right entry, spelt as that entry spells it, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesync.errors import ImagesyncError, InvalidReference, SpecError, UsageError
from imagesync.spec.edit import add_reference, initial_spec
from tests.spec.written import load

SHA256 = f"sha256:{'a' * 64}"
SPEC = """\
# What belongs where.
version: 1
sync:
  - source: docker.io          # Hub
    destination: localhost:5000
    images:
      - nginx:1.27             # the front
      - name: redis
        tags: ["7.4", "8.*"]
      # end of the list

  - source: quay.io/prometheus
    destination: localhost:5000/tools
    images: [node-exporter:v1, alertmanager]   # short
"""
FULL = """\
version: 1
sync:
  - destination: localhost:5000
    images:
    - quay.io/a/b:1
"""


def added(text: str, reference: str, destination: str | None = None) -> list[str]:
    """The lines that were added; every other line is as it was."""
    before, after = text.splitlines(), add_reference(text, reference, destination=destination).splitlines()
    assert [line for line in after if line in before] == before
    return [line for line in after if line not in before]


@pytest.mark.parametrize(
    ("reference", "line"),
    [
        ("alpine", "      - alpine:latest"),
        ("docker.io/library/nginx:1.28", "      - nginx:1.28"),
        ("acme/app:1", "      - acme/app:1"),
        ("redis:9", "      - redis:9"),
        (f"alpine:3@{SHA256}", f"      - alpine:3@{SHA256}"),
        ("docker.io/a.b/c:1", "      - {name: a.b/c:1}"),
    ],
)
def test_an_image_goes_into_the_entry_whose_source_fits(reference: str, line: str, tmp_path: Path) -> None:
    assert added(SPEC, reference) == [line]
    load(tmp_path, add_reference(SPEC, reference, destination=None))


def test_an_image_goes_first_into_a_list_in_brackets() -> None:
    after = add_reference(SPEC, "quay.io/prometheus/pushgateway:v1", destination=None)
    assert "images: [pushgateway:v1, node-exporter:v1, alertmanager]   # short" in after


@pytest.mark.parametrize(
    "reference",
    [
        "nginx:1.27",
        "docker.io/library/nginx:1.27",
        "redis:7.4",
        "redis:8.1",
        "quay.io/prometheus/alertmanager:latest",
        "quay.io/prometheus/node-exporter:v1",
    ],
)
def test_what_an_entry_selects_already_changes_nothing(reference: str) -> None:
    assert add_reference(SPEC, reference, destination=None) == SPEC


def test_an_entry_without_source_takes_full_references() -> None:
    assert added(FULL, "registry.k8s.io/pause:3.10") == ["    - registry.k8s.io/pause:3.10"]
    assert added(FULL, "quay.io/a/b") == ["    - quay.io/a/b:latest"]


def test_what_fits_nowhere_makes_a_new_entry() -> None:
    after = add_reference(SPEC, "ghcr.io/acme/app:1", destination="localhost:5000/acme")
    assert after == SPEC + "  - destination: localhost:5000/acme\n    images:\n      - ghcr.io/acme/app:1\n"


def test_a_destination_chooses_among_entries() -> None:
    assert added(SPEC, "alpine:3", "localhost:5000") == ["      - alpine:3"]
    after = add_reference(SPEC, "alpine:3", destination="localhost:5000/other")
    assert after.endswith("  - destination: localhost:5000/other\n    images:\n      - alpine:3\n")


def test_a_default_destination_is_enough_for_a_new_entry(tmp_path: Path) -> None:
    text = SPEC.replace("sync:", "defaults:\n  destination: localhost:5000/all\nsync:")
    after = add_reference(text, "ghcr.io/acme/app:1", destination=None)
    assert after.endswith("  - images:\n      - ghcr.io/acme/app:1\n")
    load(tmp_path, after)


def test_a_default_source_is_the_source_of_an_entry() -> None:
    text = "version: 1\ndefaults:\n  source: docker.io\nsync:\n  - destination: a.io\n    images:\n      - nginx:1\n"
    assert added(text, "redis:7") == ["      - redis:7"]
    with pytest.raises(UsageError, match="`defaults` has a source"):
        add_reference(text, "quay.io/a/b:1", destination="b.io")


def test_line_ends_stay_as_they_are() -> None:
    windows = FULL.replace("\n", "\r\n")
    assert add_reference(windows, "quay.io/a/c:1", destination=None) == windows + "    - quay.io/a/c:1\r\n"
    assert add_reference(FULL.rstrip("\n"), "quay.io/a/c:1", destination=None) == FULL + "    - quay.io/a/c:1\n"


@pytest.mark.parametrize(
    ("text", "reference", "error", "said"),
    [
        (SPEC, "ghcr.io/a/b:1", UsageError, "add --destination"),
        (SPEC, f"nginx@{SHA256}", UsageError, "NAME:TAG@sha256"),
        (SPEC, "Nginx", InvalidReference, "lower case"),
        ("a: [", "nginx:1", SpecError, "not YAML"),
        ("- a\n", "nginx:1", UsageError, "not a map"),
        ("version: 1\nsync: []\n", "nginx:1", UsageError, "imagesync init"),
    ],
)
def test_what_cannot_be_added_says_why(text: str, reference: str, error: type[ImagesyncError], said: str) -> None:
    destination = "localhost:5000" if "sync: []" in text else None
    with pytest.raises(error, match=said):
        add_reference(text, reference, destination=destination)


def test_an_entry_that_cannot_be_understood_is_left_alone() -> None:
    text = SPEC.replace("source: docker.io ", 'source: "${HUB:-docker.io}" ')
    with pytest.raises(UsageError, match="no entry of the spec has a source"):
        add_reference(text, "alpine:3", destination=None)


def test_the_first_spec_is_valid_and_takes_an_image(tmp_path: Path) -> None:
    spec = load(tmp_path, initial_spec())
    assert [str(rule.source) for rule in spec.rules] == ["docker.io/library/nginx"]
    after = load(tmp_path, add_reference(initial_spec(), "redis:7", destination=None))
    assert [rule.image for rule in after.rules] == ["nginx", "redis"]


def test_of_a_map_of_steps_only_what_is_always_taken_is_known_to_be_selected() -> None:
    image = "- {name: redis, tags: {newest: 3, always: [latest]}}"
    text = f"version: 1\nsync:\n  - source: docker.io\n    destination: q.io\n    images:\n      {image}\n"
    assert add_reference(text, "redis:latest", destination=None) == text
    assert "- redis:7.4" in add_reference(text, "redis:7.4", destination=None)

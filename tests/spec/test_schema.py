"""What the schema refuses, in our own words: what was found, what belongs there, the near miss."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from imagesync.spec.schema import schema_text
from tests.spec.written import found, load, make_files, shown, with_entry, with_images

TAG_KEYS = (
    "tags, retag, on_empty, immutable, keep_previous, on_drift, "
    "attachments, aliases, platforms, require_platforms, prune, gates"
)
LIST_HINT = "    a list has a dash before each item"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("name: my entry", "11: found 'my entry', where a name of letters, digits, '.', '_' and '-' belongs"),
        ("attachments: al", "18: found 'al', where all, none or {types} belongs\n    did you mean all?"),
        (
            "attachments: {types: [sbom]}",
            "27: found 'sbom', where signatures, attestations, sboms or referrers belongs\n    did you mean sboms?",
        ),
        ("on_empty: wran", "15: found 'wran', where fail or warn belongs\n    did you mean warn?"),
        ("tags: {}", "11: found an empty map, where a map of steps belongs"),
        ("tags: {include: []}", "21: found an empty list, where a list of tags or patterns belongs"),
        ("tags: {newest: '3'}", "20: found '3', where a number from 1 to 10000 belongs\n    write 3 without quotes"),
        (
            "tags: {versions: 8}",
            (
                "22: YAML reads 8 as the number 8, "
                "where a range of versions or {range, suffix, prereleases, extract} belongs\n"
                '    quote it: "8"'
            ),
        ),
        ("tags: {newest: 0}", "20: found 0, where a number from 1 to 10000 belongs"),
        (
            "tags: {newest: 3, sort: versions}",
            (
                "29: found 'versions', where version, alphabetical, numerical or created belongs\n"
                "    did you mean version?"
            ),
        ),
        ("tags: {version: '*'}", "12: unknown key 'version'\n    did you mean versions?"),
        (
            "tags: {cooldown: 72h}",
            "12: unknown key 'cooldown'\n    allowed here: include, exclude, versions, min_age, sort, newest, always",
        ),
        ("tags: {versions: {prereleases: x}}", "36: found 'x', where true or false belongs"),
        ("tags: {versions: {sufix: any}}", "23: unknown key 'sufix'\n    did you mean suffix?"),
        ("tags: [[x]]", "12: found a list, where a tag belongs"),
        ("tags:", "10: found nothing, where a tag or a list of tags or a map of steps belongs"),
        (
            "tags: true",
            (
                "11: YAML reads true as a truth value, where a tag or a list of tags or a map of steps belongs\n"
                '    quote it: "true"'
            ),
        ),
        ("tags: []", "11: found an empty list, where a list of tags belongs"),
        ("retag: [a]", "12: found a list, where a template or a map of tags belongs"),
        ("retag: ''", "12: found an empty text, where a template belongs"),
        ("retag: {tag}", '12: YAML reads {tag} as a map, where a tag belongs\n    quote it: "{tag}"'),
        ("retag: {'1': [x]}", "18: found a list, where a tag belongs"),
        ("retag: {'1': 1.10}", '18: YAML reads 1.10 as the number 1.1, where a tag belongs\n    quote it: "1.10"'),
        ("tag: x", "5: unknown key 'tag'\n    did you mean tags?"),
        (
            "mirrors: [x]",
            f"5: unknown key 'mirrors'\n    allowed here: name, source, destination, images, {TAG_KEYS}",
        ),
        ("platforms: []", "16: found an empty list, where a list of platforms belongs"),
        ("platforms: {index: sparse}", "16: key 'keep' is missing\n    add `keep:`"),
        (
            "platforms: {keep: linux/amd64, index: flat}",
            "43: found 'flat', where rewrite, sparse or flatten belongs\n    did you mean flatten?",
        ),
        ("require_platforms: {keep: x}", "24: found a map, where a platform or a list of platforms belongs"),
        ("immutable: latest", "16: found 'latest', where a list of tags or {tags, trust} belongs"),
        ("immutable: [1.10]", '17: YAML reads 1.10 as the number 1.1, where a tag belongs\n    quote it: "1.10"'),
        ("on_drift: ignore", "15: found 'ignore', where overwrite, keep or fail belongs"),
        ("keep_previous: [x]", "20: found a list, where a template belongs"),
        ("immutable: {trust: list}", "16: key 'tags' is missing\n    add `tags:`"),
        ("immutable: {tags: [x], trust: lists}", "35: found 'lists', where list belongs\n    did you mean list?"),
    ],
)
def test_what_does_not_belong_into_an_entry_is_named(line: str, expected: str, tmp_path: Path) -> None:
    text = with_entry(f"destination: q.io\nimages: [quay.io/a]\n{line}")
    assert shown(found(tmp_path, text), tmp_path) == f"sync.yaml:5:{expected}"


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (
            "- nginx: 1.10",
            "9: unknown key 'nginx'\n    an image and its tag are written without a space: \"nginx:1.10\"",
        ),
        ("- nginx:", "9: unknown key 'nginx'\n    an image without a tag has no colon: \"nginx\""),
        (
            "- {nginx: {x: y}}",
            f"10: unknown key 'nginx'\n    allowed here: name, as, as_tag, {TAG_KEYS}",
        ),
        ("- name:", "14: found nothing, where a name belongs"),
        ("- tags: x", "9: key 'name' is missing\n    add `name:`"),
        ("- nmae: x", "9: unknown key 'nmae'\n    did you mean name?"),
        ("- [nginx]", "9: found a list, where an image or a map with `name` belongs"),
        ("- 5", '9: YAML reads 5 as the number 5, where an image or a map with `name` belongs\n    quote it: "5"'),
    ],
)
def test_what_is_no_image_is_named(image: str, expected: str, tmp_path: Path) -> None:
    assert shown(found(tmp_path, with_images(image)), tmp_path) == f"sync.yaml:6:{expected}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sync: {images: [x]}", f"2:7: found a map, where a list of sync entries belongs\n{LIST_HINT}"),
        ("sync:", f"2:6: found nothing, where a list of sync entries belongs\n{LIST_HINT}"),
        ("sync: [x]", "2:8: found 'x', where a sync entry belongs"),
        ("include: x.yaml", f"2:10: found 'x.yaml', where a list of files belongs\n{LIST_HINT}"),
        ("sync: [{destination: q.io}]", "2:8: key 'images' is missing\n    add `images:`"),
        (
            "sync: []\ndestinations: {a.b: q.io}",
            "3:16: 'a.b' is not a name\n    letters, digits, '_' and '-', without dots or slashes",
        ),
        ("sync: []\nregistires: {}", "3:1: unknown key 'registires'\n    did you mean registries?"),
        (
            "sync: []\ndefaults: {images: [x]}",
            f"3:12: unknown key 'images'\n    allowed here: source, destination, {TAG_KEYS}",
        ),
    ],
)
def test_what_does_not_belong_into_a_spec_is_named(text: str, expected: str, tmp_path: Path) -> None:
    assert shown(found(tmp_path, f"version: 1\n{text}\n"), tmp_path) == f"sync.yaml:{expected}"


def test_a_mistake_in_an_anchor_is_said_once(tmp_path: Path) -> None:
    first = "  - &a\n    tags: 1.10\n    destination: q.io\n    images: [quay.io/a]\n"
    text = f"version: 1\nsync:\n{first}  - <<: *a\n    images: [quay.io/b]\n"
    assert len(found(tmp_path, text)) == 1


def test_no_long_or_odd_value_floods_the_message(tmp_path: Path) -> None:
    text = with_entry("destination: q.io\nimages: [quay.io/a]\nname: " + '"' + "x\\e" * 900 + '"')
    (problem,) = found(tmp_path, text)
    assert len(problem.message) < 250
    assert problem.message.isprintable()


def test_the_schema_is_draft_07_with_a_title_or_description_everywhere() -> None:
    schema = json.loads(schema_text())
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    for key, value in schema["properties"].items():
        assert value["description"], key


def test_a_spec_without_mistakes_does_not_import_what_explains_them(tmp_path: Path) -> None:
    path = make_files(tmp_path, {"sync.yaml": with_images("- nginx")})
    assert load(tmp_path, with_images("- nginx")).rules
    code = f"""
import sys
from imagesync.spec import load_spec
assert load_spec({str(path)!r}, environment={{}}).rules
assert "jsonschema" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)

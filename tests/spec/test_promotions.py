"""The key `promotions`: units of images, their stages, and every mistake in them with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesync.reference import Repository
from imagesync.spec.explain import explain
from tests.spec.written import found, load, make_files, shown

SHOP = """\
version: 1
promotions:
  - name: shop
    images: [api, worker]
    stages:
      - name: dev
        repository: dev.internal/shop
      - name: staging
        repository: staging.internal
        current: staging
"""


def test_a_spec_may_have_promotions_alone(tmp_path: Path) -> None:
    (shop,) = load(tmp_path, SHOP).promotions
    dev, staging = shop.stages
    assert [image.name for image in shop.images] == ["api", "worker"]
    assert (shop.before(dev), shop.before(staging), shop.after(dev)) == (None, dev, staging)
    assert str(staging.repository_of(shop.images[0])) == "staging.internal/api"


def test_each_stage_has_a_journal_beside_its_images(tmp_path: Path) -> None:
    dev, staging = load(tmp_path, SHOP).promotions[0].stages
    assert dev.journal == Repository("dev.internal", "shop/imagesync-journal")
    assert staging.journal == Repository("staging.internal", "imagesync-journal")


def test_an_included_file_may_have_promotions(tmp_path: Path) -> None:
    text = "version: 1\ninclude: [shop.yaml]\n"
    spec = load(tmp_path, text, files={"shop.yaml": SHOP})
    assert [one.name for one in spec.promotions] == ["shop"]


def test_a_stage_may_take_by_itself_what_is_due(tmp_path: Path) -> None:
    text = SHOP.replace("current: staging", "auto: true")
    assert [stage.is_automatic for stage in load(tmp_path, text).promotions[0].stages] == [False, True]
    path = make_files(tmp_path, {"sync.yaml": text})
    assert ("shop/staging", "auto", "true") in [
        (line.subject, line.key, line.value) for line in explain(str(path), environment={}, name="shop")
    ]


def test_a_host_that_only_a_stage_is_at_is_used(tmp_path: Path) -> None:
    text = SHOP.replace("promotions:", "registries:\n  dev.internal:\n    concurrency: 2\npromotions:")
    assert load(tmp_path, text).warnings == ()


def test_the_effective_values_of_every_stage_are_explained(tmp_path: Path) -> None:
    path = make_files(tmp_path, {"sync.yaml": SHOP})
    lines = {(line.subject, line.key): line.value for line in explain(str(path), environment={}, name="shop")}
    assert lines["shop", "images"] == "api, worker"
    assert lines["shop/dev", "repository of api"] == "dev.internal/shop/api"
    assert lines["shop/staging", "current"] == "staging"
    assert lines["shop/staging", "journal"] == "staging.internal/imagesync-journal"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("name: shop", "name: Shop.1", "3:11: 'Shop.1' cannot name a promotion\n    a-z, 0-9"),
        ("name: dev", "name: de.v", "6:15: 'de.v' cannot name a stage"),
        ("[api, worker]", "[api, api]", "4:19: another image is called 'api' too"),
        (
            "[api, worker]",
            "[api, {name: worker, as: api}]",
            "would hold worker and api\n    give the image",
        ),
        ("[api, worker]", "[Api]", "4:14: repository name 'Api' must be lower case"),
        ("[api, worker]", "[]", "4:13: found an empty list, where a list of images belongs"),
        ("[api, worker]", "[imagesync-journal]", "would hold imagesync-journal and the journal"),
        ("name: staging", "name: dev", "8:9: another stage is called 'dev' too"),
        ("dev.internal/shop", "dev", "7:21: source 'dev' begins with no host\n    write docker.io/dev"),
        ("dev.internal/shop", "oci:dev", "7:21: oci:dev is no registry"),
        ("current: staging", "current: a/b", "10:18: 'a/b' is not a tag"),
        ("current: staging", "retag: stable", "10:16: 'stable' does not tell versions apart\n    write {tag} and more"),
        ("current: staging", "current: s\n        immutable: ['*']", "`immutable` holds the current tag s"),
        (
            "dev.internal/shop",
            "dev.internal/shop\n        auto: true",
            "6:9: nothing is promoted to dev, which is the first stage\n    leave `auto` out",
        ),
        ("current: staging", "auto: sometimes", "10:15: found 'sometimes', where true or false belongs"),
        ("current: staging", "gates: [signed]", "10:17: no gate is called 'signed'"),
        (
            "current: staging",
            "gates: [{min_age: 24h}]",
            "10:16: `min_age` counts from when a sync entry has first seen",
        ),
        ("current: staging", "gates: [{soak: 1h}]", "8:9: nothing is on record of dev, which is the first stage"),
        ("current: staging", "gates: [{any_of: [{soak: {at_least: 1h}}]}]", "8:9: nothing is on record of dev"),
        ("current: staging", "gates: [{soak: {at_least: 1h, clock: first_seen}}]", "8:9: `soak` counts from when it"),
        ("current: staging", "gates: [{soak: {at_least: 1h, clock: created}}]", "where first_seen belongs"),
        ("current: staging", "gates: [{soak: 1w}]", "found '1w', where a time as 30m, 72h or 14d belongs"),
        ("shop\n      - name: staging", "shop\n        gates: [{soak: 1h}]\n      - name: staging", "comes to dev"),
        ("staging.internal\n        current: staging", "dev.internal/shop", "stage staging is where stage dev is"),
        (
            "    stages:",
            "    record:\n      journal: '{host}/x'\n    stages:",
            "6:16: journal '{host}/x' has",
        ),
        ("    stages:", "    record:\n      journal: records\n    stages:", "journal 'records' begins with no host"),
        ("    stages:", "    record:\n      journal: a.b/c:1\n    stages:", "names a tag: each entry has its own"),
    ],
)
def test_a_mistake_is_said_with_its_place_and_what_to_do(
    before: str, after: str, expected: str, tmp_path: Path
) -> None:
    assert expected in shown(found(tmp_path, SHOP.replace(before, after)), tmp_path)


def test_a_stage_has_gates_by_name_and_its_own(tmp_path: Path) -> None:
    named = "gates:\n  small:\n    size:\n      total: 1GB\npromotions:"
    text = SHOP.replace("promotions:", named).replace(
        "current: staging", "gates: [small, {require_platforms: linux/amd64}]"
    )
    staging = load(tmp_path, text).promotions[0].stages[1]
    assert [gate.name for gate in staging.gates] == ["small", "require_platforms"]
    path = make_files(tmp_path, {"sync.yaml": text})
    lines = {(line.subject, line.key): line.value for line in explain(str(path), environment={}, name="shop")}
    assert lines["shop/staging", "gates"].startswith("small (")


def test_two_promotions_of_one_name_are_refused(tmp_path: Path) -> None:
    text = "version: 1\ninclude: [a.yaml, b.yaml]\n"
    said = shown(found(tmp_path, text, files={"a.yaml": SHOP, "b.yaml": SHOP}), tmp_path)
    assert "another promotion is called 'shop' too" in said


@pytest.mark.parametrize(
    ("images", "gates", "warned"),
    [("[app]", "", True), ("['*']", "", True), ("[app]", ", gates: [small]", False), ("[other]", "", False)],
)
def test_an_entry_that_writes_past_the_gates_of_a_stage_is_warned_of(
    tmp_path: Path, images: str, gates: str, warned: bool
) -> None:
    text = f"""\
        version: 1
        gates: {{small: {{size: {{total: 1GB}}}}}}
        sync:
          - {{source: a.example.com/x, destination: b.example.com/prod, images: {images}{gates}}}
          - {{source: a.example.com/x, destination: a.example.com/dev, images: [app]}}
        promotions:
          - name: shop
            images: [app]
            stages:
              - {{name: dev, repository: a.example.com/dev}}
              - {{name: shared, repository: a.example.com/dev, retag: "{{tag}}-s", gates: [small]}}
              - {{name: production, repository: b.example.com/prod, gates: [small]}}
    """
    said = [one.message for one in load(tmp_path, text).warnings]
    expected = ["it may write to b.example.com/prod/app, past the gates of the stage shop/production"]
    assert said == (expected if warned else [])

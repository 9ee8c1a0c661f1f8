"""What a promotion costs on the wire: in registries of their own, within one, and within one repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from imagesync.promotion.referring import records_on
from tests.cli.command import WRITES, Cli
from tests.cli.promoting import Shop
from tests.conftest import MakeRegistry
from tests.fakes.registry import FakeRegistry
from tests.images import make_image, make_index, push_image


def shop_in(registry: FakeRegistry, cli: Cli, *, prefixes: tuple[str, str, str], **more: str) -> Shop:
    made = Shop(cli, (registry, registry, registry), images=("api",), more=more)
    made.write(prefixes=prefixes)
    return made


def lines(registry: FakeRegistry) -> list[str]:
    """The requests with what differs from run to run by name."""
    found = [re.sub(r"shop\.\w+\.\w+-[0-9a-f]{12}\.", "", line) for line in registry.log.lines()]
    return [re.sub(r"sha256:[0-9a-f]{64}", "DIGEST", line) for line in found]


def test_a_first_promotion_within_one_repository_is_one_tag_and_two_records(registry: FakeRegistry, cli: Cli) -> None:
    shop = shop_in(
        registry, cli, prefixes=("shop", "shop", "shop"), staging='retag: "{tag}-rc"', production="current: x"
    )
    shop.push("1.4.0")
    shop.promote("1.4.0", "staging")
    shop.push("1.5.0")
    shop.forget()
    assert shop.promote("1.5.0", "staging", "--concurrency", "1").code == 0
    assert lines(registry) == [
        "GET /v2/shop/imagesync-journal/tags/list 200",
        "GET /v2/shop/api/manifests/1.5.0 200",
        "HEAD /v2/shop/api/manifests/1.5.0-rc 404",
        "PUT /v2/shop/imagesync-journal/manifests/started 201",
        "PUT /v2/shop/api/manifests/1.5.0-rc 201",
        "PUT /v2/shop/api/manifests/DIGEST 201",
        "PUT /v2/shop/imagesync-journal/manifests/finished 201",
    ]


COSTS = [
    ('retag: "{tag}-rc"', 7, 9),
    ("current: staging", 8, 10),
    ('retag: "{tag}-rc"\ncurrent: staging', 10, 12),
]
"""What a stage writes within one repository, and the requests of a second release: where the registry lists referrers,
and where clients keep that list."""
BY_ITSELF = 2
"""What a release costs more that comes by itself: the tags of the first stage, and what the stage runs."""


@pytest.mark.parametrize("make", [make_image, make_index])
@pytest.mark.parametrize("lists_referrers", [True, False])
@pytest.mark.parametrize(("stage", "listed", "kept"), COSTS, ids=["version", "current", "both"])
def test_a_promotion_within_one_repository_is_a_put_for_each_tag_and_the_two_records(
    registry: FakeRegistry, cli: Cli, *, stage: str, listed: int, kept: int, lists_referrers: bool, make: Any
) -> None:
    shop = shop_in(registry, cli, prefixes=("shop", "shop", "shop"), staging=stage, production="current: live")
    if not lists_referrers:
        registry.list_no_referrers()
    for version in ("1.4.0", "1.5.0"):
        shop.push(version, api=make(version))
        shop.forget()
        assert shop.promote(version, "staging").code == 0
    assert len(registry.log) == (listed if lists_referrers else kept), lines(registry)
    of_tags = [line for line in lines(registry) if re.search(r"^PUT .*/api/manifests/(?!DIGEST|sha256-)", line)]
    assert len(of_tags) == stage.count(":"), "one for each"
    assert sum(line.startswith("PUT") and "journal" in line for line in lines(registry)) == 2
    assert [line for line in lines(registry) if line.startswith("POST")] == []


def test_a_current_tag_is_read_again_right_before_it_is_written(registry: FakeRegistry, cli: Cli) -> None:
    shop = shop_in(
        registry, cli, prefixes=("shop", "shop", "shop"), staging="current: staging", production="current: live"
    )
    shop.push("1.4.0")
    shop.push("1.5.0")
    shop.promote("1.4.0", "staging")
    shop.forget()
    assert shop.promote("1.5.0", "staging").code == 0
    assert [line for line in lines(registry) if "/staging" in line] == [
        *["HEAD /v2/shop/api/manifests/staging 200"] * 2,
        "PUT /v2/shop/api/manifests/staging 201",
    ]


def test_where_gates_were_asked_tags_and_holds_are_looked_at_once_more(registry: FakeRegistry, cli: Cli) -> None:
    """That may have taken long."""
    stage = "current: staging\ngates: [{size: {total: 1GB}}]"
    shop = shop_in(registry, cli, prefixes=("shop", "shop", "shop"), staging=stage, production="current: live")
    shop.push("1.4.0")
    shop.push("1.5.0")
    shop.promote("1.4.0", "staging")
    shop.forget()
    assert shop.promote("1.5.0", "staging").code == 0
    assert lines(registry).count("HEAD /v2/shop/api/manifests/staging 200") == 3
    assert lines(registry).count("GET /v2/shop/imagesync-journal/tags/list 200") == 2


def test_a_repository_without_the_blob_that_records_need_gets_it_though_a_record_says_it_has_it(
    registry: FakeRegistry, cli: Cli
) -> None:
    """As for an image that is new in a promotion, and after a garbage collection."""
    shop = shop_in(registry, cli, prefixes=("dev", "staging", "live"))
    for version in ("1.4.0", "1.5.0"):
        push_image(registry.repository("dev/api"), make_image(version), version)
        push_image(registry.repository("dev/worker"), make_image(f"worker {version}"), version)
    assert shop.promote("1.4.0", "staging").code == 0
    shop.images = ("api", "worker")
    shop.write(prefixes=("dev", "staging", "live"))
    ran = shop.promote("1.5.0", "staging")
    assert ran.code == 0, ran.text
    assert len(records_on(registry.repository("staging/worker"), make_image("worker 1.5.0").digest, {})) == 1


def test_within_one_repository_an_index_moves_by_its_tag_alone(registry: FakeRegistry, cli: Cli) -> None:
    shop = shop_in(
        registry, cli, prefixes=("shop", "shop", "shop"), staging="current: staging", production="current: live"
    )
    shop.push("1.4.0", api=make_index("api"))
    shop.forget()
    assert shop.promote("1.4.0", "staging").code == 0
    assert [line for line in lines(registry) if line.startswith("PUT /v2/shop/api/manifests/")] == [
        "PUT /v2/shop/api/manifests/staging 201",
        "PUT /v2/shop/api/manifests/DIGEST 201",
    ]
    read = [line for line in lines(registry) if line.startswith("GET /v2/shop/api/manifests/")]
    assert read == ["GET /v2/shop/api/manifests/1.4.0 200"], "its children are not read"
    shop.push("1.5.0", api=make_index("another"))
    assert shop.promote("1.5.0", "staging", "-o", "plan.json").code == 0
    shop.forget()
    assert shop.cli("apply", "sync.yaml", "--plan", "plan.json").code == 0
    assert shop.tags(0, "api")["staging"] == make_index("another").digest


def test_within_one_registry_blobs_are_mounted_and_no_byte_of_them_moves(registry: FakeRegistry, cli: Cli) -> None:
    shop = shop_in(registry, cli, prefixes=("dev", "staging", "live"))
    made = make_image("api 1.4.0", layer_bytes=200_000)
    push_image(registry.repository("dev/api"), made, "1.4.0")
    shop.forget()
    assert shop.promote("1.4.0", "staging").code == 0
    uploads = registry.log.entries("", r"staging/api/blobs/uploads")
    assert sum(entry.bytes_in for entry in uploads) <= len(b"{}")
    assert registry.log.entries("GET", "/blobs/") == []
    assert "mount=" in uploads[0].query


def test_between_registries_a_promotion_costs_what_a_copy_costs_and_its_records(
    cli: Cli, make_registry: MakeRegistry
) -> None:
    shop = Shop(cli, (make_registry(), make_registry(), make_registry()), images=("api",))
    shop.write()
    shop.push("1.4.0", api=make_image("api", layers=1))
    shop.promote("1.4.0", "staging", "--concurrency", "1")
    upload = ["HEAD BLOB 404", "POST UPLOAD 202", "PUT UPLOAD 201"]
    assert sorted(short(shop.hosts[1])) == sorted(
        [
            "GET /tags/list 404",
            "HEAD /manifests/1.4.0 404",
            *upload,
            *upload,
            "PUT /manifests/DIGEST 201",
            "GET /tags/list 404",
            *upload,
            "PUT /manifests/started 201",
            "PUT /manifests/1.4.0 201",
            *upload,
            "PUT /manifests/DIGEST 201",
            "PUT /manifests/finished 201",
        ]
    )
    assert len(shop.hosts[0].log.entries("GET", "/blobs/")) == 2


def test_a_stage_where_nothing_is_due_costs_two_requests_and_a_tag_list_for_each_image_of_the_first(
    cli: Cli, make_registry: MakeRegistry
) -> None:
    shop = Shop(cli, (make_registry(), make_registry(), make_registry()))
    shop.more = {"staging": "auto: true\ncurrent: staging", "production": "auto: true\ncurrent: live"}
    shop.write()
    shop.push("1.4.0")
    for _ in range(2):
        assert cli("apply", "sync.yaml").code == 0
    for command in ("plan", "apply"):
        shop.forget()
        assert cli(command, "sync.yaml").code == 0
        assert sorted(lines(shop.hosts[0])) == ["GET /v2/shop/api/tags/list 200", "GET /v2/shop/worker/tags/list 200"]
        for stage in (1, 2):
            assert lines(shop.hosts[stage]) == [
                "GET /v2/shop/imagesync-journal/tags/list 200",
                "GET /v2/shop/imagesync-journal/manifests/finished 200",
            ]


def test_what_is_due_costs_what_promote_does_a_tag_list_and_a_record(registry: FakeRegistry, cli: Cli) -> None:
    shop = shop_in(
        registry,
        cli,
        prefixes=("shop", "shop", "shop"),
        staging='retag: "{tag}-rc"\nauto: true',
        production="current: x",
    )
    shop.push("1.4.0")
    assert cli("apply", "sync.yaml").code == 0
    shop.push("1.5.0")
    shop.forget()
    assert cli("apply", "sync.yaml").code == 0
    assert lines(registry)[:3] == [
        "GET /v2/shop/api/tags/list 200",
        "GET /v2/shop/imagesync-journal/tags/list 200",
        "GET /v2/shop/imagesync-journal/manifests/finished 200",
    ]
    assert len(registry.log) == 9, "7 of a promotion within one repository, the list and the last record"


@pytest.mark.parametrize("lists_referrers", [True, False])
@pytest.mark.parametrize(("stage", "listed", "kept"), COSTS, ids=["version", "current", "both"])
def test_what_is_due_within_one_repository_is_a_put_for_each_tag_and_the_two_records(
    registry: FakeRegistry, cli: Cli, *, stage: str, listed: int, kept: int, lists_referrers: bool
) -> None:
    more = {"staging": f"auto: true\n{stage}", "production": "current: live"}
    shop = shop_in(registry, cli, prefixes=("shop", "shop", "shop"), **more)
    if not lists_referrers:
        registry.list_no_referrers()
    for version in ("1.4.0", "1.5.0"):
        shop.push(version)
        shop.forget()
        assert cli("apply", "sync.yaml").code == 0
    assert len(registry.log) == (listed if lists_referrers else kept) + BY_ITSELF, lines(registry)
    written = [line for line in lines(registry) if line.split()[0] in WRITES and "/sha256-" not in line]
    assert len(written) == stage.count(":") + len(("started", "finished", "on the image")), written


def test_what_is_due_beside_a_sync_entry_or_another_release_has_the_journal_read_anew(
    registry: FakeRegistry, cli: Cli
) -> None:
    """Whatever comes first in a run may take long."""
    more = {"staging": "auto: true\ncurrent: staging", "production": "auto: true\ncurrent: live"}
    shop = shop_in(registry, cli, prefixes=("shop", "shop", "shop"), **more)
    shop.push("1.4.0")
    listing = "GET /v2/shop/imagesync-journal/tags/list"
    assert (cli("apply", "sync.yaml").code, len(registry.log.lines(path="journal/tags/list"))) == (0, 1)
    shop.push("1.5.0")
    shop.forget()
    assert cli("apply", "sync.yaml").code == 0
    assert [line for line in lines(registry) if line.startswith(listing)] == [f"{listing} 200"] * 3, "two are due"
    entry = (
        f"sync:\n  - source: {registry.host}/shop\n    destination: {registry.host}/mirror\n    images: ['api:1.4.0']\n"
    )
    cli.file(f"{Path('sync.yaml').read_text()}{entry}")
    assert cli("apply", "sync.yaml").code == 0
    shop.more["production"] = "current: live"
    shop.write()
    cli.file(f"{Path('sync.yaml').read_text()}{entry}")
    shop.push("1.6.0")
    shop.forget()
    assert cli("apply", "sync.yaml").code == 0
    assert [line for line in lines(registry) if line.startswith(listing)] == [f"{listing} 200"] * 2


def test_where_pulls_are_counted_a_tag_is_asked_for_by_head_first(registry: FakeRegistry, cli: Cli) -> None:
    """It may be in place."""
    shop = shop_in(
        registry, cli, prefixes=("shop", "shop", "shop"), staging="current: staging", production="current: x"
    )
    counted = f"registries:\n  {registry.host}:\n    pulls: {{budget: 80/6h}}\n"
    cli.file(f"{Path('sync.yaml').read_text()}{counted}")
    shop.push("1.4.0")
    for _ in range(2):
        shop.forget()
        assert shop.promote("1.4.0", "staging").code == 0
    assert registry.log.lines("GET", "/api/manifests/") == []
    assert registry.log.lines("HEAD", r"/manifests/1\.4\.0") == ["HEAD /v2/shop/api/manifests/1.4.0 200"]


def short(registry: FakeRegistry) -> list[str]:
    """The requests without their repository."""
    found = [re.sub(r"/v2/shop/(api|imagesync-journal)", "", line) for line in lines(registry)]
    found = [re.sub(r"/blobs/uploads/(ID)?", "UPLOAD", line) for line in found]
    return [line.replace("/blobs/DIGEST", "BLOB") for line in found]

"""The table: which row a host gets, and how what a spec says is laid over it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imagesync.behaviour import TABLE, Chunks, Deletes, Kind, Mount, RepositoryTemplate, Said, kind_of
from imagesync.settings import RegistrySettings, Settings


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("docker.io", Kind.DOCKER_HUB),
        ("ghcr.io", Kind.GHCR),
        ("quay.io", Kind.QUAY),
        ("registry.gitlab.com", Kind.GITLAB),
        ("111122223333.dkr.ecr.eu-central-1.amazonaws.com", Kind.ECR),
        ("public.ecr.aws", Kind.ECR_PUBLIC),
        ("europe-docker.pkg.dev", Kind.GAR),
        ("eu.gcr.io", Kind.GCR),
        ("acme.azurecr.io", Kind.ACR),
        ("ghcr.io.example.com", Kind.GENERIC),
        ("quay.io:443", Kind.GENERIC),
        ("registry.internal:5000", Kind.GENERIC),
    ],
)
def test_a_host_is_known_by_its_whole_name(host: str, kind: Kind) -> None:
    assert kind_of(host) is kind


def test_what_is_said_holds_by_column_the_host_over_the_pattern_over_the_table() -> None:
    pattern = RegistrySettings(kind=Kind.GITEA, behaviour=Said(mount=Mount.NEVER, deletes=Deletes.TAG))
    own = RegistrySettings(behaviour=Said(deletes=Deletes.DIGEST))
    settings = Settings(patterns=(("*.internal", pattern),), hosts=(("git.internal", own),)).for_host("git.internal")
    assert settings.behaviour_at("git.internal") == replace(
        TABLE[Kind.GITEA], mount=Mount.NEVER, deletes=Deletes.DIGEST
    )


def test_a_kind_brings_its_concurrency_and_the_spec_its_own() -> None:
    hub = RegistrySettings(kind=Kind.DOCKER_HUB)
    assert Settings(hosts=(("hub.internal", hub),)).for_host("hub.internal").concurrency == 4
    own = replace(hub, concurrency=9)
    assert Settings(hosts=(("hub.internal", own),)).for_host("hub.internal").concurrency == 9


def test_who_says_a_chunk_size_takes_chunks_to_work() -> None:
    assert RegistrySettings(chunk_bytes=1).behaviour_at("ghcr.io").chunks is Chunks.AUTO
    said = RegistrySettings(chunk_bytes=1, behaviour=Said(chunks=Chunks.NEVER))
    assert said.behaviour_at("ghcr.io").chunks is Chunks.NEVER


def test_the_longest_prefix_says_what_is_created_else_the_host() -> None:
    host, below = RepositoryTemplate(scan_on_push=True), RepositoryTemplate(is_public=True)
    settings = Settings(
        hosts=(("a.io", RegistrySettings(create=host)),), prefixes=(("a.io/team", RegistrySettings(create=below)),)
    )
    assert settings.create_for("a.io", "team/app") == below
    assert settings.create_for("a.io", "teams") == host
    assert settings.create_for("b.io", "app") is None

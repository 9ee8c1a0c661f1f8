"""The table: how each kind of registry behaves where that is known, and which kind a host is. Data.

A row says only what differs from a registry of which nothing is known; beside it stands who found that out.
docs/registries.md shows it to people, and a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping

from imagesync.behaviour.columns import (
    Behaviour,
    Catalog,
    Chunks,
    Creation,
    Deletes,
    Kind,
    Mount,
    Referrers,
    Repush,
)
from imagesync.behaviour.hosts import ECR_PUBLIC_HOSTS, Cloud, cloud_of
from imagesync.reference import HUB

TABLE: Mapping[Kind, Behaviour] = {
    Kind.GENERIC: Behaviour(),
    # No `_catalog`, and its registry's API deletes nothing; many requests at once are answered 429.
    Kind.DOCKER_HUB: Behaviour(catalog=Catalog.DOCKER_HUB, deletes=Deletes.NEVER, concurrency=4),
    # 404 NAME_UNKNOWN until CreateRepository (aws/containers-roadmap#853). A second PATCH is answered with the Range of
    # the first (#2831, chalk#682). An immutable tag refuses the digest that it has (#2380, buildkit#3776). n over 1000
    # is answered 405 (go-containerregistry#681). A mount is an account's choice (#2860): refused, it is a session.
    Kind.ECR: Behaviour(chunks=Chunks.NEVER, repush=Repush.REFUSED, creation=Creation.ECR),
    # As its private sibling; tags of its public repositories may always be moved.
    Kind.ECR_PUBLIC: Behaviour(chunks=Chunks.NEVER, creation=Creation.ECR),
    # Uploads in chunks are not supported (documented; dotnet/sdk-container-builds#287, skopeo#1101). The first part of
    # a path is a project, the second a repository that has to be there.
    Kind.GAR: Behaviour(chunks=Chunks.NEVER, creation=Creation.COMMAND),
    # As Artifact Registry, by which gcr.io is served: its repository is made with the first push, or by an owner.
    Kind.GCR: Behaviour(chunks=Chunks.NEVER),
    # POST, one PATCH, PUT: a whole blob in the PUT is answered 413 from about 20 MB on (harbor#23015).
    Kind.ACR: Behaviour(),
    # At most 4 MiB in a PATCH that says where its bytes belong, else 416 (ocx#237, rust-oci-client#35). The referrers
    # API leads to a web page (artifacthub#4785). No API of the registry deletes.
    Kind.GHCR: Behaviour(chunks=Chunks.NEVER, referrers=Referrers.TAG, catalog=Catalog.GHCR, deletes=Deletes.NEVER),
    # `_catalog` is answered 401. A path has to begin with a project that is there. Old ones delete a tag by an endpoint
    # of their own alone (werf#7866), which newer ones have given up: there it goes by its digest, as elsewhere.
    Kind.GITLAB: Behaviour(catalog=Catalog.GITLAB, creation=Creation.COMMAND),
    # Its own API lists what is below a namespace; `_catalog` is empty.
    Kind.QUAY: Behaviour(catalog=Catalog.QUAY),
    # The project has to be there (harbor#6892, #20544); `_catalog` is for administrators.
    Kind.HARBOR: Behaviour(catalog=Catalog.HARBOR, creation=Creation.HARBOR),
    # It refuses mounts.
    Kind.ARTIFACTORY: Behaviour(mount=Mount.NEVER),
    # `tags: null` and a refused sparse index (regclient#836) are met wherever they occur.
    Kind.NEXUS: Behaviour(),
    # No version has the referrers API (2.8.2, 3.1.1); 2.x deletes by digest alone.
    Kind.DISTRIBUTION: Behaviour(referrers=Referrers.TAG),
    # Manifests of at most 4 MiB, OCI media types alone unless it is told otherwise (zot#724, #2234).
    Kind.ZOT: Behaviour(),
    # "Stream uploads after first write are not allowed" (gitea#34724, #34795).
    Kind.GITEA: Behaviour(chunks=Chunks.NEVER),
}

_BY_HOST = {
    HUB: Kind.DOCKER_HUB,
    "ghcr.io": Kind.GHCR,
    "quay.io": Kind.QUAY,
    "registry.gitlab.com": Kind.GITLAB,
}


def kind_of(host: str) -> Kind:
    """What a host is by its name, as references spell it; software that anybody may run has no name of its own."""
    known = _BY_HOST.get(host)
    if known is not None:
        return known
    match cloud_of(host):
        case Cloud.AMAZON:
            return Kind.ECR_PUBLIC if host in ECR_PUBLIC_HOSTS else Kind.ECR
        case Cloud.GOOGLE:
            return Kind.GAR if host.endswith(".pkg.dev") else Kind.GCR
        case Cloud.AZURE:
            return Kind.ACR
    return Kind.GENERIC

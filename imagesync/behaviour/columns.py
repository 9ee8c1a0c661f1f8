"""Columns: what registries do differently, each as a value; and what a spec says of them instead of the table."""

from __future__ import annotations

from enum import Enum
from typing import Any

from imagesync.lazy import dataclass, fields, replace

MIB = 1024 * 1024


class Kind(Enum):
    """Which service or software a registry is, as `kind` in a spec names it."""

    DOCKER_HUB = "docker-hub"
    ECR = "ecr"
    ECR_PUBLIC = "ecr-public"
    GAR = "gar"
    GCR = "gcr"
    ACR = "acr"
    GHCR = "ghcr"
    GITLAB = "gitlab"
    QUAY = "quay"
    HARBOR = "harbor"
    ARTIFACTORY = "artifactory"
    NEXUS = "nexus"
    DISTRIBUTION = "distribution"
    ZOT = "zot"
    GITEA = "gitea"
    GENERIC = "generic"


class Mount(Enum):
    """Whether a blob that another repository of the registry holds is asked to be mounted, rather than sent."""

    AUTO = "auto"
    NEVER = "never"


class Chunks(Enum):
    """Whether an upload may take more than one PATCH, so that one which was cut can go on where it was."""

    AUTO = "auto"
    NEVER = "never"


class Referrers(Enum):
    """Who keeps the list of what speaks of a digest: the registry, if a probe finds that it does, or clients by tag."""

    AUTO = "auto"
    TAG = "tag"


class Catalog(Enum):
    """Who lists repositories: `_catalog`, and where that is refused the API that the token realm names; or this API."""

    AUTO = "auto"
    DOCKER_HUB = "docker-hub"
    GHCR = "ghcr"
    QUAY = "quay"
    HARBOR = "harbor"
    GITLAB = "gitlab"
    NEVER = "never"


class Repush(Enum):
    """What comes of pushing to an immutable tag the digest that it has: where it is refused, the tag is read first."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class Creation(Enum):
    """What makes a repository: the first push; an API that `create:` lets us ask; or somebody, by a command."""

    ON_PUSH = "on-push"
    ECR = "ecr"
    HARBOR = "harbor"
    COMMAND = "command"


class Deletes(Enum):
    """How a tag goes: by its name, and where that is refused by its digest; by one of the two alone; or not at all."""

    AUTO = "auto"
    TAG = "tag"
    DIGEST = "digest"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One registry's row of the table. The defaults are those of a registry of which nothing is known."""

    mount: Mount = Mount.AUTO
    chunks: Chunks = Chunks.AUTO
    referrers: Referrers = Referrers.AUTO
    page_size: int = 1000
    """Tags, or names of a catalog, that are asked for at once; a registry that refuses so many is let choose."""
    catalog: Catalog = Catalog.AUTO
    repush: Repush = Repush.ACCEPTED
    creation: Creation = Creation.ON_PUSH
    deletes: Deletes = Deletes.AUTO
    manifest_bytes: int = 4 * MIB
    """The largest manifest that is taken. No larger one is read from anywhere."""
    concurrency: int = 16
    """Requests that may be under way at once."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a spec says instead of the table; `None` in a layer of it means: not said here."""

    mount: Mount | None = None
    chunks: Chunks | None = None
    referrers: Referrers | None = None
    page_size: int | None = None
    catalog: Catalog | None = None
    repush: Repush | None = None
    creation: Creation | None = None
    deletes: Deletes | None = None
    manifest_bytes: int | None = None

    def over(self, below: Said) -> Said:
        """These values, and those of `below` wherever nothing is said here."""
        return replace(below, **self.values())

    def on(self, row: Behaviour) -> Behaviour:
        """A row of the table with what is said instead."""
        return replace(row, **self.values())

    def values(self) -> dict[str, Any]:
        """What is said, by column."""
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name)) is not None}

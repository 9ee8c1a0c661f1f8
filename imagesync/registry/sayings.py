"""Sayings: refusals that a vendor words in its own way, where the code or the status would tell something else. Data.

Beside each stands who says so, and where that is written.
"""

from __future__ import annotations

import re

from imagesync.errors import AuthenticationError, ImmutableError, StoreError, UnsupportedError
from imagesync.lazy import dataclass


@dataclass(frozen=True, slots=True)
class Saying:
    """What stands in a refusal, which kind of error it is, and what to do about it."""

    pattern: re.Pattern[str]
    own: type[StoreError]
    hint: str


def _saying(words: str, own: type[StoreError], hint: str) -> Saying:
    return Saying(re.compile(words, re.IGNORECASE), own, hint)


_SAYINGS = (
    # Harbor: src/server/middleware/repoproxy, 403 DENIED.
    _saying(
        "can ?not push artifact to a proxy project",
        UnsupportedError,
        "this project of Harbor is a proxy cache, which takes no pushes: name another project as the destination",
    ),
    # Azure: https://aka.ms/acr/faq, "Why does my pull or push request fail with disallowed operation?"
    _saying(
        "operation is disallowed on this registry, repository or image",
        ImmutableError,
        "it is locked at Azure: `az acr repository show --name REGISTRY --image NAME:TAG` shows by what, and "
        "`az acr repository update` with `--read-enabled`, `--write-enabled` or `--delete-enabled true` unlocks it",
    ),
    # Azure: https://aka.ms/acr/firewall, 403 DENIED, "client with IP '…' is not allowed access".
    _saying(
        "is not allowed access",
        AuthenticationError,
        "the registry's firewall lets the address of this machine not through: add it to the rules, or go by a proxy "
        "that is in them",
    ),
    # GitLab: gitlab-org/container-registry#1869, 400 MANIFEST_INVALID with this as its detail.
    _saying(
        "unknown media type",
        UnsupportedError,
        "the registry takes media types of a list alone, as GitLab does: leave what has this one out "
        "(`attachments: none`, where a signature or an SBOM has), or have it put on that list",
    ),
    # Nexus: org.sonatype.nexus.repository.storage.WritePolicy, where redeploying is off; 400.
    _saying(
        "does not allow updating assets",
        ImmutableError,
        "this repository of Nexus lets nothing be written twice: use another tag, or allow redeploying in its settings",
    ),
    # Quay: a manifest that fails its schema, 400 MANIFEST_INVALID; artifacts are in the schema where they are allowed.
    _saying(
        "manifest data does not match schema|manifest schema version not supported",
        UnsupportedError,
        "Quay takes artifacts that its configuration allows: FEATURE_GENERAL_OCI_SUPPORT, ALLOWED_OCI_ARTIFACT_TYPES; "
        "`attachments: none` leaves out those that speak of an image",
    ),
)


def saying_in(text: str) -> Saying | None:
    """The saying that stands in a refusal's text, made to be shown; None for any other."""
    return next((one for one in _SAYINGS if one.pattern.search(text)), None)

"""Which cloud a registry's host belongs to, and what the names of Amazon's hosts say. Pure."""

from __future__ import annotations

import re
from enum import Enum

from imagesync.lazy import dataclass

ECR_PUBLIC_HOSTS = frozenset({"public.ecr.aws", "ecr-public.aws.com"})
ECR_PUBLIC_REGION = "us-east-1"
"""Amazon's public registry is one for the whole world, and its API is here."""

_ECR_PRIVATE = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(?P<fips>-fips)?\.(?P<region>[a-z0-9][a-z0-9-]*)\."
    r"(?:amazonaws\.(?:com(?:\.cn)?|eu)|(?P<dual>on\.(?:aws|amazonwebservices\.com\.cn))"
    r"|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)"
)
_GOOGLE = re.compile(r"(?:[a-z0-9-]+\.)?gcr\.io|(?:[a-z0-9-]+\.)?pkg\.dev")
_AZURE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)?\.azurecr\.(?:io|cn|us)")


class Cloud(Enum):
    """Who runs a registry, as messages name its service."""

    AMAZON = "Amazon ECR"
    GOOGLE = "Google Artifact Registry"
    AZURE = "Azure Container Registry"
    GITHUB = "GitHub Container Registry"


@dataclass(frozen=True, slots=True)
class EcrHost:
    """A private registry of Amazon's: whose it is, where, and by which kind of endpoint its API is asked too."""

    account: str
    region: str
    is_fips: bool = False
    is_dual_stack: bool = False


def cloud_of(host: str) -> Cloud | None:
    """The cloud that a host belongs to, as references spell it; None for any other registry, and behind a port."""
    if host in ECR_PUBLIC_HOSTS or _ECR_PRIVATE.fullmatch(host):
        return Cloud.AMAZON
    if _GOOGLE.fullmatch(host):
        return Cloud.GOOGLE
    if _AZURE.fullmatch(host):
        return Cloud.AZURE
    return Cloud.GITHUB if host == "ghcr.io" else None


def ecr_host(host: str) -> EcrHost | None:
    """What the name of a private registry of Amazon's says; None for any other host."""
    found = _ECR_PRIVATE.fullmatch(host)
    if found is None:
        return None
    return EcrHost(found["account"], found["region"], bool(found["fips"]), bool(found["dual"]))

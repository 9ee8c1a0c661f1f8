"""Creating repositories at ECR, private and public: CreateRepository and PutLifecyclePolicy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from imagesync.behaviour import CREATED_WITH, Creation, RepositoryTemplate
from imagesync.behaviour.hosts import ECR_PUBLIC_HOSTS, ecr_host
from imagesync.clouds.aws import translated
from imagesync.clouds.ecr import EcrMinter
from imagesync.errors import StoreError, UnsupportedError
from imagesync.settings import Ecr

OPERATION = "create repository"
_EXISTS = "RepositoryAlreadyExistsException"


class EcrRepositories:
    """The repositories of one host, in the account that its name says, with the credentials of `login`."""

    def __init__(self, host: str, login: Ecr) -> None:
        self._host = host
        self._is_public = host in ECR_PUBLIC_HOSTS
        named = ecr_host(host)
        # Without it, credentials of another account would create the repository there.
        self._registry = {} if named is None else {"registryId": named.account}
        minter = EcrMinter.of(host, login)
        with translated():
            self._client = minter.client(minter.session())

    def create(self, path: str, template: RepositoryTemplate) -> bool:
        """Create a repository; False where it was there already, which is then left as it is. Raises StoreError."""
        self._check(path, template)
        name = {"repositoryName": self._name(path), **self._registry}
        with self._named(path), translated():
            is_new = self._create(name | _settings(template))
        if is_new and template.lifecycle is not None:
            hint = "the repository is there, and without its policy: mend that, and set it with the AWS tools"
            with self._named(path, hint), translated():
                self._client.put_lifecycle_policy(**name, lifecyclePolicyText=template.lifecycle)
        return is_new

    def _create(self, wanted: Mapping[str, Any]) -> bool:
        try:
            self._client.create_repository(**wanted)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == _EXISTS:
                return False
            raise
        return True

    def _check(self, path: str, template: RepositoryTemplate) -> None:
        known = frozenset({"tags"}) if self._is_public else frozenset(CREATED_WITH[Creation.ECR])
        if not template.said() <= known:
            message = "a repository of Amazon's public registry has no settings but tags"
            message = message if self._is_public else "a repository of Amazon's registry has no such settings"
            raise UnsupportedError(message, operation=OPERATION, reference=f"{self._host}/{path}")

    def _name(self, path: str) -> str:
        """In the public registry the first part of a path is whose it is."""
        return path.partition("/")[2] or path if self._is_public else path

    @contextmanager
    def _named(self, path: str, hint: str | None = None) -> Iterator[None]:
        """Errors know what was tried, and on what."""
        try:
            yield
        except StoreError as error:
            error.operation, error.reference = OPERATION, f"{self._host}/{path}"
            error.hint = hint or error.hint
            raise


def _settings(template: RepositoryTemplate) -> dict[str, Any]:
    """What of a template CreateRepository is told; what is not said is left to ECR."""
    return {
        **_mutability(template.mutable_tags),
        **({"imageScanningConfiguration": {"scanOnPush": True}} if template.scan_on_push else {}),
        **({"encryptionConfiguration": _encryption(template.kms_key)} if template.kms_key is not None else {}),
        **({"tags": [{"Key": key, "Value": value} for key, value in template.tags]} if template.tags else {}),
    }


def _mutability(mutable_tags: tuple[str, ...] | None) -> dict[str, Any]:
    if mutable_tags is None:
        return {}
    if not mutable_tags:
        return {"imageTagMutability": "IMMUTABLE"}
    filters = [{"filterType": "WILDCARD", "filter": tag} for tag in mutable_tags]
    return {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION", "imageTagMutabilityExclusionFilters": filters}


def _encryption(kms_key: str) -> dict[str, str]:
    return {"encryptionType": "KMS", "kmsKey": kms_key}

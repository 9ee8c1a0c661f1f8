"""CreateRepository: what a registry wants to be there before a push, as a plan shows it. Data, and its form in a file.

It hangs on the copies that need it: one that is not carried out creates nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imagesync.lazy import dataclass
from imagesync.reference import Repository, make_repository


@dataclass(frozen=True, slots=True)
class CreateRepository:
    """Make a repository, or the project that it belongs to, by the registry's own API.

    `what` is what the registry calls it, `made_with` the settings of the spec in words.
    """

    repository: Repository
    what: str
    made_with: str = ""

    def __str__(self) -> str:
        return f"{self.what}, {self.made_with}" if self.made_with else self.what


def creation_to_dict(creation: CreateRepository) -> dict[str, Any]:
    repository = creation.repository
    return {
        "registry": repository.registry,
        "path": repository.path,
        "what": creation.what,
        "made_with": creation.made_with,
    }


def creation_from_dict(value: Mapping[str, Any] | None) -> CreateRepository | None:
    if value is None:
        return None
    return CreateRepository(make_repository(value["registry"], value["path"]), value["what"], value["made_with"])

"""Repositories that have to be created before they are pushed to: with what, and by whom. Values alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RepositoryTemplate:
    """What a repository is created with. What is left as it is here, the registry chooses."""

    mutable_tags: tuple[str, ...] | None = None
    """Of an immutable repository the tags that may be moved nevertheless, `*` for any text; `None`: all may be."""
    scan_on_push: bool = False
    kms_key: str | None = None
    """An ARN, an ID or `alias/…` of the key that its blobs are encrypted with; `None` is AES-256 with Amazon's own."""
    tags: tuple[tuple[str, str], ...] = ()
    """Names and values that mark the repository itself, not its images."""
    lifecycle: str | None = None
    """The policy by which its images expire, as JSON text."""


class RepositoryCreator(Protocol):
    """Creates the repositories of one registry, for any number of threads."""

    def create(self, path: str, template: RepositoryTemplate) -> bool:
        """Create a repository; False where it was there already, which is then left as it is. Raises StoreError."""
        ...

"""Who creates the repositories of a cloud's registry, which have to be there before they are pushed to."""

from __future__ import annotations

from typing import Protocol

from imagesync.behaviour import RepositoryTemplate


class RepositoryCreator(Protocol):
    """Creates the repositories of one registry, for any number of threads."""

    def create(self, path: str, template: RepositoryTemplate) -> bool:
        """Create a repository; False where it was there already, which is then left as it is. Raises StoreError."""
        ...

"""What a repository is created with, where its registry wants it made before a push. Values alone."""

from __future__ import annotations

from imagesync.behaviour.columns import Creation
from imagesync.lazy import dataclass, fields

CREATED_WITH: dict[Creation, tuple[str, ...]] = {
    Creation.ECR: ("mutable_tags", "scan_on_push", "kms_key", "tags", "lifecycle"),
    Creation.HARBOR: ("is_public", "scan_on_push", "storage_bytes"),
}
"""What each API can be told; whoever is told more says so rather than leave it out."""


@dataclass(frozen=True, slots=True)
class RepositoryTemplate:
    """What a repository, or the project that it belongs to, is created with. What is left as it is here, the registry
    chooses."""

    mutable_tags: tuple[str, ...] | None = None
    """Of an immutable repository the tags that may be moved nevertheless, `*` for any text; `None`: all may be."""
    scan_on_push: bool = False
    kms_key: str | None = None
    """An ARN, an ID or `alias/…` of the key that its blobs are encrypted with; `None` is AES-256 with Amazon's own."""
    tags: tuple[tuple[str, str], ...] = ()
    """Names and values that mark the repository itself, not its images."""
    lifecycle: str | None = None
    """The policy by which its images expire, as JSON text."""
    is_public: bool = False
    """Whether anybody may read what is in the project."""
    storage_bytes: int | None = None
    """The most that a project may hold; `None` is the registry's own limit."""

    def said(self) -> frozenset[str]:
        """The fields that differ from what the registry would choose."""
        return frozenset(one.name for one in fields(self) if getattr(self, one.name) != one.default)

    def __str__(self) -> str:
        """In words, for a plan: `immutable but for latest, scanned on push`; empty where nothing is said."""
        parts = (
            _immutability(self.mutable_tags),
            "scanned on push" if self.scan_on_push else "",
            "with a lifecycle policy" if self.lifecycle is not None else "",
            f"encrypted with {self.kms_key}" if self.kms_key is not None else "",
            f"tagged {', '.join(f'{key}={value}' for key, value in self.tags)}" if self.tags else "",
            "public" if self.is_public else "",
            f"at most {self.storage_bytes} bytes" if self.storage_bytes is not None else "",
        )
        return ", ".join(part for part in parts if part)


def _immutability(mutable_tags: tuple[str, ...] | None) -> str:
    if mutable_tags is None:
        return ""
    return f"immutable but for {', '.join(mutable_tags)}" if mutable_tags else "immutable"

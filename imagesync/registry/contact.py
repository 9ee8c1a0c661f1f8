"""Contact: whether a host is worth more than one try. One that has died must not cost every request all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from imagesync.errors import NetworkError, StoreError
from imagesync.registry.retry import ONE_TRY, RetryPolicy

_NOBODY_BEHIND = frozenset({502, 503, 504})
"""What a proxy answers for a registry that is not there."""


class Contact:
    """`is_lost` from when a request has used up its tries without reaching the host until one is answered."""

    def __init__(self) -> None:
        self.is_lost = False

    def answered(self, status: int) -> None:
        """Whatever the host itself says, it is there."""
        if status not in _NOBODY_BEHIND:
            self.is_lost = False

    @contextmanager
    def tries(self, usual: RetryPolicy) -> Iterator[RetryPolicy]:
        """How often to try what is sent within the block."""
        policy = ONE_TRY if self.is_lost else usual
        try:
            yield policy
        except StoreError as error:
            if policy is not usual:
                error.message += " (tried once: nothing was answered to the requests before it)"
            elif policy != ONE_TRY and _is_about_contact(error):
                self.is_lost = True
            raise

    @contextmanager
    def single_try(self) -> Iterator[None]:
        """Who copies a blob tries again by itself: within the block it is told where that is not worth it."""
        try:
            yield
        except StoreError as error:
            if self.is_lost and _is_about_contact(error):
                error.is_transient = False
            raise


def _is_about_contact(error: StoreError) -> bool:
    return isinstance(error, NetworkError) and (error.status is None or error.status in _NOBODY_BEHIND)

"""Appending: all bytes of a blob into one upload session, by one PATCH or by chunks, going on where one was cut."""

from __future__ import annotations

from imagesync.cancellation import Cancellation
from imagesync.errors import NetworkError, StoreError
from imagesync.registry.body import BlobBody
from imagesync.registry.habits import UploadHabits
from imagesync.registry.session import OUT_OF_ORDER, UploadSession

RESUME_BYTES = 1024 * 1024
"""A cut upload goes on if it has brought as much since it began, or went on before; else it is a failed attempt."""
RESUME_SECONDS = 1.0
"""Before a registry is asked what arrived: it may still be taking in what was under way."""

_NO_MORE = frozenset({400, 404, 405, 409, 415, OUT_OF_ORDER})
"""What a registry answers that takes one PATCH and no second (Gitea), or none so large with a place (GHCR)."""


class Appending:
    """Sends `body` to `session`, and keeps in `habits` what the registry made of being gone on with."""

    def __init__(self, session: UploadSession, body: BlobBody, habits: UploadHabits) -> None:
        self._session = session
        self._body = body
        self._habits = habits
        self._resumed_at = 0

    def run(self, cancellation: Cancellation) -> None:
        """Return when the registry has said of every byte that it came. Raises StoreError, Cancelled, WayRefused."""
        first, size = 0, self._body.size_bytes
        chunk = self._session.chunk_bytes or size
        while first < size:
            end = min(first + chunk, size)
            try:
                self._session.append(first, end, self._body)
            except StoreError as error:
                first = self._next_byte(error, first, cancellation)
            else:
                first = end

    @property
    def is_resumed(self) -> bool:
        return self._resumed_at > 0

    def _next_byte(self, error: StoreError, first: int, cancellation: Cancellation) -> int:
        """Where to go on after a PATCH that failed; raises its error where that cannot be known or does not help."""
        if not self._may_go_on(error, first):
            raise self._judged(error)
        if isinstance(error, NetworkError):
            cancellation.wait(RESUME_SECONDS)
        held = self._session.held_bytes(error, first=first, sent=self._body.position)
        if held is None or held - self._resumed_at < RESUME_BYTES:
            raise self._judged(error)
        self._resumed_at = held
        return held

    def _may_go_on(self, error: StoreError, first: int) -> bool:
        if self._body.is_broken or not self._habits.resumes or not error.is_transient:
            return False
        if error.status == 401:  # of this request nothing was taken
            return first > 0
        return error.status == OUT_OF_ORDER or self._body.position - self._resumed_at >= RESUME_BYTES

    def _judged(self, error: StoreError) -> StoreError:
        """The error to raise; where it refused to go on after a cut, the blob begins anew, and so do all later ones."""
        if self.is_resumed and error.status in _NO_MORE and not self._body.is_broken:
            self._habits.resumes = False
            error.is_transient = True
        return error

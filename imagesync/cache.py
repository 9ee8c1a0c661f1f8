"""The cache: what a run has learnt, on disk for the next. Manifests by digest, what became of those that were
narrowed, when images were made, which repository holds which blob, and when manifests were read that a registry counts.

All of it is a hint: a manifest is hashed again when it is taken out, and a blob that is not where it was is found out
when its manifest is written, and brought. A cache that cannot be read or written is gone without, with one warning.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from imagesync.errors import InvalidManifest, InvalidReference, UsageError
from imagesync.log import log
from imagesync.manifest import Content, digest_of, parse_manifest
from imagesync.reference import Digest, Repository

FILE = "imagesync.sqlite3"
MAX_AGE_SECONDS = 30 * 24 * 3600
MAX_MANIFEST_BYTES = 256 * 1024 * 1024
"""Of all manifests together; the oldest go first."""
_BUSY_SECONDS = 5.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS manifest (digest TEXT PRIMARY KEY, media_type TEXT, content BLOB, kept_at INTEGER);
CREATE TABLE IF NOT EXISTS holding
    (registry TEXT, digest TEXT, path TEXT, seen_at INTEGER, PRIMARY KEY (registry, digest, path)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS created (config TEXT PRIMARY KEY, said TEXT, kept_at INTEGER);
CREATE TABLE IF NOT EXISTS narrowed
    (source TEXT, keep TEXT, digest TEXT, kept_at INTEGER, PRIMARY KEY (source, keep)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pull (host TEXT, read_at REAL);
CREATE INDEX IF NOT EXISTS pull_by_host ON pull (host, read_at);
CREATE INDEX IF NOT EXISTS holding_by_path ON holding (registry, path);
"""


class Cache:
    """Implements store.Memory and the ledger of pulls over one file in `directory`; several runs may share it at once.

    It is for registries: to ask a folder of layouts costs no request, and its name says little elsewhere.
    """

    def __init__(self, directory: Path, *, clock: Callable[[], float] = time.time) -> None:
        """Open or make it. Raises UsageError where `directory` cannot be made; what is wrong with the file does not."""
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cache {str(directory)!a} cannot be made: {error.strerror}") from error
        self._file = directory / FILE
        self._clock = clock
        self._lock = threading.Lock()
        self._pulls: Counter[str] = Counter()
        self._database: sqlite3.Connection | None = None
        with self._tolerant():
            self._database = self._open()
            self._tidy()

    def manifest(self, digest: Digest) -> Content | None:
        """The manifest with this digest, if it was kept and its bytes are still those."""
        for media_type, raw in self._rows("SELECT media_type, content FROM manifest WHERE digest = ?", digest):
            with suppress(InvalidManifest, InvalidReference):
                if digest_of(raw, digest.algorithm) == digest:
                    return parse_manifest(raw, media_type, digest)
        return None

    def keep_manifest(self, content: Content) -> None:
        """Keep a manifest; no run needs to read it again."""
        row = (content.digest, content.media_type, content.raw, self._now)
        self._rows("INSERT OR REPLACE INTO manifest VALUES (?, ?, ?, ?)", *row)

    def created(self, config: Digest) -> str | None:
        """What the config with this digest says of when its image was made, if that was kept."""
        rows = self._rows("SELECT said FROM created WHERE config = ?", config)
        return str(rows[0][0]) if rows else None

    def keep_created(self, config: Digest, text: str) -> None:
        """Keep it: a digest always says the same."""
        self._rows("INSERT OR REPLACE INTO created VALUES (?, ?, ?)", config, text, self._now)

    def narrowed(self, source: Digest, keep: str) -> Digest | None:
        """What a digest became when only `keep` of its platforms was kept, if a run has found that out."""
        rows = self._rows("SELECT digest FROM narrowed WHERE source = ? AND keep = ?", source, keep)
        with suppress(InvalidReference):
            return Digest(rows[0][0]) if rows else None
        return None

    def keep_narrowed(self, source: Digest, keep: str, narrowed: Digest) -> None:
        """No run needs to find that out again."""
        self._rows("INSERT OR REPLACE INTO narrowed VALUES (?, ?, ?, ?)", source, keep, narrowed, self._now)

    def holds(self, repository: Repository, digest: Digest) -> bool:
        """Whether this repository held this blob when a run last saw or brought it."""
        key = (repository.registry, digest, repository.path)
        return bool(self._rows("SELECT 1 FROM holding WHERE registry = ? AND digest = ? AND path = ?", *key))

    def holder(self, registry: str, digest: Digest) -> Repository | None:
        """The repository of this registry that held this blob last."""
        query = "SELECT path FROM holding WHERE registry = ? AND digest = ? ORDER BY seen_at DESC, path LIMIT 1"
        rows = self._rows(query, registry, digest)
        return Repository(registry, rows[0][0]) if rows else None

    def knows(self, repository: Repository) -> bool:
        """Whether this repository is known to hold anything."""
        key = (repository.registry, repository.path)
        return bool(self._rows("SELECT 1 FROM holding WHERE registry = ? AND path = ? LIMIT 1", *key))

    def note(self, repository: Repository, digest: Digest) -> None:
        """This repository holds this blob now."""
        if repository.is_layout:
            return
        row = (repository.registry, digest, repository.path, self._now)
        self._rows("INSERT OR REPLACE INTO holding VALUES (?, ?, ?, ?)", *row)

    def forget(self, repository: Repository, digest: Digest) -> None:
        """This repository turned out not to hold this blob."""
        key = (repository.registry, digest, repository.path)
        self._rows("DELETE FROM holding WHERE registry = ? AND digest = ? AND path = ?", *key)

    def spent_since(self, host: str, seconds: float) -> int:
        """How many manifests were read from this host in the last so many seconds, by any run; by this run where the
        cache has failed."""
        rows = self._rows("SELECT count(*) FROM pull WHERE host = ? AND read_at > ?", host, self._clock() - seconds)
        return int(rows[0][0]) if rows else self._pulls[host]

    def add(self, host: str) -> None:
        """One was read just now."""
        self._pulls[host] += 1
        self._rows("INSERT INTO pull VALUES (?, ?)", host, self._clock())

    def close(self) -> None:
        with self._lock, suppress(sqlite3.Error):
            if self._database is not None:
                self._database.close()
            self._database = None

    @property
    def _now(self) -> int:
        return int(self._clock())

    def _open(self) -> sqlite3.Connection:
        """The database; one that is none is made anew, since it holds nothing that cannot be learnt again."""
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            log.warning("cache is damaged and begins anew", file=str(self._file))
            self._file.unlink(missing_ok=True)
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._file, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.executescript(_SCHEMA)
        return database

    def _tidy(self) -> None:
        """Drop what is old: registries collect blobs, and a cache that only grows is of no use to anybody."""
        oldest = self._now - MAX_AGE_SECONDS
        self._rows("DELETE FROM holding WHERE seen_at < ?", oldest)
        self._rows("DELETE FROM manifest WHERE kept_at < ?", oldest)
        self._rows("DELETE FROM created WHERE kept_at < ?", oldest)
        self._rows("DELETE FROM narrowed WHERE kept_at < ?", oldest)
        self._rows("DELETE FROM pull WHERE read_at < ?", oldest)
        sizes = "SELECT digest, sum(length(content)) OVER (ORDER BY kept_at DESC, digest) AS total FROM manifest"
        too_many = f"SELECT digest FROM ({sizes}) WHERE total > ?"  # noqa: S608 - both are constants
        self._rows(f"DELETE FROM manifest WHERE digest IN ({too_many})", MAX_MANIFEST_BYTES)  # noqa: S608 - as above

    @contextmanager
    def _tolerant(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            log.warning("cache cannot be used, the run goes on without", file=str(self._file), reason=str(error))
            self._database = None

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement; nothing comes of it once the cache has failed."""
        found: list[tuple[Any, ...]] = []
        with self._lock, self._tolerant():
            if self._database is not None:
                found = self._database.execute(query, values).fetchall()
        return found

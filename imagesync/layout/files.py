"""Files of a layout: opened without following links, written whole or not at all, changed under a lock."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from imagesync.errors import IntegrityError, LimitError, NotFoundError, StoreError
from imagesync.manifest import Descriptor
from imagesync.store import CHUNK_BYTES

PARTIAL_PREFIX = ".partial-"
"""Names of files being written; no digest and no ref name starts so."""
ABANDONED_SECONDS = 3600.0
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def file_errors(operation: str, reference: str) -> Iterator[None]:
    """Turn what the system says about a file into the error classes that stores raise."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError("not there", operation=operation, reference=reference) from error
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise IntegrityError("is a symbolic link", operation=operation, reference=reference) from error
        kind = LimitError if error.errno in _FULL else StoreError
        raise kind(error.strerror or type(error).__name__, operation=operation, reference=reference) from error


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file to read. A link, a device or a pipe raises IntegrityError; a pipe never blocks."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise IntegrityError(f"{path.name} is not a regular file")
    return os.fdopen(descriptor, "rb", buffering=0)


def size_of(path: Path) -> int | None:
    """Bytes in a regular file; None where there is none."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def refuse_links(root: Path, *names: str) -> Path:
    """The path of `names` below `root`; raises IntegrityError where one of those folders is a symbolic link."""
    path = root
    for name in names:
        path = path / name
        if path.is_symlink():
            raise IntegrityError(f"{path} is a symbolic link", hint="name the folder that it points to")
    return path


def pieces(file: BinaryIO, size_bytes: int | None = None) -> Iterator[bytes]:
    """Yield up to `size_bytes` from where the file stands, CHUNK_BYTES at a time; all of it without a size."""
    left = size_bytes
    while left is None or left > 0:
        piece = file.read(CHUNK_BYTES if left is None else min(CHUNK_BYTES, left))
        if not piece:
            return
        left = None if left is None else left - len(piece)
        yield piece


def write_blob(path: Path, blob: Descriptor, data: Iterable[bytes]) -> None:
    """Store `data` at `path`, but only if it has the size and digest of `blob`; else raise IntegrityError."""
    with _replacing(path) as file:
        hasher, written = hashlib.new(blob.digest.algorithm), 0
        for piece in data:
            written += len(piece)
            if written > blob.size_bytes:
                raise IntegrityError(f"more than the {blob.size_bytes} bytes of {blob.digest} came")
            hasher.update(piece)
            file.write(piece)
        if written != blob.size_bytes or hasher.hexdigest() != blob.digest.encoded:
            found = f"{blob.digest.algorithm}:{hasher.hexdigest()}"
            raise IntegrityError(f"{written} bytes with {found} came, not {blob.size_bytes} with {blob.digest}")


def write_file(path: Path, raw: bytes) -> None:
    """Replace a file in one step: a reader sees the old bytes or the new ones."""
    with _replacing(path) as file:
        file.write(raw)


def adopt(source: Path, target: Path) -> None:
    """Move a finished file of the same file system into place and make it last."""
    with open_regular(source) as file:
        os.fsync(file.fileno())
    target.parent.mkdir(parents=True, exist_ok=True)
    source.replace(target)
    _sync_folder(target.parent)


def link(source: Path, target: Path) -> bool:
    """Give a file a second name without copying it; False where the file system has no such thing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        pass
    except OSError as error:
        if error.errno in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
            return False
        raise
    _sync_folder(target.parent)
    return True


@contextmanager
def locked(path: Path, content: bytes) -> Iterator[None]:
    """Hold a file's lock against threads and processes; the file is made with `content` where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_size == 0:
            os.write(descriptor, content)
            os.fsync(descriptor)
        yield
    finally:
        os.close(descriptor)


def remove_abandoned(folder: Path, prefix: str = PARTIAL_PREFIX) -> None:
    """Remove the files that a killed process was writing: those with `prefix` that nothing was added to for an hour."""
    limit = time.time() - ABANDONED_SECONDS
    for path in folder.glob(f"{prefix}*"):
        with suppress(OSError):
            if path.lstat().st_mtime < limit:
                path.unlink()


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file beside `path` that takes its place when the block ends well, and is removed when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.parent / f"{PARTIAL_PREFIX}{secrets.token_hex(8)}"
    try:
        with partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        _sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy_pieces(path: Path) -> Iterator[bytes]:
    """The bytes of a regular file, opened and closed here."""
    with open_regular(path) as file:
        yield from pieces(file)

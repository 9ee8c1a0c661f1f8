"""Reading and writing the files that a command names, with `-` for stdin; a file is written whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from imagesync.errors import UsageError

MAX_FILE_BYTES = 256 * 1024 * 1024


def read_file(name: str) -> str:
    """The text of a file, or of stdin for `-`. Raises UsageError, which names the file and what is wrong."""
    try:
        if name == "-":
            return sys.stdin.read()
        path = Path(name)
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UsageError(f"{name} has over {MAX_FILE_BYTES} bytes")
        return path.read_text("utf-8")
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8 at byte {error.start}") from error


def check_writable(name: str) -> None:
    """Raise UsageError for a file that could not be written, before the work whose result it is to hold."""
    path = Path(name)
    if path.is_dir():
        raise UsageError(f"{name} is a directory", hint="name a file")
    if not path.parent.is_dir():
        raise UsageError(f"{name} cannot be written: there is no directory {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"{name} cannot be written: {path.parent} may not be written to")


def make_folder_of(name: str) -> None:
    """Make the folder that a file is to be written into. Raises UsageError."""
    try:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{name} cannot be written: {error.strerror}, {error.filename}") from error


def write_file(name: str, text: str) -> None:
    """Write beside the file and rename, so that a reader sees the old text or the new, never half of it."""
    from tempfile import mkstemp  # noqa: PLC0415 - not for --help, and most runs write no file

    path = Path(name)
    try:
        descriptor, temporary = mkstemp(dir=path.parent)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor has no Path
                file.write(text)
            Path(temporary).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"{name} cannot be written: {error.strerror}") from error


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask

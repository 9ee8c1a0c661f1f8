"""Logging: events with fields, on stderr, through structlog; it is imported when the first event is written.

Levels are those of `-q`, default and `-v`. One processor takes secrets out of every event, whoever wrote it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from enum import IntEnum
from typing import Any, TextIO

from imagesync.redaction import HIDDEN, redacted

SECRET_FIELDS = frozenset(
    {"authorization", "cookie", "password", "proxy-authorization", "secret", "set-cookie", "token"}
)


class Level(IntEnum):
    """What is written: ERROR with -q, WARNING by default, DEBUG with -v."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40


class Log:
    """Writes events: a short sentence in lower case, and fields."""

    def __init__(self) -> None:
        self._level = Level.WARNING
        self._as_json = False
        self._stream: TextIO | None = None
        self._logger: Any = None

    def configure(self, level: Level, *, as_json: bool = False, stream: TextIO | None = None) -> None:
        """Set the level and the form: lines for people, or one JSON object a line. stderr unless told."""
        self._level, self._as_json, self._stream, self._logger = level, as_json, stream, None

    def writes(self, level: Level) -> bool:
        """Whether events of this level are written: for those whose fields cost something to make."""
        return level >= self._level

    def debug(self, event: str, **fields: object) -> None:
        self._write(Level.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        self._write(Level.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        self._write(Level.WARNING, event, fields)

    def _write(self, level: Level, event: str, fields: Mapping[str, object]) -> None:
        if not self.writes(level):
            return
        if self._logger is None:
            self._logger = self._make_logger()
        with suppress(BrokenPipeError):  # nobody reads stderr any more: no reason to stop the work
            getattr(self._logger, level.name.lower())(event, **fields)

    def _make_logger(self) -> Any:
        structlog = _import_structlog()
        renderer = structlog.processors.JSONRenderer() if self._as_json else _to_line
        processors = [structlog.processors.TimeStamper(fmt="iso" if self._as_json else "%H:%M:%S", utc=self._as_json)]
        return structlog.wrap_logger(
            structlog.WriteLogger(self._stream or sys.stderr),
            processors=[structlog.processors.add_log_level, *processors, redact, renderer],
            wrapper_class=structlog.BoundLogger,
        )


def _to_line(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    """For people: the time, what happened, and the fields; a level that is not debug stands in front."""
    time, level, what = (str(event.pop(key, "")) for key in ("timestamp", "level", "event"))
    shown = f"{level}: {what}" if level in ("warning", "error") else what
    fields = " ".join(f"{name}={_plain(str(value))}" for name, value in event.items())
    return f"{time} {shown} {fields}".rstrip()


def _plain(value: str) -> str:
    """A value as it is where that is one printable word, else quoted and escaped."""
    return value if value.isprintable() and value and " " not in value else ascii(value)


log = Log()


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The processor that every event passes: fields that hold secrets, and secrets in others, become `***`."""
    for name, value in event.items():
        event[name] = _shown(name, value)
    return event


def _shown(name: object, value: object) -> object:
    """A value of a field, and those in it, as they may be written; what is not plain as the text that stands for it."""
    if str(name).lower() in SECRET_FIELDS:
        return HIDDEN
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {redacted(str(key)): _shown(key, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown("", inner) for inner in value]
    return redacted(str(value))


def _import_structlog() -> Any:
    """structlog without its `dev` part's import of rich, which costs three times as much as the rest."""
    missing = object()
    before = sys.modules.get("rich", missing)
    if before is missing:
        sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import structlog  # noqa: PLC0415
    finally:
        if before is missing:
            del sys.modules["rich"]
    return structlog

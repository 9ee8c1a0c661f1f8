"""Reading JSON and base64 that anybody may have written: what is not there is empty, what is ambiguous is refused."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from imagesync.signature.verdict import Refusal

MAX_SHOWN = 200


def read_object(raw: bytes | str, what: str) -> dict[str, Any]:
    """A JSON object in which no key stands twice: two readers might each see another one. Raises Refusal."""
    try:
        document = json.loads(raw if isinstance(raw, str) else raw.decode("utf-8"), object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise Refusal(f"{what} is not JSON") from error
    if not isinstance(document, dict):
        raise Refusal(f"{what} is not a JSON object")
    return document


def value_at(document: object, *path: str) -> object:
    """What stands under these keys, one within the other; None where there is nothing."""
    for key in path:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document


def text_at(document: object, *path: str) -> str:
    """The text under these keys; empty where there is none."""
    value = value_at(document, *path)
    return value if isinstance(value, str) else ""


def list_at(document: object, *path: str) -> list[Any]:
    value = value_at(document, *path)
    return value if isinstance(value, list) else []


def from_base64(text: str, what: str) -> bytes:
    """Bytes in either alphabet, as DSSE allows. Raises Refusal."""
    try:
        return base64.b64decode(text.translate(_STANDARD_ALPHABET), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal(f"{what} is not base64") from error


def shown(text: str) -> str:
    """Foreign text within a reason: quoted, escaped and cut."""
    return ascii(text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}...")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


_STANDARD_ALPHABET = str.maketrans("-_", "+/")

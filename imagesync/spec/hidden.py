"""Logins in a spec that has mistakes: no message repeats them, whatever is wrong with them, and wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator

from imagesync.redaction import remember
from imagesync.spec.document import List, Map, Node, Scalar
from imagesync.spec.nearness import near_words

_LOGINS = frozenset({"auth", "pull", "push"})
_SECRETS = frozenset({"password", "token"})
_WORDS = ("default", "anonymous", "ecr", "gar", "acr", "dockerhub", "username", "password", "token", "helper")
"""What begins a login, or is one."""


def hide_logins(root: Node) -> None:
    """Have what stands where a password may stand hidden from now on, before anything is said of it."""
    for text in _logins(root):
        if not text.startswith("${"):
            remember(text)


def _logins(node: Node) -> Iterator[str]:
    if isinstance(node, List):
        for item in node.items:
            yield from _logins(item)
    elif isinstance(node, Map):
        for key, value in node.values.items():
            if key in _SECRETS:
                yield from _texts(value)
            elif key in _LOGINS:
                yield from (text for text in _texts(value) if not _is_word(text))
            yield from _logins(value)


def _texts(node: Node) -> Iterator[str]:
    """A text, or those of a list that stands where a text should."""
    for item in node.items if isinstance(node, List) else (node,):
        if isinstance(item, Scalar):
            yield item.text


def _is_word(text: str) -> bool:
    """Whether this is rather `anonymus` than a password that was written in the wrong place."""
    return bool(near_words(text, _WORDS))

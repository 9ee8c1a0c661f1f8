"""What somebody may have meant who wrote a word that is not known."""

from __future__ import annotations

from collections.abc import Iterable


def near_words(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> list[str]:
    """The known word that is most like this one, if one is like it; `cutoff` goes from 0 to 1, which is the same."""
    from difflib import get_close_matches  # noqa: PLC0415 - for mistakes only

    return get_close_matches(word, list(known), n=1, cutoff=cutoff)

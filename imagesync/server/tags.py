"""Lists in pages: the tags of a repository, and the repositories (`_catalog`). Distribution spec, "Listing Tags"."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from urllib.parse import urlencode

from imagesync.errors import NotFoundError
from imagesync.layout import LayoutTree
from imagesync.server.http import Fault, Request, Response, refusal


class Tags:
    """The tag list (end-8a, end-8b) and the catalog over a tree of layouts."""

    def __init__(self, tree: LayoutTree) -> None:
        self._tree = tree

    def list_tags(self, request: Request, name: str) -> Response:
        try:
            tags = self._tree.repository(name).list_tags()
        except NotFoundError:
            return refusal(404, Fault("NAME_UNKNOWN", "there is no such repository", {"name": name}))
        return _page(request, tags, "tags", {"name": name})

    def catalog(self, request: Request) -> Response:
        return _page(request, self._tree.repositories(), "repositories", {})


def _page(request: Request, names: Sequence[str], key: str, document: dict[str, object]) -> Response:
    """What comes after `last`, at most `n` of them, with a Link to the rest where there is any."""
    number = request.query.get("n")
    if number is not None and not (number.isascii() and number.isdigit()):
        return refusal(400, Fault("PAGINATION_NUMBER_INVALID", "n is not a number", {"n": number[:20]}))
    rest = names[bisect_right(names, request.query.get("last", "")) :]
    page = rest if number is None else rest[: int(number[:9])]
    headers = {}
    if page and len(page) < len(rest):
        query = urlencode({"n": number, "last": page[-1]})
        headers["Link"] = f'<{request.path}?{query}>; rel="next"'
    return Response.json({**document, key: list(page)}, headers)

"""RegistryApp: the WSGI application. It finds the endpoint of a request and answers errors; endpoints are elsewhere.

Distribution spec, "Endpoints". `_catalog` is not in it, but every registry of the distribution project has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from imagesync.errors import InvalidManifest, InvalidReference, StoreError
from imagesync.layout import LayoutTree
from imagesync.server.auth import Auth
from imagesync.server.blobs import Blobs
from imagesync.server.http import Environ, Fault, Request, Response, StartResponse, refusal, refusal_of
from imagesync.server.manifests import Manifests
from imagesync.server.referrers import Referrers
from imagesync.server.tags import Tags
from imagesync.server.uploads import Uploads

Handler = Callable[..., Response]
Methods = dict[str, Handler]
_NAME = r"/v2/(?P<name>.+)"


class RegistryApp:
    """A registry over the layouts below `root`. Everyone may do everything, unless `auth` says otherwise."""

    def __init__(self, root: Path, auth: Auth | None = None) -> None:
        tree = LayoutTree(root)
        self._auth = auth
        self._uploads = Uploads(tree)
        self._routes = [(re.compile(path), methods) for path, methods in _routes(tree, self._uploads).items()]

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        request = Request.from_environ(environ)
        return self._answer(request).send(request, start_response)

    def close(self) -> None:
        """Drop the uploads that were not finished."""
        self._uploads.close()

    def _answer(self, request: Request) -> Response:
        try:
            refused = self._auth.answer(request) if self._auth else None
            return refused or self._dispatch(request)
        except InvalidReference as error:
            return refusal(400, Fault("NAME_INVALID", error.message))
        except InvalidManifest as error:
            return refusal(400, Fault("MANIFEST_INVALID", str(error)))
        except StoreError as error:
            return refusal_of(error)

    def _dispatch(self, request: Request) -> Response:
        if request.path == "/v2":
            return Response(301, {"Location": "/v2/"})
        for pattern, methods in self._routes:
            match = pattern.fullmatch(request.path)
            if match is None:
                continue
            handler = methods.get(request.method) or (methods.get("GET") if request.method == "HEAD" else None)
            if handler is None:
                fault = Fault("UNSUPPORTED", f"{request.method} is not for this endpoint")
                return refusal(405, fault, headers={"Allow": ", ".join(sorted(methods))})
            return handler(request, **match.groupdict())
        return refusal(404, Fault("NAME_UNKNOWN", "no such endpoint"))


def _routes(tree: LayoutTree, uploads: Uploads) -> dict[str, Methods]:
    """Which methods each path has; the first pattern that fits a path counts."""
    blobs, manifests, tags, referrers = Blobs(tree), Manifests(tree), Tags(tree), Referrers(tree)
    session = {"GET": uploads.status, "PATCH": uploads.append, "PUT": uploads.finish, "DELETE": uploads.cancel}
    manifest = {"HEAD": manifests.resolve, "GET": manifests.fetch, "PUT": manifests.push, "DELETE": manifests.delete}
    return {
        r"/v2/": {"GET": _ping},
        r"/v2/_catalog": {"GET": tags.catalog},
        rf"{_NAME}/tags/list": {"GET": tags.list_tags},
        rf"{_NAME}/referrers/(?P<digest>[^/]+)": {"GET": referrers.list_referrers},
        rf"{_NAME}/manifests/(?P<target>[^/]+)": manifest,
        rf"{_NAME}/blobs/uploads/?": {"POST": uploads.start},
        rf"{_NAME}/blobs/uploads/(?P<session>[0-9a-f]{{32}})": session,
        rf"{_NAME}/blobs/(?P<digest>[^/]+)": {"GET": blobs.fetch, "DELETE": blobs.delete},
    }


def _ping(_request: Request) -> Response:
    return Response.json({})

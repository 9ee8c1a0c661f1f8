"""RegistryClient: speaks to one registry host. Logs in, retries, pauses, follows redirects, turns refusals into errors.

What is asked, and what an answer means for an image, is the business of repository and upload.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import partial
from math import inf
from threading import Lock
from typing import NamedTuple, TypeVar

from imagesync import __version__
from imagesync.behaviour import ELSEWHERE, TABLE, Chunks, Kind, creation_advice, kind_by_realm
from imagesync.cancellation import Cancellation
from imagesync.errors import (
    AuthenticationError,
    Cancelled,
    LimitError,
    NetworkError,
    NotFoundError,
    ProtocolError,
    StoreError,
    TlsError,
)
from imagesync.lazy import replace
from imagesync.log import Level, log
from imagesync.reference import HUB, is_loopback
from imagesync.registry.answers import Refusal, class_for, hint_for, parse_refusal, pull_limit
from imagesync.registry.auth import Authorizer
from imagesync.registry.call import NO_LOGIN, Answer, Call, Streamed
from imagesync.registry.connection import Connections, Waits
from imagesync.registry.credential import Credential
from imagesync.registry.faults import translated
from imagesync.registry.guard import Guard, Watch
from imagesync.registry.habits import UploadHabits
from imagesync.registry.limits import HostLimits
from imagesync.registry.message import Request, Response
from imagesync.registry.origin import Address, Origin, parse_address, redirected
from imagesync.registry.places import announced_bytes
from imagesync.registry.refused_logins import login_hint
from imagesync.registry.retry import TRANSIENT_STATUSES, RetryPolicy, Transient, once, retry_after_seconds, run
from imagesync.registry.sayings import saying_in
from imagesync.registry.token import OPERATION as GET_TOKEN
from imagesync.registry.token import Scope
from imagesync.registry.traffic import Traffic
from imagesync.registry.transport import MAX_ERROR_BYTES, Transport
from imagesync.settings import RegistrySettings, Timeouts, Tls, TlsMode

T = TypeVar("T")
MAX_REDIRECTS = 10
BODY_WAITS = 5
"""A body that is kept in memory has to be there after so many times what one piece of it may take."""
CLEANUP_SECONDS = 2.5
TELL_SECONDS = 5.0
USER_AGENT = f"imagesync/{__version__}"
WIRE_HOSTS = {HUB: "registry-1.docker.io"}
"""Registries whose name is not the host they are spoken to at."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
FindCredential = Callable[[str, bool], Credential | None]


class _SpokenTo(NamedTuple):
    """A registry where it was found: `guard` looks at every other server that it names."""

    origin: Origin
    authorizer: Authorizer
    guard: Guard


class RegistryClient:
    """Speaks to one host, for any number of threads.

    `credentials(path, push)` finds a login. Every method raises StoreError or Cancelled.
    """

    def __init__(
        self,
        host: str,
        settings: RegistrySettings,
        *,
        connections: Connections,
        cancellation: Cancellation,
        credentials: FindCredential,
        policy: RetryPolicy,
        limits: HostLimits,
    ) -> None:
        self.host = host
        self.cancellation = cancellation
        self.refused_mounts: set[tuple[str, str]] = set()
        """Pairs of paths, from and to, between which this registry does not mount."""
        self.kind = settings.kind_at(host)
        self.behaviour = settings.behaviour_at(host)
        self.uploads = UploadHabits.of(self.behaviour, settings.chunk_bytes)
        self.page_size: int | None = self.behaviour.page_size
        """`None` once it has refused that: it chooses."""
        self.timeouts = settings.timeouts or Timeouts()
        read_seconds = self.timeouts.read_seconds
        self._usual_waits = Waits(
            self.timeouts.connect_seconds, read_seconds, read_seconds, body_seconds=BODY_WAITS * read_seconds
        )
        self._tls = settings.tls or Tls()
        self._allowed = settings.token_realm_allow or ()
        self._connections = connections
        self._credentials = credentials
        self._policy = policy
        self._limits = limits
        self._lock = Lock()
        self.traffic = Traffic()
        self.allowance = limits.allowance
        self._told_at = -TELL_SECONDS
        self._spoken_to: _SpokenTo | None = None
        self._transport = Transport(connections)

    @property
    def origin(self) -> Origin:
        """Where this registry is spoken to. The first call finds out whether a loopback host speaks TLS."""
        return self._ready().origin

    def likely_origin(self) -> Origin:
        """Where this registry is spoken to, or would be if anybody were there."""
        try:
            return self.origin
        except StoreError:
            return Origin.of("https", WIRE_HOSTS.get(self.host, self.host))

    @property
    def authorizer(self) -> Authorizer:
        """Who logs in to this registry."""
        return self._ready().authorizer

    def recognised(self, scopes: tuple[Scope, ...] = (), *, push: bool = False) -> Kind:
        """What it is: where neither its name nor the spec says so, what the realm of its tokens shows it to be."""
        if self.kind is not Kind.GENERIC:
            return self.kind
        realm = self.authorizer.describe(scopes, push).realm
        with suppress(ProtocolError):
            address = parse_address(realm or "")
            kind = kind_by_realm(address.path)
            if kind is not None and (kind in ELSEWHERE or address.origin == self.origin):
                return kind
        return Kind.GENERIC

    def learnt(self) -> Mapping[str, str]:
        """What this registry has turned out to do otherwise than its row says, by column."""
        chunks = {"chunks": "never"} if self.behaviour.chunks is Chunks.AUTO and not self.uploads.resumes else {}
        pages = {"page_size": "its own"} if self.page_size is None else {}
        pairs = len(self.refused_mounts)
        mounts = {"mount": f"refused for {pairs} of its repositories"} if pairs else {}
        return {**mounts, **chunks, **pages}

    def send(self, call: Call) -> Answer:
        """Send a request without a body, or with a small one, until it is answered or its tries are used up."""
        with self._limits.contact.tries(self._policy) as policy:
            return run(lambda: self._read(call, self._open(call)), policy, self.cancellation, tell=self._tell)

    def read(self, call: Call, take: Callable[[Answer], T]) -> T:
        """Send as `send` does, and take in an answer that may be large: until that is done it has one of few places."""
        with self._limits.contact.tries(self._policy) as policy:
            return run(lambda: self._taken(call, take), policy, self.cancellation, tell=self._tell)

    def send_once(self, call: Call, body: Iterator[bytes] | None = None) -> Answer:
        """Send a request a single time; `body` is streamed, and its length must be in the call's headers."""
        with self._limits.contact.single_try():
            return once(lambda: self._read(call, self._open(call, body)))

    def _tell(self, error: StoreError, wait_seconds: float) -> None:
        """Say that a request will be sent again: one line for people every few seconds, the others only with -v."""
        self.traffic.add("retries")
        now = time.monotonic()
        is_due = now - self._told_at > TELL_SECONDS
        self._told_at = now if is_due else self._told_at
        write = log.warning if is_due else log.debug
        write("trying again", registry=self.host, wait_seconds=round(wait_seconds, 1), after=error.message)

    def discard(self, call: Call) -> None:
        """Send a request a single time for tidiness' sake: whether it succeeds does not matter to anybody."""
        with suppress(StoreError, Cancelled):
            self.send_once(replace(call, is_cleanup=True, read_seconds=CLEANUP_SECONDS))

    @contextmanager
    def stream(self, call: Call) -> Iterator[Streamed]:
        """Open an answer, in a single try; its body comes in pieces as they arrive, at most CHUNK_BYTES each."""
        with self._limits.contact.single_try():
            response, _ = once(lambda: self._open(replace(call, is_streamed=True)))
        with closing(response):
            yield Streamed(response.status, response.headers, self._pieces(call, response))

    def _pieces(self, call: Call, response: Response) -> Iterator[bytes]:
        try:
            for piece in response.body:
                self.cancellation.check()
                self.traffic.add("bytes_read", len(piece))
                self._limits.moved(len(piece), self.cancellation)
                yield piece
        except StoreError as error:
            raise self._explained(call, error) from error

    def _taken(self, call: Call, take: Callable[[Answer], T]) -> T:
        with self._limits.places.place(self.cancellation) as place:
            return take(self._read(call, self._open(call), place.grown))

    def _read(
        self, call: Call, opened: tuple[Response, Address], grown: Callable[[int], None] = lambda _size: None
    ) -> Answer:
        response, address = opened
        body = bytearray()
        with closing(response):
            grown(announced_bytes(response.headers))
            for piece in self._pieces(call, response):
                body += piece
                grown(len(body))
                if len(body) > call.max_bytes:
                    raise call.fail(ProtocolError, f"the answer is longer than {call.max_bytes} bytes")
        return Answer(response.status, response.headers, bytes(body), address)

    def _open(self, call: Call, body: Iterator[bytes] | None = None) -> tuple[Response, Address]:
        """Send the call, follow its redirects, and return the accepted answer, its body not yet read."""
        if not call.is_cleanup:
            self._limits.pause.wait(self.cancellation)
            self.cancellation.check()
        try:
            with self._limits.asking(call.operation):
                response, address = self._follow(call, body)
        except StoreError as error:
            raise self._explained(call, error) from error
        if response.status in call.accepted:
            return response, address
        with closing(response):
            raise self._refused(call, response, address)

    def _follow(self, call: Call, body: Iterator[bytes] | None) -> tuple[Response, Address]:
        address = call.target if isinstance(call.target, Address) else Address(self.origin, call.target)
        for _ in range(MAX_REDIRECTS + 1):
            response = self._send(call, self._request(call, address, body))
            is_answer = response.status not in _REDIRECTS or response.status in call.accepted
            if is_answer or call.method not in ("GET", "HEAD"):
                return response, address
            response.drain()
            address = redirected(address, response.status, response.headers.get("Location"))
        raise ProtocolError(f"more than {MAX_REDIRECTS} redirects")

    def _send(self, call: Call, request: Request) -> Response:
        send = partial(self._dispatch, self._waits(call))
        if call.authorization is not None:
            is_own = call.authorization != NO_LOGIN and request.address.origin == self.origin
            return send(request.with_login(call.authorization) if is_own else request)
        return self.authorizer.logged_in(request, send, scopes=call.scopes, push=call.push)

    def _dispatch(self, waits: Waits, request: Request) -> Response:
        self.traffic.sent(request.operation)
        sent_at = time.monotonic()
        response = self._transport.send(request, waits, self._watch(request))
        self._limits.observe(request.operation, response.status, headers=response.headers, sent_at=sent_at)
        if log.writes(Level.DEBUG):
            url = f"{request.address.origin}{request.address.path}"
            log.debug("request", method=request.method, url=url, status=response.status)
        return response

    def _watch(self, request: Request) -> Watch:
        header = "token realm" if request.operation == GET_TOKEN else "Location"
        return self._ready().guard.watch(request.address.origin, header)

    def _request(self, call: Call, address: Address, body: Iterator[bytes] | None) -> Request:
        headers = {"User-Agent": USER_AGENT, "Accept": "*/*", **call.headers}
        content = call.content if body is None else self._limits.paced(self.traffic.written(body), self.cancellation)
        return Request(call.method, address, call.operation, headers, content)

    def _waits(self, call: Call) -> Waits:
        usual = self._usual_waits
        read_seconds = call.read_seconds or usual.read_seconds
        return Waits(
            min(usual.connect_seconds, CLEANUP_SECONDS) if call.is_cleanup else usual.connect_seconds,
            usual.write_seconds,
            read_seconds,
            body_seconds=inf if call.is_streamed else min(usual.body_seconds, BODY_WAITS * read_seconds),
            is_cleanup=call.is_cleanup,
        )

    def _send_login(self, request: Request) -> Response:
        """Send a request of the authorizer: no login is added, no redirect followed."""
        self.cancellation.check()
        response = self._dispatch(self._usual_waits, request.with_header("User-Agent", USER_AGENT))
        if response.status != 429:
            return response
        with closing(response):
            error = LimitError(
                "too many requests to the token server", operation=GET_TOKEN, reference=self.host, status=429
            )
            raise Transient(error, is_announced=self._announced(response))

    def _refused(self, call: Call, response: Response, address: Address) -> StoreError | Transient:
        """The error for a status that the call does not accept; a Transient where it may pass."""
        content_type = response.headers.get("Content-Type", "")
        refusal = parse_refusal(response.status, content_type, self._error_body(call, response))
        limit = pull_limit(refusal, response.headers)
        if limit is not None:
            return call.fail(LimitError, limit, hint="wait, or log in: accounts may pull more", refusal=refusal)
        if refusal.status not in TRANSIENT_STATUSES:
            return self._error(call, refusal, address)
        error = call.fail(
            class_for(refusal, is_manifest_put=call.is_manifest_put), f"answered {refusal}", refusal=refusal
        )
        return Transient(error, is_announced=self._announced(response))

    def _error(self, call: Call, refusal: Refusal, address: Address) -> StoreError:
        if refusal.status in (401, 403) and address.origin != self.origin:
            storage = address.origin.authority
            return call.fail(NetworkError, f"the storage at {storage} answered {refusal}", refusal=refusal)
        own = class_for(refusal, is_manifest_put=call.is_manifest_put, is_write=call.push)
        if own is not AuthenticationError or call.authorization is not None:
            advice = self._advice(call, refusal) if own is NotFoundError else None
            hint = advice or hint_for(own, refusal, is_write=call.push)
            return call.fail(own, f"answered {refusal}", hint=hint, refusal=refusal)
        used = self.authorizer.describe(call.scopes, call.push)
        said = saying_in(refusal.text)
        hint = said.hint if said else login_hint(refusal.status, self.host, used, self._advice(call, refusal))
        error = call.fail(AuthenticationError, f"answered {refusal}", hint=hint, refusal=refusal)
        # A token server had checked the login: it is this one thing that is refused.
        error.is_refusal = refusal.status == 403 or used.scheme == "bearer"
        return error

    def _advice(self, call: Call, refusal: Refusal) -> str | None:
        """How a repository comes to be there that was to be written to; some say 401 or 403 of what is not."""
        is_first = call.method == "POST" or refusal.code == "NAME_UNKNOWN"
        if not is_first or not call.push or not call.scopes or refusal.status not in (401, 403, 404):
            return None
        kind, creation = self.recognised(call.scopes, push=True), self.behaviour.creation
        creation = creation if kind is self.kind else TABLE[kind].creation
        return creation_advice(kind, creation, self.host, call.scopes[0].path)

    def _announced(self, response: Response) -> bool:
        """Pause the host for as long as the answer asks; False where it does not say."""
        seconds = retry_after_seconds(response.headers, longest_seconds=self._policy.longest_seconds)
        if seconds is None:
            return False
        self.traffic.add("pauses")
        log.info("registry asks to wait", registry=self.host, seconds=seconds)
        self._limits.pause.extend(seconds)
        return True

    def _error_body(self, call: Call, response: Response) -> bytes:
        """What a refusal says; a 200 that is none of what the call accepts may be of any length."""
        body = bytearray()
        # The status says enough where the rest does not arrive.
        with suppress(StoreError):
            for piece in self._pieces(call, response):
                body += piece
                if len(body) >= MAX_ERROR_BYTES:
                    break
            return bytes(body[:MAX_ERROR_BYTES])
        return b""

    def _explained(self, call: Call, error: StoreError) -> StoreError:
        """The same error, knowing what was tried; Cancelled where it came of the sockets being shut down."""
        if not call.is_cleanup:
            self.cancellation.check()
        error.operation = error.operation or call.operation
        error.reference = error.reference or call.reference
        return error

    def _ready(self) -> _SpokenTo:
        with self._lock:
            if self._spoken_to is None:
                origin = self._find_origin()
                authorizer = Authorizer(
                    self.host, origin=str(origin), credentials=self._credentials, send=self._send_login
                )
                self._spoken_to = _SpokenTo(origin, authorizer, Guard(self.host, origin, self._allowed))
            return self._spoken_to

    def _find_origin(self) -> Origin:
        authority = WIRE_HOSTS.get(self.host, self.host)
        secure, plain = Origin.of("https", authority), Origin.of("http", authority)
        if self._tls.mode is TlsMode.DISABLED:
            return plain
        if self._tls.mode is TlsMode.INSECURE:
            log.warning("certificate is not checked: tls is insecure", registry=self.host)
        if self._tls.mode is TlsMode.INSECURE or not is_loopback(self.host):
            return secure
        try:
            with translated(self.host):
                return secure if self._connections.speaks_tls(secure) else plain
        except (NetworkError, TlsError):
            if secure.port == plain.port:
                raise
            return plain

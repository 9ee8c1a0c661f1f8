"""Every parser of what others write: how it is called with bytes, what it may raise, and what it is fed with first.

`test_parsers` tries each with hypothesis, `make fuzz` with atheris for as long as one likes.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from imagesync.archive.docker import DockerArchive
from imagesync.archive.members import list_members
from imagesync.archive.saved import parse_saved
from imagesync.cancellation import Cancellation
from imagesync.errors import (
    AuthenticationError,
    ImagesyncError,
    IntegrityError,
    InvalidManifest,
    InvalidReference,
    LimitError,
    LockError,
    NotFoundError,
    PlanFileError,
    ProtocolError,
    SpecError,
    StateError,
    UnsupportedError,
)
from imagesync.gates.reports import Unreadable, read_report
from imagesync.gates.word import Word
from imagesync.keeping.artifact import parse_folded
from imagesync.layout.document import LayoutIndex, check_layout
from imagesync.manifest import OCI_INDEX, parse_manifest
from imagesync.plan.dates import parse_date
from imagesync.plan.file import plan_from_json
from imagesync.platform import Platform
from imagesync.promotion.record import record_from_json
from imagesync.redaction import redacted
from imagesync.reference import Tag, normalise_host, parse_name, parse_reference
from imagesync.registry.answers import class_for, parse_refusal, pull_limit
from imagesync.registry.call import Answer, Call
from imagesync.registry.certificate import read_certificate
from imagesync.registry.challenge import choose_challenge, parse_challenges
from imagesync.registry.credential_helper import CredentialHelper
from imagesync.registry.dockerconfig import DockerConfig, Entry
from imagesync.registry.framing import FramedAnswer
from imagesync.registry.grants import granted_actions
from imagesync.registry.head_lines import BadAnswer, CutAnswer
from imagesync.registry.headers import Headers
from imagesync.registry.listing import names_in
from imagesync.registry.message import Authorization
from imagesync.registry.origin import next_link, parse_address, resolve_address
from imagesync.registry.proxies import proxy_for
from imagesync.registry.pull_rate import parse_pull_rate
from imagesync.registry.ranges import chunk_length, held_bytes
from imagesync.registry.retry import retry_after_seconds
from imagesync.registry.token import challenge_scopes, check_realm, parse_token
from imagesync.selection import TagPattern, VersionRange
from imagesync.selection.version import Version
from imagesync.server.chunked import ChunkedBody
from imagesync.settings import Secret
from imagesync.signature.envelope import Envelope
from imagesync.signature.payload import SimpleSigning
from imagesync.signature.statement import Statement
from imagesync.signature.verdict import Refusal
from imagesync.spec.load import load_spec
from imagesync.spec.lock import lock_from_text
from imagesync.state.document import state_from_json
from tests.fuzz import seeds

BASE = parse_address("https://registry.example/v2/a/b/tags/list?n=100")
ANSWER = Answer(200, Headers(), b"", BASE)
CALL = Call(method="GET", target=BASE, operation="list", reference="registry.example/a", scopes=())
Grow = Callable[[int], bytes]


@dataclass(frozen=True)
class Parser:
    """`parse` raises nothing but `own` whatever it is given. `grow` makes something valid that gets longer."""

    parse: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    own: tuple[type[Exception], ...] = ()
    grow: Grow | None = None
    size_bytes: int = field(default=20_000, kw_only=True)
    """What is long for it. Slow parsers are given less."""


def check(parser: Parser, raw: bytes) -> None:
    """Parse; raise what is not the parser's own error, and what of that could not be printed."""
    try:
        parser.parse(raw)
    except parser.own as error:
        if isinstance(error, ImagesyncError):
            f"{error} {error.hint}".encode()


def text_of(raw: bytes) -> str:
    """As files are read, with what is no UTF-8 in it."""
    return raw.decode("utf-8", "replace")


def lines_of(raw: bytes) -> list[str]:
    """As headers come."""
    return raw.decode("latin-1").split("\n")


def header(name: str, raw: bytes) -> Headers:
    return Headers([(name, line) for line in lines_of(raw)])


def _challenge(raw: bytes) -> None:
    found = choose_challenge(parse_challenges(lines_of(raw)))
    if found is not None:
        challenge_scopes(found)
        check_realm(found, BASE.origin)


def _link(raw: bytes) -> None:
    link = next_link(lines_of(raw))
    if link is not None:
        resolve_address(BASE, link)


def _range(raw: bytes) -> None:
    held_bytes(raw.decode("latin-1"), first=0, sent=100)
    chunk_length(1, raw.decode("latin-1"))


def _refusal(raw: bytes) -> None:
    for status in (403, 429):
        refusal = parse_refusal(status, "", raw)
        class_for(refusal, is_manifest_put=True)
        pull_limit(refusal, header("RateLimit-Limit", raw))
        assert str(refusal).isprintable()


def _grants(raw: bytes) -> None:
    """The claims of a token, and a token as a whole."""
    for text in (f"e30.{base64.urlsafe_b64encode(raw).decode()}.c2ln", raw.decode("latin-1")):
        granted_actions(Secret.literal(text), "a/b")


def _certificate(raw: bytes) -> None:
    found = read_certificate(raw)
    assert found is None or f"{found.subject}{found.issuer}{found.names}".isprintable()


def _head(raw: bytes) -> None:
    answer = FramedAnswer(io.BytesIO(raw), "GET")
    with closing(answer):
        answer.begin()
        while answer.read(65536):
            continue


def _chunked(raw: bytes) -> None:
    body = ChunkedBody(io.BytesIO(raw))
    while body.read(65536):
        continue


def _docker_config(raw: bytes) -> None:
    config = DockerConfig.parse(raw, "a file")
    config.helper_for("registry.example")
    found = [config.entry_for_path("registry.example", "a/b"), ("", config.entry_for_host("docker.io") or Entry())]
    for _, entry in filter(None, found):
        if entry.password is not None:
            Authorization.basic(entry.username, entry.password).reveal().encode("latin-1")


def _proxy(raw: bytes) -> None:
    proxy_for(BASE.origin, {"https_proxy": raw.decode("utf-8", "surrogateescape"), "no_proxy": "a,b:1,::1/8"})


def _archive(raw: bytes) -> None:
    _with_file(raw, "a.tar", lambda path: list_members(path, "oci-archive:a.tar"))


def _docker_archive(raw: bytes) -> None:
    _with_file(raw, "a.tar", lambda path: list(DockerArchive(path, Cancellation()).list_repositories("")))


def _spec(raw: bytes) -> None:
    _with_file(raw, "sync.yaml", lambda path: load_spec(str(path), environment={"HOME": "/home/a"}))


def _with_file(raw: bytes, name: str, read: Callable[[Path], object]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(raw)
        read(path)


def _listed(raw: bytes) -> None:
    names = names_in(CALL, Answer(200, Headers(), raw, BASE), "tags")
    assert all(Tag.is_valid(name) in (True, False) for name in names)


PARSERS: Mapping[str, Parser] = {
    "reference": Parser(lambda raw: parse_reference(text_of(raw)), seeds.REFERENCES, (InvalidReference,)),
    "name": Parser(lambda raw: parse_name(text_of(raw)), seeds.REFERENCES, (InvalidReference,)),
    "host": Parser(lambda raw: normalise_host(text_of(raw)), seeds.REFERENCES, (InvalidReference,)),
    "platform": Parser(lambda raw: Platform.parse(text_of(raw)), seeds.PLATFORMS, (InvalidReference,)),
    "pattern": Parser(lambda raw: TagPattern.parse(text_of(raw)), seeds.PATTERNS, (InvalidReference,)),
    "range_of_versions": Parser(lambda raw: VersionRange.parse(text_of(raw)), seeds.RANGES, (InvalidReference,)),
    "version": Parser(lambda raw: Version.parse(text_of(raw)), seeds.VERSIONS),
    "date": Parser(lambda raw: parse_date(text_of(raw)), seeds.DATES),
    "challenge": Parser(_challenge, seeds.CHALLENGES, (ProtocolError,), seeds.challenges),
    "link": Parser(_link, seeds.LINKS, (ProtocolError,), seeds.links),
    "location": Parser(lambda raw: resolve_address(BASE, raw.decode("latin-1")), seeds.LOCATIONS, (ProtocolError,)),
    "range": Parser(_range, seeds.RANGES_OF_BYTES),
    "retry_after": Parser(
        lambda raw: retry_after_seconds(header("Retry-After", raw), longest_seconds=900), seeds.RETRY_AFTERS
    ),
    "pull_rate": Parser(lambda raw: parse_pull_rate(header("RateLimit-Remaining", raw)), seeds.PULL_RATES),
    "refusal": Parser(_refusal, seeds.REFUSALS, size_bytes=8_000),
    "head": Parser(_head, seeds.HEADS, (BadAnswer, CutAnswer, ConnectionResetError), seeds.headers),
    "chunked": Parser(_chunked, seeds.CHUNKED, (ConnectionError,), seeds.chunks),
    "token": Parser(parse_token, seeds.TOKENS, (ProtocolError,)),
    "grants": Parser(_grants, seeds.GRANTS),
    "certificate": Parser(_certificate, seeds.CERTIFICATES),
    "tags": Parser(_listed, seeds.TAG_LISTS, (ProtocolError,), seeds.tag_list),
    "manifest": Parser(parse_manifest, seeds.MANIFESTS, (InvalidManifest,), seeds.manifest),
    "index": Parser(lambda raw: parse_manifest(raw, OCI_INDEX), seeds.INDEXES, (InvalidManifest,), seeds.index),
    "layout": Parser(LayoutIndex.parse, seeds.LAYOUTS, (IntegrityError,), seeds.layout),
    "oci_layout": Parser(check_layout, seeds.LAYOUT_VERSIONS, (IntegrityError,)),
    "archive": Parser(
        _archive, seeds.ARCHIVES, (IntegrityError, LimitError, UnsupportedError), seeds.archive, size_bytes=100_000
    ),
    "docker_archive": Parser(
        _docker_archive,
        seeds.DOCKER_ARCHIVES,
        (IntegrityError, LimitError, NotFoundError, UnsupportedError),
        size_bytes=100_000,
    ),
    "saved": Parser(parse_saved, seeds.SAVED, (IntegrityError,)),
    "spec": Parser(_spec, seeds.SPECS, (SpecError,), seeds.spec, size_bytes=3_000),
    "lock": Parser(
        lambda raw: lock_from_text(text_of(raw), name="sync.lock"),
        seeds.LOCKS,
        (LockError,),
        seeds.lock,
        size_bytes=4_000,
    ),
    "plan": Parser(lambda raw: plan_from_json(text_of(raw), name="plan.json"), seeds.PLANS, (PlanFileError,)),
    "state": Parser(lambda raw: state_from_json(raw, name="state"), seeds.STATES, (StateError,), seeds.state),
    "folded": Parser(parse_folded, seeds.FOLDED, (InvalidManifest, InvalidReference)),
    "record": Parser(lambda raw: record_from_json(text_of(raw)), seeds.RECORDS, (InvalidManifest,)),
    "bundle": Parser(Envelope.from_bundle, seeds.BUNDLES, (Refusal,)),
    "envelope": Parser(Envelope.parse, seeds.ENVELOPES, (Refusal,)),
    "payload": Parser(SimpleSigning.parse, seeds.PAYLOADS, (Refusal,)),
    "statement": Parser(lambda raw: Statement.parse(raw).attested(), seeds.STATEMENTS, (Refusal,), seeds.statement),
    "approval": Parser(lambda raw: Word.parse("a.json", raw), seeds.APPROVALS),
    "scan": Parser(read_report, seeds.SCANS, (Unreadable,), seeds.scan),
    "docker_config": Parser(_docker_config, seeds.DOCKER_CONFIGS, (AuthenticationError,), seeds.docker_config),
    "helper": Parser(
        lambda raw: CredentialHelper("x", {})._parsed(text_of(raw)), seeds.HELPER_ANSWERS, (AuthenticationError,)
    ),
    "proxy": Parser(_proxy, seeds.PROXIES, (UnsupportedError,)),
    "redaction": Parser(
        lambda raw: redacted(text_of(raw)), (*seeds.CHALLENGES, *seeds.REFUSALS, *seeds.LOCATIONS), size_bytes=8_000
    ),
}
"""By name. What stands after the seeds is what each may raise, and how a longer one is made."""

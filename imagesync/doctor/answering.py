"""Judging what a registry answers to the first request: is it one, how does it want us to log in, what time has it.

Pure: facts in, checks out.
"""

from __future__ import annotations

from collections.abc import Iterator

from imagesync.behaviour import Kind
from imagesync.doctor.check import Check, Status, Topic
from imagesync.doctor.facts import Facts, Ping, Row
from imagesync.errors import ProtocolError
from imagesync.registry.answers import is_page
from imagesync.registry.challenge import Challenge, choose_challenge, parse_challenges
from imagesync.registry.origin import Origin, parse_address
from imagesync.registry.retry import http_timestamp
from imagesync.registry.token import check_realm

WARN_SECONDS = 60
"""A clock that is further off is worth a word: tokens and signatures are made for minutes."""
_MAX_SHOWN = 100


def answer_checks(facts: Facts) -> Iterator[Check]:
    """The registry, its kind and its clock; nothing where it was not asked."""
    if facts.ping is None or facts.sounding is None:
        return
    yield _registry(facts, facts.ping, facts.sounding.origin)
    if facts.row is not None:
        yield _kind(facts.row)
    if facts.ping.error is None:
        yield _clock(facts.ping)


def is_registry(ping: Ping | None) -> bool:
    """Whether the answer is one that a registry gives."""
    return ping is not None and ping.error is None and _looks_right(ping)


def _looks_right(ping: Ping) -> bool:
    if ping.status == 401:
        return True
    return ping.status == 200 and not is_page(ping.headers.get("Content-Type", ""))


def _registry(facts: Facts, ping: Ping, origin: Origin) -> Check:
    host = facts.subject.host
    if facts.speaks_tls:
        step = f"take `tls: disabled` of {host} out of the spec"
        return Check(Topic.REGISTRY, Status.FAILED, "plain HTTP is asked of a server that speaks TLS", step)
    if ping.error is not None:
        return Check(Topic.REGISTRY, Status.FAILED, ping.error.message, ping.error.hint or _by_hand(origin))
    if ping.status == 401:
        return _asked_for(ping, origin)
    if _looks_right(ping):
        return Check(Topic.REGISTRY, Status.OK, "answers as one, and asks for no login")
    return Check(Topic.REGISTRY, Status.FAILED, _strange(ping), _what_then(ping, origin))


def _strange(ping: Ping) -> str:
    if ping.status == 200:
        return "answers GET /v2/ with an HTML page: that is no registry, or a page before it"
    return f"answers GET /v2/ with {ping.status}{f': {ping.said}' if ping.said else ''}"


def _what_then(ping: Ping, origin: Origin) -> str:
    if ping.status == 404:
        return f"no registry is at this address: check host and port in the spec; {_by_hand(origin)}"
    if ping.status == 429:
        return "too many requests: wait, log in, or lower `concurrency:` of this registry"
    if ping.status >= 500:
        return "the registry is ill, or the proxy before it has nobody behind it: see its log"
    if ping.status == 403:
        return f"a login page, a firewall or a list of addresses may keep this machine out; {_by_hand(origin)}"
    return f"a login page or a proxy may stand before it; {_by_hand(origin)}"


def _by_hand(origin: Origin) -> str:
    return f"`curl -v {origin}/v2/` shows the answer"


def _asked_for(ping: Ping, origin: Origin) -> Check:
    offered = parse_challenges(ping.headers.values_of("WWW-Authenticate"))
    challenge = choose_challenge(offered)
    if challenge is None:
        named = ", ".join(ascii(one.scheme)[1:-1] for one in offered)[:_MAX_SHOWN]
        detail = f"asks for a login that is not known here: {named}" if named else "asks for a login and not for which"
        return Check(Topic.REGISTRY, Status.FAILED, detail, "let it offer Basic, or Bearer with a realm")
    try:
        return Check(Topic.REGISTRY, Status.OK, f"asks for a login: {_way_in(challenge, origin)}")
    except ProtocolError as error:
        step = "correct the realm in the registry's own configuration"
        return Check(Topic.REGISTRY, Status.FAILED, error.message, error.hint or step)


def _way_in(challenge: Challenge, origin: Origin) -> str:
    """Raises ProtocolError for a token server that may not be sent a login."""
    if challenge.scheme != "bearer":
        return "Basic"
    check_realm(challenge, origin)
    realm = parse_address(challenge.parameters.get("realm", "")).origin
    service = ascii(challenge.parameters.get("service", ""))[1:-1][:_MAX_SHOWN]
    return f"Bearer, tokens from {realm}{f' for {service}' if service else ''}"


def _kind(row: Row) -> Check:
    if row.kind is not Kind.GENERIC:
        return Check(Topic.KIND, Status.OK, row.kind.value)
    if row.recognised is Kind.GENERIC:
        return Check(Topic.KIND, Status.OK, "nothing says which, so what it can do is found out by asking")
    detail = f"nothing says which, and its token server is that of {row.recognised.value}"
    step = f"say `kind: {row.recognised.value}` of it in the spec: what differs is taken from a table then"
    return Check(Topic.KIND, Status.WARN, detail, step)


def _clock(ping: Ping) -> Check:
    server = http_timestamp(ping.headers.get("Date", ""))
    if server is None:
        return Check(Topic.CLOCK, Status.SKIPPED, "it does not say what time it has")
    skew = skew_seconds(server, ping.asked_at, ping.answered_at)
    if abs(skew) <= WARN_SECONDS:
        return Check(Topic.CLOCK, Status.OK, "the same as here" if abs(skew) < 1 else f"{abs(skew):.0f} s from here")
    way = "ahead of" if skew > 0 else "behind"
    detail = f"its clock is {_long(abs(skew))} {way} this machine's"
    step = "`timedatectl` shows whether this clock is kept right; with a wrong one tokens and signatures are refused"
    return Check(Topic.CLOCK, Status.WARN, detail, step)


def skew_seconds(server: float, asked_at: float, answered_at: float) -> float:
    """How far a Date, which has whole seconds, is ahead of this machine's clock; 0 where it fits in between."""
    if server > answered_at:
        return server - answered_at
    return min(0.0, server + 1 - asked_at)


def _long(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"

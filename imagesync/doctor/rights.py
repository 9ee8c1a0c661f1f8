"""Judging logins and rights: whose login is used, and whether it lets us read, write and delete. Pure.

A login that is refused is one failure, however many repositories it was for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from imagesync.doctor.check import LOOK_CLOSER, Check, Status, Topic
from imagesync.doctor.facts import Facts, Tried
from imagesync.doctor.subjects import Right
from imagesync.errors import AuthenticationError, NotFoundError, StoreError
from imagesync.registry.pull_rate import PullRate

_TOPICS = {Right.PULL: Topic.PULL, Right.PUSH: Topic.PUSH, Right.DELETE: Topic.DELETE}
_LOW_SHARE = 10
"""A limit of which less than one in so many is left is worth a word."""
_PAST_THE_LOGIN = frozenset(range(400, 500)) - {401, 407, 408, 429}
"""What a registry refuses that has looked at what was asked."""
_WRITES = (Right.PUSH, Right.DELETE)
_Login = tuple[str, str | None, str | None, str | None]
"""What it is for, where it comes from, the scheme, and the token server."""


def right_checks(facts: Facts) -> Iterator[Check]:
    """Logins first, then what each lets us do, then how much of that is left."""
    logins: dict[_Login, list[Tried]] = {}
    for tried in facts.tries:
        logins.setdefault(_login_of(tried), []).append(tried)
    refused = {login: error for login, tries in logins.items() if (error := _refusal(tries)) is not None}
    yield from (_login(login, tries, refused.get(login)) for login, tries in logins.items())
    for tried in facts.tries:
        if tried.want.right is not Right.ENTER:
            error = refused.get(_login_of(tried))
            yield _right(tried) if error is None else _because_of_login(tried, error)
    yield from _limit(facts.tries)


def _login_of(tried: Tried) -> _Login:
    purpose = {Right.ENTER: "to enter"}.get(tried.want.right, "to write" if tried.want.right in _WRITES else "to read")
    use = tried.use
    return (purpose, None, None, None) if use is None else (purpose, use.credential, use.scheme, use.realm_host)


def _refusal(tries: Iterable[Tried]) -> AuthenticationError | None:
    """Why it is the login that is refused, and not this one thing or that: nothing came of it anywhere."""
    if any(map(_was_let_in, tries)):
        return None
    errors = [tried.error for tried in tries if isinstance(tried.error, AuthenticationError)]
    return next((error for error in errors if not error.is_refusal), None)


def _was_let_in(tried: Tried) -> bool:
    """Whether the login was good there, be it that this one thing was refused."""
    if tried.error is None:
        return tried.status is not None or tried.granted is not None
    if isinstance(tried.error, AuthenticationError):
        return tried.error.is_refusal
    return isinstance(tried.error, StoreError) and tried.error.status in _PAST_THE_LOGIN


def _login(login: _Login, tries: list[Tried], error: AuthenticationError | None) -> Check:
    purpose, credential, scheme, realm_host = login
    if error is not None:
        return Check(Topic.LOGIN, Status.FAILED, error.message, error.hint or LOOK_CLOSER, about=purpose)
    who = credential or "nobody"
    way = next((tried.error for tried in tries if tried.want.right is Right.ENTER and tried.error is not None), None)
    if way is not None:  # nothing below would tell it
        return Check(Topic.LOGIN, Status.FAILED, way.message, way.hint or LOOK_CLOSER, about=purpose)
    if not any(map(_was_let_in, tries)):
        found = credential or "none found yet"
        return Check(Topic.LOGIN, Status.SKIPPED, f"{found}, not tried out, for what is wrong below", about=purpose)
    if scheme is None:
        return Check(Topic.LOGIN, Status.OK, f"{who}, the registry asked for none", about=purpose)
    how = f"{scheme.capitalize()}{f', tokens from {realm_host}' if realm_host else ''}"
    return Check(Topic.LOGIN, Status.OK, f"{who}, {how}{_ends(tries)}", about=purpose)


def _ends(tries: list[Tried]) -> str:
    seconds = next(
        (tried.use.seconds_left for tried in tries if tried.use and tried.use.seconds_left is not None), None
    )
    if seconds is None:
        return ""
    return f", renewed in {seconds / 3600:.1f} h" if seconds >= 3600 else f", renewed in {seconds / 60:.0f} min"


def _because_of_login(tried: Tried, error: AuthenticationError) -> Check:
    """An error without a status is none of a server's: no login was found or made."""
    why = "its login was refused" if error.status is not None else "there is no login to try it with"
    return _check(tried, Status.SKIPPED, f"not tried: {why}")


def _check(tried: Tried, status: Status, detail: str, next_step: str | None = None) -> Check:
    return Check(_TOPICS[tried.want.right], status, detail, next_step, about=tried.want.repository.path)


def _right(tried: Tried) -> Check:
    if tried.error is not None:
        return _refused(tried)
    if tried.want.right is Right.PULL:
        return _pull(tried)
    return _write(tried)


def _refused(tried: Tried) -> Check:
    """A destination may say no to what it would let us create: a run tries all the same (GHCR)."""
    error = tried.error
    assert error is not None  # noqa: S101 - narrows
    may_be_new = isinstance(error, AuthenticationError) and error.is_refusal and tried.granted is None
    if tried.want.right is Right.PUSH and may_be_new and not tried.is_proven:
        step = "if the repository is not there yet, a run creates it; else check the right to read it"
        return _check(tried, Status.WARN, f"not readable: {error.message}", error.hint or step)
    if isinstance(error, NotFoundError):
        step = "create the repository there, or check its name"
        return _check(tried, Status.FAILED, error.message, error.hint or step)
    return _check(tried, Status.FAILED, error.message, error.hint or LOOK_CLOSER)


def _pull(tried: Tried) -> Check:
    want = tried.want
    if tried.status != 404:  # who knows no HEAD has said nothing of the tag
        return _check(
            tried, Status.OK, f"can be read ({want.target} is there)" if tried.status == 200 else "can be read"
        )
    return _check(tried, Status.OK, f"can be read; {want.target} is not there")


def _write(tried: Tried) -> Check:
    absent = "; the repository is not there yet" if tried.status == 404 else ""
    if tried.is_proven:
        return _check(tried, Status.OK, "an upload was begun and taken back")
    if tried.granted is not None and not tried.granted & {tried.want.right.value, "*"}:
        return _ungranted(tried, tried.granted)
    if tried.creation is not None:
        detail = "the repository is not there, and a push may not make it"
        return _check(tried, Status.WARN, detail, f"unless a push makes it: {tried.creation}")
    if tried.granted is None:
        step = "`--probe-push` begins an upload and takes it back" if tried.want.right is Right.PUSH else None
        return _check(tried, Status.SKIPPED, f"cannot be told without a write{absent}", step)
    return _check(tried, Status.OK, f"the token allows it{absent}")


def _ungranted(tried: Tried, granted: frozenset[str]) -> Check:
    allowed = ", ".join(sorted(ascii(one)[1:-1] for one in granted))[:100] or "nothing"
    who = (tried.use.credential if tried.use else None) or "nobody"
    needed = (tried.use.needed if tried.use else None) or f"the right to {tried.want.right.value}"
    step = f"give the account {needed} here, or use another login (this is {who})"
    return _check(tried, Status.FAILED, f"the token server grants {allowed}", step)


def _limit(tries: Iterable[Tried]) -> Iterator[Check]:
    """The least that a registry said is left; nothing where it said nothing."""
    rates = [tried.rate for tried in tries if tried.rate is not None]
    if rates:
        yield _rate(min(rates, key=lambda rate: rate.remaining))


def _rate(rate: PullRate) -> Check:
    of = "" if rate.limit is None else f" of {rate.limit}"
    window = "" if rate.window_seconds is None else f" in {rate.window_seconds / 3600:g} h"
    again = "" if rate.reset_seconds is None else f", anew in {rate.reset_seconds / 60:.0f} min"
    detail = f"{rate.remaining}{of} pulls left{window}{again}"
    is_low = rate.remaining * _LOW_SHARE < (rate.limit or 0) or rate.remaining == 0
    step = "log in with an account that may pull more, use a mirror, or spread runs with `pulls: {budget: …}`"
    return Check(Topic.LIMIT, Status.WARN if is_low else Status.OK, detail, step if is_low else None)

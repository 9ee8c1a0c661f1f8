"""Judging the way to a registry: proxy, name, connection, TLS. Pure: facts and the time in, checks out."""

from __future__ import annotations

from collections.abc import Iterator

from imagesync.doctor.check import LOOK_CLOSER, Check, Status, Topic
from imagesync.doctor.facts import Facts
from imagesync.errors import StoreError
from imagesync.reach import reach_of
from imagesync.reference import is_loopback
from imagesync.registry.certificate import Certificate
from imagesync.registry.sounding import Distrust, Sounding, Step
from imagesync.settings import TlsMode

WARN_DAYS = 14
"""A certificate that ends sooner is worth a word."""
_DAY = 24 * 3600.0
_TOPICS = {
    Step.PROXY: Topic.PROXY,
    Step.NAME: Topic.NAME,
    Step.CONNECTION: Topic.CONNECTION,
    Step.TLS: Topic.TLS,
}
_SHOWN_NAMES = 5
_SHOWN_DAYS = 400


def way_checks(facts: Facts, now: float) -> Iterator[Check]:
    """As far as one got, step by step."""
    sounding = facts.sounding
    if sounding is None:
        return
    steps = {Step.PROXY: _proxy, Step.NAME: _name, Step.CONNECTION: _connection}
    for step, judge in steps.items():
        if sounding.failed_at is step:
            yield _failure(facts, sounding, step)
            return
        yield judge(sounding)
    if sounding.failed_at is Step.TLS:
        yield _distrusted(facts, sounding, now)
    else:
        yield _tls(facts, sounding, now)


def is_reached(facts: Facts) -> bool:
    """Whether a request could be sent."""
    return facts.sounding is not None and facts.sounding.failed_at is None


def topic_of(step: Step) -> Topic:
    return _TOPICS[step]


def _proxy(sounding: Sounding) -> Check:
    if sounding.is_left_out:
        return Check(Topic.PROXY, Status.OK, "none: NO_PROXY leaves this host out, or it is on this machine")
    if sounding.proxy is None:
        return Check(Topic.PROXY, Status.OK, "none")
    limited = "it looks names up, so servers that this registry names are checked only where they are addresses"
    return Check(Topic.PROXY, Status.OK, f"{sounding.proxy.origin} ({sounding.proxy.variable}); {limited}")


def _name(sounding: Sounding) -> Check:
    shown = ", ".join(f"{ip} ({reach_of(ip)})" for ip in sounding.ips[:_SHOWN_NAMES])
    more = f" and {len(sounding.ips) - _SHOWN_NAMES} more" if len(sounding.ips) > _SHOWN_NAMES else ""
    whose = f"of the proxy {sounding.proxy.origin.host}: " if sounding.proxy else ""
    return Check(Topic.NAME, Status.OK, f"{whose}{shown}{more}")


def _connection(sounding: Sounding) -> Check:
    through = f" through the proxy at {sounding.reached}" if sounding.proxy else f" at {sounding.reached}"
    return Check(Topic.CONNECTION, Status.OK, f"port {sounding.origin.port}{through}")


def _failure(facts: Facts, sounding: Sounding, step: Step) -> Check:
    error = sounding.error or StoreError("it is not known why")
    return Check(
        _TOPICS[step], Status.FAILED, error.message, _way_out(facts, sounding, step) or error.hint or LOOK_CLOSER
    )


def _way_out(facts: Facts, sounding: Sounding, step: Step) -> str | None:
    host, port = sounding.origin.host, sounding.origin.port
    if step is Step.NAME and sounding.proxy:
        return f"correct {sounding.proxy.variable}: `getent hosts {sounding.proxy.origin.host}` says what that name is"
    if step is Step.NAME:
        return f"is {host} spelled right in the spec? `getent hosts {host}` shows what this machine's name server says"
    if step is Step.CONNECTION and sounding.proxy:
        return f"check the proxy that {sounding.proxy.variable} names; NO_PROXY={host} leaves it out for this registry"
    if step is Step.CONNECTION:
        if is_loopback(facts.subject.host):
            return f"start it, or correct its port in the spec: nothing listens on {port}"
        seen = f"`nc -vz {host} {port}` tries it"
        return f"is it running, and does a firewall let port {port} through? {seen}; behind a proxy, set HTTPS_PROXY"
    return None


def _tls(facts: Facts, sounding: Sounding, now: float) -> Check:
    if sounding.origin.scheme == "http":
        why = "tls: disabled" if facts.tls.mode is TlsMode.DISABLED else "on this machine, and it speaks no TLS"
        is_near = is_loopback(facts.subject.host)
        step = None if is_near else f"passwords go there unencrypted: give {facts.subject.host} a certificate"
        return Check(Topic.TLS, Status.OK if is_near else Status.WARN, f"none, plain HTTP: {why}", step)
    held = _held(sounding.certificate, now)
    if facts.tls.mode is TlsMode.INSECURE:
        detail = f"{sounding.tls_version}, the certificate is not checked (tls: insecure); {held}"
        return Check(Topic.TLS, Status.WARN, detail, _trust_hint(facts, sounding.certificate))
    if sounding.certificate is not None and sounding.certificate.ends_at - now < WARN_DAYS * _DAY:
        step = f"renew the certificate of {facts.subject.host} before it ends"
        return Check(Topic.TLS, Status.WARN, f"{sounding.tls_version}, {held}", step)
    return Check(Topic.TLS, Status.OK, f"{sounding.tls_version}, {held}")


def _held(certificate: Certificate | None, now: float) -> str:
    if certificate is None:
        return "its certificate cannot be read"
    issuer = "itself" if certificate.is_its_own_issuer else certificate.issuer
    return f"certificate by {issuer}, {_until(certificate, now)}"


def _until(certificate: Certificate, now: float) -> str:
    days = int((certificate.ends_at - now) // _DAY)
    left = f" ({days} day{'' if days == 1 else 's'} left)" if 0 <= days < _SHOWN_DAYS else ""
    return f"{'ended' if certificate.ends_at < now else 'until'} {_date(certificate.ends_at)}{left}"


def _date(at: float) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415 - cheap, and used here alone

    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _distrusted(facts: Facts, sounding: Sounding, now: float) -> Check:
    error = sounding.error or StoreError("it is not known why")
    certificate, host = sounding.certificate, facts.subject.host
    about = f"; {_held(certificate, now)}" if certificate else ""
    match sounding.distrust:
        case Distrust.ISSUER:
            step = _trust_hint(facts, certificate)
        case Distrust.ENDED:
            step = f"renew the certificate of {host}; if it is good, the clock of this machine is wrong"
        case Distrust.NOT_YET:
            begins = f" (it holds from {_date(certificate.begins_at)})" if certificate else ""
            step = f"check the clock of this machine, and the certificate of {host}{begins}"
        case Distrust.OTHER_NAME:
            step = _name_hint(certificate)
        case Distrust.PLAIN:
            step = f"if that is meant, add to the spec: registries: {{{_quoted(host)}: {{tls: disabled}}}}"
        case _:
            step = error.hint or f"`openssl s_client -connect {_authority(sounding)}` shows the handshake"
    return Check(Topic.TLS, Status.FAILED, f"{error.message}{about}", step)


def _trust_hint(facts: Facts, certificate: Certificate | None) -> str:
    if certificate is None:
        wanted = "the certificate of its authority"
    elif certificate.is_its_own_issuer:
        wanted = "that certificate, which nobody else vouches for,"
    else:
        wanted = f"the certificate of {certificate.issuer}"
    if facts.tls.ca is not None:
        return f"{facts.tls.ca} holds another authority: put {wanted} there, as PEM"
    where = f"registries: {{{_quoted(facts.subject.host)}: {{tls: {{ca: FILE}}}}}}"
    return f"get {wanted} as a PEM file, and add to the spec: {where}"


def _name_hint(certificate: Certificate | None) -> str:
    names = certificate.names if certificate else ()
    if not names:
        return "use the name in the spec that the certificate is for, or renew it for this one"
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    shown = ", ".join(names[:_SHOWN_NAMES])
    return f"it is for {shown}{more}: use such a name in the spec, or renew the certificate for this one"


def _quoted(host: str) -> str:
    return f'"{host}"' if ":" in host else host


def _authority(sounding: Sounding) -> str:
    return f"{sounding.origin.bare_host}:{sounding.origin.port}"

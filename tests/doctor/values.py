"""Facts that tests judge: those of a registry that is well, each of which a test may change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from imagesync.behaviour import Kind
from imagesync.doctor.check import Check
from imagesync.doctor.diagnosis import diagnose
from imagesync.doctor.facts import Facts, Ping, Row, Tried
from imagesync.doctor.subjects import Right, Subject, Want
from imagesync.errors import NetworkError
from imagesync.reference import Repository
from imagesync.registry.auth import AuthUse
from imagesync.registry.certificate import Certificate
from imagesync.registry.headers import Headers
from imagesync.registry.origin import Origin
from imagesync.registry.sounding import Distrust, Sounding, Step
from imagesync.settings import Tls

NOW = 1_800_000_000.0
DAY = 24 * 3600.0
HOST = "registry.example.org"
CERTIFICATE = Certificate("registry.example.org", "Acme Root", (HOST, "10.0.0.7"), NOW - DAY, NOW + 100 * DAY)
SOUNDING = Sounding(
    Origin("https", HOST, 443),
    ips=("93.184.216.34",),
    reached="93.184.216.34",
    tls_version="TLSv1.3",
    certificate=CERTIFICATE,
)
PING = Ping(NOW, NOW, 401, Headers([("WWW-Authenticate", 'Basic realm="x"')]))
ROW = Row(Kind.GENERIC, Kind.GENERIC)
LOGIN = AuthUse("the spec", "bearer", "auth.example.org", ("repository:app:pull",))


def want(right: Right, path: str = "app") -> Want:
    return Want(right, Repository(HOST, path), "destination")


def tried(right: Right, path: str = "app", **changed: Any) -> Tried:
    return replace(Tried(want(right, path), 200, LOGIN), **changed)


def facts(*tries: Tried, **changed: Any) -> Facts:
    subject = Subject(HOST, tuple(one.want for one in tries))
    return replace(Facts(subject, Tls(), SOUNDING, PING, ROW, tries=tries), **changed)


def failed(step: Step, distrust: Distrust | None = None, **changed: Any) -> Facts:
    """Facts of a registry that one gets only so far to."""
    error = NetworkError("it went wrong")
    sounding = replace(SOUNDING, failed_at=step, error=error, distrust=distrust, **changed)
    return facts(sounding=sounding, ping=None)


def checks(found: Facts) -> dict[str, Check]:
    """By topic; the last of each."""
    return {check.topic.value: check for check in diagnose(found, NOW).checks}

"""What is said of the way to a registry: proxy, name, connection, TLS."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imagesync.doctor.check import Status
from imagesync.doctor.subjects import Right
from imagesync.registry.origin import Origin
from imagesync.registry.proxies import Proxy
from imagesync.registry.sounding import Distrust, Step
from imagesync.settings import Tls, TlsMode
from tests.doctor.values import CERTIFICATE, DAY, HOST, NOW, SOUNDING, checks, facts, failed, tried


@pytest.mark.parametrize("step", list(Step))
def test_every_step_that_fails_says_what_to_do_and_ends_the_way(step: Step) -> None:
    found = checks(failed(step, Distrust.OTHER))
    assert list(found)[-1] == step.value
    assert (found[step.value].status, bool(found[step.value].next_step)) == (Status.FAILED, True)


@pytest.mark.parametrize("distrust", list(Distrust))
def test_every_kind_of_distrust_has_its_way_out(distrust: Distrust) -> None:
    tls = checks(failed(Step.TLS, distrust))["tls"]
    assert (tls.status, bool(tls.next_step)) == (Status.FAILED, True)


@pytest.mark.parametrize(
    ("distrust", "step"),
    [
        (Distrust.ISSUER, "get the certificate of Acme Root as a PEM file"),
        (Distrust.ISSUER, f"registries: {{{HOST}: {{tls: {{ca: FILE}}}}}}"),
        (Distrust.ENDED, f"renew the certificate of {HOST}"),
        (Distrust.NOT_YET, "(it holds from 2027-01-14 08:00 UTC)"),
        (Distrust.OTHER_NAME, f"it is for {HOST}, 10.0.0.7: use such a name"),
        (Distrust.PLAIN, f"registries: {{{HOST}: {{tls: disabled}}}}"),
    ],
)
def test_what_to_do_about_a_certificate(distrust: Distrust, step: str) -> None:
    assert step in str(checks(failed(Step.TLS, distrust))["tls"].next_step)


def test_an_authority_that_the_spec_names_already_is_said_to_be_another_one() -> None:
    found = replace(failed(Step.TLS, Distrust.ISSUER), tls=Tls(ca=Path("/etc/ca.pem")))
    assert str(checks(found)["tls"].next_step).startswith("/etc/ca.pem holds another authority: put the certificate of")


def test_a_certificate_that_cannot_be_read_is_still_told_of() -> None:
    tls = checks(failed(Step.TLS, Distrust.OTHER_NAME, certificate=None))["tls"]
    assert tls.detail == "it went wrong"
    assert "use the name in the spec that the certificate is for" in str(tls.next_step)


@pytest.mark.parametrize(("days", "status"), [(13.9, Status.WARN), (14.1, Status.OK), (400, Status.OK)])
def test_a_certificate_that_ends_within_two_weeks_is_a_warning(days: float, status: Status) -> None:
    soon = replace(SOUNDING, certificate=replace(CERTIFICATE, ends_at=NOW + days * DAY))
    assert checks(facts(sounding=soon))["tls"].status is status


def test_a_certificate_that_nobody_checks_is_a_warning() -> None:
    tls = checks(facts(tls=Tls(TlsMode.INSECURE)))["tls"]
    assert (tls.status, "tls: insecure" in tls.detail, "ca: FILE" in str(tls.next_step)) == (Status.WARN, True, True)


def test_a_proxy_says_what_cannot_be_checked_behind_it() -> None:
    proxy = Proxy(Origin("http", "proxy.example.org", 3128), variable="HTTPS_PROXY")
    found = checks(facts(sounding=replace(SOUNDING, proxy=proxy)))
    assert found["proxy"].detail.startswith("http://proxy.example.org:3128 (HTTPS_PROXY); it looks names up")
    assert found["name"].detail.startswith("of the proxy proxy.example.org: ")


def test_more_addresses_than_anybody_reads_are_counted() -> None:
    many = replace(SOUNDING, ips=tuple(f"10.0.0.{number}" for number in range(1, 9)))
    assert checks(facts(sounding=many))["name"].detail.endswith("10.0.0.5 (private) and 3 more")


def test_what_was_not_looked_at_in_time_is_a_failure() -> None:
    found = checks(facts(tried(Right.PULL), sounding=None, ping=None))
    assert found["connection"].status is Status.FAILED
    assert "--timeout" in str(found["connection"].next_step)
    assert found["pull"].status is Status.SKIPPED

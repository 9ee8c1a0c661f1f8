"""The lies that matter where a registry is spoken to by TLS: what leads out of it, what ends it without a word, and who
is not whom the certificate names. S2, S3, S4, S19.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.cli.command import Cli
from tests.hostile.asked import Asked, head
from tests.hostile.checks import check_copied, check_liar, check_standins, check_text
from tests.hostile.endpoints import Endpoint
from tests.hostile.liar import Lie, Truth
from tests.hostile.lies import realm, redirect, truth_of
from tests.hostile.matrix import EVERYWHERE, OUTCOMES, lie_of, read_outcomes, told_at
from tests.hostile.quick import hasten
from tests.hostile.standins import PUBLIC
from tests.hostile.world import World, open_world

CAPS = {"imagesync.registry.pages.MAX_PAGES": 20}
EXPECTED = read_outcomes(OUTCOMES.with_name("outcomes_tls.txt").read_text())


def cut_at_its_end(asked: Asked, truth: Truth) -> Iterator[bytes]:
    """Half of a body that has no length: TLS alone could say that it was cut, and says nothing."""
    status, fields, body = truth_of(asked, truth)
    kept = [f"{name}: {text}" for name, text in fields if name.lower() != "content-length"]
    yield head(status, *kept, "Connection: close") + (b"" if asked.method == "HEAD" else body[: len(body) // 2])


LIES = {
    "redirect to a public host": lie_of("redirect to a public host"),
    "redirect to a public host, by TLS": Lie(redirect("https://{public}/stolen")),
    "redirect to its own host in plain HTTP": Lie(redirect("http://{own}{target}")),
    "realm at a public host": lie_of("realm at a public host"),
    "realm at a public host, by TLS": realm("https://{public}/token"),
    "a session at a public host": lie_of("a session at a public host"),
    "a next page at a public host": lie_of("a next page at a public host"),
    "cut": lie_of("cut"),
    "cut at its end": Lie(cut_at_its_end),
    "nothing": lie_of("nothing"),
}
LEAVES_TLS = {
    *("redirect to a public host", "realm at a public host", "a session at a public host"),
    "a next page at a public host",
}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(autouse=True)
def _trusting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, authority: trustme.CA) -> None:
    """Names are found here, and what the authority says is believed of every host."""
    hasten(monkeypatch, CAPS)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


def certified(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def endpoints_of(name: str) -> Iterable[Endpoint]:
    return told_at(name) if name in ("a session at a public host", "a next page at a public host") else EVERYWHERE


def apply(world: World, cli: Cli) -> Any:
    """Run it; the honest images have to arrive, whatever is told. Returns the report."""
    made = world.fill()
    spec = cli.file(world.spec(made, read_timeout="3s"))
    ran = cli("apply", spec, "--report", "report.json", "--timeout", "120s", "--format", "text")
    document = json.loads(Path("report.json").read_text())
    check_copied(world, made, document)
    check_text(ran.text + json.dumps(document, ensure_ascii=False))
    return document


@pytest.mark.parametrize("name", LIES)
def test_a_lie_by_tls_ends_one_image_and_takes_no_login_out_of_it(name: str, cli: Cli, authority: trustme.CA) -> None:
    tls = certified(authority, "*.liar.example", PUBLIC)
    with open_world(LIES[name], endpoints_of(name), liars_tls=tls) as world:
        told = world.told(apply(world, cli))
    assert {one.value: kind for one, kind in told.items() if kind not in EXPECTED[name][one.value]} == {}
    assert all(liar.told for liar in world.liars)
    check_standins(world, is_realm=name.startswith("realm"))
    assert world.standins[PUBLIC].connections == 0 or name not in LEAVES_TLS
    for liar in world.liars:
        check_liar(liar)


def test_a_certificate_of_another_name_is_told_nothing(cli: Cli, authority: trustme.CA) -> None:
    with open_world(LIES["nothing"], EVERYWHERE, liars_tls=certified(authority, "other.example")) as world:
        told = world.told(apply(world, cli))
    assert set(told.values()) == {"tls"}
    assert [liar.asked for liar in world.liars] == [[]] * len(world.liars)


def test_plain_http_in_the_place_of_tls_is_told_nothing(cli: Cli) -> None:
    with open_world(LIES["nothing"], EVERYWHERE, is_secure=True) as world:
        told = world.told(apply(world, cli))
    assert set(told.values()) == {"tls"}
    assert [liar.asked for liar in world.liars] == [[]] * len(world.liars)

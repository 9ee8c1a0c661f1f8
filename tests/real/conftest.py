"""Starts the real registries, once for each test process, and skips with a reason where they are not installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.real.cosign import FETCHED, SCRIPT, Cosign
from tests.real.registries import Authority, RealRegistry, basic_registry, plain_registry, token_registry
from tests.real.skopeo import Skopeo

PROGRAMS = ("docker-registry", "skopeo")
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.real)


@pytest.fixture(scope="session", autouse=True)
def _programs() -> None:
    """Every test here needs them; where IMAGESYNC_REQUIRE_REAL is set, a missing one is a failure."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing and os.environ.get("IMAGESYNC_REQUIRE_REAL"):
        pytest.fail(f"IMAGESYNC_REQUIRE_REAL is set, and these programs are missing: {', '.join(missing)}")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (apt-get install {' '.join(missing)})")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def plain() -> Iterator[RealRegistry]:
    with plain_registry() as registry:
        yield registry


@pytest.fixture(scope="session")
def basic(authority: Authority) -> Iterator[RealRegistry]:
    with basic_registry(authority) as registry:
        yield registry


@pytest.fixture(scope="session")
def token(authority: Authority) -> Iterator[RealRegistry]:
    with token_registry(authority) as registry:
        yield registry


@dataclass(frozen=True)
class Real:
    """The three registries, and skopeo with a login for each."""

    plain: RealRegistry
    basic: RealRegistry
    token: RealRegistry
    authority: Authority
    skopeo: Skopeo


@pytest.fixture(scope="session")
def real(
    plain: RealRegistry,
    basic: RealRegistry,
    token: RealRegistry,
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Real:
    skopeo = Skopeo(tmp_path_factory.mktemp("skopeo"), [plain, basic, token])
    return Real(plain, basic, token, authority, skopeo)


@pytest.fixture(scope="session")
def cosign(tmp_path_factory: pytest.TempPathFactory) -> Cosign:
    """cosign 3, in a folder of its own; skips with a reason where it was not fetched."""
    if not FETCHED.exists():
        pytest.skip(f"no cosign 3: `bash {SCRIPT}` fetches it from Debian's unstable suite")
    return Cosign(tmp_path_factory.mktemp("cosign"))

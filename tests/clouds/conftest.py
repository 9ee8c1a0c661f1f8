"""A server with TLS that stands for a cloud's, with a certificate that this process trusts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Certificates
from tests.fakes.api import FakeApi


@pytest.fixture
def cloud(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca))
    with FakeApi(tls=certificates.server) as api:
        yield api

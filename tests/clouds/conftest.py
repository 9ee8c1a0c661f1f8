"""A server with TLS that stands for a cloud's, with a certificate that this process trusts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Certificates
from tests.fakes.api import FakeApi

CLOUD_VARIABLES = ("ACTIONS_", "AWS_", "AZURE_", "CLOUDSDK_", "GCE_", "GOOGLE_", "IDENTITY_", "MSI_")


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine and a user that no cloud knows, whatever is true of this one."""
    for name in [name for name in os.environ if name.startswith(CLOUD_VARIABLES)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")  # in place of the metadata server


@pytest.fixture
def cloud(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, str(certificates.ca))
    with FakeApi(tls=certificates.server) as api:
        yield api

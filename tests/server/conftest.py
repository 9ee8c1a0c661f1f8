"""A client for the plain registry of a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.registry import FakeRegistry
from tests.server.client import Client


@pytest.fixture
def client(registry: FakeRegistry) -> Iterator[Client]:
    made = Client(registry)
    yield made
    made.close()

"""Quick: names that lead to loopback and waits that take no time, for a run in this process or in one of its own."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence

import pytest

from imagesync.registry import RetryPolicy
from imagesync.registry.addresses import SocketAddress
from tests.hostile.standins import LOOPBACK, METADATA

POLICY = RetryPolicy(tries=2, server_error_tries=2, first_seconds=0.002, longest_seconds=0.02)
ADDRESSES = {LOOPBACK: "127.0.0.1", METADATA: METADATA}
"""Every other name is at a public address."""


def find(host: str, port: int) -> Sequence[SocketAddress]:
    """Any host is at this machine, and is judged by the address that it is said to have."""
    return [SocketAddress(ADDRESSES.get(host, "93.184.216.34"), socket.AF_INET, ("127.0.0.1", port))]


def no_wait(*_tries: object, **_bounds: object) -> float:
    return 0.001


def hasten(patch: pytest.MonkeyPatch, caps: Mapping[str, int]) -> None:
    """Let names be found here, waits be short, and lists have these caps."""
    patch.setattr("imagesync.registry.addresses.look_up", find)
    patch.setattr("imagesync.cli.stores.RetryPolicy", lambda: POLICY)
    patch.setattr("imagesync.transfer.blob.backoff_seconds", no_wait)
    patch.setattr("imagesync.transfer.blob.RESUME_SECONDS", 0.001)
    patch.setattr("imagesync.transfer.blob.ATTEMPTS", 2)
    patch.setattr("imagesync.registry.appending.RESUME_SECONDS", 0.001)
    for name, most in caps.items():
        patch.setattr(name, most)

"""Two registries between which attachments travel too."""

from __future__ import annotations

import pytest

from imagesync.spec.model import ALL_ATTACHMENTS
from tests.conftest import MakeRegistry
from tests.traces.attaching import without_api
from tests.traces.harness import Sync


@pytest.fixture
def modern(make_registry: MakeRegistry) -> Sync:
    """Both sides list referrers by themselves."""
    classic = Sync(make_registry(), make_registry())
    classic.attachments = ALL_ATTACHMENTS
    return classic


@pytest.fixture
def classic(modern: Sync) -> Sync:
    """Neither side lists referrers."""
    without_api(modern.source, modern.destination)
    return modern

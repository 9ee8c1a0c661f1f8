"""Two registries between which attachments travel too."""

from __future__ import annotations

import pytest

from imagesync.layout import LayoutRepository
from imagesync.manifest import Content, Descriptor, Index
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


@pytest.fixture
def _takes_sparse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registries take an index that lists what they do not have, as zot does."""
    known = LayoutRepository.missing_successors

    def lenient(self: LayoutRepository, content: Content) -> tuple[Descriptor, ...]:
        return () if isinstance(content, Index) else known(self, content)

    monkeypatch.setattr(LayoutRepository, "missing_successors", lenient)

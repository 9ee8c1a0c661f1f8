"""Values of promotions for tests: a shop of two images, its records and entries."""

from __future__ import annotations

from datetime import UTC, datetime

from imagesync.promotion.entries import Entry, Kind
from imagesync.promotion.record import Moved, Record, Who
from imagesync.reference import Digest, Repository, Tag

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
DIGEST = Digest("sha256:" + "a" * 64)


def make_entry(kind: Kind, second: int, *, letters: str = "0123456789ab", stage: str = "staging") -> Entry:
    return Entry("shop", stage, START.replace(second=second), letters, kind)


def make_record(kind: Kind = Kind.FINISHED, *, version: str = "1.4.0", digest: Digest = DIGEST) -> Record:
    moved = Moved("api", "dev.internal/shop/api:1.4.0", Repository("a.internal", "shop/api"), digest, (Tag("1.4.0"),))
    return Record(
        kind=kind,
        promotion="shop",
        stage="staging",
        version=Tag(version),
        at=START,
        who=Who("octocat", "https://github.com/acme/shop/actions/runs/1"),
        source_stage="dev",
        images=(moved,),
        plan="0" * 64,
        ticket="OPS-1",
    )

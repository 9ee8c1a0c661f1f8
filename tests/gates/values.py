"""Makers of what gates see: images as candidates, and what is known of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from imagesync.gates import Candidate, Check, Finding, Known, Need, ReadConfig, Ruling, TimeNow
from imagesync.reference import Reference, Repository, Tag
from tests.images import MadeImage, make_index

SOURCE = Repository("registry.example.com", "shop/api")
DESTINATION = Repository("mirror.example.com", "shop/api")
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
"""A Thursday."""


def make_candidate(image: MadeImage | None = None) -> Candidate:
    image = image or make_index()
    contents = {content.digest: content for content in image.contents}
    return Candidate(
        Reference(SOURCE, Tag("1.4.0"), image.digest),
        Reference(DESTINATION, Tag("1.4.0")),
        image.root,
        contents,
    )


def knowing(*pairs: tuple[Need, Any], now: datetime = NOW) -> Known:
    return Known({TimeNow(): now, **dict(pairs)})


def configs_of(candidate: Candidate, image: MadeImage) -> list[tuple[Need, Any]]:
    """The configs of all its images, as a survey reads them."""
    return [
        (ReadConfig(one.manifest.digest), json.loads(image.blobs[one.manifest.config.digest]))
        for one in candidate.images()
    ]


def judged(check: Check, candidate: Candidate, known: Known | None = None) -> tuple[Ruling, str]:
    finding: Finding = check.judge(candidate, known if known is not None else knowing())
    return finding.ruling, finding.reason


def days_ago(number: float) -> datetime:
    return NOW - timedelta(days=number)

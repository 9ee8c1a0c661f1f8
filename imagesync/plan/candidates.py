"""Candidates: what a want would write, as gates see it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from imagesync.gates import Candidate
from imagesync.manifest import Content
from imagesync.plan.inventory import Head, Present
from imagesync.plan.wants import Want
from imagesync.reference import Digest, Reference


def candidate_of(want: Want, heads: Mapping[Reference, Head], contents: Mapping[Digest, Content]) -> Candidate:
    """Of a want that differs, and whose manifests have been read."""
    source, promised = heads[want.source], heads[want.promise]
    assert isinstance(source, Present)  # noqa: S101 - narrows: what differs is there
    assert isinstance(promised, Present)  # noqa: S101 - narrows: and is known
    return Candidate(
        source=Reference(want.source.repository, want.source.tag, source.descriptor.digest),
        destination=want.destination,
        root=contents[promised.descriptor.digest],
        contents=contents,
        left_out=promised.left_out,
    )

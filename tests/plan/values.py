"""Makers of plan values for tests: images as bytes, rules, and inventories of what a survey would have seen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from imagesync.errors import Place
from imagesync.manifest import OCI_INDEX, OCI_MANIFEST, Content, Descriptor, digest_of, parse_manifest
from imagesync.plan.inventory import Absent, Head, Inventory, Present
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.selection import EVERY_PLATFORM, Alias, Platforms, Retag, TagFilter, TagPattern
from imagesync.settings import Settings
from imagesync.spec.model import NOTHING_IMMUTABLE, Immutable, OnEmpty, Rule, Spec, SpecFile

HUB_NGINX = Repository("docker.io", "library/nginx")
LOCAL_NGINX = Repository("localhost:5000", "nginx")
PLACE = Place("sync.yaml", 6, 11)


def make_manifest(*layers: str) -> Content:
    """An image manifest whose layers have these texts as content."""
    blobs = [
        {"mediaType": "application/octet-stream", "digest": digest_of(text.encode()), "size": len(text)}
        for text in ("config " + " ".join(layers), *layers)
    ]
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": blobs[0], "layers": blobs[1:]}
    return parse_manifest(json.dumps(document).encode())


def make_index(*children: Content, architectures: Sequence[str] = ("amd64", "arm64")) -> Content:
    """An index of these manifests, one for each architecture."""
    entries = [
        {
            "mediaType": child.media_type,
            "digest": child.digest,
            "size": len(child.raw),
            "platform": {"os": "linux", "architecture": architecture},
        }
        for child, architecture in zip(children, architectures, strict=False)
    ]
    return parse_manifest(json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode())


def make_rule(
    *tags: str,
    source: Repository = HUB_NGINX,
    destinations: Sequence[Repository] = (LOCAL_NGINX,),
    retag: Retag | None = None,
    on_empty: OnEmpty = OnEmpty.FAIL,
    immutable: Immutable = NOTHING_IMMUTABLE,
    keep_previous: str = "",
    aliases: Sequence[Alias] = (),
    allow_backwards: bool = False,
    digest: Digest | None = None,
    line: int = 6,
    tag_filter: TagFilter | None = None,
    platforms: Platforms = EVERY_PLATFORM,
) -> Rule:
    return Rule(
        entry="bases",
        image="nginx",
        place=Place("sync.yaml", line, 11),
        source=source,
        destinations=tuple(destinations),
        tags=tag_filter or TagFilter.parse(tags or ("latest",)),
        digest=digest,
        retag=retag or Retag(),
        on_empty=on_empty,
        immutable=immutable,
        keep_previous=Retag(keep_previous) if keep_previous else None,
        platforms=platforms,
        aliases=tuple(aliases),
        allow_backwards=allow_backwards,
    )


def make_immutable(*patterns: str, trusts_list: bool = False) -> Immutable:
    return Immutable(tuple(map(TagPattern.parse, patterns)), trusts_list)


def make_spec(*rules: Rule) -> Spec:
    return Spec(rules, Settings(), (SpecFile("sync.yaml", "0" * 64),))


def make_reference(repository: Repository, tag: str) -> Reference:
    return Reference(repository, Tag(tag))


def make_inventory(
    heads: Mapping[Reference, Content | Head | None],
    *,
    contents: Sequence[Content] = (),
    present: Mapping[Repository, Sequence[Descriptor]] | None = None,
) -> Inventory:
    """What a survey saw: a Content stands for Present, None for Absent."""
    seen: dict[Reference, Head] = {}
    known = {content.digest: content for content in contents}
    for reference, found in heads.items():
        if found is None:
            seen[reference] = Absent()
        elif isinstance(found, Present | Absent) or not hasattr(found, "raw"):
            seen[reference] = found  # type: ignore[assignment]
        else:
            known[found.digest] = found  # type: ignore[assignment]
            seen[reference] = Present(found.descriptor)  # type: ignore[union-attr]
    held = {repository: frozenset(blob.digest for blob in blobs) for repository, blobs in (present or {}).items()}
    return Inventory(heads=seen, contents=known, present=held)

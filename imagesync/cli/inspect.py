"""inspect: show digest, platforms, sizes and labels of one image; only manifests and configs are read."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from imagesync.cli.output import emit, emit_raw, to_json
from imagesync.cli.parser import add_format_option, add_run_options
from imagesync.cli.sides import SOURCE_HELP
from imagesync.lazy import dataclass

if TYPE_CHECKING:
    from imagesync.manifest import Content, Descriptor, Manifest
    from imagesync.store import Readable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reference", metavar="REFERENCE", help=SOURCE_HELP)
    parser.add_argument("--spec", metavar="SPEC", help="take logins and TLS settings from this spec")
    parser.add_argument("--raw", action="store_true", help="print the manifest's own bytes")
    add_format_option(parser, "text", "json")
    add_run_options(parser)


@dataclass(frozen=True, slots=True)
class _Part:
    """One manifest of an image: what it runs on, and what its config says."""

    digest: str
    platform: str
    size_bytes: int
    layers: int
    created: str
    labels: dict[str, str]


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.session import load, open_session  # noqa: PLC0415
    from imagesync.cli.sides import parse_source  # noqa: PLC0415 - not for --help
    from imagesync.manifest import Index  # noqa: PLC0415
    from imagesync.settings import Settings  # noqa: PLC0415
    from imagesync.spec.model import Spec  # noqa: PLC0415

    reference = parse_source(arguments.reference)
    settings = load(arguments).settings if arguments.spec else Settings()
    spec = Spec((), settings, ())
    with open_session(spec, arguments) as session:
        store = session.stores.source(reference.repository)
        root = store.fetch_manifest(reference.target)
        if arguments.raw:
            emit_raw(root.raw)
            return 0
        entries = [entry for entry in root.manifests if entry.is_manifest] if isinstance(root, Index) else []
        below = [store.fetch_manifest(entry.digest) for entry in entries] if entries else [root]
        platforms = [_platform_of(entry, entries) for entry in entries] or [""]
        parts = [_part(store, node, platform) for node, platform in zip(below, platforms, strict=True)]
    show = _to_json if arguments.format == "json" else _to_text
    emit(show(str(reference), root, parts))
    return 0


def _platform_of(entry: Descriptor, entries: list[Descriptor]) -> str:
    """What an index says that its entry runs on; an attestation is named after what it speaks of."""
    from imagesync.manifest import REFERENCE_DIGEST  # noqa: PLC0415 - not for --help

    if entry.platform is None or not entry.platform.is_unknown:
        return str(entry.platform or "")
    spoken_of = entry.annotations.get(REFERENCE_DIGEST)
    about = next((str(other.platform) for other in entries if other.digest == spoken_of), "")
    return f"attestation of {about}" if about else "unknown"


def _part(store: Readable, node: Content, platform: str) -> _Part:
    from imagesync.manifest import Manifest  # noqa: PLC0415 - not for --help
    from imagesync.platform import Platform  # noqa: PLC0415
    from imagesync.redaction import redacted  # noqa: PLC0415

    if not isinstance(node, Manifest):
        return _Part(node.digest, redacted(platform) or "index", node.descriptor.size_bytes, 0, "", {})
    config = _read_config(store, node)
    size = sum(blob.size_bytes for blob in node.successors())
    found = platform or (str(Platform.from_dict(config)) if "architecture" in config else "")
    created = config.get("created")
    inner = config.get("config")
    labels = inner.get("Labels") if isinstance(inner, dict) else None
    kind = found or node.descriptor.artifact_type or node.config.media_type
    return _Part(
        digest=node.digest,
        platform=redacted(kind),
        size_bytes=size,
        layers=len(node.layers),
        created=redacted(created) if isinstance(created, str) else "",
        labels={redacted(k): redacted(str(v)) for k, v in labels.items()} if isinstance(labels, dict) else {},
    )


def _read_config(store: Readable, manifest: Manifest) -> dict[str, Any]:
    """The image's config; an empty one for what is no image or is too large to be one."""
    from imagesync.survey.configs import MAX_CONFIG_BYTES, read_config  # noqa: PLC0415 - not for --help

    is_config = manifest.config.media_type.endswith("+json") and manifest.config.size_bytes <= MAX_CONFIG_BYTES
    return read_config(store, manifest.config, dict) if is_config else {}


def _to_text(name: str, root: Content, parts: list[_Part]) -> str:
    from imagesync.manifest import is_made_here  # noqa: PLC0415 - not for --help
    from imagesync.plan.actions import MADE_HERE  # noqa: PLC0415
    from imagesync.report.text import printable  # noqa: PLC0415
    from imagesync.report.units import format_bytes  # noqa: PLC0415

    made = f"  ({MADE_HERE})" if is_made_here(root) else ""
    lines = [f"{name}", f"  digest      {root.digest}{made}", f"  media type  {root.media_type}"]
    width = max(len(part.platform) for part in parts)
    for part in parts:
        layers = f"{part.layers} layer{'' if part.layers == 1 else 's'}"
        size = format_bytes(part.size_bytes)
        lines.append(f"  {part.platform:<{width}}  {part.digest}  {layers}  {size}  {part.created}")
    labels = {(key, value) for part in parts for key, value in part.labels.items()}
    lines += [f"  label       {key}={value}" for key, value in sorted(labels)]
    return "\n".join(printable(line.rstrip()) for line in lines)


def _to_json(name: str, root: Content, parts: list[_Part]) -> str:
    from dataclasses import asdict  # noqa: PLC0415 - not for --help

    from imagesync.manifest import is_made_here  # noqa: PLC0415

    manifests = [asdict(part) for part in parts]
    told = {"reference": name, "digest": root.digest, "media_type": root.media_type}
    return to_json({**told, "made_here": is_made_here(root), "manifests": manifests})

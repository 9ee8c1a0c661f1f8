"""Draws docs/images/plan-apply.svg: what plan and apply print for a sample, set by the renderers themselves.

Run it from the checkout, after a change of the text renderer: `python docs/make_terminal_picture.py`
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from imagesync.errors import Place
from imagesync.manifest import OCI_INDEX, Descriptor
from imagesync.plan.actions import Action, Copy, Keep, Plan
from imagesync.plan.outcome import Outcome, Status
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.registry.traffic import TrafficCounts
from imagesync.report.model import Report
from imagesync.report.text import render_plan, render_report

PICTURE = Path(__file__).parent / "images" / "plan-apply.svg"
REGISTRY = "registry.internal:5000"
PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7")
WIDTH = 130
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"
THEME = TerminalTheme(
    background=(30, 32, 44),
    foreground=(214, 219, 230),
    normal=[
        (69, 71, 90),
        (243, 139, 168),
        (148, 214, 141),
        (240, 205, 130),
        (137, 180, 250),
        (203, 166, 247),
        (137, 220, 235),
        (186, 194, 222),
    ],
)


def sample_plan() -> Plan:
    """Two tags to add, one to update, and some that are as they should be."""
    nginx = _blob("nginx", 71_200_000)
    changes = (
        _copy("library/nginx", "mirror/nginx", "1.27.3", missing=nginx, present_bytes=28_900_000),
        _copy("library/nginx", "mirror/nginx", "stable", missing=nginx, present_bytes=28_900_000, replaces="1.26.2"),
        _copy("grafana/grafana", "mirror/grafana", "11.4.0", missing=_blob("grafana", 184_300_000)),
    )
    return Plan((*changes, *(_keep(f"3.{minor}") for minor in range(9, 21))))


def sample_report(plan: Plan) -> Report:
    """A run of that plan: each blob moves once."""
    bytes_copied = iter((71_200_000, 0, 184_300_000))
    outcomes = tuple(_outcome(action, bytes_copied) for action in plan.actions)
    return Report(
        plan, outcomes, 6.4, {"docker.io": TrafficCounts({"GET": 19}), REGISTRY: TrafficCounts({"HEAD": 44, "PUT": 23})}
    )


def settled_report(plan: Plan) -> Report:
    """The next run: every tag costs one HEAD on either side."""
    kept = tuple(_keep(f"{position}") for position in range(len(plan.actions)))
    outcomes = tuple(Outcome(action, Status.UNCHANGED) for action in kept)
    count = len(kept)
    return Report(
        Plan(kept), outcomes, 0.38, {host: TrafficCounts({"HEAD": count}) for host in ("docker.io", REGISTRY)}
    )


def draw() -> str:
    """The picture as SVG text."""
    plan = sample_plan()
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    screens = (
        ("imagesync plan sync.yaml", render_plan(plan, color=True, verbose=False)),
        ("imagesync apply sync.yaml", render_report(sample_report(plan), color=True, verbose=False)),
        ("imagesync apply sync.yaml", render_report(settled_report(plan), color=True, verbose=False)),
    )
    for position, (command, output) in enumerate(screens):
        console.print(Text(f"{'' if not position else chr(10)}$ {command}", style="bold"))
        console.print(Text.from_ansi(output), soft_wrap=True)
    return _with_fonts_of_the_reader(console.export_svg(title="imagesync", theme=THEME, unique_id="plan-apply"))


def _copy(
    source: str,
    destination: str,
    tag: str,
    *,
    missing: Descriptor,
    present_bytes: int = 0,
    replaces: str = "",
) -> Copy:
    root = Descriptor(OCI_INDEX, _digest(source), 2048)
    return Copy(
        rule=f"bases/{source}",
        place=Place("sync.yaml", 6, 9),
        source=Reference(Repository("docker.io", source), Tag(tag), root.digest),
        destination=Reference(Repository(REGISTRY, destination), Tag(tag)),
        root=root,
        replaces=_digest(replaces) if replaces else None,
        platforms=PLATFORMS,
        missing=(missing,),
        present_bytes=present_bytes,
    )


def _blob(content: str, size_bytes: int) -> Descriptor:
    return Descriptor("application/octet-stream", _digest(content), size_bytes)


def _keep(tag: str) -> Keep:
    return Keep(
        rule="bases/alpine",
        place=Place("sync.yaml", 8, 9),
        source=Reference(Repository("docker.io", "library/alpine"), Tag(tag), _digest(tag)),
        destination=Reference(Repository(REGISTRY, "mirror/alpine"), Tag(tag)),
    )


def _outcome(action: Action, bytes_copied: Iterator[int]) -> Outcome:
    if isinstance(action, Copy):
        return Outcome(action, Status.COPIED, bytes_copied=next(bytes_copied))
    return Outcome(action, Status.UNCHANGED)


def _digest(text: str) -> Digest:
    return Digest(f"sha256:{hashlib.sha256(text.encode()).hexdigest()}")


def _with_fonts_of_the_reader(svg: str) -> str:
    """Without the fonts that rich would load from another host."""
    svg = re.sub(r"\s*@font-face \{.*?\n    \}", "", svg, flags=re.DOTALL)
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
    return svg.replace("font-family: Fira Code, monospace", f"font-family: {FONTS}")


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(draw(), encoding="utf-8")

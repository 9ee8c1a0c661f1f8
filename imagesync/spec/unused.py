"""What a spec says of registries and destinations and no image uses: surely a slip, but none that stops a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from imagesync.reference import Repository
from imagesync.settings import RegistrySettings, Settings
from imagesync.spec.document import Map, Node
from imagesync.spec.model import Rule, SpecWarning
from imagesync.spec.rules import Origin
from imagesync.spec.tags import scalars

if TYPE_CHECKING:
    from imagesync.spec.stages import Promotion


def unused_destinations(node: Node | None, origins: Sequence[Origin]) -> Iterator[SpecWarning]:
    """Names under `destinations` that no image goes to."""
    used = {one.text for origin in origins for one in scalars(origin.nodes.get("destination"))}
    if isinstance(node, Map) and not any("${" in text for text in used):
        for name, key in node.keys.items():
            if name not in used:
                yield SpecWarning(key.place, f"no image goes to the destination {name}")


def unused_registries(
    node: Node | None, settings: Settings, rules: Iterable[Rule], promotions: Iterable[Promotion] = ()
) -> Iterator[SpecWarning]:
    """Entries of `registries` for hosts that no image comes from or goes to. One that says how to trust a host may be
    of a token server or a storage, which registries alone name."""
    used = _used(rules) | _used_by_stages(promotions)
    hosts = {one.partition("/")[0] for one in used}
    hosts |= {mirror for host in hosts for mirror in settings.for_host(host).mirrors or ()}
    hosts |= {allowed for host in hosts for allowed in settings.for_host(host).token_realm_allow or ()}
    unused = [name for name, said in settings.hosts if name not in hosts and said != RegistrySettings(tls=said.tls)]
    unused += [pattern for pattern, _ in settings.patterns if not any(fnmatchcase(host, pattern) for host in hosts)]
    unused += [prefix for prefix, _ in settings.prefixes if not any(_is_below(one, prefix) for one in used)]
    if isinstance(node, Map):
        for name, key in node.keys.items():
            if name in unused:
                yield SpecWarning(key.place, f"no image comes from {name}, or goes there")


def _used(rules: Iterable[Rule]) -> set[str]:
    """Every repository as text; of a glob, what stands before the first placeholder."""
    found: set[str] = set()
    for rule in rules:
        found |= {str(one) for one in _repositories(rule) if not one.is_layout}
        if rule.glob is not None:
            found.add(f"{rule.glob.registry}/{rule.glob.prefix}")
            found |= {target.partition("{")[0] for target in rule.glob.targets}
    return found


def _used_by_stages(promotions: Iterable[Promotion]) -> set[str]:
    stages = [(stage, promotion.images) for promotion in promotions for stage in promotion.stages]
    held = {str(stage.repository_of(image)) for stage, images in stages for image in images}
    return held | {str(stage.journal) for stage, _ in stages}


def _repositories(rule: Rule) -> Iterable[Repository]:
    return rule.destinations if rule.glob is not None else (rule.source, *rule.destinations)


def _is_below(text: str, prefix: str) -> bool:
    """Whether a repository, or the beginning of one, is below a prefix or may lead there."""
    return f"{text}/".startswith(f"{prefix}/") or f"{prefix}/".startswith(text)

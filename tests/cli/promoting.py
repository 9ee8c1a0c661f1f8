"""A shop of two images that goes from dev to staging to production, for tests of what moves it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from imagesync.reference import Tag
from tests.cli.command import WRITES, Cli, Ran
from tests.fakes.registry import FakeRegistry
from tests.images import MadeImage, make_image, push_image

IMAGES = ("api", "worker")
STAGES = ("dev", "staging", "production")


@dataclass
class Shop:
    """Three stages in registries of their own, unless `hosts` says otherwise."""

    cli: Cli
    hosts: tuple[FakeRegistry, FakeRegistry, FakeRegistry]
    images: tuple[str, ...] = IMAGES
    more: dict[str, str] = field(default_factory=dict)
    """Further lines of a stage, by its name."""

    @classmethod
    def with_two_releases(cls, cli: Cli, hosts: tuple[FakeRegistry, FakeRegistry, FakeRegistry]) -> Shop:
        """Version 1.4.0 is in production, 1.5.0 in staging."""
        made = cls(cli, hosts, more={"production": "current: live"})
        made.write()
        made.push("1.4.0")
        made.push("1.5.0")
        for version, stage in (("1.4.0", "staging"), ("1.4.0", "production"), ("1.5.0", "staging")):
            assert made.promote(version, stage, "--ticket", f"OPS-{version}").code == 0
        made.forget()
        return made

    def write(self, *, name: str = "sync.yaml", prefixes: tuple[str, ...] = ("shop", "shop", "shop")) -> str:
        listed = "".join(f"      - {image}\n" for image in self.images)
        text = f"version: 1\npromotions:\n  - name: shop\n    images:\n{listed}    stages:\n"
        for stage, host, prefix in zip(STAGES, self.hosts, prefixes, strict=True):
            text += f"      - name: {stage}\n        repository: {host.host}/{prefix}\n"
            text += "".join(f"        {line}\n" for line in self.more.get(stage, "").splitlines())
        return self.cli.file(text, name)

    def push(self, version: str, **images: MadeImage) -> dict[str, MadeImage]:
        """Let dev have a version of every image."""
        made = {name: images.get(name, make_image(f"{name} {version}")) for name in self.images}
        for name, image in made.items():
            push_image(self.hosts[0].repository(f"shop/{name}"), image, version)
        return made

    def promote(self, version: str, stage: str, *more: str) -> Ran:
        return self.cli("promote", "sync.yaml", f"shop:{version}", "--to", stage, *more)

    def tags(self, position: int, image: str, prefix: str = "shop") -> dict[str, str]:
        """Tag to digest at a stage, past the wire, without lists of referrers."""
        registry = self.hosts[position]
        if not (registry.root / prefix / image / "index.json").exists():
            return {}
        repository = registry.repository(f"{prefix}/{image}")
        return {tag: repository.resolve(tag).digest for tag in repository.list_tags() if not tag.startswith("sha256-")}

    def entries(self, position: int, prefix: str = "shop") -> list[str]:
        """The kinds of the entries in a journal, in their order."""
        if not (self.hosts[position].root / prefix / "imagesync-journal" / "index.json").exists():
            return []
        repository = self.hosts[position].repository(f"{prefix}/imagesync-journal")
        return [Tag(tag).rpartition(".")[2] for tag in _by_age(repository.list_tags())]

    def forget(self) -> None:
        for host in self.hosts:
            host.log.clear()

    def writes(self) -> list[str]:
        lines = [line for host in dict.fromkeys(self.hosts) for line in host.log.lines()]
        return [line for line in lines if line.partition(" ")[0] in WRITES]


def _by_age(tags: Any) -> list[str]:
    kinds = ("hold", "release", "started", "finished", "withdrawn")
    return sorted(tags, key=lambda tag: (tag.rpartition(".")[0], kinds.index(tag.rpartition(".")[2])))

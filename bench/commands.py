"""The command lines of the contestants, for the jobs that several scenarios have in common."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bench.scenario import Contestant

if TYPE_CHECKING:
    from bench.stage import Stage
    from tests.real.registries import RealRegistry


def imagesync(stage: Stage, destination: RealRegistry, repository: str, tags: str) -> Contestant:
    """`imagesync apply` of a spec for one image; `tags` is the YAML of its tags."""
    folder, _, name = repository.rpartition("/")
    spec = stage.folder / f"{destination.host.replace(':', '-')}.yaml"
    spec.write_text(
        f"version: 1\n"
        f"sync:\n"
        f"  - source: {stage.source.host}/{folder}\n"
        f"    destination: {destination.host}/{folder}\n"
        f"    images:\n"
        f"      - name: {name}\n"
        f"        tags: {tags}\n"
    )
    return Contestant("imagesync apply", [sys.executable, "-m", "imagesync", "apply", str(spec), "--quiet"])


def skopeo_copy(stage: Stage, destination: RealRegistry, repository: str, tag: str) -> Contestant:
    """`skopeo copy` of one tag."""
    names = [f"docker://{host}/{repository}:{tag}" for host in (stage.source.host, destination.host)]
    return Contestant("skopeo copy", ["skopeo", "--insecure-policy", "copy", "--quiet", "--all", *names])


def skopeo_sync(stage: Stage, destination: RealRegistry, repository: str) -> Contestant:
    """`skopeo sync` of every tag of a repository."""
    folder, _, _ = repository.rpartition("/")
    sides = ["--src", "docker", "--dest", "docker", f"{stage.source.host}/{repository}", f"{destination.host}/{folder}"]
    return Contestant("skopeo sync", ["skopeo", "--insecure-policy", "sync", "--all", *sides])

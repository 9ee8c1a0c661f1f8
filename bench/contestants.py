"""The programs that take part: how each is told to do a job.

A job that a program has no one command for is done by several, one after another, as a script would.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterable, Sequence

from bench.scenario import Contestant, Job, Sides

IMAGESYNC = (sys.executable, "-m", "imagesync")


def spec_of(job: Job, sides: Sides) -> dict[str, object]:
    """A spec for the job; JSON is YAML. Many tags are asked for by a pattern, as one would."""
    tags = list(job.tags) if len(job.tags) == 1 else ["*"]
    hosts = (sides.source, *sides.destinations)
    return {
        "version": 1,
        **({} if sides.is_tls else {"registries": {host: {"tls": "disabled"} for host in hosts}}),
        "sync": [
            {
                "source": sides.source,
                "destination": list(sides.destinations),
                "images": [{"name": name, "tags": tags} for name in job.repositories],
            }
        ],
    }


def write_spec(job: Job, sides: Sides) -> str:
    """Write the spec and return its name."""
    file = sides.folder / "spec.yaml"
    file.write_text(json.dumps(spec_of(job, sides)))
    return str(file)


def _imagesync(job: Job, sides: Sides) -> Sequence[str]:
    return [*IMAGESYNC, "apply", write_spec(job, sides), "--quiet"]


def _on_one_core(job: Job, sides: Sides) -> Sequence[str]:
    return ["taskset", "--cpu-list", "0", *_imagesync(job, sides)]


def _skopeo(job: Job, sides: Sides) -> Sequence[str]:
    if len(job.repositories) > 1:
        return _one_after_another(_skopeo_sync_file(job, sides, host) for host in sides.destinations)
    if len(job.tags) > 1:
        return _one_after_another(_skopeo_sync(job, sides, host) for host in sides.destinations)
    return _one_after_another(_skopeo_copy(job, sides, host) for host in sides.destinations)


def _skopeo_copy(job: Job, sides: Sides, destination: str) -> list[str]:
    names = [f"docker://{host}/{job.repositories[0]}:{job.tags[0]}" for host in (sides.source, destination)]
    return ["skopeo", "--insecure-policy", "copy", "--quiet", "--all", *_skopeo_tls(sides), *names]


def _skopeo_sync(job: Job, sides: Sides, destination: str) -> list[str]:
    folder, _, _ = job.repositories[0].rpartition("/")
    names = [f"{sides.source}/{job.repositories[0]}", f"{destination}/{folder}"]
    kinds = ["--src", "docker", "--dest", "docker"]
    return ["skopeo", "--insecure-policy", "sync", "--all", *kinds, *_skopeo_tls(sides), *names]


def _skopeo_sync_file(job: Job, sides: Sides, destination: str) -> list[str]:
    images = {name: list(job.tags) for name in job.repositories}
    file = sides.folder / "skopeo.yaml"
    file.write_text(json.dumps({sides.source: {"tls-verify": sides.is_tls, "images": images}}))
    folder, _, _ = job.repositories[0].rpartition("/")
    kinds = ["--src", "yaml", "--dest", "docker", f"--dest-tls-verify={str(sides.is_tls).lower()}"]
    return ["skopeo", "--insecure-policy", "sync", "--all", *kinds, str(file), f"{destination}/{folder}"]


def _skopeo_tls(sides: Sides) -> list[str]:
    return [] if sides.is_tls else ["--src-tls-verify=false", "--dest-tls-verify=false"]


def _crane(job: Job, sides: Sides, *options: str) -> Sequence[str]:
    suffix = "" if len(job.tags) > 1 else f":{job.tags[0]}"
    every = ["--all-tags"] if len(job.tags) > 1 else []
    return _one_after_another(
        ["crane", "copy", *every, *options, f"{sides.source}/{name}{suffix}", f"{host}/{name}{suffix}"]
        for host in sides.destinations
        for name in job.repositories
    )


def _crane_with_16_jobs(job: Job, sides: Sides) -> Sequence[str]:
    return _crane(job, sides, "--jobs", "16")


def _oras(job: Job, sides: Sides) -> Sequence[str] | None:
    if len(job.tags) > 1:
        return None
    plain = [] if sides.is_tls else ["--from-plain-http", "--to-plain-http"]
    return _one_after_another(
        ["oras", "cp", "--no-tty", *plain, f"{sides.source}/{name}:{job.tags[0]}", f"{host}/{name}:{job.tags[0]}"]
        for host in sides.destinations
        for name in job.repositories
    )


def _regsync(job: Job, sides: Sides) -> Sequence[str]:
    hosts = (sides.source, *sides.destinations)
    tags = {"tags": {"allow": list(job.tags)}} if len(job.tags) == 1 else {}
    configuration = {
        "version": 1,
        "creds": [{"registry": host, "tls": "enabled" if sides.is_tls else "disabled"} for host in hosts],
        "sync": [
            {"source": f"{sides.source}/{name}", "target": f"{host}/{name}", "type": "repository", **tags}
            for host in sides.destinations
            for name in job.repositories
        ],
    }
    file = sides.folder / "regsync.yaml"
    file.write_text(json.dumps(configuration))
    return ["regsync", "once", "--config", str(file)]


def _one_after_another(commands: Iterable[list[str]]) -> list[str]:
    """The commands as one, that ends at the first failure. Its peak memory is that of the largest of them."""
    listed = list(commands)
    if len(listed) == 1:
        return listed[0]
    return ["sh", "-c", " && ".join(shlex.join(command) for command in listed)]


ON_ONE_CORE = Contestant("imagesync, one core", "taskset", _on_one_core)
EVERYBODY = (
    Contestant("imagesync", sys.executable, _imagesync),
    Contestant("skopeo", "skopeo", _skopeo),
    Contestant("crane", "crane", _crane),
    Contestant("crane -j 16", "crane", _crane_with_16_jobs),
    Contestant("oras", "oras", _oras),
    Contestant("regsync", "regsync", _regsync),
)

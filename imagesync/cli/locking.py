"""Locks on the command line: where the lock of a spec lies, and a spec that is held to it."""

from __future__ import annotations

import argparse
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from imagesync.cli.files import read_file
from imagesync.errors import LockError, UsageError
from imagesync.lazy import replace

if TYPE_CHECKING:
    from imagesync.spec import Spec
    from imagesync.spec.pins import Lock

SUFFIX = ".lock"


def add_lock_options(parser: argparse.ArgumentParser) -> None:
    """For the commands that plan."""
    group = parser.add_argument_group("lock")
    group.add_argument("--locked", action="store_true", help="take just the tags and digests that the lock has")
    group.add_argument("--lock", metavar="FILE", help="as --locked, with this file instead of the one beside the spec")


def is_locked(arguments: argparse.Namespace) -> bool:
    """Whether the spec is to be held to a lock."""
    return bool(getattr(arguments, "locked", False) or getattr(arguments, "lock", None))


def lock_name(spec: str, named: str | None) -> str:
    """The lock of a spec: the file that was named, else the one beside it, `sync.lock` of `sync.yaml`."""
    if named:
        return named
    if spec == "-":
        raise UsageError("the spec comes from standard input: no lock lies beside it", hint="name the lock's file")
    beside = Path(spec).with_suffix(SUFFIX)
    if beside == Path(spec):
        raise UsageError(f"{spec} is called like its own lock", hint="name the lock's file")
    return str(beside)


def read_lock(name: str) -> Lock:
    """The lock in a file. Raises UsageError where there is none, LockError where it is not right."""
    from imagesync.spec.lock import lock_from_text  # noqa: PLC0415 - few runs have a lock

    if not Path(name).exists():
        raise UsageError(f"there is no lock {name}", hint="run `imagesync lock`, and review what it writes")
    return lock_from_text(read_file(name), name=name)


def hold_to_lock(spec: Spec, arguments: argparse.Namespace) -> Spec:
    """The spec, held to its lock, which is one of its files from then on; what no rule wants of it is a warning."""
    from imagesync.plan.locking import hold, unwanted  # noqa: PLC0415 - few runs have a lock
    from imagesync.spec.model import SpecFile  # noqa: PLC0415

    name = lock_name(arguments.spec, arguments.lock)
    lock = read_lock(name)
    file = SpecFile(_seen_from(spec.directory, name), hashlib.sha256(Path(name).read_bytes()).hexdigest())
    warnings = (*spec.warnings, *unwanted(spec.rules, lock))
    return replace(spec, rules=hold(spec.rules, lock), files=(*spec.files, file), warnings=warnings)


def check_covered(spec: Spec, whole: Spec, arguments: argparse.Namespace) -> None:
    """Raise LockError where the lock lacks what these rules of a whole spec want, or does not tell what that is."""
    from imagesync.plan.locking import uncovered, undecided  # noqa: PLC0415 - few runs have a lock

    name = lock_name(arguments.spec, arguments.lock)
    problems = [*uncovered(spec.rules, name), *undecided(spec.rules, whole.rules, name)]
    if problems:
        raise LockError(problems)


def _seen_from(directory: str, name: str) -> str:
    return Path(os.path.relpath(name, directory)).as_posix()

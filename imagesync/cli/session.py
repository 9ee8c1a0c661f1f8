"""A session: the spec that a command works on, and the stores, tasks and signals around its work."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from imagesync.cancellation import Cancellation
from imagesync.cli.locking import check_covered, hold_to_lock, is_locked
from imagesync.cli.narrow import names_of_entries, only, shard, without_commands
from imagesync.cli.output import notify
from imagesync.cli.signals import Interruption, interruptible
from imagesync.errors import Cancelled
from imagesync.lazy import dataclass, replace
from imagesync.spec import Spec, load_spec

if TYPE_CHECKING:
    from imagesync.cache import Cache
    from imagesync.cli.stores import OpenStores
    from imagesync.plan.making import Pulls
    from imagesync.registry import RetryPolicy
    from imagesync.report.progress import Progress
    from imagesync.spec.model import SpecWarning
    from imagesync.tasks import Tasks
    from imagesync.transfer.meter import Meter


@dataclass(frozen=True, slots=True)
class Session:
    """What a command that reads registries works with."""

    spec: Spec
    stores: OpenStores
    tasks: Tasks
    cancellation: Cancellation
    interruption: Interruption
    started_at: float
    """time.monotonic() when the session was opened."""

    def pulls(self) -> tuple[Pulls, ...]:
        """What was read so far from the hosts that limit it."""
        from imagesync.plan.making import Pulls  # noqa: PLC0415 - not for `validate`

        counts = sorted(self.stores.registries.pulls().items())
        return tuple(Pulls(host, count.used, count.left) for host, count in counts if count.left is not None)


def load(arguments: argparse.Namespace) -> Spec:
    """Read the spec that was named, narrowed as the options say; its warnings go to stderr. Raises SpecError,
    UsageError."""
    whole = load_whole(arguments)
    spec = narrowed(whole, arguments)
    if is_locked(arguments):
        check_covered(spec, whole, arguments)
    return spec


def load_whole(arguments: argparse.Namespace) -> Spec:
    """The same, of which nothing is left out."""
    spec = load_spec(arguments.spec, environment=os.environ)
    if is_locked(arguments):
        spec = hold_to_lock(spec, arguments)
    warn(spec.warnings, arguments)
    if getattr(arguments, "anonymous", False):
        spec = without_commands(replace(spec, settings=replace(spec.settings, anonymous=True)))
    return spec


def narrowed(spec: Spec, arguments: argparse.Namespace) -> Spec:
    """The spec with the rules that `--only` and `--shard` leave."""
    rules = spec.rules
    if getattr(arguments, "only", None):
        rules = only(rules, names_of_entries(spec, arguments))
    if getattr(arguments, "shard", None):
        rules = shard(rules, *arguments.shard)
    if rules == spec.rules:
        return spec
    kept = frozenset(rules)
    left_out = tuple(rule for rule in spec.rules if rule not in kept)
    return replace(spec, rules=rules, left_out=left_out, is_part=True)


def warn(warnings: Iterable[SpecWarning], arguments: argparse.Namespace) -> None:
    """Say on stderr what of a spec is surely not what was meant."""
    for warning in () if arguments.quiet else warnings:
        notify(f"{warning.place}: warning: {warning.message}")


@contextmanager
def open_session(spec: Spec, arguments: argparse.Namespace, policy: RetryPolicy | None = None) -> Iterator[Session]:
    """Stores and threads for this spec; everything is closed at the end, also after a signal. `policy` says how often
    requests are tried, where it is not as usual."""
    from imagesync.cli.stores import OpenStores  # noqa: PLC0415 - a client, which `validate` does not need
    from imagesync.tasks import Tasks  # noqa: PLC0415 - as above

    started_at = time.monotonic()
    cancellation = Cancellation(arguments.timeout)
    cache = _open_cache(arguments)
    stores = OpenStores(
        spec.settings, cancellation, directory=spec.directory, environment=os.environ, cache=cache, policy=policy
    )
    tasks = Tasks(workers=arguments.concurrency, hosts=stores, cancellation=cancellation)
    try:
        with interruptible(cancellation, stores.shutdown, _nobody if arguments.quiet else notify) as interruption:
            try:
                yield Session(spec, stores, tasks, cancellation, interruption, started_at)
            except Cancelled as error:
                raise interruption.explained(error) from error
            finally:
                tasks.close()  # within the signals' reach: what hangs is woken when its grace is over
    finally:
        stores.close()
        if cache is not None:
            cache.close()


def _nobody(_sentence: str) -> None:
    """Who is told with `--quiet`."""


def shown_progress(arguments: argparse.Namespace, session: Session, meter: Meter) -> Progress:
    """What shows on stderr how far the session's work is, while its context is open."""
    from imagesync.report.progress import Progress  # noqa: PLC0415 - not for `validate`

    return Progress(meter, activity=session.tasks.activity, quiet=arguments.quiet)


def _open_cache(arguments: argparse.Namespace) -> Cache | None:
    """The cache that `--cache` names, for the commands that have it."""
    directory = getattr(arguments, "cache", None)
    if directory is None:
        return None
    from imagesync.cache import Cache  # noqa: PLC0415 - a database, which few runs need

    return Cache(Path(directory))

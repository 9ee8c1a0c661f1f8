"""history: tell what came to the stages of a promotion, or how an image came to where it is; from registries alone."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from imagesync.cli.output import emit
from imagesync.cli.parser import add_format_option, add_run_options, positive
from imagesync.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imagesync.cli.session import Session
    from imagesync.promotion.record import Record
    from imagesync.reference import Reference
    from imagesync.spec.model import Spec
    from imagesync.spec.stages import Promotion, Stage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("subject", metavar="NAME|REFERENCE", help="a promotion of the spec, or an image")
    parser.add_argument("--spec", metavar="SPEC", help="the spec of the promotion, also for logins and TLS settings")
    parser.add_argument("--stage", metavar="STAGE", help="this stage of the promotion alone")
    parser.add_argument(
        "--last", type=positive, default=50, metavar="N", help="at most so many, the latest first (default: 50)"
    )
    add_format_option(parser, "text", "json", "markdown")
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.session import load, open_session  # noqa: PLC0415 - not for --help
    from imagesync.promotion.history import events_of  # noqa: PLC0415
    from imagesync.report.history import render_history  # noqa: PLC0415
    from imagesync.settings import Settings  # noqa: PLC0415
    from imagesync.spec.model import Spec  # noqa: PLC0415

    spec = load(arguments) if arguments.spec else Spec((), Settings(), ())
    promotion = next((one for one in spec.promotions if one.name == arguments.subject), None)
    if promotion is None and (arguments.stage or not set(arguments.subject) & set("/:@.")):
        what = "--stage is of a promotion" if arguments.stage else "no host is named"
        hint = "give its spec with --spec" if not arguments.spec else f"there is: {_named(spec)}"
        raise UsageError(f"{what}, and {arguments.subject!a} names no promotion", hint=hint)
    with open_session(spec, arguments) as session:
        records = _of_image(session, arguments) if promotion is None else _of_stages(session, promotion, arguments)
    emit(render_history(events_of(records), _nothing(arguments, spec), form=arguments.format))
    return 0


def _of_stages(session: Session, promotion: Promotion, arguments: argparse.Namespace) -> list[Record]:
    """What the journals have, the latest first; nothing is promoted to the first stage."""
    from imagesync.promotion.history import telling  # noqa: PLC0415 - not for --help
    from imagesync.promotion.records import Records  # noqa: PLC0415

    stages = [promotion.stage(arguments.stage)] if arguments.stage else promotion.stages[1:]
    records = Records(promotion, session.stores)
    held: dict[str, Stage] = {stage.name: stage for stage in stages}
    entries = telling([entry for stage in stages for entry in records.entries(stage)])[: arguments.last]
    asked = [
        session.tasks.add(partial(records.read, held[entry.stage], entry), hosts=[held[entry.stage].journal.registry])
        for entry in entries
    ]
    return [record for record in session.tasks.results(asked) if record is not None]


def _of_image(session: Session, arguments: argparse.Namespace) -> list[Record]:
    """What speaks of an image at the place that was named, the latest first."""
    from imagesync.promotion.referring import records_on  # noqa: PLC0415 - not for --help
    from imagesync.promotion.seal import seal_of  # noqa: PLC0415
    from imagesync.reference import parse_reference  # noqa: PLC0415

    reference: Reference = parse_reference(arguments.subject)
    store = session.stores.source(reference.repository)
    digest = reference.digest or store.resolve(reference.target).digest
    seals = {promotion.name: seal_of(promotion) for promotion in session.spec.promotions}
    records: Iterable[Record] = records_on(store, digest, seals)
    if any(promotion.signs_at(reference.repository) for promotion in session.spec.promotions):
        # Who has no key could name a promotion that the spec does not have.
        records = [record for record in records if record.promotion in seals]
    return list(records)[::-1][: arguments.last]


def _nothing(arguments: argparse.Namespace, spec: Spec) -> str:
    if arguments.spec and spec.promotions:
        return f"Nothing is on record of {arguments.subject}; the spec has the promotions {_named(spec)}."
    return f"Nothing is on record of {arguments.subject}: no promotion has brought it there."


def _named(spec: Spec) -> str:
    return ", ".join(one.name for one in spec.promotions) or "no promotion"

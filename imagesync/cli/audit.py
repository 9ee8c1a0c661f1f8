"""audit: read the destinations back and prove what the spec promises; every tag, child, blob and attachment."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from imagesync.cli.locking import add_lock_options
from imagesync.cli.output import emit
from imagesync.cli.parser import add_format_option, add_run_options, add_selection_options, add_spec_argument
from imagesync.lazy import replace

if TYPE_CHECKING:
    from imagesync.audit import Looking
    from imagesync.cli.session import Session
    from imagesync.plan.findings import Audit
    from imagesync.transfer.meter import Meter


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser)
    parser.add_argument("--deep", action="store_true", help="read every blob to its end and hash it")
    parser.add_argument("--report", metavar="FILE", help="what was found of every tag: .json, .xml (JUnit) or .md")
    add_format_option(parser, "text", "json", "markdown")
    add_selection_options(parser)
    add_lock_options(parser)
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.apply import check_report  # noqa: PLC0415 - not for --help
    from imagesync.cli.publish import publish_audit, show_audit  # noqa: PLC0415
    from imagesync.cli.session import load, open_session, shown_progress  # noqa: PLC0415
    from imagesync.transfer.meter import Meter  # noqa: PLC0415

    check_report(arguments)
    meter = Meter()
    with open_session(load(arguments), arguments) as session, shown_progress(arguments, session, meter):
        found = audited(session, _looking(arguments, session, meter))
    found = replace(found, is_deep=arguments.deep)
    publish_audit(found, output=arguments.report)
    emit(show_audit(found, arguments.format, verbose=arguments.verbose))
    return found.exit_code


def audited(session: Session, looking: Looking) -> Audit:
    """Audit the session's spec, and say what that took."""
    from imagesync.audit import audit  # noqa: PLC0415 - not for --help
    from imagesync.cli.remembering import state_for_promises  # noqa: PLC0415

    found = audit(session.spec, looking, session.tasks, state=state_for_promises(session))
    traffic = session.stores.registries.traffic().values()
    requests = sum(sum(one.requests.values()) for one in traffic)
    return replace(found, seconds=time.monotonic() - session.started_at, requests=requests)


def _looking(arguments: argparse.Namespace, session: Session, meter: Meter) -> Looking:
    from imagesync.audit import DeepLooking, Looking  # noqa: PLC0415 - not for --help

    return DeepLooking(session.stores, meter, session.cancellation) if arguments.deep else Looking(session.stores)

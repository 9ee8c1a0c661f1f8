"""doctor: look at every registry of a spec, and say what is wrong there and what to do; writes nothing."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from imagesync.cli.output import emit, wants_color
from imagesync.cli.parser import add_format_option, add_run_options, add_selection_options
from imagesync.errors import UsageError
from imagesync.lazy import replace

if TYPE_CHECKING:
    from imagesync.cli.session import Session
    from imagesync.doctor.asking import Asking
    from imagesync.doctor.check import Diagnosis, Report
    from imagesync.doctor.subjects import Subject
    from imagesync.plan.actions import Failure
    from imagesync.spec.model import Spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC", nargs="?", help="the spec, a YAML file; - reads it from standard input")
    parser.add_argument("--registry", metavar="HOST", help="look at this registry alone; needs no spec")
    parser.add_argument(
        "--probe-push",
        action="store_true",
        help="begin an upload at each destination and take it back: some registries tell by nothing less whether they "
        "would let us write",
    )
    add_format_option(parser, "text", "json", "markdown")
    add_selection_options(parser)
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.session import load, open_session  # noqa: PLC0415 - not for --help
    from imagesync.doctor.gathering import EAGER  # noqa: PLC0415

    if not arguments.spec and not arguments.registry:
        raise UsageError("nobody is named to look at", hint="`imagesync doctor SPEC`, or `--registry HOST`")
    _check_is_no_host(arguments)
    spec = _hurried(load(arguments) if arguments.spec else _nothing())
    with open_session(spec, arguments, EAGER) as session:
        report = _examined(session, arguments)
        if session.interruption.signal_number is not None:
            raise session.cancellation.error()
    _show(report, arguments)
    return report.exit_code


def _check_is_no_host(arguments: argparse.Namespace) -> None:
    """`auth check` takes a host where this takes a spec: who writes one here is told how, and without its login."""
    from pathlib import Path  # noqa: PLC0415 - not for --help

    from imagesync.reference import starts_with_host, without_login  # noqa: PLC0415 - as above

    named = arguments.spec or ""
    host = without_login(named)
    is_file = "/" in host or host.endswith((".yaml", ".yml")) or Path(named).exists()
    if not is_file and starts_with_host(f"{host}/"):
        raise UsageError(f"there is no file {host}", hint=f"`imagesync doctor --registry {host}` looks at a registry")


def _nothing() -> Spec:
    from imagesync.settings import Settings  # noqa: PLC0415 - not for --help
    from imagesync.spec.model import Spec  # noqa: PLC0415

    return Spec((), Settings(), ())


def _hurried(spec: Spec) -> Spec:
    """The spec with waits that a person bears."""
    from imagesync.doctor.gathering import SHORT_WAITS  # noqa: PLC0415 - not for --help

    return replace(spec, settings=replace(spec.settings, longest=SHORT_WAITS))


def _host(arguments: argparse.Namespace) -> str:
    from imagesync.reference import normalise_host  # noqa: PLC0415 - not for --help

    return normalise_host(arguments.registry)


def _examined(session: Session, arguments: argparse.Namespace) -> Report:
    from imagesync.doctor.check import Report  # noqa: PLC0415 - not for --help
    from imagesync.doctor.diagnosis import diagnose  # noqa: PLC0415
    from imagesync.doctor.gathering import Gathering  # noqa: PLC0415

    registries = session.stores.registries
    subjects, unlisted = _subjects(session, arguments)
    facts = Gathering(registries, session.spec.settings, _asking(session, arguments)).gather(subjects, session.tasks)
    now = time.time()
    found = (*unlisted, *(diagnose(one, now) for one in facts))
    requests = sum(sum(one.requests.values()) for one in registries.traffic().values())
    return Report(found, requests, time.monotonic() - session.started_at)


def _asking(session: Session, arguments: argparse.Namespace) -> Asking:
    from imagesync.doctor.asking import Harmless, ProbingUploads  # noqa: PLC0415 - not for --help

    harmless = Harmless(session.stores.registries)
    return ProbingUploads(session.stores.registries, harmless) if arguments.probe_push else harmless


def _subjects(session: Session, arguments: argparse.Namespace) -> tuple[tuple[Subject, ...], tuple[Diagnosis, ...]]:
    """Who is looked at; and what is to be said of globs for which nobody lists what there is."""
    from imagesync.doctor.subjects import of_host, subjects_of  # noqa: PLC0415 - not for --help
    from imagesync.plan.actions import Failure  # noqa: PLC0415
    from imagesync.spec.model import Rule  # noqa: PLC0415
    from imagesync.survey import find_repositories  # noqa: PLC0415

    spec = session.spec
    found = find_repositories(spec.rules, session.stores, session.tasks).rules
    rules = [one for one in found if isinstance(one, Rule)]
    promotions = () if arguments.only or arguments.shard else spec.promotions
    subjects = subjects_of(spec, rules, promotions)
    if arguments.registry:
        subjects = (of_host(subjects, _host(arguments)),)
    return subjects, tuple(_unlisted(one) for one in found if isinstance(one, Failure))


def _unlisted(failure: Failure) -> Diagnosis:
    from imagesync.doctor.check import Check, Diagnosis, Status, Topic  # noqa: PLC0415 - not for --help

    step = failure.hint or "name the repositories in the spec, or let the registry list them"
    check = Check(Topic.LIST, Status.FAILED, failure.reason, step, about=failure.subject.partition("/")[2])
    return Diagnosis(failure.subject.partition("/")[0], ("glob",), (check,))


def _show(report: Report, arguments: argparse.Namespace) -> None:
    if arguments.format == "json":
        from imagesync.report.doctor_json import report_to_json  # noqa: PLC0415 - one of three

        emit(report_to_json(report))
    elif arguments.format == "markdown":
        from imagesync.report.doctor_markdown import render_doctor  # noqa: PLC0415 - as above

        emit(render_doctor(report))
    else:
        from imagesync.report.doctor_text import render_doctor as render_text  # noqa: PLC0415 - as above

        emit(render_text(report, color=wants_color(sys.stdout)))

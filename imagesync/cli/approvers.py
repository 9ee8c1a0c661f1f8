"""Who approves, by what the gate says of him: unsigned, with a key, or keyless, which a program of his signs."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from imagesync.errors import TrustError, UsageError
from imagesync.lazy import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from imagesync.gates.approval import Approval
    from imagesync.gates.word import Yes
    from imagesync.signature.signing import PrivateKey


@dataclass(frozen=True, slots=True)
class Approver:
    """`write` gets what he approves of and the file where the gate looks for it; returns a command that is left to be
    run, empty for none."""

    name: str
    write: Callable[[Yes, Path], str]


def approvers(gates: Sequence[Approval], arguments: argparse.Namespace) -> dict[Approval, Approver]:
    """Raises UsageError for who may not approve, and where a key is missing or is somebody else's."""
    signs = arguments.key is not None or arguments.to_sign is not None
    if signs and not any(gate.signers for gate in gates):
        hint = "leave out --key and --to-sign, or say under `from` of the gate who signs"
        raise UsageError("no gate of this stage asks for a signature", hint=hint)
    key = _key(arguments.key) if arguments.key is not None else None
    return {gate: _approver(gate, arguments, key) for gate in gates}


def _approver(gate: Approval, arguments: argparse.Namespace, key: PrivateKey | None) -> Approver:
    if gate.signers and key is not None:
        return _owner(gate, arguments, key)
    name = arguments.by or _who_runs()
    if name.casefold() in {one.casefold() for one in gate.people}:
        return _keyless(gate, name, arguments.to_sign) if gate.signers else Approver(name, _as_it_is)
    hint = f"these may: {', '.join(gate.people)}; --by NAME says who you are"
    raise UsageError(f"{name!a} may not approve", hint=hint)


def _owner(gate: Approval, arguments: argparse.Namespace, key: PrivateKey) -> Approver:
    """Whose key it is."""
    from imagesync.gates.trusted import TrustedKey  # noqa: PLC0415 - not for --help

    owned = [one for one in gate.people if isinstance(by := gate.signer_of(one), TrustedKey) and by.key == key.public]
    if not owned or (arguments.by or owned[0]).casefold() != owned[0].casefold():
        whose = arguments.by or f"any of {', '.join(gate.people)}"
        raise UsageError(f"{arguments.key} is not the private half of the key of {whose}", hint="give another --key")

    def sign(yes: Yes, path: Path) -> str:
        return _written(path, yes.to_signed_text(key.sign))

    return Approver(owned[0], sign)


def _keyless(gate: Approval, name: str, folder: str | None) -> Approver:
    """Who signs with a certificate that he gets for that."""
    from imagesync.gates.trusted import TrustedIdentity  # noqa: PLC0415 - not for --help

    signer = gate.signer_of(name)
    if not isinstance(signer, TrustedIdentity):
        raise UsageError(f"approvals by {name} have to be signed", hint="give your private key with --key FILE")
    if folder is None:
        hint = "--to-sign DIRECTORY writes there what to sign, and prints the commands that sign it"
        raise UsageError(f"approvals by {name} have to be signed by {signer}", hint=hint)
    return Approver(name, lambda yes, path: _handed_over(yes, path, Path(folder)))


def _as_it_is(yes: Yes, path: Path) -> str:
    return _written(path, yes.to_text())


def _handed_over(yes: Yes, path: Path, folder: Path) -> str:
    """The bundle that cosign writes is the approval."""
    from imagesync.cli.files import make_folder_of  # noqa: PLC0415 - not for --help
    from imagesync.gates.word import PREDICATE_TYPE  # noqa: PLC0415

    predicate = folder / yes.destination.path / f"{yes.digest.encoded}.json"
    _written(predicate, yes.to_text())
    make_folder_of(str(path))
    options = {"type": PREDICATE_TYPE, "predicate": predicate, "hash": yes.digest.encoded, "bundle": path}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return shlex.join(["cosign", "attest-blob", *words, str(yes.destination)])


def _written(path: Path, text: str) -> str:
    from imagesync.cli.files import make_folder_of, write_file  # noqa: PLC0415 - not for --help

    make_folder_of(str(path))
    write_file(str(path), text)
    return ""


def _key(name: str) -> PrivateKey:
    from imagesync.cli.files import read_file  # noqa: PLC0415 - not for --help
    from imagesync.signature.signing import PrivateKey  # noqa: PLC0415
    from imagesync.spec.stages import KEY_PASSWORD  # noqa: PLC0415

    try:
        return PrivateKey.parse(read_file(name), KEY_PASSWORD.reveal)
    except TrustError as error:
        raise TrustError(f"{name}: {error.message}", hint=error.hint) from error


def _who_runs() -> str:
    from imagesync.gates import Unread, WhoRuns  # noqa: PLC0415 - not for --help
    from imagesync.survey.surroundings import answer_here  # noqa: PLC0415

    names = answer_here(WhoRuns())
    if isinstance(names, Unread):
        raise UsageError(names.reason, hint="say who approves with --by NAME")
    return str(names[0])

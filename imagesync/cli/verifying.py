"""What `verify` is asked for: from its options to who is trusted and what is wanted, or to what is wrong with them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from imagesync.cli.files import read_file
from imagesync.errors import TrustError, UsageError

if TYPE_CHECKING:
    from imagesync.reference import Digest, Reference
    from imagesync.signature import SignedAs, Trust, Wanted


def add_verifying_options(parser: argparse.ArgumentParser) -> None:
    who = parser.add_argument_group("who is trusted: a key, or an identity with its issuer and a trusted root")
    who.add_argument("--key", metavar="FILE", help="a public key in PEM form, such as cosign.pub")
    who.add_argument("--identity", metavar="GLOB", help="keyless: mail address or URI of the signer; * fits anything")
    who.add_argument("--issuer", metavar="URL", help="keyless: who vouches for the identity")
    who.add_argument("--trusted-root", metavar="FILE", help="keyless: sigstore's trusted_root.json")
    what = parser.add_argument_group("what is wanted: a signature, unless an attestation is named")
    what.add_argument(
        "--signed-as",
        action="append",
        metavar="NAME",
        help="exact, repository, or FROM=TO (repeatable): what the image was called when it was signed",
    )
    what.add_argument("--attestation", metavar="TYPE", help="the predicate type, as https://slsa.dev/provenance/v1")
    what.add_argument("--builder", metavar="GLOB", help="of provenance: the builder's id")
    what.add_argument("--source", metavar="GLOB", help="of provenance: the repository that was built")


def trust_of(arguments: argparse.Namespace) -> Trust:
    """Raises UsageError or TrustError, which name the file."""
    from imagesync.signature import KeyTrust, PublicKey  # noqa: PLC0415 - not for --help

    keyless = [arguments.identity, arguments.issuer, arguments.trusted_root]
    if arguments.key and not any(keyless):
        with _naming(arguments.key):
            return KeyTrust(PublicKey.parse(read_file(arguments.key)))
    if all(keyless) and not arguments.key:
        return _keyless(arguments)
    raise UsageError(
        "say who is trusted", hint="either --key FILE, or --identity GLOB with --issuer URL and --trusted-root FILE"
    )


def _keyless(arguments: argparse.Namespace) -> Trust:
    from imagesync.signature import Keyless, Signer  # noqa: PLC0415 - not for --help

    with _naming(arguments.trusted_root):
        trusted_root = read_file(arguments.trusted_root).encode("utf-8")
        return Keyless.of(Signer(arguments.issuer, arguments.identity), trusted_root)


@contextmanager
def _naming(file: str) -> Iterator[None]:
    """What is wrong with a file is said with its name."""
    try:
        yield
    except TrustError as error:
        raise TrustError(f"{file}: {error.message}", hint=error.hint) from error


def wanted_of(arguments: argparse.Namespace, reference: Reference) -> Callable[[Digest], Wanted]:
    """What is wanted of each digest. Raises UsageError for options that would do nothing."""
    from imagesync.signature import WantedAttestation, WantedSignature  # noqa: PLC0415 - not for --help

    if arguments.attestation is None:
        if arguments.builder or arguments.source:
            raise UsageError("--builder and --source are parts of an attestation", hint="add --attestation TYPE")
        signed_as = _signed_as(arguments.signed_as or [], reference)
        return lambda digest: WantedSignature(digest, signed_as)
    if arguments.signed_as:
        raise UsageError("an attestation is about a digest, not about a name", hint="leave --signed-as out")
    provenance = (arguments.builder or "", arguments.source or "")
    return lambda digest: WantedAttestation(digest, arguments.attestation, *provenance)


def _signed_as(words: list[str], reference: Reference) -> SignedAs | None:
    from imagesync.signature import Exactly, InRepository, Remapped  # noqa: PLC0415 - not for --help

    if not words:
        return None
    if words == ["exact"]:
        return Exactly(reference)
    if words == ["repository"]:
        return InRepository(reference.repository)
    prefixes = {here: there for here, equals, there in (word.partition("=") for word in words) if here and there}
    if len(prefixes) != len(words):
        raise UsageError(
            f"--signed-as {' '.join(words)} cannot be read", hint="exact, repository, or FROM=TO for each prefix"
        )
    return Remapped.of(reference, prefixes)

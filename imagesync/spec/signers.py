"""Gates over what somebody has signed, or said, read with the keys and trusted roots that they name.

A key is read with the spec: one that nothing can be verified with is a mistake in it. A trusted root takes longer to
read, and is opened when the first image is judged.
"""

from __future__ import annotations

from pathlib import Path

from imagesync.errors import TrustError
from imagesync.gates import Check
from imagesync.gates.attested import AttestedReports
from imagesync.gates.present import Present
from imagesync.gates.scans import FileReports, Reports
from imagesync.gates.signed import (
    Attestation,
    Signature,
    SignedName,
    Subject,
)
from imagesync.gates.trusted import Trusted, TrustedIdentity, TrustedKey
from imagesync.signature import PublicKey, Signer
from imagesync.signature.statement import COSIGN_VULNERABILITIES
from imagesync.spec.checks import ChecksReader, span
from imagesync.spec.document import Map, Node, Scalar
from imagesync.spec.problems import Problems

MAX_KEY_BYTES = 64 * 1024
MAX_ROOT_BYTES = 4 * 1024 * 1024
_KEYLESS = ("identity", "issuer", "trusted_root")
_WHO = "either `key`, or `identity` with `issuer` and `trusted_root`"


class SignersReader:
    """Reads gates of one run; what is wrong with them is added to `problems`."""

    def __init__(self, values: ChecksReader, problems: Problems) -> None:
        self._values = values
        self._problems = problems

    def signature(self, node: Node) -> Check | None:
        by = self.trusted(node) if isinstance(node, Map) else None
        if by is None or not isinstance(node, Map):
            return None
        logged = node.get("logged_for")
        if logged is not None and isinstance(by, TrustedKey):
            hint = "leave it out; `min_age` beside it counts by another clock"
            self._problems.say(logged.place, "a signature by `key` is in no log: nobody knows since when", hint)
        return Signature(by, _subject(node), self._signed_as(node.get("signed_as")), span(logged))

    def attestation(self, node: Node) -> Check | None:
        if isinstance(node, Map) and "unsigned" in node.values:
            return self._unsigned(node)
        by = self.trusted(node) if isinstance(node, Map) else None
        if by is None or not isinstance(node, Map):
            return None
        kind, builder, source = (self._values.said(node.get(key)) for key in ("type", "builder", "source"))
        return Attestation(by, kind, builder, source, _subject(node))

    def _unsigned(self, node: Map) -> Check | None:
        """Attestations that need only be there."""
        kind = self._values.said(node.get("type"))
        beside = [key for key in node.values if key not in ("type", "unsigned")]
        if not beside:
            return Present(kind) if kind else None
        hint = "leave it out, or leave out `unsigned`: what nobody has signed says nothing that could be trusted"
        self._problems.say(node.values[beside[0]].place, f"`{beside[0]}` beside `unsigned`", hint)
        return None

    def vulnerabilities(self, node: Node) -> Check | None:
        return self._values.vulnerabilities(node, self._reports(node) if isinstance(node, Map) else None)

    def _reports(self, node: Map) -> Reports | None:
        """Where the reports of scanners are."""
        report, attestation = node.get("report"), node.get("attestation")
        if (report is None) == (attestation is None):
            hint = "either `report`, a file for each image, or `attestation` with who signs it"
            self._problems.say(node.place, "this does not say where reports are", hint)
            return None
        if not isinstance(attestation, Map):
            template = self._values.template(report)
            return FileReports(template) if template is not None else None
        by, kind = self.trusted(attestation), self._values.said(attestation.get("type"))
        return AttestedReports(by, kind or COSIGN_VULNERABILITIES) if by is not None else None

    def trusted(self, node: Map) -> Trusted | None:
        """The owner of `key`, or whoever has the `identity`."""
        said = [key for key in _KEYLESS if key in node.values]
        if ("key" in node.values) == bool(said) or (said and len(said) < len(_KEYLESS)):
            self._problems.say(node.place, "this does not say who is trusted", _WHO)
            return None
        return self._identity(node) if said else self._key(node.values["key"])

    def _key(self, node: Node) -> Trusted | None:
        key = self.public_key(node)
        return TrustedKey(self._values.text(node), key) if key is not None else None

    def public_key(self, node: Node) -> PublicKey | None:
        """The key in a file."""
        raw = self._file(node, MAX_KEY_BYTES)
        if raw is None:
            return None
        try:
            return PublicKey.parse(raw.decode("utf-8", "replace"))
        except TrustError as error:
            self._problems.say(node.place, f"{self._values.text(node)}: {error.message}", error.hint)
            return None

    def _identity(self, node: Map) -> Trusted | None:
        root = self._file(node.values["trusted_root"], MAX_ROOT_BYTES)
        issuer, identity = (self._values.said(node.get(key)) for key in ("issuer", "identity"))
        return TrustedIdentity(Signer(issuer, identity), root) if root is not None else None

    def _file(self, node: Node, max_bytes: int) -> bytes | None:
        text = self._values.said(node)
        if not text:
            return None
        path = Path(node.place.file).parent / text
        try:
            with path.open("rb") as file:
                raw = file.read(max_bytes + 1)
        except OSError as error:
            self._problems.say(node.place, f"{text} cannot be read: {error.strerror}", f"looked for {path.absolute()}")
            return None
        if len(raw) > max_bytes:
            self._problems.say(node.place, f"{text} has more than {max_bytes} bytes", None)
            return None
        return raw

    def _signed_as(self, node: Node | None) -> SignedName | None:
        if isinstance(node, Map):
            return SignedName(prefixes=tuple((here, self._values.said(there)) for here, there in node.values.items()))
        return SignedName(node.text) if isinstance(node, Scalar) else None


def _subject(node: Map) -> Subject:
    of = node.get("of")
    known = {one.value: one for one in Subject}
    return known.get(of.text, Subject.INDEX) if isinstance(of, Scalar) else Subject.INDEX

"""Keyless signatures: a certificate of Fulcio for an identity, and an entry in a log, verified by `sigstore`, offline.

Certificates, logs and timestamps are sigstore's to judge (docs/adr/0023); here is who may sign, and what is given out.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from imagesync.errors import TrustError
from imagesync.lazy import dataclass, field
from imagesync.signature.document import list_at, shown, text_at, value_at
from imagesync.signature.evidence import SIMPLE_SIGNING, Evidence, Form
from imagesync.signature.glob import matches
from imagesync.signature.trust import Signed, is_keyless
from imagesync.signature.verdict import Refusal

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from sigstore.models import Bundle
    from sigstore.verify import Verifier


@dataclass(frozen=True, slots=True)
class Signer:
    """Who may sign: an identity, as a glob, that this issuer vouches for. A policy of sigstore's Verifier."""

    issuer: str
    identity: str

    def verify(self, cert: Certificate) -> None:
        """Called with the certificate once its chain is known to be good. Raises sigstore's VerificationError."""
        from sigstore.errors import VerificationError  # noqa: PLC0415 - an extra
        from sigstore.verify.policy import AnyOf, OIDCIssuer, OIDCIssuerV2  # noqa: PLC0415

        names = identities_of(cert)
        if not any(matches(self.identity, name) for name in names):
            raise VerificationError(f"signed by {shown(', '.join(names))}, wanted {self.identity}")
        try:
            AnyOf([OIDCIssuer(self.issuer), OIDCIssuerV2(self.issuer)]).verify(cert)
        except VerificationError as error:
            raise VerificationError(f"another issuer vouches for the signer, wanted {self.issuer}") from error


@dataclass(frozen=True, slots=True)
class Keyless:
    """Trusts a signer whose certificate and log entry lead to a trusted root."""

    signer: Signer
    verifier: Verifier = field(repr=False, compare=False)

    @classmethod
    def of(cls, signer: Signer, trusted_root: bytes) -> Keyless:
        """`trusted_root` is sigstore's TrustedRoot as JSON. Raises TrustError where that or the extra is missing."""
        try:
            from sigstore.errors import Error  # noqa: PLC0415 - an extra
            from sigstore.models import TrustedRoot  # noqa: PLC0415
            from sigstore.verify import Verifier  # noqa: PLC0415
            from sigstore_models.trustroot.v1 import TrustedRoot as Document  # noqa: PLC0415
        except ImportError as error:
            raise TrustError(
                "keyless signatures are verified by sigstore, which is not installed",
                hint="pip install 'imagesync[keyless]'",
            ) from error
        try:
            verifier = Verifier(trusted_root=TrustedRoot(Document.from_json(trusted_root)))
        except (Error, ValueError) as error:
            reason = "it has another form" if isinstance(error, ValueError) else _in_words(error)
            hint = "see docs/signatures.md for how to get one"
            raise TrustError(f"this is no trusted root for sigstore: {reason}", hint=hint) from error
        return cls(signer, verifier)

    def open(self, evidence: Evidence) -> Signed:
        if not is_keyless(evidence):
            raise Refusal(f"signed with a key, wanted {self.signer.identity}")
        from sigstore.errors import Error  # noqa: PLC0415 - an extra

        try:
            return self._open(evidence)
        except Error as error:
            raise Refusal(_in_words(error)) from error
        except Refusal:
            raise
        except Exception as error:  # what foreign bytes do to a foreign library proves nothing
            what = "bundle" if evidence.form is Form.BUNDLE else "certificate or the log's promise"
            raise Refusal(f"the {what} cannot be read: {type(error).__name__}") from error

    def _open(self, evidence: Evidence) -> Signed:
        from sigstore.models import Bundle  # noqa: PLC0415 - an extra

        from imagesync.signature.promised import promised_bundle  # noqa: PLC0415

        is_bundle = evidence.form is Form.BUNDLE
        bundle = Bundle.from_json(evidence.body) if is_bundle else promised_bundle(evidence)
        payload_type, payload = self._verified(bundle, evidence)
        by = f"{', '.join(identities_of(bundle.signing_certificate))} ({self.signer.issuer})"
        return Signed(payload_type, payload, by, _log_time(bundle), is_promised=not is_bundle)

    def _verified(self, bundle: Bundle, evidence: Evidence) -> tuple[str, bytes]:
        """What was signed, and its type; a payload of cosign's is of the type that its layer has."""
        if evidence.form is not Form.PAYLOAD:
            return self.verifier.verify_dsse(bundle, self.signer)
        self.verifier.verify_artifact(evidence.body, bundle, self.signer)
        return SIMPLE_SIGNING, evidence.body


def identities_of(certificate: Certificate) -> list[str]:
    """The mail addresses and URIs that a certificate is for. Its chain is good, so it names somebody."""
    from cryptography.x509 import (  # noqa: PLC0415 - for runs that verify alone
        RFC822Name,
        SubjectAlternativeName,
        UniformResourceIdentifier,
    )

    names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    return [*names.get_values_for_type(RFC822Name), *names.get_values_for_type(UniformResourceIdentifier)]


def _log_time(bundle: Bundle) -> datetime | None:
    """The latest time that the bundle brings: sigstore has verified one of them at least, and none makes it older.

    Read from what sigstore has read, not from the bytes: two readers of JSON may differ.
    """
    entries = list_at(json.loads(bundle.to_json()), "verificationMaterial", "tlogEntries")
    logged = [int(text_at(entry, "integratedTime") or 0) for entry in entries if value_at(entry, "inclusionPromise")]
    times = [datetime.fromtimestamp(seconds, UTC) for seconds in logged if seconds]
    stamped = bundle.verification_material.timestamp_verification_data
    times += [response.tst_info.gen_time for response in stamped.rfc3161_timestamps] if stamped else []
    return max(times, default=None)


def _in_words(error: Exception) -> str:
    """One line of what sigstore says, which may hold what a certificate says."""
    return shown(str(error).replace("\n", " ").strip())[1:-1]

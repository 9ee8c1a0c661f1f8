"""Signatures and attestations: whether what was read of an image proves what is wanted of it.

Pure: bytes in, `Verified` or `Rejected` out, with the reason. Where the bytes come from is the reader's business:
`pieces_of` says which layers of a manifest are worth reading, `verify` judges one of them, `decide` all together.
"""

from imagesync.signature.evidence import Evidence, Form, pieces_of
from imagesync.signature.identity import Exactly, InRepository, Remapped, SignedAs
from imagesync.signature.key import PublicKey
from imagesync.signature.keyless import Keyless, Signer
from imagesync.signature.trust import KeyTrust, Trust
from imagesync.signature.verdict import Attested, LeftUnread, Rejected, Verdict, Verified
from imagesync.signature.wanted import Wanted, WantedAttestation, WantedSignature, decide, verify

__all__ = [
    "Attested",
    "Evidence",
    "Exactly",
    "Form",
    "InRepository",
    "KeyTrust",
    "Keyless",
    "LeftUnread",
    "PublicKey",
    "Rejected",
    "Remapped",
    "SignedAs",
    "Signer",
    "Trust",
    "Verdict",
    "Verified",
    "Wanted",
    "WantedAttestation",
    "WantedSignature",
    "decide",
    "pieces_of",
    "verify",
]

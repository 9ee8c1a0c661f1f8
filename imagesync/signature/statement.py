"""in-toto statements: the digests that are spoken of, and the predicate: what is said of them.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md; provenance as SLSA 0.2 and 1.0 write it.
"""

from __future__ import annotations

from imagesync.lazy import dataclass, field
from imagesync.signature.document import list_at, read_object, shown, text_at, value_at
from imagesync.signature.verdict import Attested, Refusal

IN_TOTO = "application/vnd.in-toto+json"
COSIGN_SIGN = "https://sigstore.dev/cosign/sign/v1"
"""The predicate of a statement that is a plain signature (cosign 3)."""
COSIGN_VULNERABILITIES = "https://cosign.sigstore.dev/attestation/vuln/v1"
"""The report of a scanner, with when it scanned.

https://github.com/sigstore/cosign/blob/main/specs/COSIGN_VULN_ATTESTATION_SPEC.md
"""
STATEMENT_TYPES = frozenset({"https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"})
_BUILDERS = (("runDetails", "builder", "id"), ("builder", "id"))
_SOURCES = (
    ("buildDefinition", "externalParameters", "workflow", "repository"),
    ("buildDefinition", "externalParameters", "source", "uri"),
    ("buildDefinition", "externalParameters", "source"),
    ("buildDefinition", "externalParameters", "configSource", "uri"),
    ("invocation", "configSource", "uri"),
)
"""Where builders write what was built. Not `resolvedDependencies`: whoever builds anything can depend on the source."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What was signed. `subjects` are digests as text; in-toto knows more algorithms than registries do."""

    subjects: frozenset[str]
    predicate_type: str
    predicate: object = field(repr=False)

    @classmethod
    def parse(cls, raw: bytes) -> Statement:
        """Raises Refusal."""
        document = read_object(raw, "the statement")
        if text_at(document, "_type") not in STATEMENT_TYPES:
            raise Refusal(f"the statement is of type {shown(text_at(document, '_type'))}, not one of in-toto")
        subjects = frozenset(digest for subject in list_at(document, "subject") for digest in _digests_of(subject))
        return cls(subjects, text_at(document, "predicateType"), value_at(document, "predicate"))

    def attested(self) -> Attested:
        """What the statement says; of provenance, by whom and from what it was built."""
        source = bare_source(self._first(_SOURCES))
        return Attested(self.predicate_type, self._first(_BUILDERS), source, self.predicate)

    def _first(self, paths: tuple[tuple[str, ...], ...]) -> str:
        return next(filter(None, (text_at(self.predicate, *path) for path in paths)), "")


def _digests_of(subject: object) -> list[str]:
    digests = value_at(subject, "digest")
    if not isinstance(digests, dict):
        return []
    return [f"{algorithm}:{encoded}" for algorithm, encoded in digests.items() if isinstance(encoded, str)]


def bare_source(uri: str) -> str:
    """A repository's address without `git+` and without what was checked out of it."""
    place = uri.removeprefix("git+")
    scheme, separator, rest = place.partition("://")
    if not separator:
        return place
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}{slash}{path.partition('@')[0].removesuffix('.git')}"

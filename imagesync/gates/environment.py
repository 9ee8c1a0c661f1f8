"""The gate `approval` by GitHub: the run is a job in an environment, which GitHub has let begin.

Whose approval that took, the environment's rules at GitHub say. That it is such a job, only a token proves that GitHub
has signed for it: what stands in variables, anybody can set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from imagesync.gates.candidate import Candidate
from imagesync.gates.needs import JobIdentity, Known, Need, ReadJobIdentity, TimeNow, Unread
from imagesync.gates.verdict import Finding
from imagesync.lazy import dataclass
from imagesync.signature.document import shown, text_at
from imagesync.signature.glob import matches
from imagesync.signature.token import Expected, claims_of
from imagesync.signature.verdict import Refusal

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"


@dataclass(frozen=True, slots=True)
class GitHubEnvironment:
    """A job in this environment of this repository. `ref` and `workflow` are globs; empty, any will do."""

    environment: str
    repository: str
    ref: str = ""
    workflow: str = ""
    issuer: str = GITHUB_ISSUER

    def __str__(self) -> str:
        more = "".join(f", {name} {glob}" for name, glob in (("ref", self.ref), ("workflow", self.workflow)) if glob)
        return f"approval by GitHub's environment {self.environment} of {self.repository}{more}"

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:  # noqa: ARG002 - of every image the same
        return (TimeNow(), ReadJobIdentity(self.issuer))

    def judge(self, candidate: Candidate, known: Known) -> Finding:  # noqa: ARG002 - the job is approved, not an image
        now, identity = known[TimeNow()], known[ReadJobIdentity(self.issuer)]
        for answer in (now, identity):
            if isinstance(answer, Unread):
                return Finding.blocked(f"who runs this cannot be verified: {answer.reason}", answer.hint)
        if identity is None:
            return self._elsewhere("this is no job of GitHub Actions that may have an identity")
        return self._verified(identity, now)

    def _verified(self, identity: JobIdentity, now: datetime) -> Finding:
        try:
            claims = claims_of(identity.token, identity.keys, Expected(self.issuer, identity.audience, now))
        except Refusal as refusal:
            return Finding.blocked(f"who runs this cannot be verified: {refusal.reason}")
        return self._judged(claims)

    def _judged(self, claims: Mapping[str, Any]) -> Finding:
        others = list(self._others(claims))
        if others:
            return self._elsewhere(", ".join(others))
        ref, actor, run = (shown(text_at(claims, name)) for name in ("ref", "actor", "run_id"))
        return Finding.passed(f"GitHub lets run {run} of {actor} at {ref} be in {self._place}, by the rules of that")

    def _elsewhere(self, why: str) -> Finding:
        wanted = f"`environment: {self.environment}` and `permissions: {{id-token: write}}`"
        return Finding.waiting(f"not in {self._place}: {why}", f"run it in a job of {self.repository} with {wanted}")

    def _others(self, claims: Mapping[str, Any]) -> Iterator[str]:
        """What of the job is another than wanted."""
        for name, wanted in (("environment", self.environment), ("repository", self.repository)):
            if text_at(claims, name) != wanted:
                yield f"its {name} is {shown(text_at(claims, name))}"
        for name, glob in (("ref", self.ref), ("workflow_ref", self.workflow)):
            if glob and not matches(glob, text_at(claims, name)):
                yield f"its {name} is {shown(text_at(claims, name))}, wanted {glob}"

    @property
    def _place(self) -> str:
        return f"the environment {self.environment} of {self.repository}"

"""The gate `approval`, read: who may say yes, and who signs for each of them."""

from __future__ import annotations

from collections.abc import Sequence

from imagesync.gates import Check
from imagesync.gates.environment import GITHUB_ISSUER, GitHubEnvironment
from imagesync.gates.trusted import Trusted, TrustedIdentity, TrustedKey
from imagesync.spec.checks import ChecksReader
from imagesync.spec.document import List, Map, Node
from imagesync.spec.problems import Problems
from imagesync.spec.signers import SignersReader


class ApproversReader:
    """Reads gates of one run; what is wrong with them is added to `problems`."""

    def __init__(self, values: ChecksReader, signers: SignersReader, problems: Problems) -> None:
        self._values = values
        self._signers = signers
        self._problems = problems

    def approval(self, node: Node) -> Check | None:
        """GitHub's environment; or people, each with who signs for that, or none of them."""
        keys = node.values if isinstance(node, Map) else {}
        if keys.keys() == {"github"}:
            return self._environment(keys["github"])
        if {"count", "from"} <= keys.keys() and "github" not in keys:
            return self._by_people(node)
        if keys:
            hint = "either `from` and `count`, or `github` alone; `any_of` and `all_of` combine gates"
            self._problems.say(node.place, "this does not say who approves", hint)
        return None

    def _environment(self, node: Node) -> Check | None:
        names = ("environment", "repository", "ref", "workflow", "issuer")
        said = [self._values.said(node.get(name)) if isinstance(node, Map) else "" for name in names]
        environment, repository, ref, workflow, issuer = said
        return GitHubEnvironment(environment, repository, ref, workflow, issuer or GITHUB_ISSUER)

    def _by_people(self, node: Node) -> Check | None:
        listed = node.get("from") if isinstance(node, Map) else None
        items = listed.items if isinstance(listed, List) else ()
        people = [self._values.said(item.get("name") if isinstance(item, Map) else item) for item in items]
        if not any(isinstance(item, Map) for item in items):
            return self._values.approval(node, tuple(dict.fromkeys(people)), ())
        signers = [self._signer(item) for item in items if isinstance(item, Map)]
        known = tuple(one for one in signers if one is not None)
        self._check(items, people, known)
        return self._values.approval(node, tuple(people), known) if len(known) == len(people) else None

    def _signer(self, node: Map) -> Trusted | None:
        signer = self._signers.trusted(node)
        if isinstance(signer, TrustedIdentity) and "*" in signer.signer.identity:
            message = "a glob fits more than one person, and each could approve as this one"
            self._problems.say(node.values["identity"].place, message, "write the whole identity")
        return signer

    def _check(self, items: Sequence[Node], people: Sequence[str], signers: Sequence[Trusted]) -> None:
        """An unsigned approval among signed ones would be anybody's; two by one signer would be one person's."""
        bare = next((item for item in items if not isinstance(item, Map)), None)
        if bare is not None:
            message = f"{self._values.text(bare)} has no key and no identity, and others have: "
            message += "that approval would not be signed"
            self._problems.say(bare.place, message, "give everybody one, or nobody")
        if len({name.casefold() for name in people}) < len(people):
            self._problems.say(items[0].place, "one of these people stands here twice", "one name, one signer")
        if len({_identified(one) for one in signers}) < len(signers):
            message = "two people have one key or identity"
            self._problems.say(items[0].place, message, "who has it could approve twice")


def _identified(signer: Trusted) -> object:
    """What is one person's alone: a key whatever its file, an identity whoever vouches for it."""
    if isinstance(signer, TrustedKey):
        return signer.key
    return signer.signer.identity.casefold() if isinstance(signer, TrustedIdentity) else signer

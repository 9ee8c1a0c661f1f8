"""What each cloud calls the rights that its identities have to a repository: whoever lacks one has to ask for it."""

from __future__ import annotations

from collections.abc import Iterable

from imagesync.lazy import dataclass
from imagesync.settings import Acr, CloudLogin, DockerHub, Ecr, Gar


@dataclass(frozen=True, slots=True)
class Rights:
    """As they stand in a policy or at a page of the cloud's, each with what it takes besides."""

    pull: str
    push: str
    delete: str

    def needed_for(self, scopes: Iterable[str]) -> str:
        """The right to all that scopes of distribution (`repository:NAME:pull,push`) allow."""
        actions = {action for scope in scopes for action in scope.rpartition(":")[2].split(",")}
        if "delete" in actions:
            return self.delete
        return self.push if "push" in actions else self.pull


_ECR = Rights(
    "ecr:BatchGetImage, ecr:GetDownloadUrlForLayer, ecr:BatchCheckLayerAvailability and ecr:ListImages",
    "ecr:InitiateLayerUpload, ecr:UploadLayerPart, ecr:CompleteLayerUpload, ecr:PutImage and what it takes to read",
    "ecr:BatchDeleteImage",
)
_GAR = Rights(
    "the role Artifact Registry Reader (roles/artifactregistry.reader)",
    "the role Artifact Registry Writer (roles/artifactregistry.writer)",
    "the role Artifact Registry Repository Administrator (roles/artifactregistry.repoAdmin)",
)
_ACR = Rights("the role AcrPull", "the role AcrPush", "the role AcrDelete")
_DOCKERHUB = Rights(*(f"a ruleset of its OIDC connection that lets it {verb}" for verb in ("pull", "push", "delete")))


def rights_of(login: CloudLogin) -> Rights:
    """What an identity needs that such a login is made for."""
    match login:
        case Ecr():
            return _ECR
        case Gar():
            return _GAR
        case Acr():
            return _ACR
        case DockerHub():
            return _DOCKERHUB

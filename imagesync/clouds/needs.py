"""What it takes to make each kind of login: a vendor's library, which is an extra, or a credential helper."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from imagesync.settings import CloudLogin, Ecr


@dataclass(frozen=True, slots=True)
class Needs:
    """`library` is what `extra` installs. `helper` is the NAME of a docker-credential-NAME that does without it."""

    library: str
    extra: str
    helper: str
    credentials: str
    """What to do where the library is there, and finds nothing to make a login with."""

    @property
    def is_installed(self) -> bool:
        return find_spec(self.library) is not None

    @property
    def installation(self) -> str:
        return f"pip install 'imagesync[{self.extra}]', or put docker-credential-{self.helper} on PATH"


ECR = Needs(
    "botocore",
    "ecr",
    "ecr-login",
    "set AWS_PROFILE or AWS_ACCESS_KEY_ID, or say whose they are with `auth: {ecr: {profile: NAME}}`",
)


def needs_of(login: CloudLogin) -> Needs:
    match login:
        case Ecr():
            return ECR

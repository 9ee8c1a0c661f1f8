"""What it takes to make each kind of login: a vendor's library, which is an extra, or a credential helper."""

from __future__ import annotations

from imagesync.lazy import dataclass
from imagesync.settings import Acr, CloudLogin, DockerHub, Ecr, Gar


@dataclass(frozen=True, slots=True)
class Needs:
    """`libraries` are what `extra` installs, the vendor's first. `helpers` are NAMEs of docker-credential-NAME: any of
    them does without."""

    libraries: tuple[str, ...]
    extra: str
    helpers: tuple[str, ...]
    credentials: str
    """What to do where the library is there, and finds nothing to make a login with."""

    @property
    def library(self) -> str:
        return self.libraries[0]

    @property
    def is_installed(self) -> bool:
        from importlib.util import find_spec  # noqa: PLC0415 - where no cloud's host is asked nobody needs it

        try:
            return all(find_spec(library) is not None for library in self.libraries)
        except ModuleNotFoundError:  # of the package that holds it
            return False

    @property
    def installation(self) -> str:
        programs = " or ".join(f"docker-credential-{name}" for name in self.helpers)
        return f"pip install 'imagesync[{self.extra}]', or put {programs} on PATH"


ECR = Needs(
    ("botocore",),
    "ecr",
    ("ecr-login",),
    "set AWS_PROFILE or AWS_ACCESS_KEY_ID, or say whose they are with `auth: {ecr: {profile: NAME}}`",
)
GAR = Needs(
    ("google.auth", "requests"),
    "gar",
    ("gcr", "gcloud"),
    "run `gcloud auth application-default login`, or let GOOGLE_APPLICATION_CREDENTIALS name a key file; "
    "`auth: anonymous` reads what is public",
)
ACR = Needs(
    ("azure.identity",),
    "acr",
    ("acr-env",),
    "run `az login`, give the machine an identity, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET; "
    "`auth: anonymous` reads what is public",
)


def needs_of(login: CloudLogin) -> Needs | None:
    """None where nothing but imagesync is needed."""
    match login:
        case Ecr():
            return ECR
        case Gar():
            return GAR
        case Acr():
            return ACR
        case DockerHub():
            return None

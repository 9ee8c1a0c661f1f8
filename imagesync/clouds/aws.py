"""Sessions with AWS: whose credentials are used, as which role, and what its refusals mean. By botocore.

botocore reads the environment and the files of the AWS tools by itself. Nothing of what it finds is shown.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError, ParamValidationError
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.exceptions import SSLError as BotoSSLError
from botocore.session import Session

from imagesync.clouds.github import has_identity, identity_token
from imagesync.clouds.needs import ECR
from imagesync.errors import (
    AuthenticationError,
    LimitError,
    MissingLoginError,
    NetworkError,
    ProtocolError,
    StoreError,
    TlsError,
    UnsupportedError,
)
from imagesync.redaction import redacted
from imagesync.settings import Ecr, Secret

ROLE_SESSION = "imagesync"
"""What AWS's own log calls a session of a role."""
AUDIENCE, CHINESE_AUDIENCE = "sts.amazonaws.com", "sts.amazonaws.com.cn"
"""For whom a GitHub job's identity has to be."""
MAX_SHOWN = 300
LIMITS = Config(connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 3, "mode": "standard"})

_HINTS = {
    "AssumeRole": "the role's trust policy has to name who asks, and who asks needs sts:AssumeRole",
    "AssumeRoleWithWebIdentity": "the role's trust policy has to name the issuer, the audience and the subject",
}
_HINTS_BY_CODE = {
    "ExpiredToken": "the AWS credentials have expired: renew them",
    "InvalidClientTokenId": "AWS does not know these credentials: check them",
    "UnrecognizedClient": "AWS does not know these credentials: check them",
    "SignatureDoesNotMatch": "the secret access key is not that of the key ID",
    "InvalidSignature": "the secret access key is not that of the key ID",
}

_KINDS: dict[str, type[StoreError]] = {
    **dict.fromkeys(("Throttling", "TooManyRequests", "LimitExceeded", "TooManyTags"), LimitError),
    **dict.fromkeys(
        ("InvalidParameter", "InvalidTagParameter", "Validation", "ValidationError", "UnsupportedCommand", "Kms"),
        UnsupportedError,
    ),
}


def open_session(login: Ecr, region: str | None) -> Session:
    """A session with the credentials of a login; those of a role are renewed by themselves.

    Raises MissingLoginError where AWS's chain of credentials holds none.
    """
    session = Session(profile=login.profile)
    if region is not None:
        session.set_config_variable("region", region)
    if login.role is not None and _is_githubs(login):
        return _in_role(session, partial(_keys_by_job, session, login.role))
    if session.get_credentials() is None:
        raise MissingLoginError("no AWS credentials were found", hint=ECR.credentials)
    return session if login.role is None else _in_role(session, partial(_keys_of_role, session, login.role))


def identity(login: Ecr, session: Session) -> str:
    """Whose credentials a session uses, for messages."""
    if login.role is not None:
        return f"role {login.role}"
    return f"profile {login.profile}" if login.profile is not None else f"credentials by {_method(session)}"


@contextmanager
def translated() -> Iterator[None]:
    """Whatever botocore raises becomes a StoreError: by far most of it an AuthenticationError, and a NetworkError what
    may pass."""
    try:
        yield
    except NoCredentialsError as error:
        raise MissingLoginError("no AWS credentials were found", hint=ECR.credentials) from error
    except ClientError as error:
        raise _refusal(error) from error
    except BotoSSLError as error:
        hint = "AWS_CA_BUNDLE names the authorities to trust, where a proxy has its own"
        raise TlsError(f"the certificate of AWS is not trusted: {_on_one_line(error)}", hint=hint) from error
    except (BotoConnectionError, HTTPClientError) as error:
        hint = "check the region; a proxy is named by HTTPS_PROXY, authorities of one's own by AWS_CA_BUNDLE"
        raise NetworkError(f"AWS did not answer: {_on_one_line(error)}", hint=hint) from error
    except ParamValidationError as error:
        raise UnsupportedError(f"AWS does not take this: {_on_one_line(error)}") from error
    except BotoCoreError as error:
        hint = "check what the AWS tools are set to, and what the spec says"
        raise AuthenticationError(f"no login from AWS: {_on_one_line(error)}", hint=hint) from error
    except RuntimeError as error:  # how botocore says that what it has just got is over already
        hint = "is the clock of this machine right?"
        raise AuthenticationError("the keys that AWS gave for a role have ended already", hint=hint) from error


class _RoleProvider(CredentialProvider):  # type: ignore[misc]
    """Credentials of a role: `take` gets new ones whenever the last have run out."""

    METHOD = "assume-role"

    def __init__(self, session: Session, take: Callable[[], dict[str, str]]) -> None:
        super().__init__(session)
        self._take = take

    def load(self) -> Any:
        return DeferredRefreshableCredentials(self._take, self.METHOD)


def _in_role(session: Session, take: Callable[[], dict[str, str]]) -> Session:
    own = Session()
    own.set_config_variable("region", session.get_config_variable("region"))
    own.register_component("credential_provider", CredentialResolver([_RoleProvider(own, take)]))
    return own


def _keys_of_role(session: Session, role: str) -> dict[str, str]:
    client = session.create_client("sts", config=LIMITS)
    return _keys(client.assume_role(RoleArn=role, RoleSessionName=ROLE_SESSION))


def _keys_by_job(session: Session, role: str) -> dict[str, str]:
    """With the identity of the job in place of a signature."""
    client = session.create_client("sts", config=LIMITS.merge(Config(signature_version=UNSIGNED)))
    token = identity_token(CHINESE_AUDIENCE if role.startswith("arn:aws-cn:") else AUDIENCE)
    return _keys(
        client.assume_role_with_web_identity(
            RoleArn=role, RoleSessionName=ROLE_SESSION, WebIdentityToken=token.reveal()
        )
    )


def _keys(answer: dict[str, Any]) -> dict[str, str]:
    keys = answer["Credentials"]
    return {
        "access_key": keys["AccessKeyId"],
        "secret_key": Secret.literal(keys["SecretAccessKey"], "AWS").reveal(),
        "token": Secret.literal(keys["SessionToken"], "AWS").reveal(),
        "expiry_time": keys["Expiration"].isoformat(),
    }


def _is_githubs(login: Ecr) -> bool:
    """Whether a role is taken by the identity of a GitHub job: keys that the job was given are nearer than that."""
    return login.profile is None and "AWS_ACCESS_KEY_ID" not in os.environ and has_identity()


def _method(session: Session) -> str:
    return _shown(str(session.get_credentials().method))


def _refusal(error: ClientError) -> StoreError:
    said = error.response.get("Error", {})
    code = str(said.get("Code", "")).removesuffix("Exception")
    operation = str(error.operation_name)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    own = _kind(code, status)
    return own(
        f"AWS answered {operation} with {_shown(code)}: {_shown(str(said.get('Message', '')))}",
        hint=_hint(code, operation) if own is AuthenticationError else None,
        status=status if isinstance(status, int) else None,
        code=_shown(code),
    )


def _kind(code: str, status: object) -> type[StoreError]:
    """A number in place of a code is that of an answer which was none of AWS's, but of what stands before it."""
    if code in _KINDS:
        return _KINDS[code]
    if isinstance(status, int) and status >= 500:
        return NetworkError
    return ProtocolError if code.isdecimal() else AuthenticationError


def _hint(code: str, operation: str) -> str:
    return _HINTS_BY_CODE.get(code) or _HINTS.get(operation) or f"it needs the right to {operation}"


def _on_one_line(error: BotoCoreError) -> str:
    return _shown(" ".join(str(error).split()))


def _shown(text: str) -> str:
    """The first line, escaped and cut: AWS lets the request, with its session token, follow a refused signature."""
    return ascii(redacted(text.partition("\n")[0])[:MAX_SHOWN])[1:-1]

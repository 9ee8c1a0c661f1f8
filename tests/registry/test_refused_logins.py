"""What is said of a login that is refused: a cloud's has no user and no password that anybody could check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from imagesync.clouds import rights_of
from imagesync.errors import AuthenticationError
from imagesync.registry.auth import Authorizer
from imagesync.registry.auth_use import AuthUse
from imagesync.registry.credential import Credential
from imagesync.registry.message import Request, Response
from imagesync.registry.refused_logins import login_hint
from imagesync.registry.token import Scope
from imagesync.settings import Acr, CloudLogin, DockerHub, Ecr, Gar, Secret
from tests.registry.test_auth import HOST, ORIGIN, Net, make_response

PULL, PUSH, DELETE = ("pull",), ("pull", "push"), ("delete",)
LOGINS = [
    (Ecr(), "Amazon ECR, role arn:x", ("ecr:BatchGetImage", "ecr:PutImage", "ecr:BatchDeleteImage")),
    (Gar(), "Google, as a@b.example", ("registry.reader", "registry.writer", "registry.repoAdmin")),
    (Acr(), "Azure, as b", ("AcrPull", "AcrPush", "AcrDelete")),
    (DockerHub("a", "c"), "Docker Hub, as a by its OIDC connection", ("lets it pull", "lets it push", "delete")),
]


def made_for(login: CloudLogin, origin: str) -> Credential:
    return Credential("AWS", Secret.literal("minted-secret"), origin=origin, rights=rights_of(login))


@pytest.mark.parametrize(("login", "origin", "rights"), LOGINS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_cloud_login_that_is_refused_is_told_with_its_identity_and_the_right_it_needs(
    login: CloudLogin, origin: str, rights: Sequence[str], status: int, number: int
) -> None:
    net = Net()
    net.authorizer = Authorizer(
        HOST, origin=ORIGIN, credentials=lambda _path, _push: made_for(login, origin), send=net.answer
    )
    net.challenge = ['Basic realm="r"']
    scopes = (Scope("a/b", (PULL, PUSH, DELETE)[number]),)
    net.get(scopes)
    hint = login_hint(status, HOST, net.authorizer.describe(scopes))
    assert hint.startswith("the identity of this login needs ")
    assert rights[number] in hint
    assert f"(used {origin}" in hint
    assert "password" not in hint


@pytest.mark.parametrize(("credential", "advice"), [(None, "log in with"), ("the spec", "the login has no right")])
def test_what_a_token_is_refused_to_read_may_not_be_there(credential: str | None, advice: str) -> None:
    """Docker Hub says 401 of a name that was mistyped, and it is not the login that is wrong then."""
    used = AuthUse(credential, "bearer", "auth.docker.io", ("repository:library/ngnix:pull",))
    hint = login_hint(403 if credential else 401, "docker.io", used)
    assert hint.startswith(f"check the repository's name, for what is not there is refused so as well; else {advice}")
    writes = replace(used, scopes=("repository:library/ngnix:pull,push",))
    assert login_hint(403, "docker.io", writes).startswith(advice)
    assert login_hint(403, "docker.io", replace(used, scheme="basic")).startswith(advice)


def test_an_old_quay_that_gives_no_token_for_a_nested_name_is_thought_of() -> None:
    """containers/skopeo#1180."""
    net = Net(token_answer=lambda _request: make_response(400))
    with pytest.raises(AuthenticationError) as caught:
        net.get((Scope("team/a/b", PULL),))
    assert "old versions of Quay" in (caught.value.hint or "")
    with pytest.raises(AuthenticationError) as caught:
        net.get((Scope("team/b", PULL),))
    assert "Quay" not in (caught.value.hint or "")


def test_a_user_with_a_password_is_told_to_check_that() -> None:
    assert login_hint(401, HOST, AuthUse("the spec", "basic", None, ())).startswith("the login was refused: check user")


@pytest.mark.parametrize("credential", [None, "the spec"])
def test_a_login_that_is_asked_for_in_a_way_that_nobody_knows_is_not_told_to_be_wrong(credential: str | None) -> None:
    hint = login_hint(401, HOST, AuthUse(credential, None, None, ()))
    assert hint.startswith("it asks for a login and not for which that is known here: let it offer Basic")


def test_a_token_server_that_refuses_a_cloud_login_is_answered_with_the_right_too() -> None:
    """Google's and Azure's say so, and not their registries."""
    net = Net()

    def refuse(_request: Request) -> Response:
        return make_response(403)

    net.token_answer = refuse
    net.authorizer = Authorizer(
        HOST, origin=ORIGIN, credentials=lambda _path, _push: made_for(Acr(), "Azure, as b"), send=net.answer
    )
    with pytest.raises(AuthenticationError, match="with Azure, as b, at") as caught:
        net.get()
    assert caught.value.hint == "the identity of this login needs the role AcrPull here"

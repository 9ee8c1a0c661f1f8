"""Decisions 38: skopeo, under a policy that demands the signature, lets the copy in, and nothing that lacks it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.real.conftest import Real
from tests.real.layouts import NGINX
from tests.real.policies import ANY_TAG, REMAPPED, SCRIPT, Checker, checking_skopeo
from tests.real.registries import plain_registry
from tests.real.sync import Sync

PUBLIC_KEY = NGINX.parent / "nginx.pub"
SPEC = """\
version: 1
sync:
  - source: oci-archive:{source}
    destination: {host}
    images:
      - library/nginx:1.22.1
      - library/nginx:latest
  - source: oci-archive:{source}
    destination: {host}/without
    attachments: none
    images:
      - library/nginx:1.22.1
"""


@dataclass(frozen=True)
class Mirrored:
    """The signed image with what speaks of it, and under `without/` without."""

    checker: Checker
    host: str

    def check(self, path: str, identity: dict[str, str], key: Path = PUBLIC_KEY) -> tuple[int, str]:
        done = self.checker.check(f"{self.host}/{path}", key, identity)
        return done.returncode, done.stderr


@pytest.fixture(scope="module")
def mirrored(real: Real, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirrored]:
    program = checking_skopeo()
    if program is None:
        pytest.skip(f"no skopeo that checks sigstore signatures (1.18 or later): `bash {SCRIPT}` fetches one")
    if not NGINX.exists():
        pytest.skip("the signed nginx image does not lie beside this checkout")
    with plain_registry() as registry:
        Sync(tmp_path_factory.mktemp("home"), real).apply(SPEC.format(source=NGINX, host=registry.host))
        yield Mirrored(Checker(program, tmp_path_factory.mktemp("checker")), registry.host)


def test_the_copy_of_the_signed_tag_is_let_in_under_its_new_name(mirrored: Mirrored) -> None:
    assert mirrored.check("library/nginx:1.22.1", REMAPPED)[0] == 0


def test_another_tag_of_the_same_digest_is_let_in_where_the_repository_is_what_counts(mirrored: Mirrored) -> None:
    assert mirrored.check("library/nginx:latest", ANY_TAG)[0] == 0


def test_another_tag_is_refused_where_the_tag_counts(mirrored: Mirrored) -> None:
    code, said = mirrored.check("library/nginx:latest", REMAPPED)
    assert (code, "Signature for identity" in said) == (1, True), said


def test_a_copy_is_refused_where_another_key_is_asked_for(mirrored: Mirrored, tmp_path: Path) -> None:
    other = tmp_path / "other.pub"
    made = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"]
    private = subprocess.run(made, capture_output=True, check=True).stdout
    subprocess.run(["openssl", "ec", "-pubout", "-out", str(other)], input=private, capture_output=True, check=True)
    code, said = mirrored.check("library/nginx:1.22.1", REMAPPED, other)
    assert (code, "cryptographic signature verification failed" in said) == (1, True), said


def test_a_copy_without_attachments_is_refused(mirrored: Mirrored) -> None:
    code, said = mirrored.check("without/library/nginx:1.22.1", REMAPPED)
    assert (code, "A signature was required, but no signature exists" in said) == (1, True), said

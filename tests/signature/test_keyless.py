"""Keyless signatures: by sigstore, with a trusted root of the tests' own, and one that was made in public."""

from __future__ import annotations

import builtins
import json
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import TrustError
from imagesync.reference import Digest
from imagesync.signature import (
    Attested,
    Evidence,
    Form,
    Keyless,
    Rejected,
    Signer,
    Verdict,
    Verified,
    WantedAttestation,
    WantedSignature,
    verify,
)
from tests.signature.recorded import FOLDER
from tests.signature.signers import DIGEST, OTHER_DIGEST, SLSA_1, make_ecdsa, make_statement
from tests.signature.sigstore_world import IDENTITY, ISSUER, SIGNED_AT, Notary, World, as_evidence
from tests.signature.stamping import StampAuthority

WORLD = World()
STATEMENT = make_statement()
GOOD = WORLD.bundle(STATEMENT)
SIGNER = Signer(ISSUER, "https://github.com/acme/app/*@refs/heads/main")
TRUST = Keyless.of(SIGNER, WORLD.trusted_root())
WANTED = WantedSignature(DIGEST)
BY = f"{IDENTITY} ({ISSUER})"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the trusted root is there, nothing is asked of anyone."""

    def refuse(*_arguments: Any) -> Any:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def judged(bundle: dict[str, Any], trust: Keyless = TRUST) -> Verdict:
    return verify(as_evidence(bundle), WANTED, trust)


def reason(bundle: dict[str, Any], trust: Keyless = TRUST) -> str:
    verdict = judged(bundle, trust)
    assert isinstance(verdict, Rejected), verdict
    return verdict.reason


def test_a_keyless_signature_verifies_and_says_by_whom_and_when() -> None:
    assert judged(GOOD) == Verified(BY, log_time=SIGNED_AT)


def test_a_mail_address_is_an_identity_too() -> None:
    bundle = WORLD.bundle(STATEMENT, identity="me@example.com")
    trust = Keyless.of(Signer(ISSUER, "*@example.com"), WORLD.trusted_root())
    assert judged(bundle, trust) == Verified(f"me@example.com ({ISSUER})", log_time=SIGNED_AT)


@pytest.mark.parametrize("identity", ["https://github.com/acme/other/*", "https://github.com/acme/app"])
def test_another_identity_is_named(identity: str) -> None:
    trust = Keyless.of(Signer(ISSUER, identity), WORLD.trusted_root())
    assert reason(GOOD, trust) == f"signed by '{IDENTITY}', wanted {identity}"


def test_another_issuer_vouches_for_nobody() -> None:
    bundle = WORLD.bundle(STATEMENT, issuer="https://evil.example.com")
    assert reason(bundle) == f"another issuer vouches for the signer, wanted {ISSUER}"


def test_another_digest_is_named() -> None:
    verdict = verify(as_evidence(GOOD), WantedSignature(OTHER_DIGEST), TRUST)
    assert verdict == Rejected(f"speaks of another digest: '{DIGEST}'")


@pytest.mark.parametrize("part", ["authority", "ct_log", "log"])
def test_a_part_of_another_world_is_not_trusted(part: str) -> None:
    stranger = replace(WORLD, **{part: Notary()})
    assert isinstance(judged(stranger.bundle(STATEMENT)), Rejected)
    assert isinstance(judged(stranger.bundle(STATEMENT), Keyless.of(SIGNER, stranger.trusted_root())), Verified)


@pytest.mark.parametrize("late", [timedelta(minutes=11), timedelta(minutes=-1)])
def test_a_signature_from_outside_the_certificates_time_is_rejected(late: timedelta) -> None:
    assert "not valid at validation time" in reason(replace(WORLD, signed_at=SIGNED_AT + late).bundle(STATEMENT))


def test_the_time_may_be_a_timestamp_authoritys_word(tmp_path: Path) -> None:
    """As of Rekor 2, which promises nothing and says no time."""
    now = datetime.now(UTC).replace(microsecond=0)
    world = World(certified_from=now - timedelta(minutes=1), stamps=StampAuthority(tmp_path))
    bundle = world.bundle(STATEMENT)
    verdict = judged(bundle, Keyless.of(SIGNER, world.trusted_root()))
    assert isinstance(verdict, Verified), verdict
    assert verdict.log_time is not None
    assert verdict.log_time >= now
    stranger = replace(world, stamps=None)
    assert "no Timestamp Authorities have been provided" in reason(bundle, Keyless.of(SIGNER, stranger.trusted_root()))


def _other_time(bundle: dict[str, Any]) -> None:
    bundle["verificationMaterial"]["tlogEntries"][0]["integratedTime"] = str(int(SIGNED_AT.timestamp()) - 1)


def _no_promise(bundle: dict[str, Any]) -> None:
    del bundle["verificationMaterial"]["tlogEntries"][0]["inclusionPromise"]


def _no_proof(bundle: dict[str, Any]) -> None:
    del bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]


def _no_entry(bundle: dict[str, Any]) -> None:
    bundle["verificationMaterial"]["tlogEntries"] = []


def _other_payload(bundle: dict[str, Any]) -> None:
    bundle["dsseEnvelope"]["payload"] = WORLD.bundle(make_statement(SLSA_1))["dsseEnvelope"]["payload"]


def _entry_of_another(bundle: dict[str, Any]) -> None:
    bundle["verificationMaterial"]["tlogEntries"] = WORLD.bundle(STATEMENT)["verificationMaterial"]["tlogEntries"]


def _certificate_of_another(bundle: dict[str, Any]) -> None:
    bundle["verificationMaterial"]["certificate"] = WORLD.bundle(STATEMENT)["verificationMaterial"]["certificate"]


@pytest.mark.parametrize(
    "change",
    [_other_time, _no_promise, _no_proof, _no_entry, _other_payload, _entry_of_another, _certificate_of_another],
)
def test_a_bundle_of_which_one_part_was_changed_is_rejected(change: Any) -> None:
    bundle = json.loads(json.dumps(GOOD))
    change(bundle)
    assert reason(bundle).isprintable()


def test_what_the_library_stumbles_over_is_rejected() -> None:
    bundle = json.loads(json.dumps(GOOD))
    bundle["verificationMaterial"]["certificate"] = {"rawBytes": "AAAA"}
    assert reason(bundle) == "the bundle cannot be read: ValueError"


def test_what_was_signed_with_a_key_is_none_of_an_identity() -> None:
    owner = make_ecdsa()
    for evidence in (owner.bundle(STATEMENT), owner.signature()):
        verdict = verify(evidence, WANTED, TRUST)
        assert verdict == Rejected(f"signed with a key, wanted {SIGNER.identity}")


def test_a_keyless_bundle_is_none_of_a_keys_owner() -> None:
    verdict = verify(as_evidence(GOOD), WANTED, make_ecdsa().trust)
    assert isinstance(verdict, Rejected)
    assert verdict.reason.startswith("signed without a key, by an identity; wanted the key")


def test_a_bundle_that_was_made_in_public_verifies() -> None:
    """PyPI's provenance of pypi-attestations 0.0.19, with the public instance's trusted root."""
    raw = (FOLDER / "pypi-attestations-0.0.19.sigstore.json").read_bytes()
    repository = "https://github.com/trailofbits/pypi-attestations"
    signer = Signer("https://token.actions.githubusercontent.com", f"{repository}/.github/workflows/release.yml@*")
    trust = Keyless.of(signer, (FOLDER / "sigstore.trusted_root.json").read_bytes())
    digest = Digest("sha256:9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3")
    wanted = WantedAttestation(digest, SLSA_1, f"{repository}/*", repository)
    verdict = verify(Evidence(Form.BUNDLE, raw), wanted, trust)
    assert isinstance(verdict, Verified)
    assert verdict.by.startswith(f"{repository}/.github/workflows/release.yml@refs/tags/v0.0.19 (https://token.")
    assert verdict.log_time == datetime(2024, 12, 4, 23, 13, 46, tzinfo=UTC)
    builder = f"{repository}/.github/workflows/release.yml@refs/tags/v0.0.19"
    assert verdict.attested == Attested(SLSA_1, builder, repository)
    assert isinstance(verify(Evidence(Form.BUNDLE, raw), wanted, TRUST), Rejected)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[", b'{"mediaType": "other"}', b"\xff"])
def test_what_is_no_trusted_root_is_refused(raw: bytes) -> None:
    with pytest.raises(TrustError, match="no trusted root"):
        Keyless.of(SIGNER, raw)


def test_a_trusted_root_without_a_log_is_refused_with_the_reason() -> None:
    """As GitHub's own, for private repositories."""
    document = {**json.loads(WORLD.trusted_root()), "tlogs": []}
    with pytest.raises(TrustError, match="trusted root contains no transparency log instances"):
        Keyless.of(SIGNER, json.dumps(document).encode())


def test_without_sigstore_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("sigstore"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(TrustError) as raised:
        Keyless.of(SIGNER, WORLD.trusted_root())
    assert raised.value.hint == "pip install 'imagesync[keyless]'"


texts = st.text(max_size=20) | st.integers() | st.none() | st.lists(st.none(), max_size=1) | st.just({})


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, one in inner for deeper in _paths(one, (*path, key)))]


@given(st.sampled_from(_paths(GOOD)[1:]), texts)
def test_whatever_stands_anywhere_in_a_bundle_there_is_a_verdict(path: tuple[Any, ...], value: Any) -> None:
    bundle = json.loads(json.dumps(GOOD))
    place = bundle
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    verdict = judged(bundle)
    assert verdict == judged(GOOD) or isinstance(verdict, Rejected)
    assert isinstance(verdict, Verified) or verdict.reason.isprintable()

"""The gates over signatures and attestations: by whom, of what, and under which name."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from imagesync.gates import Known, ReadSpoken, Ruling, Unread
from imagesync.gates.signed import Attestation, Signature, SignedName, Subject
from imagesync.gates.trusted import TrustedIdentity, TrustedKey
from imagesync.signature import Evidence, Rejected, Signer, Verified
from tests.gates.values import NOW, judged, knowing, make_candidate
from tests.signature.signers import SLSA_1, make_ecdsa, make_payload, make_statement
from tests.signature.sigstore_world import IDENTITY, ISSUER, World, as_evidence

PASSED, BLOCKED = Ruling.PASSED, Ruling.BLOCKED
CANDIDATE = make_candidate()
NAME = "registry.example.com/shop/api:1.4.0"
OWNER, STRANGER = make_ecdsa(), make_ecdsa()
BY = TrustedKey("owner.pub", OWNER.key)
FIRST, SECOND = (image.manifest.digest for image in CANDIDATE.images())


def signed(digest: str = CANDIDATE.digest, name: str = NAME, by: Any = OWNER) -> Evidence:
    found: Evidence = by.signature(make_payload(digest, name))
    return found


def spoken(*pieces: Evidence | Rejected, of: str = CANDIDATE.digest) -> Known:
    return knowing((ReadSpoken(CANDIDATE.digest if of == CANDIDATE.digest else FIRST), pieces))


@pytest.mark.parametrize(
    ("pieces", "ruling", "reason"),
    [
        ([signed()], PASSED, "signed by the key owner.pub"),
        ([signed(by=STRANGER), signed()], PASSED, "signed by the key owner.pub"),
        ([], BLOCKED, "no signature by the key owner.pub"),
        ([signed(by=STRANGER)], BLOCKED, "no signature by the key owner.pub: signed by another key, or changed since"),
        ([signed(FIRST)], BLOCKED, "no signature by the key owner.pub: speaks of another digest"),
        ([Rejected("has 99 bytes")], BLOCKED, "no signature by the key owner.pub: has 99 bytes"),
    ],
)
def test_a_signature_of_what_is_moved_is_wanted(pieces: list[Any], ruling: Ruling, reason: str) -> None:
    found = judged(Signature(BY), CANDIDATE, spoken(*pieces))
    assert (found[0], found[1].startswith(reason)) == (ruling, True), found


def test_every_platform_has_to_be_signed_where_that_is_wanted() -> None:
    check = Signature(BY, Subject.PLATFORMS)
    assert check.needs(CANDIDATE) == (ReadSpoken(FIRST), ReadSpoken(SECOND))
    both = [(ReadSpoken(digest), (signed(digest),)) for digest in (FIRST, SECOND)]
    assert judged(check, CANDIDATE, knowing(*both))[0] is PASSED
    assert judged(check, CANDIDATE, knowing(both[0], (ReadSpoken(SECOND), ())))[0] is BLOCKED
    assert judged(check, CANDIDATE, spoken(signed()))[0] is BLOCKED


@pytest.mark.parametrize(
    ("wanted", "name", "ruling"),
    [
        (SignedName("exact"), NAME, PASSED),
        (SignedName("exact"), "registry.example.com/shop/api:1.3.0", BLOCKED),
        (SignedName("repository"), "registry.example.com/shop/api:1.3.0", PASSED),
        (SignedName("repository"), "registry.example.com/shop/web:1.4.0", BLOCKED),
        (SignedName(prefixes=(("registry.example.com", "origin.example.com"),)), NAME, BLOCKED),
        (SignedName(prefixes=(("registry.example.com", "origin.example.com"),)), "origin.example.com/shop/api", PASSED),
        (SignedName(prefixes=(("registry.example.com", "!"),)), NAME, BLOCKED),
    ],
)
def test_a_name_may_be_wanted(wanted: SignedName, name: str, ruling: Ruling) -> None:
    assert judged(Signature(BY, signed_as=wanted), CANDIDATE, spoken(signed(name=name)))[0] is ruling


def test_an_attestation_is_no_signature_and_the_other_way_round() -> None:
    predicate = {"runDetails": {"builder": {"id": "https://example.com/builder"}}}
    attested = OWNER.attestation(make_statement(SLSA_1, predicate, digests=(CANDIDATE.digest,)))
    wanted = Attestation(BY, SLSA_1, builder="https://example.com/*")
    assert judged(wanted, CANDIDATE, spoken(attested))[0] is PASSED
    assert "built by" in judged(Attestation(BY, SLSA_1, builder="https://else"), CANDIDATE, spoken(attested))[1]
    assert judged(Signature(BY), CANDIDATE, spoken(attested))[0] is BLOCKED
    reason = judged(wanted, CANDIDATE, spoken(signed()))[1]
    assert reason.startswith(f"no attestation of {SLSA_1} by the key owner.pub: is a signature")


def test_what_was_not_read_blocks() -> None:
    for known in (Known(), knowing((ReadSpoken(CANDIDATE.digest), Unread("503 from the registry")))):
        ruling, reason = judged(Signature(BY), CANDIDATE, known)
        assert (ruling, "cannot be read" in reason) == (BLOCKED, True)


def test_a_trusted_root_that_is_none_blocks() -> None:
    by = TrustedIdentity(Signer("https://issuer", "*@example.com"), b"{}")
    ruling, reason = judged(Signature(by), CANDIDATE, spoken(signed()))
    assert (ruling, "nothing can be verified" in reason) == (BLOCKED, True)


def test_what_a_log_has_only_promised_to_take_in_passes_and_is_said() -> None:
    world = World()
    by = TrustedIdentity(Signer(ISSUER, IDENTITY), world.trusted_root())
    layer = world.layer(make_payload(CANDIDATE.digest))
    assert judged(Signature(by), CANDIDATE, spoken(layer)) == (PASSED, f"signed by {IDENTITY}, logged (promise)")
    bundle = as_evidence(world.bundle(make_statement(digests=(CANDIDATE.digest,))))
    assert judged(Signature(by), CANDIDATE, spoken(layer, bundle)) == (PASSED, f"signed by {IDENTITY}")


def test_a_hint_names_the_digest_to_sign() -> None:
    finding = Signature(BY).judge(CANDIDATE, spoken())
    assert finding.hint == f"sign {CANDIDATE.digest} where it comes from; `imagesync verify` says what is there"


@pytest.mark.parametrize(
    ("times", "hours", "expected"),
    [
        ([NOW - timedelta(hours=72)], 72, None),
        ([NOW - timedelta(hours=71), NOW - timedelta(hours=73)], 72, None),
        ([NOW - timedelta(hours=41)], 72, (Ruling.WAITING, "signed 1 d 17 h ago of 3 d", "2026-11-27 19:00")),
        ([NOW + timedelta(hours=1)], 72, (Ruling.WAITING, "signed 0 min ago of 3 d", "2026-11-29 13:00")),
        ([None], 72, (Ruling.BLOCKED, "signed by the key owner.pub, and nobody knows when", "a log")),
    ],
)
def test_a_signature_must_have_stood_in_a_log_for_as_long_as_is_wanted(
    times: list[datetime | None], hours: int, expected: tuple[Ruling, str, str] | None
) -> None:
    gate = Signature(BY, logged_for=timedelta(hours=hours))
    objection = gate.objection([Verified("somebody", log_time=time) for time in times], knowing())
    if expected is None or objection is None:
        assert objection is expected
        return
    assert (objection.ruling, objection.reason) == expected[:2]
    assert expected[2] in (objection.hint or "")

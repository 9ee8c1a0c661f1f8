"""Gates that go by somebody's word: approvals in files, and a program."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import InvalidReference
from imagesync.gates import Gate, Known, ListFiles, Ran, Ruling, Unread, WhoRuns
from imagesync.gates.approval import Approval
from imagesync.gates.combined import AllOf, AnyOf
from imagesync.gates.command import Command, NotRun, told, without_commands
from imagesync.gates.paths import PathTemplate
from imagesync.gates.trusted import TrustedIdentity, TrustedKey
from imagesync.gates.word import PREDICATE_TYPE, SIGNED_TYPE, Yes
from imagesync.reference import Digest
from imagesync.signature import Signer as Identity
from tests.gates.values import SOURCE, days_ago, judged, knowing, make_candidate
from tests.signature.signers import SLSA_1, Signer, make_ecdsa, make_ed25519, make_statement
from tests.signature.sigstore_world import ISSUER, World

PASSED, WAITING, BLOCKED = Ruling.PASSED, Ruling.WAITING, Ruling.BLOCKED
CANDIDATE = make_candidate()
TEMPLATE = PathTemplate.parse("approvals/{digest_hex}/*.json", "")
FILES = ListFiles(f"approvals/{CANDIDATE.digest.encoded}/*.json")
YESTERDAY = f"{days_ago(1):%Y-%m-%dT%H:%M:%SZ}"


def approval(count: int = 1, **more: Any) -> Approval:
    return Approval(count, ("alice", "Bob"), TEMPLATE, **more)


def word(by: Any = "alice", digest: Any = CANDIDATE.digest, at: Any = YESTERDAY) -> bytes:
    return json.dumps({"by": by, "digest": digest, "at": at}).encode()


def given_words(*words: bytes, runner: str = "carol") -> Known:
    files = {f"approvals/x/{number}.json": raw for number, raw in enumerate(words)}
    return knowing((FILES, files), (WhoRuns(), ("someone", runner)))


@pytest.mark.parametrize(
    ("words", "ruling", "reason"),
    [
        ([], WAITING, "0 of 1 approvals (unsigned)"),
        ([word()], PASSED, "1 of 1 approvals (unsigned): alice"),
        ([word("ALICE")], PASSED, "1 of 1 approvals (unsigned): alice"),
        ([word("bob"), word()], PASSED, "2 of 1 approvals (unsigned): bob, alice"),
        ([word("mallory")], WAITING, "0 of 1 approvals (unsigned); 0.json: 'mallory' may not approve"),
        ([word("carol")], WAITING, "0 of 1 approvals (unsigned); 0.json: 'carol' may not approve"),
        ([word(digest="sha256:" + "0" * 64)], WAITING, "0.json: of another digest"),
        ([word(digest=None)], WAITING, "0.json: of another digest"),
        ([word(by=None)], WAITING, "0.json: '' may not approve"),
        ([word(at=None)], WAITING, "0.json: says no time that has been"),
        ([word(at="2099-01-01T00:00:00Z")], WAITING, "0.json: says no time that has been"),
        ([b"yes"], WAITING, "0.json: it is not JSON"),
        ([b"[]"], WAITING, "0.json: it is not a JSON object"),
        ([b"[" * 60_000], WAITING, "0.json: it is not JSON"),
    ],
)
def test_a_word_counts_for_this_digest_by_who_may(words: list[bytes], ruling: Ruling, reason: str) -> None:
    found = judged(approval(), CANDIDATE, given_words(*words))
    assert (found[0], reason in found[1]) == (ruling, True), found


def test_one_person_counts_once_however_often() -> None:
    assert judged(approval(2), CANDIDATE, given_words(word(), word("Alice")))[0] is WAITING
    assert judged(approval(2), CANDIDATE, given_words(word(), word("bob")))[0] is PASSED


@pytest.mark.parametrize("runner", ["alice", "ALICE"])
def test_who_runs_it_does_not_count(runner: str) -> None:
    found = judged(approval(), CANDIDATE, given_words(word(), runner=runner))
    assert found == (WAITING, "0 of 1 approvals (unsigned); 0.json: 'alice' runs this, and cannot approve it")


def signed_word(signer: Signer, payload_type: str = SIGNED_TYPE, **said: Any) -> bytes:
    return json.dumps(signer.envelope(word(**said), payload_type)).encode()


ALICE, BOB = make_ecdsa(), make_ed25519()
KEYS = (TrustedKey("alice.pub", ALICE.key), TrustedKey("bob.pub", BOB.key))
OWN = Yes(CANDIDATE.digest, CANDIDATE.destination.repository, "Bob", days_ago(1)).to_signed_text(BOB.sign).encode()


@pytest.mark.parametrize(
    ("raw", "ruling", "reason"),
    [
        (signed_word(ALICE), PASSED, "1 of 1 approvals (signed): alice"),
        (OWN, PASSED, "1 of 1 approvals (signed): bob"),
        (OWN.replace(b"sig", b"gis"), WAITING, "0.json: the envelope has 0 signatures"),
        (signed_word(BOB), WAITING, "0.json: not by 'alice': signed by another key, or changed since"),
        (signed_word(BOB, by="BOB"), PASSED, "1 of 1 approvals (signed): bob"),
        (word(), WAITING, "0.json: not by 'alice': not signed; the key alice.pub signs for that"),
        (signed_word(ALICE, digest="sha256:" + "0" * 64), WAITING, "0.json: of another digest"),
        (signed_word(ALICE, by="carol"), WAITING, "0.json: 'carol' may not approve"),
        (signed_word(ALICE, "text/plain"), WAITING, "0.json: it is an envelope of 'text/plain', not an approval"),
        (b'{"payloadType": 1}', WAITING, "0.json: the envelope has 0 signatures"),
        (b'{"by": "alice", "by": "bob"}', WAITING, "0.json: it is not JSON"),
    ],
)
def test_where_people_have_keys_only_what_they_have_signed_counts(raw: bytes, ruling: Ruling, reason: str) -> None:
    found = judged(approval(signers=KEYS), CANDIDATE, given_words(raw))
    assert (found[0], reason in found[1]) == (ruling, True), found


def stated(predicate: Any = None, *, kind: str = PREDICATE_TYPE, of: Any = CANDIDATE.digest) -> bytes:
    """The statement that cosign's `attest-blob` makes of a word."""
    return make_statement(kind, json.loads(word()) if predicate is None else predicate, digests=(of,))


def bundled(by: Signer, statement: bytes) -> bytes:
    return by.bundle(statement).body


WORLD = World()
MAIL = "alice@example.com"
IDENTITIES = tuple(TrustedIdentity(Identity(ISSUER, mail), WORLD.trusted_root()) for mail in (MAIL, "bob@example.com"))


def keyless(statement: bytes | None = None, identity: str = MAIL, **changed: Any) -> bytes:
    bundle = WORLD.bundle(stated() if statement is None else statement, identity=identity)
    return json.dumps({**bundle, **changed}).encode()


OTHER = "sha256:" + "0" * 64
AS_BOB = {**json.loads(word()), "by": "bob"}


@pytest.mark.parametrize(
    ("raw", "ruling", "reason"),
    [
        (keyless(), PASSED, "1 of 1 approvals (signed): alice"),
        (keyless(stated(AS_BOB), "bob@example.com"), PASSED, "1 of 1 approvals (signed): bob"),
        (keyless(stated(AS_BOB)), WAITING, "not by 'bob': signed by 'alice@example.com', wanted bob@example.com"),
        (keyless(identity="mallory@example.com"), WAITING, "not by 'alice': signed by 'mallory@example.com'"),
        (keyless(stated(kind=SLSA_1)), WAITING, f"it attests '{SLSA_1}', not an approval"),
        (keyless(stated(b"yes".decode())), WAITING, "not an approval"),
        (keyless(stated(of=Digest(OTHER))), WAITING, "it is a statement about another digest than the one"),
        (
            keyless(stated({**json.loads(word()), "digest": OTHER}, of=Digest(OTHER))),
            WAITING,
            "0.json: of another digest",
        ),
        (keyless(dsseEnvelope=None), WAITING, "0.json: the bundle signs a file, no statement about an image"),
        (keyless(dsseEnvelope=BOB.envelope(stated())), WAITING, "0.json: not by 'alice': "),
        (keyless(verificationMaterial={}), WAITING, "0.json: not by 'alice': "),
        (bundled(ALICE, stated()), WAITING, "0.json: not by 'alice': signed with a key, wanted alice@example.com"),
        (signed_word(ALICE), WAITING, "0.json: not by 'alice': signed with a key, wanted alice@example.com"),
        (word(), WAITING, "0.json: not by 'alice': not signed; alice@example.com signs for that"),
    ],
)
def test_where_people_have_identities_only_what_they_signed_counts(raw: bytes, ruling: Ruling, reason: str) -> None:
    found = judged(approval(signers=IDENTITIES), CANDIDATE, given_words(raw))
    assert (found[0], reason in found[1]) == (ruling, True), found


def test_a_bundle_that_a_key_has_signed_counts_for_its_owner() -> None:
    found = judged(approval(signers=KEYS), CANDIDATE, given_words(bundled(ALICE, stated())))
    assert found == (PASSED, "1 of 1 approvals (signed): alice")
    assert judged(approval(signers=KEYS), CANDIDATE, given_words(bundled(BOB, stated())))[0] is WAITING
    assert judged(approval(signers=KEYS), CANDIDATE, given_words(keyless()))[0] is WAITING


def test_where_nothing_can_be_verified_approvals_block() -> None:
    broken = tuple(TrustedIdentity(Identity(ISSUER, mail), b"{}") for mail in (MAIL, "bob@example.com"))
    ruling, reason = judged(approval(signers=broken), CANDIDATE, given_words(keyless()))
    assert (ruling, reason.startswith("approvals cannot be verified: this is no trusted root")) == (BLOCKED, True)


def test_a_word_for_another_destination_counts_for_nothing() -> None:
    there = Yes(CANDIDATE.digest, SOURCE, "alice", days_ago(1)).to_text().encode()
    assert judged(approval(), CANDIDATE, given_words(there)) == (
        WAITING,
        "0 of 1 approvals (unsigned); 0.json: for another destination",
    )


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ("ok/{digest_hex}/*.json", "a [b]/ok/{hex}/jane-doe.json"),
        ("ok/{digest_hex}.json", "a [b]/ok/{hex}.json"),
        ("ok/**/{digest_hex}/*.json", None),
        ("ok/{digest_hex}/[a-z]*.json", None),
    ],
)
def test_the_file_of_a_person_is_where_the_gate_looks_for_it(files: str, name: str | None) -> None:
    gate = Approval(1, ("jane/doe",), PathTemplate.parse(files, "a [[]b]"))
    found = gate.file_of(CANDIDATE.source, CANDIDATE.digest, ".jane/doe")
    assert found == (name.format(hex=CANDIDATE.digest.encoded) if name else None)


def test_a_word_expires() -> None:
    assert judged(approval(expires=timedelta(days=2)), CANDIDATE, given_words(word()))[0] is PASSED
    found = judged(approval(expires=timedelta(hours=12)), CANDIDATE, given_words(word()))
    assert (found[0], "expired" in found[1]) == (WAITING, True)


def test_a_hint_says_who_adds_which_file() -> None:
    finding = approval().judge(CANDIDATE, given_words())
    assert finding.hint == f"one of alice, Bob adds {FILES.pattern} for {CANDIDATE.digest}"


def test_what_cannot_be_read_blocks() -> None:
    for known in (Known(), knowing((FILES, Unread("denied")), (WhoRuns(), ("x",))), knowing((FILES, {}))):
        assert judged(approval(), CANDIDATE, known)[0] is BLOCKED


@given(st.lists(st.binary(max_size=80), max_size=5))
def test_no_bytes_are_an_approval(words: list[bytes]) -> None:
    assert judged(approval(), CANDIDATE, given_words(*words))[0] is WAITING


COMMAND = Command(("./check", "--strict"), "policies", 5)
(RUN,) = COMMAND.needs(CANDIDATE)


@pytest.mark.parametrize(
    ("answer", "ruling", "reason"),
    [
        (Ran(0, ""), PASSED, "./check says yes"),
        (Ran(0, "all well"), PASSED, "./check says yes: all well"),
        (Ran(1, "too large"), BLOCKED, "./check says no: too large"),
        (Ran(2, ""), BLOCKED, "./check ended with 2"),
        (Ran(-9, ""), BLOCKED, "./check ended with -9"),
        (Ran(1, "\x1b[2J" + "x" * 999), BLOCKED, "./check says no: \\x1b[2Jxxx"),
        (Unread("no answer within 5 s"), BLOCKED, "./check did not answer: no answer within 5 s"),
    ],
)
def test_a_program_says_yes_or_no(answer: object, ruling: Ruling, reason: str) -> None:
    found = judged(COMMAND, CANDIDATE, knowing((RUN, answer)))
    assert (found[0], found[1].startswith(reason), len(found[1]) < 300) == (ruling, True, True), found
    assert judged(COMMAND, CANDIDATE)[0] is BLOCKED


def test_a_program_is_told_of_the_image_and_of_nothing_else() -> None:
    document = json.loads(told(CANDIDATE))
    assert document == {
        "format_version": 1,
        "source": "registry.example.com/shop/api:1.4.0",
        "source_digest": CANDIDATE.digest,
        "destination": "mirror.example.com/shop/api:1.4.0",
        "digest": CANDIDATE.digest,
        "media_type": "application/vnd.oci.image.index.v1+json",
        "images": [{"digest": image.manifest.digest, "platform": str(image.platform)} for image in CANDIDATE.images()],
    }
    assert (RUN.arguments, RUN.folder, RUN.timeout_seconds) == (("./check", "--strict"), "policies", 5)


def test_no_program_is_left_where_none_is_to_be_run() -> None:
    inner = Gate("inner", COMMAND)
    gate = Gate("outer", AnyOf((Gate("all", AllOf((inner,))), inner)))
    found = without_commands(gate, "not here")
    assert "Command(" not in repr(found)
    assert found.judge(CANDIDATE, knowing((RUN, Ran(0, "")))).ruling is BLOCKED
    assert isinstance(without_commands(inner, "not here").check, NotRun)


@pytest.mark.parametrize("text", ["scans/report.json", "{digest}", "{digest_hex}/{user}", "{digest_hex", ""])
def test_a_path_tells_images_apart_and_holds_no_other_placeholder(text: str) -> None:
    with pytest.raises(InvalidReference):
        PathTemplate.parse(text, ".")


def test_a_path_counts_from_the_folder_of_its_file() -> None:
    text, digest = "{repository}/{tag}-{digest_hex}", CANDIDATE.digest
    name = f"{SOURCE.path}/1.4.0-{digest.encoded}"
    assert PathTemplate.parse(text, ".").of(CANDIDATE.source, digest) == name
    assert PathTemplate.parse(text, "specs").of(CANDIDATE.source, digest) == f"specs/{name}"
    assert PathTemplate.parse(f"/scans/{text}", "specs").of(CANDIDATE.source, digest) == f"/scans/{name}"

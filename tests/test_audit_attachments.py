"""The audit of what speaks of an image: that it has arrived, and that all of it is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from imagesync.audit import DeepLooking, Looking, audit
from imagesync.cancellation import Cancellation
from imagesync.errors import AuthenticationError, NetworkError
from imagesync.plan.attachments import tag_of
from imagesync.plan.findings import Audit, Kind
from imagesync.plan.uniting import unite
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.spec.model import ALL_ATTACHMENTS, AttachmentType
from imagesync.tasks import Tasks
from imagesync.transfer.meter import Meter
from tests.fakes.memory import MemoryRepository, MemoryStores
from tests.images import MadeImage, list_of, make_index, make_referrer, make_signature, push_image
from tests.plan.values import HUB_NGINX, LOCAL_NGINX, make_rule, make_spec

SIGNATURES, REFERRERS = AttachmentType.SIGNATURES, AttachmentType.REFERRERS
IMAGE = make_index(layers=1)
CHILD = IMAGE.children[0].digest
SIGNED = (IMAGE.digest, CHILD)
SBOM = make_referrer(IMAGE.root)
RULE = replace(make_rule("latest", "again"), attachments=ALL_ATTACHMENTS)
WHOLE = (IMAGE.digest, SIGNATURES)


@dataclass
class Bench:
    """The image on both sides, signed as an index and as its first child, with an SBOM as a referrer."""

    stores: MemoryStores
    tasks: Tasks
    cancellation: Cancellation

    @property
    def there(self) -> MemoryRepository:
        return self.stores[LOCAL_NGINX]

    @property
    def source(self) -> MemoryRepository:
        return self.stores[HUB_NGINX]

    def fill(self) -> None:
        for repository in (self.source, self.there):
            push_image(repository, IMAGE, "latest", "again")
            for digest in SIGNED:
                push_image(repository, make_signature(digest, "alice"), tag_of(digest, SIGNATURES))
            push_image(repository, list_of(SBOM), tag_of(IMAGE.digest, REFERRERS))
            repository.calls.clear()

    def audit(self, *, kinds: frozenset[AttachmentType] = ALL_ATTACHMENTS) -> Audit:
        return audit(make_spec(replace(RULE, attachments=kinds)), Looking(self.stores), self.tasks)


@pytest.fixture(params=[1, 8])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    stores, cancellation = MemoryStores(), Cancellation()
    tasks = Tasks(workers=request.param, hosts=stores, cancellation=cancellation)
    bench = Bench(stores, tasks, cancellation)
    bench.fill()
    yield bench
    tasks.close()


def found(audited: Audit) -> list[tuple[Kind, str]]:
    return [(finding.kind, finding.subject) for finding in audited.findings()]


def only_reason(audited: Audit) -> str:
    (finding,) = audited.findings()
    return finding.reason


def incomplete(audited: Audit) -> set[Reference]:
    return {reference for tag in audited.tags for reference in tag.incomplete}


def by_tag(digest: Digest, kind: AttachmentType) -> Reference:
    return Reference(LOCAL_NGINX, tag_of(digest, kind))


def test_attachments_that_have_arrived_are_looked_into_once(bench: Bench) -> None:
    audited = bench.audit()
    assert (audited.exit_code, found(audited)) == (0, [])
    assert (audited.manifests, audited.blobs) == (3 + 2 + 2, 4 + 4 + 2)
    assert all(bench.there.called("fetch_manifest").count(digest) == 1 for digest in bench.there.manifests)
    assert sorted(bench.there.called("blob_size")) == sorted(bench.there.blobs)
    assert bench.there.writes() == bench.source.writes() == []


def test_the_source_is_asked_for_tags_and_a_list_and_no_manifest(bench: Bench) -> None:
    bench.audit()
    asked = [name for name, _ in bench.source.calls]
    assert (asked.count("list_tags"), asked.count("list_referrers"), asked.count("resolve")) == (1, 1, 2 + 3)
    assert len(asked) == 7


@pytest.mark.parametrize("digest", SIGNED)
def test_a_signature_of_an_index_or_of_a_child_that_has_not_arrived_is_missing(bench: Bench, digest: Digest) -> None:
    del bench.there.tags[tag_of(digest, SIGNATURES)]
    audited = bench.audit()
    assert found(audited) == [(Kind.MISSING_ATTACHMENT, str(by_tag(digest, SIGNATURES)))]
    signature = make_signature(digest, "alice").digest.short
    assert only_reason(audited) == f"the source has 1 signature, in {signature}, that is not there"
    assert (audited.exit_code, incomplete(audited)) == (2, set())
    (tags,) = audited.findings().values()
    assert [tag.subject for tag in tags] == [f"{LOCAL_NGINX}:again", f"{LOCAL_NGINX}:latest"]


def test_what_the_rule_leaves_behind_is_not_promised(bench: Bench) -> None:
    del bench.there.tags[tag_of(IMAGE.digest, SIGNATURES)]
    assert bench.audit(kinds=frozenset({REFERRERS})).exit_code == 0
    bench.source.calls.clear()
    assert bench.audit(kinds=frozenset()).exit_code == 0
    assert {name for name, _ in bench.source.calls} == {"resolve"}


def test_a_blob_that_a_signature_lost_is_missing_and_the_signature_is_incomplete(bench: Bench) -> None:
    payload = make_signature(CHILD, "alice").root.successors()[1].digest
    del bench.there.blobs[payload]
    audited = bench.audit()
    assert found(audited) == [(Kind.MISSING_BLOB, f"{LOCAL_NGINX}@{payload}")]
    assert incomplete(audited) == {by_tag(CHILD, SIGNATURES)}


def test_a_referrer_that_its_list_names_and_nobody_has_is_missing(bench: Bench) -> None:
    del bench.there.manifests[SBOM.digest]
    audited = bench.audit()
    assert found(audited) == [(Kind.MISSING_CHILD, f"{LOCAL_NGINX}@{SBOM.digest}")]
    assert incomplete(audited) == {by_tag(IMAGE.digest, REFERRERS)}


def test_other_bytes_of_an_attachment_are_found_by_a_deep_audit(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cancellation, "wait", lambda self, _seconds: self.check())
    blob = SBOM.root.successors()[1]
    bench.there.blobs[blob.digest] = b"x" * blob.size_bytes
    assert bench.audit().exit_code == 0
    deep = audit(make_spec(RULE), DeepLooking(bench.stores, Meter(), bench.cancellation), bench.tasks)
    assert found(deep) == [(Kind.OTHER_BYTES, f"{LOCAL_NGINX}@{blob.digest}")]


def unite_there(bench: Bench, *signers: str) -> MadeImage:
    """Let the destination have signatures of its own before those of the source."""
    own = push_image(bench.there, make_signature(IMAGE.digest, *signers))
    tag = tag_of(IMAGE.digest, SIGNATURES)
    united = unite(own.root, make_signature(IMAGE.digest, "alice").root)
    bench.there.manifests[united.digest] = united
    bench.there.tags[tag] = united.digest
    config = united.successors()[0]
    bench.there.blobs[config.digest] = config.data or b""
    return own


def test_a_tag_that_was_united_is_right_where_it_has_all_that_the_source_has(bench: Bench) -> None:
    unite_there(bench, "bob")
    assert found(bench.audit()) == []


def test_of_a_tag_that_was_united_only_what_the_source_has_is_promised(bench: Bench) -> None:
    own, sbom = make_referrer(IMAGE.root, "own"), tag_of(IMAGE.digest, REFERRERS)
    united = list_of(own, SBOM)
    bench.there.manifests[united.digest] = united.root
    bench.there.tags[sbom] = united.digest
    assert found(bench.audit()) == []
    del bench.there.manifests[SBOM.digest]
    assert found(bench.audit()) == [(Kind.MISSING_CHILD, f"{LOCAL_NGINX}@{SBOM.digest}")]


def test_a_signature_that_a_united_tag_lacks_is_missing_and_those_it_has_are_looked_at(bench: Bench) -> None:
    tag = tag_of(IMAGE.digest, SIGNATURES)
    push_image(bench.source, make_signature(IMAGE.digest, "alice", "carol"), tag)
    payload = make_signature(IMAGE.digest, "alice").root.successors()[1].digest
    del bench.there.blobs[payload]
    audited = bench.audit()
    assert found(audited) == [
        (Kind.MISSING_ATTACHMENT, str(by_tag(*WHOLE))),
        (Kind.MISSING_BLOB, f"{LOCAL_NGINX}@{payload}"),
    ]
    assert "1 signature, in" in next(iter(audited.findings())).reason


def test_a_signature_of_an_sbom_that_has_not_arrived_is_missing(bench: Bench) -> None:
    tag = tag_of(SBOM.digest, SIGNATURES)
    push_image(bench.source, make_signature(SBOM.digest, "alice"), tag)
    assert found(bench.audit()) == [(Kind.MISSING_ATTACHMENT, f"{LOCAL_NGINX}:{tag}")]


def test_of_a_child_that_is_missing_the_signatures_are_looked_for_all_the_same(bench: Bench) -> None:
    del bench.there.manifests[CHILD]
    del bench.there.tags[tag_of(CHILD, SIGNATURES)]
    assert [kind for kind, _ in found(bench.audit())] == [Kind.MISSING_CHILD, Kind.MISSING_ATTACHMENT]


def test_of_a_tag_that_is_wrong_nothing_that_speaks_of_it_is_looked_for(bench: Bench) -> None:
    for tag in ("latest", "again"):
        del bench.there.tags[Tag(tag)]
    del bench.there.tags[tag_of(IMAGE.digest, SIGNATURES)]
    assert {kind for kind, _ in found(bench.audit())} == {Kind.MISSING_TAG}
    assert bench.source.called("list_tags") == []


def test_a_source_that_does_not_say_what_it_has_leaves_the_promise_open(bench: Bench) -> None:
    bench.source.failures["list_tags", ""] = [NetworkError("no route", is_transient=False)]
    audited = bench.audit()
    assert {kind for kind, _ in found(audited)} == {Kind.UNREADABLE}
    assert audited.exit_code == 1
    assert all(finding.reason.startswith("attachments: source") for finding in audited.findings())


def test_each_destination_is_looked_at_by_itself(bench: Bench) -> None:
    other = Repository("localhost:5000", "other")
    push_image(bench.stores[other], IMAGE, "latest", "again")
    rule = replace(RULE, destinations=(LOCAL_NGINX, other))
    audited = audit(make_spec(rule), Looking(bench.stores), bench.tasks)
    assert {subject.partition(":sha256")[0] for _, subject in found(audited)} == {str(other)}
    assert len(found(audited)) == 3


def test_a_destination_that_refuses_to_say_leaves_the_promise_open(bench: Bench) -> None:
    """Decisions 22: a plan tries, an audit does not take it for absent."""
    refused = AuthenticationError("denied")
    refused.is_refusal = True
    bench.there.failures["resolve", tag_of(IMAGE.digest, SIGNATURES)] = [refused]
    audited = bench.audit()
    assert {kind for kind, _ in found(audited)} == {Kind.UNREADABLE}
    assert all(finding.reason.startswith("attachments: ") for finding in audited.findings())

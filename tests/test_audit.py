"""The audit: what it finds of a destination in memory, how often it asks, and that it trusts nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from imagesync.audit import DeepLooking, Looking, audit
from imagesync.cancellation import Cancellation
from imagesync.errors import AuthenticationError, Cancelled, IntegrityError, NetworkError
from imagesync.manifest import MAX_DEPTH, Content, Manifest
from imagesync.plan.findings import Audit, Kind
from imagesync.reference import Tag
from imagesync.spec.model import OnEmpty, Rule
from imagesync.tasks import Tasks
from imagesync.transfer.meter import Meter
from tests.fakes.memory import MemoryRepository, MemoryStores
from tests.plan.values import (
    HUB_NGINX,
    LOCAL_NGINX,
    make_immutable,
    make_index,
    make_manifest,
    make_rule,
    make_spec,
)

LAYERS = (("base", "amd"), ("base", "arm"), ("other",))
AMD, ARM, OTHER = (make_manifest(*layers) for layers in LAYERS)
INDEX = make_index(AMD, ARM)
ASKED = ("resolve", "fetch_manifest", "blob_size", "list_tags")


def bytes_of(*layers: str) -> list[bytes]:
    return [text.encode() for text in (f"config {' '.join(layers)}", *layers)]


BYTES = {
    blob.digest: body
    for content, layers in zip((AMD, ARM, OTHER), LAYERS, strict=True)
    for blob, body in zip(content.successors(), bytes_of(*layers), strict=True)
}


@dataclass
class Bench:
    """A source and a destination that hold the same, until a test takes something away."""

    stores: MemoryStores
    tasks: Tasks
    cancellation: Cancellation

    @property
    def there(self) -> MemoryRepository:
        return self.stores[LOCAL_NGINX]

    def put(self, tag: str, root: Content, *below: Content) -> None:
        for repository in (self.stores[HUB_NGINX], self.there):
            repository.put(tag, root, *below)
            for content in (root, *below):
                if isinstance(content, Manifest):
                    repository.blobs.update((blob.digest, BYTES[blob.digest]) for blob in content.successors())

    def audit(self, *rules: Rule) -> Audit:
        return audit(make_spec(*rules), Looking(self.stores), self.tasks)

    def deep_audit(self, *rules: Rule) -> Audit:
        return audit(make_spec(*rules), DeepLooking(self.stores, Meter(), self.cancellation), self.tasks)


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cancellation, "wait", lambda self, _seconds: self.check())


@pytest.fixture(params=[1, 8])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    stores, cancellation = MemoryStores(), Cancellation()
    tasks = Tasks(workers=request.param, hosts=stores, cancellation=cancellation)
    yield Bench(stores, tasks, cancellation)
    tasks.close()


def kinds(found: Audit) -> list[Kind]:
    return [finding.kind for finding in found.findings()]


def only_reason(found: Audit) -> str:
    (finding,) = found.findings()
    return finding.reason


def test_a_whole_copy_is_as_promised(bench: Bench) -> None:
    bench.put("latest", INDEX, AMD, ARM)
    for found in (bench.audit(make_rule()), bench.deep_audit(make_rule())):
        assert (found.exit_code, kinds(found)) == (0, [])
        assert (found.manifests, found.blobs) == (3, 5)
        (tag,) = found.tags
        assert (tag.subject, str(tag.source)) == ("localhost:5000/nginx:latest", f"{HUB_NGINX}:latest@{INDEX.digest}")


def test_nothing_is_written_and_no_blob_is_read_unless_it_is_asked_for(bench: Bench) -> None:
    bench.put("latest", INDEX, AMD, ARM)
    bench.audit(make_rule())
    assert bench.there.writes() == []
    assert bench.there.called("fetch_blob") == bench.stores[HUB_NGINX].called("fetch_blob") == []


def test_the_source_is_asked_for_tags_alone(bench: Bench) -> None:
    bench.put("latest", INDEX, AMD, ARM)
    bench.deep_audit(make_rule())
    assert {name for name, _ in bench.stores[HUB_NGINX].calls} == {"resolve"}


def test_each_manifest_and_blob_is_asked_for_once_however_many_tags_need_it(bench: Bench) -> None:
    tags = [f"t{number}" for number in range(10)]
    for tag in tags:
        bench.put(tag, INDEX, AMD, ARM)
    bench.deep_audit(make_rule(*tags))
    assert sorted(bench.there.called("fetch_manifest")) == sorted(node.digest for node in (INDEX, AMD, ARM))
    for method in ("blob_size", "fetch_blob"):
        asked = bench.there.called(method)
        assert (len(asked), len(set(asked))) == (5, 5)


def test_a_tag_that_is_not_there_is_missing(bench: Bench) -> None:
    bench.put("latest", INDEX, AMD, ARM)
    del bench.there.tags[Tag("latest")]
    found = bench.audit(make_rule())
    assert (kinds(found), found.exit_code) == ([Kind.MISSING_TAG], 2)


def test_a_tag_with_another_digest_says_both_and_is_not_looked_into(bench: Bench) -> None:
    bench.put("latest", AMD)
    bench.there.put("latest", OTHER)
    found = bench.audit(make_rule())
    assert kinds(found) == [Kind.OTHER_DIGEST]
    assert only_reason(found) == f"the tag has {OTHER.digest.short}, the source has {AMD.digest.short}"
    assert bench.there.called("fetch_manifest") == []


def test_a_child_that_is_not_there_is_missing_and_the_others_are_looked_at(bench: Bench) -> None:
    bench.put("latest", INDEX, AMD, ARM)
    del bench.there.manifests[AMD.digest]
    found = bench.audit(make_rule())
    assert kinds(found) == [Kind.MISSING_CHILD]
    assert next(iter(found.findings())).subject == f"{LOCAL_NGINX}@{AMD.digest}"
    assert set(bench.there.called("blob_size")) == {blob.digest for blob in ARM.successors()}


def test_a_blob_that_is_not_there_is_missing_to_every_tag_that_needs_it(bench: Bench) -> None:
    bench.put("latest", INDEX, AMD, ARM)
    bench.put("amd", AMD)
    bench.put("other", OTHER)
    del bench.there.blobs[AMD.successors()[0].digest]
    found = bench.audit(make_rule("latest", "amd", "other"))
    assert kinds(found) == [Kind.MISSING_BLOB]
    (tags,) = found.findings().values()
    assert [tag.subject for tag in tags] == ["localhost:5000/nginx:amd", "localhost:5000/nginx:latest"]
    assert [tag.subject for tag in found.broken] == [tag.subject for tag in tags]


def test_a_blob_of_another_size_says_both_sizes(bench: Bench) -> None:
    bench.put("latest", AMD)
    blob = AMD.successors()[0]
    bench.there.blobs[blob.digest] += b"!"
    found = bench.audit(make_rule())
    assert kinds(found) == [Kind.OTHER_SIZE]
    assert only_reason(found) == f"the blob has {blob.size_bytes + 1} bytes, its manifest says {blob.size_bytes}"


def test_only_a_deep_audit_finds_a_blob_with_other_bytes(bench: Bench) -> None:
    bench.put("latest", AMD)
    blob = AMD.successors()[0]
    bench.there.blobs[blob.digest] = b"x" * blob.size_bytes
    assert bench.audit(make_rule()).exit_code == 0
    found = bench.deep_audit(make_rule())
    assert (kinds(found), found.exit_code) == ([Kind.OTHER_BYTES], 2)
    assert "bytes that hash to" in only_reason(found)
    assert bench.there.called("fetch_blob").count(blob.digest) == 2


def test_a_blob_that_is_wrong_only_the_first_time_is_right(bench: Bench) -> None:
    bench.put("latest", AMD)
    blob = AMD.successors()[0]
    bench.there.failures["fetch_blob", blob.digest] = [IntegrityError("cut"), NetworkError("cut")]
    assert bench.deep_audit(make_rule()).exit_code == 0


def test_a_manifest_with_other_bytes_is_found(bench: Bench) -> None:
    bench.put("latest", INDEX, AMD, ARM)
    wrong = IntegrityError("the manifest hashes to something else")
    bench.there.failures["fetch_manifest", ARM.digest] = [wrong, wrong]
    found = bench.audit(make_rule())
    assert kinds(found) == [Kind.OTHER_BYTES]


@pytest.mark.parametrize(
    "asked",
    [
        ("resolve", "latest"),
        ("fetch_manifest", INDEX.digest),
        ("blob_size", ARM.successors()[0].digest),
        ("fetch_blob", ARM.successors()[1].digest),
    ],
)
def test_what_cannot_be_read_is_worth_exit_code_1_before_any_finding(bench: Bench, asked: tuple[str, str]) -> None:
    bench.put("latest", INDEX, AMD, ARM)
    bench.put("gone", OTHER)
    del bench.there.tags[Tag("gone")]
    bench.there.failures[asked] = [NetworkError("no route", is_transient=False)]
    found = bench.deep_audit(make_rule("latest", "gone"))
    assert sorted(kind.value for kind in kinds(found)) == ["missing tag", "not readable"]
    assert found.exit_code == 1
    assert any("destination" in finding.reason and "no route" in finding.reason for finding in found.findings())


def test_a_destination_that_refuses_to_say_is_not_readable(bench: Bench) -> None:
    """Decisions 22: a plan tries, an audit does not take it for absent."""
    bench.put("latest", AMD)
    refused = AuthenticationError("denied")
    refused.is_refusal = True
    bench.there.failures["resolve", "latest"] = [refused]
    assert kinds(bench.audit(make_rule())) == [Kind.UNREADABLE]


def test_a_source_that_lacks_the_tag_leaves_open_what_it_should_be(bench: Bench) -> None:
    bench.put("latest", AMD)
    del bench.stores[HUB_NGINX].tags[Tag("latest")]
    found = bench.audit(make_rule())
    assert kinds(found) == [Kind.UNREADABLE]
    assert only_reason(found) == "source docker.io/library/nginx:latest: not found, so nobody knows what it should be"


def test_a_list_that_is_trusted_is_not_trusted_here(bench: Bench) -> None:
    """Decisions 10."""
    bench.put("latest", AMD)
    bench.there.put("latest", OTHER)
    found = bench.audit(make_rule(immutable=make_immutable("*", trusts_list=True)))
    assert kinds(found) == [Kind.OTHER_DIGEST]
    assert bench.there.called("list_tags") == []


def test_tags_that_cannot_be_listed_are_a_finding_with_the_reason(bench: Bench) -> None:
    bench.stores[HUB_NGINX].failures["list_tags", ""] = [NetworkError("no route", is_transient=False)]
    found = bench.audit(make_rule("1.*"))
    assert (kinds(found), found.exit_code) == ([Kind.UNREADABLE], 1)
    assert "tags cannot be listed" in only_reason(found)


def test_a_selection_that_may_be_empty_and_is_promises_nothing(bench: Bench) -> None:
    found = bench.audit(make_rule("1.*", on_empty=OnEmpty.WARN))
    assert (found.tags, found.exit_code) == ((), 0)


def test_an_index_that_is_nested_too_deeply_is_given_up(bench: Bench) -> None:
    nested: list[Content] = [AMD]
    for _ in range(MAX_DEPTH):
        nested.append(make_index(nested[-1], architectures=["amd64"]))
    bench.put("latest", nested[-1], *nested[:-1])
    found = bench.audit(make_rule())
    assert kinds(found) == [Kind.UNREADABLE]
    assert "nested too deeply" in only_reason(found)


def test_indexes_that_tags_have_below_each_other_need_no_recursion(bench: Bench) -> None:
    """Each is a root of its own: together they are deeper than any of them may be."""
    nested: list[Content] = [AMD]
    for _ in range(MAX_DEPTH - 1):
        nested.append(make_index(nested[-1], architectures=["amd64"]))
    for number, content in enumerate(nested):
        bench.put(f"t{number}", content)
    found = bench.audit(make_rule(*(f"t{number}" for number in range(len(nested)))))
    assert (found.exit_code, found.manifests) == (0, len(nested))


def test_content_that_a_manifest_embeds_has_to_be_there_as_well(bench: Bench) -> None:
    layer = replace(AMD.successors()[1], data=BYTES[AMD.successors()[1].digest])
    assert isinstance(AMD, Manifest)
    embedding = replace(AMD, layers=(layer, *AMD.layers[1:]))
    bench.put("latest", embedding)
    del bench.there.blobs[layer.digest]
    assert kinds(bench.audit(make_rule())) == [Kind.MISSING_BLOB]


def test_an_audit_that_is_stopped_says_so(bench: Bench) -> None:
    bench.put("latest", AMD)
    bench.cancellation.cancel("interrupted")
    with pytest.raises(Cancelled):
        bench.audit(make_rule())

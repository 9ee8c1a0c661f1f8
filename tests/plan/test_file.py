"""The plan file: there and back, and what it refuses."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from imagesync.errors import PlanFileError
from imagesync.manifest import MAX_DEPTH, OCI_INDEX, OCI_MANIFEST, Content, digest_of, parse_manifest
from imagesync.plan.actions import Attach, Blocked, Copy, Failure, Keep, Plan, Skip, SpecPin
from imagesync.plan.attachments import tag_of
from imagesync.plan.conformity import check_same_spec, check_yielded
from imagesync.plan.diff import diff
from imagesync.plan.file import plan_from_json, plan_to_json, schema_text
from imagesync.plan.following import UpstreamMoved
from imagesync.plan.inventory import Attachment, Pair
from imagesync.plan.review import approved_by, review
from imagesync.plan.summary import summarise
from imagesync.plan.wants import make_wants
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.selection import Newest, Order, Ordering, Retag, TagFilter, VersionRange, Versions
from imagesync.spec.model import ALL_ATTACHMENTS, AttachmentType, Rule, SpecFile
from tests.plan.values import (
    HUB_NGINX,
    LOCAL_NGINX,
    PLACE,
    make_index,
    make_inventory,
    make_manifest,
    make_reference,
    make_rule,
    make_spec,
)

CHILDREN = make_manifest("base", "amd"), make_manifest("base", "ärm")
INDEX = make_index(*CHILDREN)
OLD = make_manifest("old")
SPECS = (SpecPin("sync.yaml", "0" * 64),)


def make_plan() -> Plan:
    wants = make_wants([make_rule("1.27", "latest")], {})
    heads = {
        make_reference(HUB_NGINX, "1.27"): INDEX,
        make_reference(HUB_NGINX, "latest"): INDEX,
        make_reference(LOCAL_NGINX, "1.27"): INDEX,
        make_reference(LOCAL_NGINX, "latest"): OLD,
    }
    plan = diff(wants, make_inventory(heads, contents=CHILDREN), SPECS)
    more = (
        Skip(rule="bases/redis", place=PLACE, subject="docker.io/library/redis", reason="nothing selected"),
        Failure(
            rule="bases/app", place=PLACE, subject="a.example/app:1", reason="refused", kind="network", hint="wait"
        ),
    )
    return replace(plan, actions=plan.actions + more)


def test_a_plan_comes_back_the_same() -> None:
    plan = make_plan()
    again = plan_from_json(plan_to_json(plan), name="plan.json")
    assert again == replace(plan, from_file=True)
    assert again.contents[INDEX.digest].raw == INDEX.raw


def test_a_blocked_copy_comes_back_blocked() -> None:
    blocked = review(make_plan(), (lambda _: "not today",)).plan
    again = plan_from_json(plan_to_json(blocked), name="plan.json")
    assert [type(action) for action in again.actions] == [Keep, Blocked, Skip, Failure]


def test_what_a_server_said_stands_in_it_without_what_a_terminal_obeys() -> None:
    """S26: whoever looks at a plan file has it printed."""
    failure = Failure(
        rule="a", place=PLACE, subject="a/b:1", reason="there is \u202e\x9b2J", kind="not-found", hint=None
    )
    text = plan_to_json(Plan((failure,)))
    assert text.isascii()
    assert "there is \\u202e\\u009b2J" in text


def test_the_text_is_stable_and_counts_its_changes() -> None:
    first, second = plan_to_json(make_plan()), plan_to_json(make_plan())
    assert first == second
    assert json.loads(first)["summary"]["changes"] == 1


def test_the_published_schema_is_draft_07() -> None:
    assert json.loads(schema_text())["$schema"] == "http://json-schema.org/draft-07/schema#"


def edited(change: Callable[[dict[str, Any]], object]) -> str:
    document = json.loads(plan_to_json(make_plan()))
    change(document)
    return json.dumps(document)


def copy_of(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(action for action in document["actions"] if action["action"] == "copy")
    return found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format_version=3), "format_version 3, this imagesync reads 1 and 2"),
        (lambda d: d.pop("specs"), "damaged"),
        (lambda d: d["actions"].append({"action": "explode"}), r"damaged at actions"),
        (lambda d: copy_of(d).pop("destination"), "damaged at actions"),
        (lambda d: copy_of(d)["destination"].update(tag=None), "lacks its digest or its tag"),
        (lambda d: copy_of(d)["destination"].update(tag="not a tag"), "is not a tag"),
        (lambda d: copy_of(d)["source"].update(digest="sha256:" + "0" * 64), "lacks its manifest"),
        (lambda d: copy_of(d)["missing"].append("sha256:" + "0" * 64), "does not fit its manifests"),
        (lambda d: d["manifests"].pop(CHILDREN[0].digest), "does not fit its manifests"),
        (lambda d: d["manifests"][INDEX.digest].update(content=OLD.raw.decode()), "hashes to"),
    ],
)
def test_a_damaged_file_is_refused(change: Callable[[dict[str, Any]], object], message: str) -> None:
    with pytest.raises(PlanFileError, match=message):
        plan_from_json(edited(change), name="plan.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format_version": NaN}', "[" * 100_000])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(PlanFileError):
        plan_from_json(text, name="plan.json")


def test_a_plan_of_this_spec_conforms() -> None:
    spec = make_spec(make_rule("1.*", "latest"))
    check_same_spec(make_plan(), spec)
    check_yielded(make_plan(), spec)


def test_another_spec_is_refused_by_its_hash() -> None:
    spec = replace(make_spec(make_rule("latest")), files=(SpecFile("sync.yaml", "1" * 64),))
    with pytest.raises(PlanFileError, match=r"sync.yaml has changed since the plan was made"):
        check_same_spec(make_plan(), spec)


@pytest.mark.parametrize(
    "rule",
    [
        make_rule("1.27"),
        make_rule("latest", source=Repository("quay.io", "nginx")),
        make_rule("latest", destinations=[Repository("other.example", "nginx")]),
        make_rule("latest", retag=Retag("{tag}-x")),
        make_rule("latest", retag=Retag("{major}")),
        make_rule("latest", digest=OLD.digest),
    ],
)
def test_a_copy_that_no_rule_yields_is_refused(rule: object) -> None:
    """An edited file cannot widen itself."""
    with pytest.raises(PlanFileError, match=r"no rule of the spec yields docker.io/library/nginx:latest@sha256"):
        check_yielded(make_plan(), make_spec(rule))  # type: ignore[arg-type]


def test_a_copy_conforms_to_a_selection_that_only_the_whole_list_decides() -> None:
    """The list is not in the file: what floats, and what is among the newest, is not judged again."""
    newest = TagFilter((Newest(1, Ordering(Order.ALPHABETICAL)),))
    check_yielded(make_plan(), make_spec(make_rule(tag_filter=newest)))
    versions = TagFilter((Versions(VersionRange.parse("*")),))
    with pytest.raises(PlanFileError, match=r"no rule of the spec yields"):
        check_yielded(make_plan(), make_spec(make_rule(tag_filter=versions)))


def test_approval_holds_for_the_same_copy_alone() -> None:
    """`--approved`: destination, source digest and replaced digest."""
    approved = plan_from_json(plan_to_json(make_plan()), name="plan.json")
    reviewer = approved_by(approved)
    (copy,) = make_plan().copies()
    assert reviewer(copy) is None
    assert reviewer(replace(copy, replaces=None)) == "not in the approved plan"
    assert reviewer(replace(copy, root=OLD.descriptor)) == "not in the approved plan"
    assert reviewer(replace(copy, destination=make_reference(LOCAL_NGINX, str(Tag("other"))))) is not None


def test_review_blocks_with_all_the_reasons() -> None:
    reviewed = review(make_plan(), (lambda _: "first", lambda _: None, lambda _: "second"))
    (blocked,) = [action for action in reviewed.plan.actions if isinstance(action, Blocked)]
    assert blocked.reason == "first; second"
    assert reviewed.plan.copies() == ()


def attached() -> tuple[Plan, Rule]:
    """A plan that attaches a signature and a referrer to a tag that stays, and a signature to a new one."""
    signature, referrer = make_manifest("signature"), make_manifest("referrer")
    rule = replace(make_rule("1.27", "latest"), attachments=ALL_ATTACHMENTS)
    pair = Pair(HUB_NGINX, LOCAL_NGINX, ALL_ATTACHMENTS)
    tag, digest = tag_of(INDEX.digest, AttachmentType.SIGNATURES), referrer.digest
    source = Reference(HUB_NGINX, tag, signature.digest)
    found = (
        Attachment(AttachmentType.SIGNATURES, source, Reference(LOCAL_NGINX, tag), OLD.digest, 1),
        Attachment(
            AttachmentType.REFERRERS,
            Reference(HUB_NGINX, None, digest),
            Reference(LOCAL_NGINX, None, digest),
            None,
            1,
        ),
    )
    heads = {
        make_reference(HUB_NGINX, "1.27"): INDEX,
        make_reference(HUB_NGINX, "latest"): INDEX,
        make_reference(LOCAL_NGINX, "1.27"): INDEX,
        make_reference(LOCAL_NGINX, "latest"): None,
    }
    inventory = make_inventory(heads, contents=(*CHILDREN, signature, referrer))
    return diff(make_wants([rule], {}), replace(inventory, attachments={pair: found}), SPECS), rule


def test_attachments_come_back_the_same_and_conform() -> None:
    plan, rule = attached()
    attach, copy = plan.actions
    assert isinstance(attach, Attach)
    assert isinstance(copy, Copy)
    assert attach.note == copy.note == "1 signature, 1 referrer to add"
    again = plan_from_json(plan_to_json(plan), name="plan.json")
    assert again == replace(plan, from_file=True)
    check_yielded(again, make_spec(rule))
    assert summarise(plan).changes == 2
    assert summarise(plan).attach == 1


def test_a_blocked_attachment_comes_back_as_one() -> None:
    plan = review(attached()[0], (lambda _: "no",)).plan
    assert [type(action) for action in plan.actions] == [Blocked, Blocked]
    assert plan_from_json(plan_to_json(plan), name="plan.json") == replace(plan, from_file=True, contents=plan.contents)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one["source"].update(path="library/redis"),
        lambda one: one["destination"].update(path="redis"),
        lambda one: one["destination"].update(tag="latest"),
        lambda one: one["destination"].update(tag=tag_of(OLD.digest, AttachmentType.SIGNATURES)),
        lambda one: one["source"].update(tag=None),
    ],
)
def test_an_attachment_that_goes_another_way_than_its_image_is_refused(
    change: Callable[[dict[str, Any]], None],
) -> None:
    """An edited file cannot write to other tags."""
    plan, rule = attached()
    document = json.loads(plan_to_json(plan))
    change(document["actions"][0]["attachments"][0])
    edited_plan = plan_from_json(json.dumps(document), name="plan.json")
    with pytest.raises(PlanFileError, match="no rule of the spec yields"):
        check_yielded(edited_plan, make_spec(rule))


def test_attachments_that_the_spec_leaves_out_are_refused() -> None:
    plan, rule = attached()
    with pytest.raises(PlanFileError, match="no rule of the spec yields"):
        check_yielded(plan, make_spec(replace(rule, attachments=frozenset({AttachmentType.SIGNATURES}))))


def test_approval_holds_for_no_attachment_more() -> None:
    """Decisions 8: one that came later waits for the next plan."""
    attach, copy = attached()[0].actions
    assert isinstance(attach, Attach)
    assert isinstance(copy, Copy)
    fewer = replace(copy, attachments=copy.attachments[:1])
    assert approved_by(Plan((copy,)))(fewer) is None
    assert approved_by(Plan((fewer,)))(copy) == "has attachments that are not in the approved plan"
    assert approved_by(Plan((attach,)))(attach) is None
    assert approved_by(Plan((copy,)))(attach) == "not in the approved plan"


def make_nested(depth: int) -> tuple[Content, ...]:
    """A chain of indexes, the root last, over one manifest: `depth` manifests deep."""
    nodes: list[Content] = [make_manifest("base")]
    while len(nodes) < depth:
        nodes.append(make_index(nodes[-1]))
    return tuple(nodes)


def planned(*contents: Content) -> str:
    """A plan file that copies the last of these."""
    heads = {make_reference(HUB_NGINX, "latest"): contents[-1], make_reference(LOCAL_NGINX, "latest"): None}
    plan = diff(make_wants([make_rule("latest")], {}), make_inventory(heads, contents=contents[-1:]), SPECS)
    return plan_to_json(replace(plan, contents={content.digest: content for content in contents}))


def test_indexes_are_read_as_deep_as_a_survey_reads_them() -> None:
    plan = plan_from_json(planned(*make_nested(MAX_DEPTH)), name="plan.json")
    assert len(plan.contents) == MAX_DEPTH


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 1500])
def test_indexes_nested_too_deeply_are_refused(depth: int) -> None:
    with pytest.raises(PlanFileError, match="nested more than 4 levels deep"):
        plan_from_json(planned(*make_nested(depth)), name="plan.json")


def test_content_inside_the_file_is_not_copied() -> None:
    """A file could bring what the source never had; the manifest's bytes stay as they are."""
    blob = {"mediaType": "text/plain", "digest": digest_of(b"hi"), "size": 2, "data": "aGk="}
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": blob, "layers": [blob]}
    child = parse_manifest(json.dumps(manifest).encode())
    entry = {"mediaType": OCI_MANIFEST, "digest": child.digest, "size": len(child.raw)}
    entries = [
        entry | {"data": base64.b64encode(child.raw).decode()},
        blob | {"digest": digest_of(b"ho"), "data": "aG8="},
    ]
    root = parse_manifest(json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode())
    assert any(found.data for found in root.successors())

    plan = plan_from_json(planned(child, root), name="plan.json")

    (copy,) = plan.copies()
    used = [*copy.missing, *(found for content in plan.contents.values() for found in content.successors())]
    assert [found.data for found in used] == [None] * 4
    assert plan.contents[root.digest].raw == root.raw


@pytest.mark.parametrize("kind", ["copy", "blocked"])
def test_two_copies_to_one_tag_are_refused(kind: str) -> None:
    def twice(document: dict[str, Any]) -> None:
        document["actions"].append(copy_of(document) | ({"action": kind, "reason": "x"} if kind == "blocked" else {}))

    with pytest.raises(PlanFileError, match="two copies to localhost:5000/nginx:latest"):
        plan_from_json(edited(twice), name="plan.json")


@pytest.mark.parametrize("now", [None, OLD.digest])
def test_where_the_source_of_a_locked_tag_went_comes_back(now: Digest | None) -> None:
    plan = make_plan()
    told = tuple(
        replace(action, moved=UpstreamMoved(now)) for action in plan.actions if isinstance(action, Copy | Keep)
    )
    assert [type(action) for action in told] == [Keep, Copy]
    assert plan_from_json(plan_to_json(replace(plan, actions=told)), name="plan.json").actions == told

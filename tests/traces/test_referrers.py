"""Referrers travel: from lists that registries make, into lists under tags that others write too, and of each other."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from imagesync.manifest import MAX_DEPTH
from imagesync.plan.attachments import tag_of
from imagesync.plan.conformity import check_yielded
from imagesync.plan.file import plan_from_json, plan_to_json
from imagesync.plan.outcome import Status
from imagesync.reference import Repository, Tag
from imagesync.registry import RemoteRepository
from tests.images import (
    descriptor_of,
    list_of,
    make_artifact,
    make_image,
    make_referrer,
    push_image,
)
from tests.traces.attaching import IMAGE, REFERRERS, SIGNATURES, attach, sign, statuses, there, without_api
from tests.traces.harness import Sync, kinds


def test_the_destinations_own_referrers_stay(classic: Sync) -> None:
    """RFR-06, RFR-04: merged, and a second run adds nothing."""
    classic.fill(IMAGE, "latest")
    classic.apply("latest")
    ours, theirs = make_referrer(IMAGE.root, "ours"), make_referrer(IMAGE.root, "theirs")
    attach(classic.destination.repository("mirror/app"), IMAGE.digest, ours)
    attach(classic.source.repository("app"), IMAGE.digest, theirs)
    assert statuses(classic.apply("latest")) == [Status.ATTACHED]
    tag = tag_of(IMAGE.digest, REFERRERS)
    assert [entry.digest for entry in there(classic, tag).root.successors()] == [ours.digest, theirs.digest]
    assert statuses(classic.apply("latest")) == [Status.UNCHANGED]
    assert classic.destination.log.lines("PUT") == []


def test_a_wrong_artifact_type_in_a_list_of_referrers_keeps_nothing_back(classic: Sync) -> None:
    """Decisions 25: cosign writes a wrong one."""
    classic.fill(IMAGE, "latest")
    sbom = make_referrer(IMAGE.root)
    listed = list_of(sbom, artifactType="application/vnd.oci.image.config.v1+json")
    push_image(classic.source.repository("app"), listed, tag_of(IMAGE.digest, REFERRERS))
    classic.apply("latest")
    assert there(classic, sbom.digest).root.raw == sbom.root.raw


def test_another_writer_of_the_same_tag_keeps_its_entry_and_so_do_we(
    classic: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFR-05: somebody who has read the tag before us writes it right after us."""
    classic.fill(IMAGE, "latest")
    classic.apply("latest")
    ours, theirs = make_referrer(IMAGE.root, "ours"), make_referrer(IMAGE.root, "theirs")
    attach(classic.source.repository("app"), IMAGE.digest, ours)
    tag = tag_of(IMAGE.digest, REFERRERS)
    _after_next_put(monkeypatch, lambda: attach(classic.destination.repository("mirror/app"), IMAGE.digest, theirs))
    assert statuses(classic.apply("latest")) == [Status.ATTACHED]
    assert [entry.digest for entry in there(classic, tag).root.successors()] == [theirs.digest, ours.digest]


def test_a_tag_that_others_write_all_the_time_is_given_up_after_five_tries(
    classic: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    classic.fill(IMAGE, "latest")
    classic.apply("latest")
    attach(classic.source.repository("app"), IMAGE.digest, make_referrer(IMAGE.root, "ours"))
    store, count = classic.destination.repository("mirror/app"), iter(range(99))
    other = _Again(lambda: attach(store, IMAGE.digest, make_referrer(IMAGE.root, f"other {next(count)}")))
    other.after_each_put(monkeypatch)
    (outcome,) = classic.apply("latest")
    assert (outcome.status, "5 times in a row" in outcome.reason) == (Status.FAILED, True)
    assert outcome.hint == "apply again when they are done"
    assert len(classic.destination.log.entries("PUT", f"/manifests/{tag_of(IMAGE.digest, REFERRERS)}$")) == 5


class _Again:
    """Another writer, who comes after each of our writes of a list of referrers."""

    def __init__(self, write: Callable[[], object], times: int = 99) -> None:
        self._write = write
        self._left = times

    def after_each_put(self, monkeypatch: pytest.MonkeyPatch) -> None:
        push = RemoteRepository.push_manifest

        def pushed(store: RemoteRepository, content: object, tag: Tag | None = None) -> None:
            push(store, content, tag)  # type: ignore[arg-type]
            if tag is not None and tag.startswith("sha256-") and self._left:
                self._left -= 1
                self._write()

        monkeypatch.setattr(RemoteRepository, "push_manifest", pushed)


def _after_next_put(monkeypatch: pytest.MonkeyPatch, write: Callable[[], object]) -> None:
    _Again(write, times=1).after_each_put(monkeypatch)


def test_a_list_of_referrers_that_is_an_image_is_left_alone(classic: Sync) -> None:
    """RFR-02."""
    classic.fill(IMAGE, "latest")
    classic.apply("latest")
    tag = tag_of(IMAGE.digest, REFERRERS)
    push_image(classic.destination.repository("mirror/app"), make_image("other"), tag)
    attach(classic.source.repository("app"), IMAGE.digest, make_referrer(IMAGE.root))
    (outcome,) = classic.apply("latest")
    assert (outcome.status, outcome.kind) == (Status.FAILED, "manifest")
    assert there(classic, tag).digest == make_image("other").digest


def test_a_source_tag_that_is_no_list_of_referrers_fails_its_image_and_says_what_to_do(classic: Sync) -> None:
    """RFR-02."""
    classic.fill(IMAGE, "latest")
    push_image(classic.source.repository("app"), make_image("other"), tag_of(IMAGE.digest, REFERRERS))
    (outcome,) = classic.apply("latest")
    assert outcome.status is Status.FAILED
    assert outcome.hint is not None
    assert outcome.hint.startswith("delete or rename that tag; `attachments: none` ")


def test_a_tag_list_that_is_refused_fails_the_image_and_names_the_way_without(classic: Sync) -> None:
    classic.fill(IMAGE, "latest")
    classic.source.script("GET", "/tags/list", status=400)
    (outcome,) = classic.apply("latest")
    assert outcome.status is Status.FAILED
    assert outcome.hint is not None
    assert "attachments: none" in outcome.hint


def test_referrers_that_a_registry_lists_are_copied_by_digest(modern: Sync) -> None:
    """RFR-01. One GET a digest at the source, and at the destination for what has any."""
    modern.fill(IMAGE, "latest")
    sbom = push_image(modern.source.repository("app"), make_referrer(IMAGE.root))
    assert statuses(modern.apply("latest")) == [Status.COPIED]
    assert there(modern, sbom.digest).root.raw == sbom.root.raw
    assert modern.destination.repository("mirror/app").list_tags() == ("latest",)
    assert statuses(modern.apply("latest")) == [Status.UNCHANGED]
    assert kinds(modern.source) == {"HEAD manifests": 1, "GET tags": 1, "GET referrers": 3}
    assert kinds(modern.destination) == {"HEAD manifests": 1, "GET referrers": 2}


def test_where_the_destination_lists_none_the_list_is_kept_under_a_tag(modern: Sync) -> None:
    """RFR-04: no duplicate on a second run. Two referrers of one image take turns at its tag."""
    without_api(modern.destination)
    modern.fill(IMAGE, "latest")
    sboms = [push_image(modern.source.repository("app"), make_referrer(IMAGE.root, seed)) for seed in ("a", "b")]
    assert statuses(modern.apply("latest")) == [Status.COPIED]
    listed = there(modern, tag_of(IMAGE.digest, REFERRERS)).root.successors()
    assert {entry.digest for entry in listed} == {sbom.digest for sbom in sboms}
    assert {entry.artifact_type for entry in listed} == {"application/vnd.example+json"}
    assert statuses(modern.apply("latest")) == [Status.UNCHANGED]
    assert modern.destination.log.lines("PUT") == []


def test_a_list_under_a_tag_becomes_one_of_the_registry(modern: Sync) -> None:
    """From a registry without the API to one that has it."""
    without_api(modern.source)
    modern.fill(IMAGE, "latest")
    sbom = make_referrer(IMAGE.root)
    attach(modern.source.repository("app"), IMAGE.digest, sbom)
    modern.apply("latest")
    with modern.session() as (stores, _, __):
        store = stores.destination(Repository(modern.destination_host, "mirror/app"))
        assert [entry.digest for entry in store.list_referrers(IMAGE.digest) or ()] == [sbom.digest]


@pytest.mark.parametrize("has_api", [True, False])
def test_a_signed_sbom_brings_its_signature(modern: Sync, has_api: bool) -> None:
    """RFR-07: attachments of attachments."""
    if not has_api:
        without_api(modern.source, modern.destination)
    modern.fill(IMAGE, "latest")
    store = modern.source.repository("app")
    sbom = make_referrer(IMAGE.root)
    attach(store, IMAGE.digest, sbom)
    proof = push_image(store, make_referrer(sbom.root, "proof"))
    attach(store, sbom.digest, proof)
    signature = sign(store, sbom.digest, "alice")
    assert statuses(modern.apply("latest")) == [Status.COPIED]
    for made in (sbom, proof):
        assert there(modern, made.digest).root.raw == made.root.raw
    assert there(modern, tag_of(sbom.digest, SIGNATURES)).digest == signature.digest
    assert statuses(modern.apply("latest")) == [Status.UNCHANGED]


def test_a_circle_of_referrers_is_followed_once(classic: Sync) -> None:
    """RFR-07: lists that name each other."""
    classic.fill(IMAGE, "latest")
    store = classic.source.repository("app")
    a, b = make_referrer(IMAGE.root, "a"), make_referrer(IMAGE.root, "b")
    attach(store, IMAGE.digest, a)
    attach(store, a.digest, b)
    attach(store, b.digest, a)
    assert statuses(classic.apply("latest")) == [Status.COPIED]
    assert there(classic, b.digest).root.raw == b.root.raw
    assert statuses(classic.apply("latest")) == [Status.UNCHANGED]


@pytest.mark.parametrize("links", [MAX_DEPTH, MAX_DEPTH + 1])
def test_a_chain_of_referrers_is_copied_whole_or_its_image_fails_and_says_why(classic: Sync, links: int) -> None:
    """RFR-07: a signature of what is nested too deeply is not left behind in silence."""
    classic.fill(IMAGE, "latest")
    chain = [IMAGE]
    for number in range(links):
        chain.append(make_referrer(chain[-1].root, f"link {number}"))
        attach(classic.source.repository("app"), chain[-2].digest, chain[-1])
    (outcome,) = classic.apply("latest")
    if links == MAX_DEPTH:
        assert outcome.status is Status.COPIED
        assert there(classic, chain[-1].digest).root.raw == chain[-1].root.raw
    else:
        assert outcome.status is Status.FAILED
        assert "what speaks of the image is nested more than 4 levels deep" in outcome.reason
        assert "`attachments: none`" in (outcome.hint or "")
        assert classic.destination.log.lines("PUT") == []


def test_what_a_registry_lists_and_that_speaks_of_something_else_is_no_referrer(modern: Sync) -> None:
    """RFR-07: a list is the server's word; the manifest says what it speaks of."""
    modern.fill(IMAGE, "latest")
    liar = push_image(modern.source.repository("app"), make_artifact("liar"))
    entry = descriptor_of(liar.root)
    body = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
    kind = {"Content-Type": "application/vnd.oci.image.index.v1+json"}
    modern.source.script("GET", "/referrers/", status=200, headers=kind, body=body)
    assert statuses(modern.apply("latest")) == [Status.COPIED]
    assert modern.destination.log.lines("PUT", f"/manifests/{liar.digest}") == []


def test_an_image_that_names_a_subject_itself_enters_the_list_of_that(classic: Sync) -> None:
    """RFR-04: a registry without the API does not do it, so whoever pushes the image has to. Others' entries stay."""
    subject = make_image("subject")
    own = make_referrer(subject.root, "own")
    attach(classic.destination.repository("mirror/app"), subject.digest, own)
    image = push_image(classic.source.repository("app"), make_referrer(subject.root, "image"), "latest")
    (outcome,) = classic.apply("latest")
    assert outcome.status is Status.COPIED
    listed = there(classic, tag_of(subject.digest, REFERRERS)).root
    assert [entry.digest for entry in listed.successors()] == [own.digest, image.digest]
    puts = [entry.path.rpartition("/")[2] for entry in classic.destination.log.entries("PUT", "/manifests/")]
    assert puts[-1] == "latest"
    assert statuses(classic.apply("latest")) == [Status.UNCHANGED]
    assert classic.destination.log.lines("PUT") == []


def test_an_image_that_names_a_subject_enters_no_list_that_a_registry_makes(modern: Sync) -> None:
    subject = make_image("subject")
    image = push_image(modern.source.repository("app"), make_referrer(subject.root), "latest")
    assert statuses(modern.apply("latest")) == [Status.COPIED]
    assert modern.destination.repository("mirror/app").list_tags() == ("latest",)
    assert statuses(modern.apply("latest")) == [Status.UNCHANGED]
    assert image.digest


def test_an_image_that_names_a_subject_enters_no_list_where_referrers_are_left_behind(classic: Sync) -> None:
    classic.attachments = frozenset({SIGNATURES})
    push_image(classic.source.repository("app"), make_referrer(make_image("subject").root), "latest")
    assert statuses(classic.apply("latest")) == [Status.COPIED]
    assert classic.destination.repository("mirror/app").list_tags() == ("latest",)


def test_a_saved_plan_keeps_that_an_image_enters_a_list(classic: Sync) -> None:
    subject = make_image("subject")
    push_image(classic.source.repository("app"), make_referrer(subject.root), "latest")
    plan = plan_from_json(plan_to_json(classic.plan("latest")), name="plan.json")
    check_yielded(plan, classic.spec(["latest"], ["mirror/app"]))
    assert statuses(classic.apply(plan=plan)) == [Status.COPIED]
    assert set(classic.destination.repository("mirror/app").list_tags()) == {
        "latest",
        tag_of(subject.digest, REFERRERS),
    }

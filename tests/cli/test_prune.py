"""prune: what goes, what stays and why, and every refusal; nothing is deleted without --confirm."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from imagesync.manifest import Content
from imagesync.plan.attachments import tag_of
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.spec.model import AttachmentType
from imagesync.state import State, Written, state_from_json, state_to_json
from tests.cli.command import Mirror, Ran
from tests.images import make_image, make_index, make_signature

STATE = "sync.state.json"
WRITTEN_AT = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


class Pruned(Mirror):
    """A mirror with a state, and an image of it that is pruned."""

    times = 0
    """How often the state was written."""

    def mirrored(self, *tags: str, path: str = "app") -> None:
        """Images that imagesync has written, one for each tag."""
        for tag in tags:
            self.stand(make_index(f"{path} {tag}"), tag, path=path)
        self.remember(path=path)

    def remember(self, *, path: str = "app") -> None:
        """Let the state say that imagesync wrote what stands there."""
        repository = Repository(self.destination.host, path)
        self.times += 1
        at = WRITTEN_AT + timedelta(seconds=self.times)
        new = State.of(
            Written(Reference(repository, Tag(tag)), Digest(digest), at)
            for tag, digest in self.tags(path).items()
            if not tag.startswith("sha256-")
        )
        Path(STATE).write_text(state_to_json(self.state().merge(new)))

    def state(self) -> State:
        return state_from_json(Path(STATE).read_bytes(), name=STATE) if Path(STATE).exists() else State()

    def owned(self, path: str = "app") -> list[str]:
        written = self.state().owned(Repository(self.destination.host, path))
        return [str(one.destination.tag) for one in written]

    def spec(self, *images: str, prune: str = "{max: 100%}", **options: str) -> str:  # type: ignore[override]
        """As a mirror's, with a state and with `prune` of its entry."""
        name = super().spec(*images, **options)  # type: ignore[arg-type]
        text = Path(name).read_text().replace("sync:\n", f"state: {STATE}\nsync:\n", 1)
        return self.cli.file(text.replace("    images:\n", f"    prune: {prune}\n    images:\n", 1), name)

    def prune(self, spec: str, *arguments: str) -> Ran:
        self.forget()
        return self.cli("prune", spec, *arguments)


@pytest.fixture
def pruned(mirror: Mirror) -> Pruned:
    return Pruned(mirror.cli, mirror.source, mirror.destination)


LISTED = '{name: app, tags: {include: ["*"]}}'


def test_what_would_go_is_shown_and_nothing_is_written(pruned: Pruned) -> None:
    pruned.fill("3")
    pruned.mirrored("1", "2", "3")
    ran = pruned.prune(pruned.spec(LISTED))
    assert ran.code == 0, ran.text
    assert "- app:1" in ran.out
    assert "- app:2" in ran.out
    assert "app:3" not in ran.out
    assert "Prune: 2 tags to delete, 1 stays. Nothing was deleted: --confirm does it." in ran.out
    assert pruned.writes() == []
    assert list(pruned.tags()) == ["1", "2", "3"]


def test_with_confirm_the_tags_go_by_their_names_and_are_given_up(pruned: Pruned) -> None:
    pruned.fill("3")
    pruned.mirrored("1", "2", "3")
    ran = pruned.prune(pruned.spec(LISTED), "--confirm")
    assert ran.code == 0, ran.text
    assert "Done: 2 tags deleted, 1 stays." in ran.out
    assert pruned.writes() == ["DELETE /v2/app/manifests/1 202", "DELETE /v2/app/manifests/2 202"]
    assert list(pruned.tags()) == ["3"]
    assert pruned.owned() == ["3"]


def test_the_wants_of_every_entry_count_whatever_only_names(pruned: Pruned) -> None:
    pruned.fill("1", "2")
    pruned.mirrored("1", "2", "3", "4")
    ran = pruned.prune(
        pruned.spec("app:1", "{name: other, as: app, tags: ['4']}"), "--confirm", "--only", "sync[0]/app"
    )
    assert ran.code == 0, ran.text
    assert list(pruned.tags()) == ["1", "4"]


def test_a_glob_wants_what_another_rule_names_though_its_catalog_does_not_list_it(pruned: Pruned) -> None:
    """As with a login that sees less of the catalog than it may pull."""
    for tag in ("1", "2"):
        pruned.fill(tag)
    pruned.fill("1", path="apple")
    pruned.mirrored("1", "2", "3")
    body = b'{"repositories": ["apple"]}'
    pruned.source.script("GET", "/_catalog", status=200, body=body, headers={"Content-Type": "application/json"})
    ran = pruned.prune(pruned.spec("app:1", '{name: "ap*", tags: {include: ["*"]}}'), "--confirm")
    assert ran.code == 0, ran.text
    assert list(pruned.tags()) == ["1", "2"]


def test_only_narrows_what_is_deleted(pruned: Pruned) -> None:
    for path in ("app", "other"):
        pruned.mirrored("1", "2", path=path)
    ran = pruned.prune(pruned.spec("app:1", "other:1"), "--confirm", "--only", "sync[0]/other")
    assert ran.code == 0, ran.text
    assert list(pruned.tags("app")) == ["1", "2"]
    assert list(pruned.tags("other")) == ["1"]


def test_what_the_state_does_not_say_is_never_touched(pruned: Pruned) -> None:
    pruned.mirrored("1", "2")
    pruned.stand(make_image("foreign"), "foreign")
    assert pruned.prune(pruned.spec("app:1"), "--confirm").code == 0
    assert list(pruned.tags()) == ["1", "foreign"]


def test_a_tag_that_another_hand_moved_stays_and_verbose_says_so(pruned: Pruned) -> None:
    pruned.mirrored("1", "2")
    pruned.stand(make_image("of another hand"), "2")
    ran = pruned.prune(pruned.spec("app:1"), "--confirm", "-v")
    assert ran.code == 0, ran.text
    assert "changed by another hand" in ran.out
    assert "wanted by sync[0]/app" in ran.out
    assert pruned.writes() == []


def test_protected_tags_renamed_ones_and_kept_ones_stay(pruned: Pruned) -> None:
    pruned.mirrored("r-1", "r-1-previous", "stable-2", "old")
    image = '{name: app, tags: ["1"], retag: "r-{tag}", keep_previous: "{tag}-previous"}'
    ran = pruned.prune(pruned.spec(image, prune='{protect: ["stable-*"], max: 100%}'), "--confirm", "-v")
    assert ran.code == 0, ran.text
    assert list(pruned.tags()) == ["r-1", "r-1-previous", "stable-2"]
    assert "protected by stable-*" in ran.out


def test_aliases_stay_while_a_selected_version_carries_them(pruned: Pruned) -> None:
    pruned.fill("7.4.2")
    pruned.mirrored("7.4.2", "7.4", "7", "stable", "6", "7.4.1")
    image = '{name: app, tags: {versions: ">=7"}, aliases: ["{major}.{minor}", "{major}", stable]}'
    ran = pruned.prune(pruned.spec(image), "--confirm")
    assert ran.code == 0, ran.text
    assert list(pruned.tags()) == ["7", "7.4", "7.4.2", "stable"]


def test_the_version_that_an_alias_carries_stays_until_it_carries_a_newer_one(pruned: Pruned) -> None:
    """It was withdrawn: the alias does not go back, and has to know where it is."""
    pruned.fill("7.4.2")
    pruned.fill("7.5.0")
    spec = pruned.spec('{name: app, tags: {versions: ">=7"}, aliases: [stable]}')
    assert pruned.cli("apply", spec).code == 0
    pruned.source.repository("app").delete_tag(Tag("7.5.0"))
    ran = pruned.prune(spec, "--confirm", "-v")
    assert ran.code == 0, ran.text
    assert "wanted by the alias stable" in ran.out
    newest = pruned.fill("7.6.0")
    assert pruned.cli("apply", spec).code == 0
    assert pruned.tags()["stable"] == newest.digest
    assert pruned.prune(spec, "--confirm").code == 0
    assert list(pruned.tags()) == ["7.4.2", "7.6.0", "stable"]


def test_what_is_too_young_to_be_copied_is_wanted_all_the_same(pruned: Pruned) -> None:
    pruned.fill("1")
    pruned.mirrored("1", "2")
    ran = pruned.prune(pruned.spec('{name: app, tags: {include: ["*"], min_age: 72h}}'), "--confirm")
    assert ran.code == 0, ran.text
    assert list(pruned.tags()) == ["1"]


def test_without_prune_in_the_spec_there_is_nothing_to_ask_for(pruned: Pruned) -> None:
    pruned.mirrored("1", "2")
    for spec, options in ((pruned.spec("app:1", prune="false"), ()), (Mirror.spec(pruned, "app:1"), ())):
        ran = pruned.prune(spec, *options)
        assert ran.code == 4
        assert "asks for `prune`" in ran.err
        assert "add `prune: true`" in ran.err
        assert pruned.requests() == []


def test_a_report_belongs_to_what_was_deleted(pruned: Pruned) -> None:
    pruned.mirrored("1", "2")
    spec = pruned.spec("app:1")
    assert pruned.prune(spec, "--report", "report.json").code == 4
    assert pruned.prune(spec, "--report", "report.json", "--confirm").code == 0
    report = json.loads(Path("report.json").read_text())
    assert report["summary"]["deleted"] == 1
    gone = next(one for one in report["outcomes"] if one["status"] == "deleted")
    assert gone["destination"] == f"{pruned.destination.host}/app:2"
    assert gone["replaces"].startswith("sha256:")
    assert gone["destination_digest"] is None


@pytest.mark.parametrize(("form", "said"), [("json", '"action": "delete"'), ("markdown", "\n- app:2")])
def test_what_would_go_is_shown_in_every_form(pruned: Pruned, form: str, said: str) -> None:
    pruned.mirrored("1", "2")
    ran = pruned.prune(pruned.spec("app:1"), "--format", form)
    assert ran.code == 0, ran.text
    assert said in ran.out
    assert "app:2" in ran.out or '"tag": "2"' in ran.out


def test_what_a_prune_shows_as_json_is_no_plan_to_apply(pruned: Pruned) -> None:
    pruned.mirrored("1", "2")
    spec = pruned.spec("app:1")
    pruned.cli.file(pruned.prune(spec, "--format", "json").out, "prune.json")
    ran = pruned.cli("apply", spec, "--plan", "prune.json")
    assert ran.code == 4
    assert "prune.json is what a prune would do" in ran.err


class TestRefusals:
    """Nothing is deleted in a repository of which there is any doubt; the exit code is never 0."""

    @pytest.fixture(autouse=True)
    def _full(self, pruned: Pruned) -> None:
        pruned.fill("1")
        pruned.mirrored("1", "2", "3")

    def refused(self, pruned: Pruned, ran: Ran, code: int, *said: str) -> None:
        assert ran.code == code, ran.text
        for words in said:
            assert words in ran.text
        assert pruned.writes() == []
        assert list(pruned.tags()) == ["1", "2", "3"]

    @pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
    def test_where_the_source_cannot_be_listed(self, pruned: Pruned, status: int, no_waiting: None) -> None:
        """DEL-03."""
        pruned.source.script("GET", "/tags/list", status=status)
        ran = pruned.prune(pruned.spec(LISTED), "--confirm")
        self.refused(pruned, ran, 1, "nothing is pruned here: tags cannot be listed", str(status))

    @pytest.mark.parametrize("link", ["</v2/app/tags/list?n=1>", "<http://127.0.0.2:9/v2/app/tags/list?last=1>"])
    def test_where_the_list_is_cut_short(self, pruned: Pruned, link: str) -> None:
        """DEL-03, TAG-03: a page that leads back, and one on another host."""
        pruned.source.script("GET", "/tags/list", headers={"Link": f'{link}; rel="next"'})
        ran = pruned.prune(pruned.spec(LISTED), "--confirm")
        self.refused(pruned, ran, 1, "nothing is pruned here: tags cannot be listed")

    @pytest.mark.parametrize("tags", ["[]", "null", '["sha256-' + "a" * 64 + '.sig"]'])
    @pytest.mark.parametrize("more", ["", ", always: [latest]"])
    def test_where_the_source_lists_no_image(self, pruned: Pruned, tags: str, more: str) -> None:
        """DEL-03, also where `always` wants a tag all the same."""
        body = f'{{"name": "app", "tags": {tags}}}'.encode()
        pruned.source.script("GET", "/tags/list", status=200, body=body, headers={"Content-Type": "application/json"})
        spec = pruned.spec(f'{{name: app, tags: {{include: ["*"]{more}}}, on_empty: warn}}')
        self.refused(pruned, pruned.prune(spec, "--confirm"), 1, "lists no tag at all")

    @pytest.mark.parametrize("on_empty", ["fail", "warn"])
    def test_where_nothing_is_selected(self, pruned: Pruned, on_empty: str) -> None:
        spec = pruned.spec(f'{{name: app, tags: {{include: ["9.*"]}}, on_empty: {on_empty}}}')
        self.refused(pruned, pruned.prune(spec, "--confirm"), 1, "no tag of", "is selected")

    def test_where_another_rule_of_the_repository_cannot_be_resolved(self, pruned: Pruned) -> None:
        spec = pruned.spec("app:1", '{name: gone, as: app, tags: {include: ["*"]}}')
        self.refused(pruned, pruned.prune(spec, "--confirm", "--only", "sync[0]/app"), 1, "sync[0]/gone", "gone")

    def test_where_a_glob_that_may_write_there_cannot_be_expanded(self, pruned: Pruned) -> None:
        pruned.source.script("GET", "/_catalog", status=401)
        spec = pruned.spec("app:1", '{name: "ap*", tags: ["1"]}')
        self.refused(
            pruned, pruned.prune(spec, "--confirm"), 1, "nothing is pruned here: repositories cannot be listed"
        )

    def test_where_a_glob_no_longer_finds_what_only_names(self, pruned: Pruned) -> None:
        body = b'{"repositories": ["apple"]}'
        pruned.source.script("GET", "/_catalog", status=200, body=body, headers={"Content-Type": "application/json"})
        pruned.source.script("GET", "/v2/app/tags/list", status=404)
        spec = pruned.spec('{name: "ap*", tags: {include: ["*"]}}')
        self.refused(pruned, pruned.prune(spec, "--confirm", "--only", "sync[0]/app"), 1, "cannot be listed")

    @pytest.mark.parametrize("status", [401, 403, 500])
    def test_where_the_destination_cannot_be_listed(self, pruned: Pruned, status: int, no_waiting: None) -> None:
        pruned.destination.script("GET", "/tags/list", status=status)
        ran = pruned.prune(pruned.spec("app:1"), "--confirm")
        self.refused(pruned, ran, 1, "nothing is pruned here: destination", str(status))

    def test_where_a_tag_of_the_destination_cannot_be_read(self, pruned: Pruned) -> None:
        """What it has may be what would be deleted: a 403 is a failure here, as an audit takes it."""
        pruned.destination.script("HEAD", "/manifests/3", status=403)
        ran = pruned.prune(pruned.spec("app:1", "app:3"), "--confirm")
        self.refused(pruned, ran, 1, "nothing is pruned here: destination", "403")

    @pytest.mark.parametrize("most", ["20%", "1", "66%"])
    def test_where_more_would_go_than_max(self, pruned: Pruned, most: str) -> None:
        ran = pruned.prune(pruned.spec("app:1", prune=f"{{max: {most}}}"), "--confirm")
        self.refused(pruned, ran, 3, f"2 of 3 tags here would go, `max: {most}` allows 1")

    def test_where_a_state_is_damaged(self, pruned: Pruned) -> None:
        Path(STATE).write_text("{")
        self.refused(pruned, pruned.prune(pruned.spec("app:1"), "--confirm"), 4, "is damaged or none")

    def test_where_an_included_file_is_missing(self, pruned: Pruned) -> None:
        spec = pruned.spec("app:1")
        pruned.cli.file("include: [images/*.yaml]\n" + Path(spec).read_text())
        self.refused(pruned, pruned.prune(spec, "--confirm"), 4, "no file matches")

    def test_where_the_lock_beside_the_spec_is_behind_it(self, pruned: Pruned) -> None:
        pruned.cli("lock", pruned.spec("app:1"))
        spec = pruned.spec("app:1", "{name: app, tags: ['2']}")
        self.refused(pruned, pruned.prune(spec, "--confirm"), 1, "nothing is pruned here: the lock has no", "app:2")


def test_what_the_lock_beside_the_spec_holds_is_wanted_too(pruned: Pruned) -> None:
    pruned.fill("1")
    pruned.fill("2")
    pruned.mirrored("1", "2", "3")
    spec = pruned.spec(LISTED)
    assert pruned.cli("lock", spec).code == 0
    pruned.source.repository("app").delete_tag(Tag("2"))
    assert pruned.prune(spec, "--confirm").code == 0
    assert list(pruned.tags()) == ["1", "2"]


def test_what_the_lock_beside_the_spec_holds_is_wanted_whichever_lock_is_named(pruned: Pruned) -> None:
    pruned.fill("1")
    pruned.fill("2")
    pruned.mirrored("1", "2", "3")
    spec = pruned.spec(LISTED)
    assert pruned.cli("lock", spec).code == 0
    pruned.source.repository("app").delete_tag(Tag("2"))
    assert pruned.cli("lock", spec, "-o", "other.lock").code == 0
    ran = pruned.prune(spec, "--confirm", "--lock", "other.lock")
    assert ran.code == 0, ran.text
    assert list(pruned.tags()) == ["1", "2"]


def test_one_tag_may_always_go(pruned: Pruned) -> None:
    pruned.mirrored("1", "2")
    assert pruned.prune(pruned.spec("app:1", prune="true"), "--confirm").code == 0
    assert list(pruned.tags()) == ["1"]


def test_what_a_refused_repository_holds_up_is_only_itself(pruned: Pruned) -> None:
    pruned.fill("1", path="other")
    for path in ("app", "other"):
        pruned.mirrored("1", "2", path=path)
    pruned.source.script("GET", "/v2/app/tags/list", status=403)
    ran = pruned.prune(pruned.spec(LISTED, LISTED.replace("app", "other")), "--confirm")
    assert ran.code == 1, ran.text
    assert list(pruned.tags("app")) == ["1", "2"]
    assert list(pruned.tags("other")) == ["1"]


class TestRegistries:
    """What registries can do differs: by tag, by digest alone, not at all."""

    @pytest.fixture(autouse=True)
    def _full(self, pruned: Pruned) -> None:
        pruned.mirrored("1", "2", "3")

    @pytest.fixture
    def by_digest(self, pruned: Pruned) -> None:
        """As docker-registry 2 does it."""
        body = b'{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match uploaded content"}]}'
        pruned.destination.script("DELETE", "/manifests/(?!sha256:)", status=400, body=body)

    @pytest.mark.usefixtures("by_digest")
    def test_where_tags_cannot_be_deleted_their_digest_is_and_that_is_learnt_once(self, pruned: Pruned) -> None:
        ran = pruned.prune(pruned.spec("app:1"), "--confirm")
        assert ran.code == 0, ran.text
        assert list(pruned.tags()) == ["1"]
        assert [line.partition(" ")[2][:25] for line in pruned.writes()] == [
            "/v2/app/manifests/2 400",
            "/v2/app/manifests/sha256:",
            "/v2/app/manifests/sha256:",
        ]

    @pytest.mark.usefixtures("by_digest")
    def test_a_digest_that_a_kept_tag_has_too_stays(self, pruned: Pruned) -> None:
        """DEL-01: one that is wanted, and one that is not imagesync's."""
        pruned.destination.repository("app").push_manifest(_content(pruned, "1"), Tag("3"))
        pruned.remember()
        pruned.destination.repository("app").push_manifest(_content(pruned, "2"), Tag("foreign"))
        ran = pruned.prune(pruned.spec("app:1"), "--confirm")
        assert ran.code == 3, ran.text
        assert "deletes by digest alone" in ran.out
        assert "tag foreign has sha256:" in ran.out
        assert "tag 1 has sha256:" in ran.out
        assert list(pruned.tags()) == ["1", "2", "3", "foreign"]
        assert pruned.owned() == ["1", "2", "3"]

    def test_by_its_name_a_tag_goes_though_another_has_its_digest(self, pruned: Pruned) -> None:
        pruned.destination.repository("app").push_manifest(_content(pruned, "1"), Tag("3"))
        pruned.remember()
        ran = pruned.prune(pruned.spec("app:1"), "--confirm")
        assert ran.code == 0, ran.text
        assert list(pruned.tags()) == ["1"]

    @pytest.mark.usefixtures("by_digest")
    def test_tags_that_go_together_may_share_their_digest(self, pruned: Pruned) -> None:
        pruned.destination.repository("app").push_manifest(_content(pruned, "2"), Tag("3"))
        pruned.remember()
        ran = pruned.prune(pruned.spec("app:1"), "--confirm")
        assert ran.code == 0, ran.text
        assert "it went with its digest, which another tag had too" in ran.out
        assert list(pruned.tags()) == ["1"]
        assert pruned.owned() == ["1"]

    @pytest.mark.usefixtures("by_digest")
    def test_what_a_kept_index_lists_stays(self, pruned: Pruned) -> None:
        child = pruned.destination.repository("app").fetch_manifest(Tag("1")).successors()[0].digest
        pruned.destination.repository("app").push_manifest(
            pruned.destination.repository("app").fetch_manifest(child), Tag("2")
        )
        pruned.remember()
        ran = pruned.prune(pruned.spec("app:1", "app:3"), "--confirm")
        assert ran.code == 3, ran.text
        assert f"tag 1 needs {child.short}" in ran.out
        assert list(pruned.tags()) == ["1", "2", "3"]

    @pytest.mark.usefixtures("by_digest")
    def test_an_index_goes_before_what_it_lists(self, pruned: Pruned) -> None:
        repository = pruned.destination.repository("app")
        child = repository.fetch_manifest(Tag("3")).successors()[0].digest
        repository.push_manifest(repository.fetch_manifest(child), Tag("2"))
        pruned.remember()
        ran = pruned.prune(pruned.spec("app:1"), "--confirm")
        assert ran.code == 0, ran.text
        assert list(pruned.tags()) == ["1"]

    def test_where_nothing_can_be_deleted_each_says_so_and_others_go_on(self, pruned: Pruned) -> None:
        """DEL-02."""
        pruned.mirrored("1", "2", path="other")
        body = b'{"errors":[{"code":"UNSUPPORTED","message":"The operation is unsupported."}]}'
        pruned.destination.script("DELETE", "/v2/app/", status=405, body=body)
        ran = pruned.prune(pruned.spec("app:1", "other:1"), "--confirm")
        assert ran.code == 1, ran.text
        assert "2 failed" in ran.out
        assert "REGISTRY_STORAGE_DELETE_ENABLED" in ran.out
        assert list(pruned.tags("app")) == ["1", "2", "3"]
        assert list(pruned.tags("other")) == ["1"]
        assert pruned.owned() == ["1", "2", "3"]

    def test_what_is_gone_already_is_no_failure(self, pruned: Pruned) -> None:
        """DEL-04: between the look and the deletion somebody else has deleted it."""
        pruned.destination.script("DELETE", "/manifests/", status=404)
        pruned.destination.script("HEAD", "/manifests/2", status=404, skip=1)
        ran = pruned.prune(pruned.spec("app:1"), "--confirm")
        assert ran.code == 0, ran.text
        assert "it was gone already" in ran.out
        assert pruned.owned() == ["1"]

    def test_a_tag_that_moves_in_between_is_stale(self, pruned: Pruned) -> None:
        other = make_image("moved")
        pruned.stand(other, "moved")
        pruned.destination.script(
            "HEAD",
            "/manifests/2",
            status=200,
            skip=1,
            headers={
                "Docker-Content-Digest": other.digest,
                "Content-Type": other.root.media_type,
                "Content-Length": str(len(other.root.raw)),
            },
        )
        ran = pruned.prune(pruned.spec("app:1"), "--confirm")
        assert ran.code == 3, ran.text
        assert "stale" in ran.out
        assert list(pruned.tags()) == ["1", "2", "moved"]

    def test_what_is_refused_fails_and_others_go_on(self, pruned: Pruned) -> None:
        pruned.destination.script("DELETE", "/manifests/2", status=403)
        ran = pruned.prune(pruned.spec("app:1"), "--confirm")
        assert ran.code == 1, ran.text
        assert list(pruned.tags()) == ["1", "2"]
        assert pruned.owned() == ["1", "2"]


def _content(pruned: Pruned, tag: str) -> Content:
    return pruned.destination.repository("app").fetch_manifest(Tag(tag))


class TestAttachments:
    """What speaks of an image goes after it; of what stays, it stays."""

    def sign(self, pruned: Pruned, digest: Digest) -> Tag:
        tag = tag_of(digest, AttachmentType.SIGNATURES)
        pruned.stand(make_signature(digest, "ours"), tag)
        return tag

    def digest(self, pruned: Pruned, tag: str) -> Digest:
        return Digest(pruned.tags()[tag])

    @pytest.fixture(autouse=True)
    def _full(self, pruned: Pruned) -> None:
        pruned.mirrored("1", "2")

    def test_signatures_go_with_their_image_and_those_of_others_stay(self, pruned: Pruned) -> None:
        kept = self.sign(pruned, self.digest(pruned, "1"))
        child = pruned.destination.repository("app").fetch_manifest(Tag("2")).successors()[0].digest
        going = [self.sign(pruned, self.digest(pruned, "2")), self.sign(pruned, child)]
        above = self.sign(pruned, Digest(pruned.tags()[going[0]]))
        unknown = self.sign(pruned, Digest(f"sha256:{'e' * 64}"))
        ran = pruned.prune(pruned.spec("app:1"), "--confirm")
        assert ran.code == 0, ran.text
        assert "Done: 4 tags deleted" in ran.out
        assert set(pruned.tags()) == {"1", kept, unknown}
        assert above not in pruned.tags()

    def test_what_speaks_of_a_child_that_a_kept_image_has_too_stays(self, pruned: Pruned) -> None:
        repository = pruned.destination.repository("app")
        child = repository.fetch_manifest(Tag("1")).successors()[0].digest
        repository.push_manifest(repository.fetch_manifest(child), Tag("2"))
        pruned.remember()
        signature = self.sign(pruned, child)
        ran = pruned.prune(pruned.spec("app:1"), "--confirm")
        assert ran.code == 0, ran.text
        assert set(pruned.tags()) == {"1", signature}

    def test_it_stays_where_its_image_could_not_be_deleted(self, pruned: Pruned) -> None:
        signature = self.sign(pruned, self.digest(pruned, "2"))
        pruned.destination.script("DELETE", "/manifests/2", status=403)
        ran = pruned.prune(pruned.spec("app:1"), "--confirm")
        assert ran.code == 1, ran.text
        assert "it speaks of tag 2, which is still there" in ran.out
        assert set(pruned.tags()) == {"1", "2", signature}

    def test_it_stays_where_it_is_protected(self, pruned: Pruned) -> None:
        signature = self.sign(pruned, self.digest(pruned, "2"))
        ran = pruned.prune(pruned.spec("app:1", prune='{protect: ["sha256-*"], max: 100%}'), "--confirm")
        assert ran.code == 0, ran.text
        assert set(pruned.tags()) == {"1", signature}

    def test_it_is_not_counted_for_max_and_blocked_with_its_image(self, pruned: Pruned) -> None:
        self.sign(pruned, self.digest(pruned, "2"))
        spec = pruned.spec("app:1", prune="{max: 1}")
        assert "Prune: 2 tags to delete" in pruned.prune(spec).out
        pruned.mirrored("3")
        ran = pruned.prune(spec, "--confirm")
        assert ran.code == 3, ran.text
        assert "3 blocked" in ran.out
        assert pruned.writes() == []


def test_a_layout_is_pruned_by_its_tags(pruned: Pruned, tmp_path: Path) -> None:
    pruned.fill("1")
    pruned.fill("2")
    assert pruned.cli("apply", Mirror.spec(pruned, "app:1", "app:2", to="oci:./there")).code == 0
    repository = Repository("oci:there", "app")
    digests = {tag: pruned.source.repository("app").resolve(Tag(tag)).digest for tag in ("1", "2")}
    entries = (Written(Reference(repository, Tag(tag)), digest, WRITTEN_AT) for tag, digest in digests.items())
    Path(STATE).write_text(state_to_json(State.of(entries)))
    ran = pruned.prune(pruned.spec("app:1", to="oci:./there"), "--confirm")
    assert ran.code == 0, ran.text
    names = [
        entry.get("annotations", {}).get("org.opencontainers.image.ref.name")
        for entry in json.loads(Path("there/app/index.json").read_text())["manifests"]
    ]
    assert "1" in names
    assert "2" not in names


def test_what_apply_has_written_is_pruned_once_nothing_wants_it(pruned: Pruned) -> None:
    for tag in ("1", "2", "3"):
        pruned.fill(tag)
    assert pruned.cli("apply", pruned.spec('{name: app, tags: ["1", "2", "3"]}')).code == 0
    pruned.stand(make_image("of another hand"), "2")
    spec = pruned.spec("app:1")
    assert "Prune: 1 tag to delete, 2 stay." in pruned.prune(spec).out
    assert pruned.prune(spec, "--confirm").code == 0
    assert list(pruned.tags()) == ["1", "2"]
    again = pruned.prune(spec, "--confirm")
    assert again.code == 0
    assert again.out.startswith("Done: 0 tags deleted, 2 stay.")
    assert pruned.writes() == []


def test_where_nothing_is_imagesyncs_own_the_way_to_it_is_named(pruned: Pruned) -> None:
    pruned.stand(make_image("before imagesync"), "1", "2")
    ran = pruned.prune(pruned.spec("app:1"))
    assert ran.code == 0, ran.text
    assert "nothing there is imagesync's own by its state" in ran.out
    assert "imagesync adopt" in ran.out


def test_two_tags_that_would_become_one_are_a_doubt(pruned: Pruned) -> None:
    pruned.mirrored("1", "2")
    ran = pruned.prune(pruned.spec('{name: app, tags: ["8", "9"], retag: {"8": same, "9": same}}'), "--confirm")
    assert ran.code in (1, 4), ran.text
    assert list(pruned.tags()) == ["1", "2"]


def test_a_state_in_a_repository_gives_up_what_was_deleted(pruned: Pruned) -> None:
    for tag in ("1", "2"):
        pruned.fill(tag)
    before = pruned.spec('{name: app, tags: ["1", "2"]}')
    text = Path(before).read_text().replace(f"state: {STATE}", f"state: {pruned.destination.host}/team/state")
    assert pruned.cli("apply", pruned.cli.file(text)).code == 0
    spec = pruned.cli.file(text.replace('["1", "2"]', '["1"]'))
    assert pruned.prune(spec, "--confirm").code == 0
    assert list(pruned.tags()) == ["1"]
    assert pruned.prune(spec).out.startswith("Prune: 0 tags to delete, 1 stays.")
    pruned.stand(make_image("of another hand"), "2")
    assert pruned.prune(spec, "-v").out.count("app:2") == 0


class TestChains:
    """What another entry takes from a repository that is pruned is wanted there."""

    def spec(self, pruned: Pruned, image: str) -> str:
        name = pruned.spec("app:1")
        more = f"  - name: onward\n    source: {pruned.destination.host}\n"
        more += f"    destination: {pruned.destination.host}/onward\n    images:\n      - {image}\n"
        return pruned.cli.file(Path(name).read_text() + more)

    @pytest.fixture(autouse=True)
    def _full(self, pruned: Pruned) -> None:
        pruned.mirrored("1", "2", "3")

    def test_a_tag_that_is_read_from_there_stays(self, pruned: Pruned) -> None:
        ran = pruned.prune(self.spec(pruned, "app:2"), "--confirm", "-v")
        assert ran.code == 0, ran.text
        assert "wanted by onward/app" in ran.out
        assert list(pruned.tags()) == ["1", "2"]

    def test_what_is_read_from_there_by_its_digest_stays(self, pruned: Pruned) -> None:
        ran = pruned.prune(self.spec(pruned, f"app:any@{pruned.tags()['2']}"), "--confirm", "-v")
        assert ran.code == 0, ran.text
        assert "wanted by its digest by onward/app" in ran.out
        assert list(pruned.tags()) == ["1", "2"]

    def test_an_index_stays_while_one_of_its_images_is_read_from_there_by_its_digest(self, pruned: Pruned) -> None:
        child = pruned.destination.repository("app").fetch_manifest(Tag("2")).successors()[0].digest
        ran = pruned.prune(self.spec(pruned, f"app:any@{child}"), "--confirm", "-v")
        assert ran.code == 0, ran.text
        assert "wanted by its digest by onward/app" in ran.out
        assert list(pruned.tags()) == ["1", "2"]

    def test_a_filter_that_reads_all_of_it_lets_nothing_go(self, pruned: Pruned) -> None:
        ran = pruned.prune(self.spec(pruned, LISTED), "--confirm")
        assert ran.code == 0, ran.text
        assert list(pruned.tags()) == ["1", "2", "3"]

    def test_a_glob_that_might_read_from_there_and_cannot_be_expanded_is_a_doubt(self, pruned: Pruned) -> None:
        pruned.destination.script("GET", "/_catalog", status=401)
        ran = pruned.prune(self.spec(pruned, '{name: "a*", tags: ["2"]}'), "--confirm")
        assert ran.code == 1, ran.text
        assert "nothing is pruned here: repositories cannot be listed" in ran.text
        assert list(pruned.tags()) == ["1", "2", "3"]


def test_on_github_a_prune_says_how_many_tags_it_deleted(pruned: Pruned, monkeypatch: pytest.MonkeyPatch) -> None:
    pruned.mirrored("1", "2")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", "outputs")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary")
    assert pruned.prune(pruned.spec("app:1"), "--confirm").code == 0
    said = Path("outputs").read_text().splitlines()
    assert said[said.index(next(line for line in said if line.startswith("deleted<<"))) + 1] == "1"
    assert "Done: 1 tag deleted, 1 stays." in Path("summary").read_text()


class TestStages:
    """What releases come to is no place where a mirror's selection says what may go."""

    def spec(self, pruned: Pruned, *stages: str) -> str:
        text = Path(pruned.spec("app:1")).read_text()
        text += "promotions:\n  - name: shop\n    images: [app]\n    stages:\n"
        text += "".join(f"      - {{name: stage{one}, repository: {path}}}\n" for one, path in enumerate(stages))
        return pruned.cli.file(text)

    @pytest.fixture(autouse=True)
    def _full(self, pruned: Pruned) -> None:
        pruned.mirrored("1", "2", "3")

    def test_nothing_goes_where_a_rollback_may_need_it(self, pruned: Pruned) -> None:
        spec = self.spec(pruned, f"{pruned.source.host}/dev", pruned.destination.host)
        ran = pruned.prune(spec, "--confirm")
        assert ran.code == 1, ran.text
        assert "nothing is pruned here: it is stage stage1 of promotion shop" in ran.out
        assert list(pruned.tags()) == ["1", "2", "3"]

    def test_at_a_first_stage_the_spec_says_what_may_go(self, pruned: Pruned) -> None:
        spec = self.spec(pruned, pruned.destination.host, f"{pruned.source.host}/production")
        assert pruned.prune(spec, "--confirm").code == 0
        assert list(pruned.tags()) == ["1"]

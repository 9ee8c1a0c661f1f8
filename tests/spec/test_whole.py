"""A spec that says all there is to say, key by key: nothing parses and then does nothing."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from imagesync.behaviour import (
    Behaviour,
    Catalog,
    Chunks,
    Creation,
    Deletes,
    Mount,
    Referrers,
    RepositoryTemplate,
    Repush,
)
from imagesync.gates import Gate, Mode
from imagesync.gates.age import Clock, MinAge
from imagesync.gates.approval import Approval
from imagesync.gates.attested import AttestedReports
from imagesync.gates.combined import AllOf, AnyOf
from imagesync.gates.command import Command
from imagesync.gates.environment import GitHubEnvironment
from imagesync.gates.labels import Labels, Value
from imagesync.gates.paths import PathTemplate
from imagesync.gates.platforms import RequirePlatforms
from imagesync.gates.reports import Severity
from imagesync.gates.scans import FileReports
from imagesync.gates.signed import Attestation, Signature, SignedName, Subject
from imagesync.gates.size import Size
from imagesync.gates.trusted import TrustedIdentity, TrustedKey
from imagesync.gates.vulnerabilities import Ignored, Vulnerabilities
from imagesync.gates.window import Freeze, Hours, Window
from imagesync.reference import Repository, Tag
from imagesync.selection import EVERY_PLATFORM, Alias, IndexForm, PlatformPattern, Retag, TagPattern
from imagesync.settings import (
    Acr,
    Anonymous,
    Auth,
    DefaultAuth,
    DockerHub,
    Ecr,
    Gar,
    Helper,
    IdentityToken,
    Password,
    PullBudget,
    Timeouts,
    Tls,
    TlsMode,
    WhenSpent,
)
from imagesync.signature import Signer
from imagesync.spec import Rule, Spec, load_spec
from imagesync.spec.model import (
    ALL_ATTACHMENTS,
    NO_ATTACHMENTS,
    AttachmentType,
    MostPercent,
    OnDrift,
    OnEmpty,
    Prune,
    SpecFile,
    StateFile,
)
from imagesync.spec.schema import schema_text
from tests.signature.signers import make_ecdsa
from tests.spec.written import make_files

HEX = "a" * 64
OWNER = make_ecdsa()
WHOLE = f"""\
version: 1
include:
  - images/*.yaml
state: ${{STATE:-sync.state.json}}
registries:
  docker.io:
    auth:
      username: "${{HUB_USER}}"
      password: "${{secret:HUB_TOKEN}}"
    concurrency: 3
    pulls:
      budget: 80/6h
      when_spent: defer
  ghcr.io/acme:
    auth:
      pull: anonymous
      push:
        token: "${{file:token}}"
  quay.io:
    auth:
      helper: quay
    mirrors:
      - cache.internal:5000
    chunk_size: 90MB
    token_realm_allow: [auth.internal]
    bandwidth: 50MB/s
  "*.dkr.ecr.*.amazonaws.com":
    auth:
      ecr:
        role: arn:aws:iam::111122223333:role/mirror
        profile: build
        region: eu-central-1
    create:
      immutable:
        except: [latest, "dev-*"]
      scan_on_push: true
      lifecycle: ecr.json
      encryption:
        kms: alias/images
      tags:
        team: platform
  harbor.internal:
    kind: harbor
    behaviour:
      mount: never
      chunks: never
      referrers: tag
      page_size: 50
      catalog: never
      repush: refused
      creation: harbor
      deletes: digest
      manifest_size: 1MiB
    create:
      public: true
      storage_limit: 100GB
  public.ecr.aws:
    auth: ecr
  europe-docker.pkg.dev:
    auth:
      gar:
        service_account: mirror@acme.iam.gserviceaccount.com
        workload_identity: projects/1/locations/global/workloadIdentityPools/ci/providers/github
  acme.azurecr.io:
    auth:
      acr:
        tenant: acme.example
        client_id: 22222222-2222-2222-2222-222222222222
  docker.io/acme:
    auth:
      dockerhub:
        organization: acme
        connection: 867f9d74-789a-4828-a856-12d46bfbbbe7
  "*.internal":
    auth: anonymous
    timeouts:
      connect: 500ms
      read: 2m
      commit: 1h
  lab.internal:5000:
    tls: disabled
  own.internal:
    tls:
      ca: certs/ca.pem
      certificate: certs/c.pem
      key: certs/k.pem
  dev.internal:
    tls: insecure
destinations:
  internal:
    - registry.internal/mirror/{{host}}/{{path}}
    - oci:out
gates:
  signed:
    signature:
      key: certs/owner.pub
      signed_as: repository
      of: platforms
  built:
    attestation:
      type: https://slsa.dev/provenance/v1
      builder: https://example.com/*
      source: https://github.com/acme/*
      identity: release@acme.example
      issuer: https://issuer.example
      trusted_root: certs/root.json
      of: platforms
  noted:
    attestation:
      type: https://slsa.dev/provenance/v1
      unsigned: present
  logged:
    signature:
      identity: release@acme.example
      issuer: https://issuer.example
      trusted_root: certs/root.json
      logged_for: 72h
  either:
    any_of: [signed, built]
  scanned:
    vulnerabilities:
      report: "scans/{{repository}}/{{digest_hex}}.json"
      covers: [linux/amd64]
      max_age: 7d
      fail_on: high
      only_fixable: true
      ignore:
        - id: CVE-2026-1
          reason: not reachable
          until: "2026-12-31"
  attested:
    vulnerabilities:
      attestation:
        identity: scanner@acme.example
        issuer: https://issuer.example
        trusted_root: certs/root.json
        type: https://acme.example/sarif/v1
      fail_on: critical
  hours:
    window:
      timezone: Europe/Berlin
      allow: [mon-fri 08:00-18:00]
      freeze:
        - from: "2026-12-20"
          to: "2027-01-03"
          reason: holidays
      override: "${{WHY:-}}"
  two:
    approval:
      count: 2
      from: [alice, bob]
      expires: 14d
      files: yes/{{digest_hex}}/*.json
  keyless:
    approval:
      count: 1
      from:
        - name: alice
          identity: alice@acme.example
          issuer: https://issuer.example
          trusted_root: certs/root.json
        - name: bob
          key: certs/owner.pub
  lives:
    approval:
      github:
        environment: production
        repository: acme/shop
        ref: refs/heads/main
        workflow: acme/shop/.github/workflows/promote.yml@*
        issuer: https://github.acme.example/_services/token
  checked:
    command:
      run: [./check.sh, --strict]
      timeout: 30s
  all:
    all_of:
      - hours
      - require_platforms: linux/amd64
      - labels:
          config: {{team: shop}}
          annotations: {{vendor: /acme.*/}}
    mode: warn
defaults:
  source: docker.io
  gates: [either]
  destination: internal
  tags: edge
  retag: "{{tag}}-mirror"
  on_empty: warn
  immutable: ["*-mirror"]
  keep_previous: "{{tag}}-previous"
  on_drift: keep
  attachments: none
  platforms: [linux/amd64, linux/aarch64]
  require_platforms: linux/amd64
sync:
  - name: bases
    images:
      - nginx:1.27
      - redis
      - name: bitnami/{{kafka,zookeeper}}
        as: brokers/{{name}}
        aliases: ["{{major}}"]
        tags: ["3.*", "/v[0-9]+/"]
        retag: "{{major}}"
        on_empty: fail
        immutable: ["3.*"]
        attachments:
          types: [signatures, sboms]
        platforms:
          keep: [linux/arm]
          index: flatten
        require_platforms: [linux/arm/*, "windows(10.0.20348)/amd64"]
        gates:
          - scanned
          - size:
              total: 2GB
              layer: 500MB
              layers: 99
      - name: app@sha256:{HEX}
        as_tag: pinned
  - source: quay.io/acme
    destination: [ghcr.io/acme, localhost:5000]
    tags: ["1.0"]
    retag: {{"1.0": stable}}
    on_empty: fail
    on_drift: overwrite
    immutable:
      tags: [stable, "/v[0-9]+/"]
      trust: list
    attachments: all
    platforms: all
    require_platforms: none
    gates: [two, checked, all, either, min_age: {{age: 72h, clock: created}}]
    images:
      - tool
      - name: web
        tags:
          include: ["release-*"]
          exclude: "*-windows"
          versions:
            range: ">=1.2 <3"
            suffix: "-alpine*"
            prereleases: true
            extract: /release-(?P<version>.*)/
          min_age:
            age: 3d
            clock: created
            on_missing: allow
          sort: version
          newest: 3
          always: ["1.0"]
        retag: "{{major}}.{{minor}}"
        prune:
          protect: ["stable-*"]
          max: 20%
        aliases:
          tags: ["{{major}}", stable]
          allow_backwards: true
promotions:
  - name: shop
    images:
      - api
      - name: worker
        as: jobs/worker
    record:
      journal: registry.internal/records/shop
      sign:
        key: "${{secret:HUB_TOKEN}}"
        public_key: certs/owner.pub
    stages:
      - name: dev
        repository: registry.internal/dev
      - name: staging
        repository: registry.internal/staging
      - name: production
        repository: registry.internal/shop
        retag: "{{tag}}-production"
        immutable: ["*.*.*-production"]
        current: production
        gates: [{{soak: {{at_least: 24h, clock: first_seen}}}}]
        attachments: none
        auto: true
"""
INCLUDED = "sync:\n  - name: more\n    images: [python]\n    destination: oci:../out\n"
FILES = {
    "sync.yaml": WHOLE,
    "images/more.yaml": INCLUDED,
    "ecr.json": "{}",
    "token": "hunter2\n",
    "certs/ca.pem": "",
    "certs/c.pem": "",
    "certs/k.pem": "",
    "certs/owner.pub": OWNER.pem,
    "certs/root.json": "{}",
}


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    return load_spec(str(make_files(tmp_path, FILES)), environment={})


def rule(spec: Spec, name: str) -> Rule:
    return next(rule for rule in spec.rules if rule.name == name)


def destinations(rule: Rule) -> list[str]:
    return [str(repository) for repository in rule.destinations]


def patterns(rule: Rule) -> list[str]:
    return [*map(str, rule.tags.steps), *rule.tags.exact_tags]


def test_rules_are_in_the_order_of_the_files(spec: Spec) -> None:
    assert [rule.name for rule in spec.rules] == [
        "bases/nginx",
        "bases/redis",
        "bases/bitnami/kafka",
        "bases/bitnami/zookeeper",
        "bases/app",
        "sync[1]/tool",
        "sync[1]/web",
        "more/python",
    ]


def test_defaults_hold_where_an_entry_says_nothing(spec: Spec) -> None:
    redis = rule(spec, "bases/redis")
    assert str(redis.source) == "docker.io/library/redis"
    assert destinations(redis) == ["registry.internal/mirror/docker.io/library/redis", "oci:out/redis"]
    assert patterns(redis) == ["edge"]
    assert redis.retag.apply(Tag("edge")) == "edge-mirror"
    assert redis.on_empty is OnEmpty.WARN
    assert redis.immutable.holds(Tag("edge-mirror"))
    assert not redis.immutable.holds(Tag("edge"))
    assert redis.keep_previous == Retag("{tag}-previous")
    assert redis.attachments == NO_ATTACHMENTS
    assert list(map(str, redis.platforms.keep)) == ["linux/amd64", "linux/arm64"]
    assert redis.platforms.index is IndexForm.REWRITE
    assert list(map(str, redis.platforms.required)) == ["linux/amd64"]


def test_an_entry_replaces_defaults_whole(spec: Spec) -> None:
    tool = rule(spec, "sync[1]/tool")
    assert str(tool.source) == "quay.io/acme/tool"
    assert destinations(tool) == ["ghcr.io/acme/tool", "localhost:5000/tool"]
    assert patterns(tool) == ["1.0"]
    assert tool.retag.names == (("1.0", "stable"),)
    assert tool.on_empty is OnEmpty.FAIL
    assert [pattern.text for pattern in tool.immutable.patterns] == ["stable", "/v[0-9]+/"]
    assert tool.immutable.trusts_list
    assert tool.attachments == ALL_ATTACHMENTS
    assert tool.platforms == EVERY_PLATFORM


def test_an_image_replaces_what_its_entry_says(spec: Spec) -> None:
    kafka = rule(spec, "bases/bitnami/kafka")
    assert destinations(kafka) == [
        "registry.internal/mirror/docker.io/brokers/bitnami/kafka",
        "oci:out/brokers/bitnami/kafka",
    ]
    assert patterns(kafka) == ["3.*, /v[0-9]+/"]
    assert kafka.retag.apply(Tag("3.1")) == "3"
    assert kafka.on_empty is OnEmpty.FAIL
    assert [pattern.text for pattern in kafka.immutable.patterns] == ["3.*"]
    assert not kafka.immutable.trusts_list
    assert (kafka.aliases, kafka.allow_backwards) == ((Alias("{major}"),), False)
    assert kafka.attachments == {AttachmentType.SIGNATURES, AttachmentType.SBOMS}
    assert list(map(str, kafka.platforms.keep)) == ["linux/arm/v7"]
    assert kafka.platforms.index is IndexForm.FLATTEN
    assert list(map(str, kafka.platforms.required)) == ["linux/arm/*", "windows(10.0.20348)/amd64"]


def test_tags_may_be_a_map_of_steps(spec: Spec) -> None:
    web = rule(spec, "sync[1]/web")
    assert [(step.name, str(step)) for step in web.tags.steps] == [
        ("include", "release-*"),
        ("exclude", "*-windows"),
        ("versions", ">=1.2 <3, suffix -alpine*, prereleases, extract /release-(?P<version>.*)/"),
        ("min_age", "3d, clock created, on_missing allow"),
        ("sort", "version"),
        ("newest", "3"),
    ]
    assert web.tags.exact_tags == ("1.0",)
    listed = ["release-1.2.0-alpine", "release-1.2-alpine", "release-1.3.0-rc1-alpine", "release-1.3.0", "1.4.0-alpine"]
    assert web.tags.select_by_name(listed).kept == ("1.0", "release-1.2.0-alpine", "release-1.3.0-rc1-alpine")
    assert web.renamed(Tag("release-1.2.0-alpine")) == "1.2"


def test_the_state_has_a_place_and_drift_a_consequence(spec: Spec) -> None:
    assert spec.state == StateFile("sync.state.json")
    assert rule(spec, "bases/redis").on_drift is OnDrift.KEEP
    assert rule(spec, "sync[1]/web").on_drift is OnDrift.OVERWRITE


def test_what_nothing_wants_any_more_goes_only_where_that_is_asked_for(spec: Spec) -> None:
    assert rule(spec, "sync[1]/web").prune == Prune((TagPattern.parse("stable-*"),), MostPercent(20))
    assert rule(spec, "sync[1]/tool").prune is None


def test_gates_of_the_defaults_an_entry_and_an_image_add_up_each_once(spec: Spec) -> None:
    assert [gate.name for gate in spec.gates] == [
        *("signed", "built", "noted", "logged", "either", "scanned", "attested", "hours", "two", "keyless", "lives"),
        *("checked", "all"),
    ]
    assert [gate.name for gate in rule(spec, "bases/redis").gates] == ["either"]
    assert [gate.name for gate in rule(spec, "bases/bitnami/kafka").gates] == ["either", "scanned", "size"]
    assert [gate.name for gate in rule(spec, "sync[1]/tool").gates] == ["either", "two", "checked", "all", "min_age"]
    assert rule(spec, "more/python").gates == rule(spec, "bases/redis").gates


def gate(spec: Spec, name: str) -> Gate:
    return next(gate for gate in spec.gates if gate.name == name)


def test_a_gate_over_signatures_says_for_how_long_they_must_have_been_logged(spec: Spec) -> None:
    signer = Signer("https://issuer.example", "release@acme.example")
    assert gate(spec, "logged").check == Signature(TrustedIdentity(signer, b"{}"), logged_for=timedelta(hours=72))


def test_a_gate_over_signatures_has_its_key_and_its_trusted_root(spec: Spec) -> None:
    signed, built = gate(spec, "signed").check, gate(spec, "built").check
    assert signed == Signature(
        TrustedKey("certs/owner.pub", OWNER.key), Subject.PLATFORMS, signed_as=SignedName("repository")
    )
    signer = Signer("https://issuer.example", "release@acme.example")
    assert built == Attestation(
        TrustedIdentity(signer, b"{}"),
        "https://slsa.dev/provenance/v1",
        builder="https://example.com/*",
        source="https://github.com/acme/*",
        subject=Subject.PLATFORMS,
    )
    assert gate(spec, "either").check == AnyOf((gate(spec, "signed"), gate(spec, "built")))


def test_a_gate_over_scans_has_its_files_below_the_specs_folder(spec: Spec, tmp_path: Path) -> None:
    assert gate(spec, "scanned").check == Vulnerabilities(
        FileReports(PathTemplate("scans/{repository}/{digest_hex}.json", f"{tmp_path}/")),
        Severity.HIGH,
        covers=(PlatformPattern.parse("linux/amd64"),),
        max_age=timedelta(days=7),
        only_fixable=True,
        ignored=(Ignored("CVE-2026-1", "not reachable", date(2026, 12, 31)),),
    )


def test_a_gate_over_scans_may_want_them_attested(spec: Spec) -> None:
    by = TrustedIdentity(Signer("https://issuer.example", "scanner@acme.example"), b"{}")
    reports = AttestedReports(by, "https://acme.example/sarif/v1")
    assert gate(spec, "attested").check == Vulnerabilities(reports, Severity.CRITICAL)


def test_windows_approvals_and_programs_are_read(spec: Spec, tmp_path: Path) -> None:
    hours = gate(spec, "hours").check
    assert isinstance(hours, Window)
    assert (hours.zone.key, hours.allow, hours.override) == (
        "Europe/Berlin",
        (Hours.parse("mon-fri 08:00-18:00"),),
        "",
    )
    assert hours.freezes == (Freeze(date(2026, 12, 20), date(2027, 1, 3), "holidays"),)
    files = PathTemplate("yes/{digest_hex}/*.json", f"{glob.escape(str(tmp_path))}/")
    assert gate(spec, "two").check == Approval(2, ("alice", "bob"), files, timedelta(days=14))
    alice = TrustedIdentity(Signer("https://issuer.example", "alice@acme.example"), b"{}")
    bob = TrustedKey("certs/owner.pub", OWNER.key)
    default = PathTemplate("approvals/{digest_hex}/*.json", files.folder)
    assert gate(spec, "keyless").check == Approval(1, ("alice", "bob"), default, signers=(alice, bob))
    assert gate(spec, "lives").check == GitHubEnvironment(
        "production",
        "acme/shop",
        "refs/heads/main",
        "acme/shop/.github/workflows/promote.yml@*",
        "https://github.acme.example/_services/token",
    )
    assert gate(spec, "checked").check == Command(("./check.sh", "--strict"), str(tmp_path), 30)


def test_gates_over_images_are_read_and_may_warn(spec: Spec) -> None:
    every = gate(spec, "all")
    assert every.mode is Mode.WARN
    assert isinstance(every.check, AllOf)
    assert [one.check for one in every.check.gates[1:]] == [
        RequirePlatforms((PlatformPattern.parse("linux/amd64"),)),
        Labels((("team", Value.parse("shop")),), (("vendor", Value.parse("/acme.*/")),)),
    ]
    (size,) = (one.check for one in rule(spec, "bases/bitnami/kafka").gates if one.name == "size")
    assert size == Size(2_000_000_000, 500_000_000, 99, "total 2GB, layer 500MB, layers 99")
    (age,) = (one.check for one in rule(spec, "sync[1]/tool").gates if one.name == "min_age")
    assert age == MinAge(timedelta(hours=72), "h", Clock.CREATED)


def test_a_tag_in_the_name_is_the_tag(spec: Spec) -> None:
    assert patterns(rule(spec, "bases/nginx")) == ["1.27"]


def test_a_digest_is_written_to_the_tag_that_is_given_for_it(spec: Spec) -> None:
    app = rule(spec, "bases/app")
    assert app.digest == f"sha256:{HEX}"
    assert app.tags.exact_tags == ("pinned",)
    assert app.retag.apply(Tag("pinned")) == "pinned"


def test_an_included_file_takes_the_defaults_and_has_its_own_folder(spec: Spec) -> None:
    python = rule(spec, "more/python")
    assert (str(python.source), patterns(python)) == ("docker.io/library/python", ["edge"])
    assert python.destinations == (Repository("oci:out", "python"),)
    assert python.place.file.endswith("images/more.yaml")
    assert python.place.line == 3


def test_a_rule_knows_its_place(spec: Spec, tmp_path: Path) -> None:
    place = rule(spec, "bases/redis").place
    line = WHOLE.splitlines().index("      - redis") + 1
    assert (place.file, place.line, place.column) == (str(tmp_path / "sync.yaml"), line, 9)


def test_files_are_named_from_the_first_ones_folder_with_their_hash(spec: Spec, tmp_path: Path) -> None:
    assert spec.files == (
        SpecFile("sync.yaml", sha256(WHOLE.encode()).hexdigest()),
        SpecFile("images/more.yaml", sha256(INCLUDED.encode()).hexdigest()),
    )
    assert spec.directory == str(tmp_path)


def test_a_login_is_read_when_it_is_needed_its_variables_too(spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    auth = spec.settings.auth_for("docker.io", "library/nginx")
    assert isinstance(auth.pull, Password)
    assert auth.push == auth.pull
    monkeypatch.setenv("HUB_USER", "robot$ci")
    monkeypatch.setenv("HUB_TOKEN", "hunter2")
    assert (auth.pull.username.reveal(), auth.pull.password.reveal()) == ("robot$ci", "hunter2")
    assert auth.pull.password.origin == "environment variable HUB_TOKEN"
    assert "hunter2" not in repr(spec)
    assert "robot$ci" not in repr(spec)


def test_reading_and_writing_may_have_logins_of_their_own(spec: Spec) -> None:
    auth = spec.settings.auth_for("ghcr.io", "acme/app")
    assert auth.pull == Anonymous()
    assert isinstance(auth.push, IdentityToken)
    assert auth.push.token.reveal() == "hunter2"
    assert spec.settings.auth_for("ghcr.io", "other/app") == Auth(DefaultAuth(), DefaultAuth())


def test_a_helper_is_named(spec: Spec) -> None:
    assert spec.settings.for_host("quay.io").auth == Auth(Helper("quay"), Helper("quay"))


def test_a_clouds_login_is_a_word_or_says_whose_it_is(spec: Spec) -> None:
    named = Ecr("arn:aws:iam::111122223333:role/mirror", "build", "eu-central-1")
    assert spec.settings.for_host("1.dkr.ecr.eu-west-1.amazonaws.com").auth == Auth(named, named)
    assert spec.settings.for_host("public.ecr.aws").auth == Auth(Ecr(), Ecr())


def test_each_cloud_has_what_says_whose_its_login_is(spec: Spec) -> None:
    provider = "projects/1/locations/global/workloadIdentityPools/ci/providers/github"
    google = spec.settings.auth_for("europe-docker.pkg.dev", "acme/images/app").pull
    assert google == Gar("mirror@acme.iam.gserviceaccount.com", provider)
    azure = spec.settings.auth_for("acme.azurecr.io", "app").push
    assert azure == Acr("acme.example", "22222222-2222-2222-2222-222222222222")
    hub = spec.settings.auth_for("docker.io", "acme/app").push
    assert hub == DockerHub("acme", "867f9d74-789a-4828-a856-12d46bfbbbe7")


def test_limits_mirrors_chunks_and_timeouts_are_read(spec: Spec) -> None:
    assert spec.settings.for_host("docker.io").concurrency == 3
    assert spec.settings.for_host("docker.io").pulls == PullBudget(80, 21600, WhenSpent.DEFER)
    assert spec.settings.for_host("quay.io").bandwidth == 50_000_000
    assert spec.settings.for_host("quay.io").mirrors == ("cache.internal:5000",)
    assert spec.settings.for_host("quay.io").chunk_bytes == 90_000_000
    assert spec.settings.for_host("quay.io").token_realm_allow == ("auth.internal",)
    assert spec.settings.for_host("own.internal").timeouts == Timeouts(0.5, 120.0, 3600.0)


def test_what_is_created_is_read_with_all_its_settings(spec: Spec) -> None:
    of_ecr = spec.settings.create_for("111122223333.dkr.ecr.eu-central-1.amazonaws.com", "mirror/nginx")
    assert of_ecr == RepositoryTemplate(
        ("latest", "dev-*"), scan_on_push=True, kms_key="alias/images", tags=(("team", "platform"),), lifecycle="{}"
    )
    of_harbor = spec.settings.create_for("harbor.internal", "library/nginx")
    assert of_harbor == RepositoryTemplate(is_public=True, storage_bytes=100_000_000_000)


def test_a_behaviour_is_what_the_spec_says_on_the_row_of_its_kind(spec: Spec) -> None:
    assert spec.settings.for_host("harbor.internal").behaviour_at("harbor.internal") == Behaviour(
        mount=Mount.NEVER,
        chunks=Chunks.NEVER,
        referrers=Referrers.TAG,
        page_size=50,
        catalog=Catalog.NEVER,
        repush=Repush.REFUSED,
        creation=Creation.HARBOR,
        deletes=Deletes.DIGEST,
        manifest_bytes=1024 * 1024,
    )


def test_tls_is_a_mode_or_files_below_the_specs_folder(spec: Spec, tmp_path: Path) -> None:
    certs = tmp_path / "certs"
    assert spec.settings.for_host("own.internal").tls == Tls(
        TlsMode.REQUIRED, certs / "ca.pem", certs / "c.pem", certs / "k.pem"
    )
    assert spec.settings.for_host("lab.internal:5000").tls == Tls(TlsMode.DISABLED)
    assert spec.settings.for_host("dev.internal").tls == Tls(TlsMode.INSECURE)
    assert spec.settings.for_host("lab.internal").tls == Tls()


def test_a_promotion_has_images_and_stages_with_repositories_tags_and_a_journal(spec: Spec) -> None:
    (shop,) = spec.promotions
    dev, _, production = shop.stages
    assert shop.name == "shop"
    assert [str(production.repository_of(image)) for image in shop.images] == [
        "registry.internal/shop/api",
        "registry.internal/shop/jobs/worker",
    ]
    assert dev.journal == production.journal == Repository("registry.internal", "records/shop")
    assert (dev.tag_of(Tag("1.4.0")), production.tag_of(Tag("1.4.0"))) == ("1.4.0", "1.4.0-production")
    assert shop.signing is not None
    assert (shop.signing.public, shop.signing.key.origin) == (OWNER.key, "environment variable HUB_TOKEN")
    assert [str(gate) for gate in production.gates] == ["soak (soak 24h, clock first_seen)"]
    assert (dev.current, production.current) == (None, "production")
    assert (dev.is_automatic, production.is_automatic) == (False, True)
    assert production.immutable.holds(Tag("1.4.0-production"))
    assert (dev.attachments, production.attachments) == (ALL_ATTACHMENTS, NO_ATTACHMENTS)


def keys_of(schema: Any) -> Iterator[str]:
    """Every key that the schema allows anywhere."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for value in schema.values():
            yield from keys_of(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from keys_of(value)


@pytest.mark.parametrize("key", sorted(set(keys_of(json.loads(schema_text())))))
def test_the_spec_of_this_file_says_every_key_of_the_schema(key: str) -> None:
    """A key that is new in the schema needs a line above, and a test that shows what it does."""
    assert f"{key}:" in WHOLE

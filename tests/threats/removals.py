"""Removals: for each threat a guard, as its text stands in a file, and what takes it away; and the test that tells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Removal:
    """`guard` stands in `file` exactly once; with `instead` in its place, `test` fails."""

    id: str
    threat: str
    file: str
    guard: str
    instead: str
    test: str

    @property
    def number(self) -> int:
        return int(self.id[1:])


def _lie(name: str) -> str:
    return f"tests/hostile/test_lies.py::test_a_lie_at_each_endpoint_ends_one_image_and_no_other[{name}]"


_REGISTRY = "imagesync/registry"
REMOVALS = (
    Removal(
        "S1",
        "a foreign layer's `urls` are fetched",
        "imagesync/manifest.py",
        "for blob in wanted if not blob.is_foreign}",
        "for blob in wanted}",
        "tests/wire/test_blobs.py::test_a_foreign_layer_is_not_fetched",
    ),
    Removal(
        "S2",
        "a realm on a nearer server gets a login",
        f"{_REGISTRY}/guard.py",
        "if found < self.guard.reach and not self.guard.allows(self.named):",
        "if False:",
        _lie("realm at a name on loopback"),
    ),
    Removal(
        "S2",
        "a realm at a metadata service gets a login",
        f"{_REGISTRY}/guard.py",
        "if not found.may_be_named:",
        "if False:",
        "tests/registry/test_guard.py::test_what_gives_out_a_machines_own_logins_is_named_by_nobody",
    ),
    Removal(
        "S3",
        "an upload goes on elsewhere",
        f"{_REGISTRY}/session.py",
        ' and address.origin.scheme != "https":',
        " and False:",
        _lie("a session at a public host"),
    ),
    Removal(
        "S4",
        "a redirect takes a login to another origin",
        f"{_REGISTRY}/auth.py",
        "if request.address.origin != self._origin:",
        "if False:",
        _lie("redirect to a public host"),
    ),
    Removal(
        "S5",
        "a list goes on at another host",
        f"{_REGISTRY}/pages.py",
        "if address.origin != answer.address.origin:",
        "if False:",
        _lie("a next page at a public host"),
    ),
    Removal(
        "S6",
        "pages without end",
        f"{_REGISTRY}/pages.py",
        "if page.following in asked or not is_growing:",
        "if False:",
        _lie("empty pages without end"),
    ),
    Removal(
        "S7",
        "one document is taken for two",
        "imagesync/manifest.py",
        'if has_entries and ("layers" in document or "config" in document):',
        "if False:",
        "tests/wire/test_manifests.py::test_a_document_of_two_types_is_refused",
    ),
    Removal(
        "S8",
        "a blob's bytes are not those of its digest",
        "imagesync/transfer/verify.py",
        "if self._hash.hexdigest() != self.blob.digest.encoded:",
        "if False:",
        "tests/test_transfer.py::test_one_wrong_byte_is_an_integrity_error_and_never_arrives_whole",
    ),
    Removal(
        "S8",
        "a registry has stored other bytes than it was sent",
        f"{_REGISTRY}/session.py",
        "if stored.algorithm == self.digest.algorithm and stored != self.digest:",
        "if False:",
        _lie("another digest stored"),
    ),
    Removal(
        "S9",
        "a digest becomes a path",
        "imagesync/reference.py",
        "if len(encoded) != length or not _HEX.fullmatch(encoded):",
        "if False:",
        _lie("a digest that is a path"),
    ),
    Removal(
        "S10",
        "an answer without end fills the memory",
        f"{_REGISTRY}/client.py",
        "if len(body) >= MAX_ERROR_BYTES:",
        "if False:",
        "tests/registry/test_caps.py::test_of_an_answer_that_is_not_accepted_little_is_read",
    ),
    Removal(
        "S10",
        "small texts grow large in memory",
        "imagesync/manifest.py",
        'return sum(map(raw.count, (b"{", b"[", b",", b":"))) > MAX_MARKS',
        "return False",
        "tests/test_manifest.py::test_a_manifest_of_brackets_is_refused_before_it_is_parsed",
    ),
    Removal(
        "S11",
        "indexes in indexes",
        "imagesync/manifest.py",
        "MAX_DEPTH = 4",
        "MAX_DEPTH = 400",
        "tests/wire/test_manifests.py::test_an_index_nested_fifty_levels_deep_is_refused_before_any_write",
    ),
    Removal(
        "S12",
        "a layout leads out of itself",
        "imagesync/layout/files.py",
        "os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK",
        "os.O_RDONLY | os.O_NONBLOCK",
        "tests/test_layout.py::TestHostileLayouts::test_a_blob_that_is_a_link_is_not_read",
    ),
    Removal(
        "S13",
        "a server compresses what is unpacked",
        f"{_REGISTRY}/transport.py",
        '"Accept-Encoding": "identity", ',
        "",
        "tests/registry/test_client.py::test_every_request_says_who_asks_and_takes_no_encoding",
    ),
    Removal(
        "S14",
        "a server has our login printed",
        "imagesync/registry/answers.py",
        'redacted(" ".join(redacted(text).split()))',
        '" ".join(text.split())',
        "tests/registry/test_answers.py::test_a_login_that_a_server_repeats_is_not_shown",
    ),
    Removal(
        "S15",
        "a helper that fails leaves the search to others",
        f"{_REGISTRY}/credential_helper.py",
        "if _NOT_FOUND in output.lower():",
        "if True:",
        "tests/registry/test_credentials.py::test_a_helper_that_fails_ends_the_search_and_shows_nothing",
    ),
    Removal(
        "S16",
        "a login for another host is found",
        f"{_REGISTRY}/dockerconfig.py",
        "normalise_key(key) == name)",
        "name.endswith(normalise_key(key)))",
        "tests/registry/test_credentials.py::test_another_host_is_no_match",
    ),
    Removal(
        "S17",
        "a listed name is no tag",
        "imagesync/reference.py",
        "return _TAG.fullmatch(text) is not None",
        "return True",
        _lie("names that are none"),
    ),
    Removal(
        "S18",
        "a tag moves between plan and apply",
        "imagesync/executor/recheck.py",
        "if now == copy.root.digest:",
        "if True:",
        "tests/cli/test_apply.py::test_a_tag_that_moved_since_the_saved_plan_is_left_alone",
    ),
    Removal(
        "S19",
        "plain HTTP in the place of TLS",
        f"{_REGISTRY}/client.py",
        "if self._tls.mode is TlsMode.INSECURE or not is_loopback(self.host):",
        "if self._tls.mode is TlsMode.INSECURE:",
        "tests/registry/test_client.py::test_plain_http_elsewhere_is_refused_with_the_lines_to_add",
    ),
    Removal(
        "S20",
        "a body that trickles",
        f"{_REGISTRY}/pace.py",
        "if self._moved < self._waited * LEAST_RATE:",
        "if False:",
        "tests/registry/test_pace.py::test_bytes_that_are_taken_one_by_one_are_too_slow",
    ),
    Removal(
        "S21",
        "a body is sent on by a redirect",
        f"{_REGISTRY}/client.py",
        'if is_answer or call.method not in ("GET", "HEAD"):',
        "if is_answer:",
        "tests/registry/test_caps.py::test_what_writes_is_sent_nowhere_by_a_redirect",
    ),
    Removal(
        "S22",
        "a token may do more than is asked",
        f"{_REGISTRY}/repository.py",
        '("pull", "push") if push else ("pull",)',
        '("pull", "push")',
        "tests/registry/test_client.py::test_a_token_to_read_is_for_reading_and_is_kept_nowhere",
    ),
    Removal(
        "S23",
        "a few lines of YAML unfold to billions",
        "imagesync/spec/document.py",
        "if self._count > MAX_NODES or id(node) in self._open:",
        "if id(node) in self._open:",
        "tests/spec/test_document.py::test_a_few_lines_that_unfold_to_billions_are_refused",
    ),
    Removal(
        "S24",
        "what a variable holds is expanded again",
        "imagesync/spec/interpolate.py",
        'value = self._environment.get(match["name"])',
        "value = re.sub(r'..(\\w+).', lambda m: self._environment[m[1]], self._environment.get(match['name']) or '')",
        "tests/spec/test_interpolate.py::test_only_a_dollar_before_a_brace_is_special_and_expanded_once",
    ),
    Removal(
        "S25",
        "a list that failed has everything deleted",
        "imagesync/plan/leftovers.py",
        "return target.refused(wants, rule)",
        "wants = []",
        "tests/cli/test_prune.py::TestRefusals::test_where_the_source_cannot_be_listed",
    ),
    Removal(
        "S26",
        "control characters of a server reach a terminal",
        f"{_REGISTRY}/answers.py",
        "return ascii(text[:MAX_SHOWN])[1:-1]",
        "return text[:MAX_SHOWN]",
        _lie("refusal with control characters"),
    ),
    Removal(
        "S27",
        "a name in an archive is a path",
        "imagesync/archive/names.py",
        "else parse_name(ref_name),)",
        "else SavedName(None, ref_name),)",
        "tests/archive/test_docker.py::TestLayoutInside::test_a_name_that_is_no_reference_is_refused",
    ),
    Removal(
        "S28",
        "an address is no http",
        f"{_REGISTRY}/origin.py",
        "if scheme not in _DEFAULT_PORTS or match is None:",
        "if match is None:",
        "tests/registry/test_origin.py::test_what_is_no_plain_address_is_refused",
    ),
)

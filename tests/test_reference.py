"""Names: the vectors of the reference library, what imagesync refuses beyond it, and properties of the parser."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import InvalidReference
from imagesync.reference import (
    PATH_PATTERN,
    TAG_PATTERN,
    Digest,
    Reference,
    Repository,
    Tag,
    check_path,
    footguns,
    is_loopback,
    make_repository,
    normalise_host,
    parse_name,
    parse_reference,
    starts_with_host,
)

VECTORS = json.loads((Path(__file__).parent / "vectors" / "references.json").read_text("utf-8"))
HEX = "a" * 64
SHA256 = f"sha256:{HEX}"

REFUSED_BEYOND_THE_LIBRARY = {
    "DOCKER.IO/nginx": "in lower case",
    "Docker.io/library/nginx": "in lower case",
    "host:99999/foo": "not between 1 and 65535",
}
"""The library reads these; each can only be a mistake."""
FOLDED_HOSTS = {"EXAMPLE.com/foo": "example.com", "LOCALHOST/foo": "localhost"}
"""The library keeps these capitals; imagesync compares hosts in lower case."""


def vector_id(vector: dict[str, object]) -> str:
    return ascii(vector["input"])[1:40]


@pytest.mark.parametrize("vector", [v for v in VECTORS if not v["valid"]], ids=vector_id)
def test_what_the_library_refuses_is_refused(vector: dict[str, str]) -> None:
    """REF-01."""
    with pytest.raises(InvalidReference):
        parse_reference(vector["input"])


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["valid"]], ids=vector_id)
def test_what_the_library_reads_is_read_the_same(vector: dict[str, str]) -> None:
    """REF-01: the few that are refused on purpose are spelled out above."""
    text, host = vector["input"], vector["domain"]
    if text in REFUSED_BEYOND_THE_LIBRARY or len(host) > 253:
        with pytest.raises(InvalidReference, match=REFUSED_BEYOND_THE_LIBRARY.get(text, "DNS allows 253")):
            parse_reference(text)
        return
    reference = parse_reference(text)
    assert reference.repository == Repository(FOLDED_HOSTS.get(text, host), vector["path"])
    assert (reference.tag or "", reference.digest or "") == (vector["tag"], vector["digest"])


def test_the_vectors_hold_every_case_that_is_read_otherwise_on_purpose() -> None:
    inputs = {vector["input"] for vector in VECTORS}
    named = [text for text in (*REFUSED_BEYOND_THE_LIBRARY, *FOLDED_HOSTS) if len(text) < 253]
    assert set(named) <= inputs


@pytest.mark.parametrize(
    "text", ["host_name.com/foo", "host:0/foo", "host:65536/foo", "host:999999999999999999999/foo"]
)
def test_a_host_or_port_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference):
        parse_reference(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("index.docker.io/nginx", "docker.io/library/nginx:latest"),
        ("foo/bar:1", "docker.io/foo/bar:1"),
        ("docker.io:443/nginx", "docker.io:443/nginx:latest"),
        ("[::1]:5000/foo", "[::1]:5000/foo:latest"),
        ("MYHOST/foo", "MYHOST/foo:latest"),
        (f"nginx@{SHA256}", f"docker.io/library/nginx@{SHA256}"),
        (f"nginx:1@{SHA256}", f"docker.io/library/nginx:1@{SHA256}"),
    ],
)
def test_a_reference_is_printed_in_full(text: str, expected: str) -> None:
    assert str(parse_reference(text)) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "an empty reference"),
        ("x" * 4097, "4096 are allowed"),
        ("nginx\n", "white space"),
        ("https://quay.io/foo", "drop https://, write quay.io/foo"),
        (HEX, f"write NAME@sha256:{HEX}"),
        ("foo/Bar", "write foo/bar"),
        ("example.com//a", "not a repository name"),
        ("nginx:a/b@x", "not a digest"),
        ("nginx:-x", "not a tag"),
        (f"nginx@sha256:{HEX.upper()}", "lower-case hex"),
        ("nginx@sha256:abc", "takes 64"),
        ("nginx@md5:abc", "sha256:… or sha512:…"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_to_write(text: str, said: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse_reference(text)
    assert said in str(caught.value)


def test_what_a_hint_quotes_is_escaped() -> None:
    with pytest.raises(InvalidReference) as caught:
        parse_reference("https://x\n::error::y")
    assert str(caught.value).isprintable()


def test_what_a_message_quotes_is_escaped_and_cut() -> None:
    with pytest.raises(InvalidReference) as caught:
        Tag("\x1b[31m" + "x" * 500)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 250


@given(
    st.one_of(
        st.text(max_size=60),
        st.text(alphabet="ab1.:/@-_[]A\n \x00é", max_size=30),
        st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")),
    )
)
def test_any_text_is_a_reference_that_prints_back_or_an_invalid_reference(text: str) -> None:
    """REF-02."""
    try:
        reference = parse_reference(text)
    except InvalidReference:
        return
    assert parse_reference(str(reference)) == reference


COMPONENT = st.from_regex(r"[a-z0-9]{1,8}(?:[._-][a-z0-9]{1,4})?", fullmatch=True)
PATHS = st.lists(COMPONENT, min_size=1, max_size=4).map("/".join)
TAGS = st.from_regex(rf"\A{TAG_PATTERN}\Z").filter(lambda tag: "\n" not in tag and tag.isascii())
HOSTS = st.sampled_from(["docker.io", "localhost", "localhost:5000", "quay.io", "127.0.0.1:1", "[::1]:5000"])


@given(HOSTS, PATHS, st.none() | TAGS, st.none() | st.just(SHA256) | st.just(f"sha512:{'0' * 128}"))
def test_a_reference_of_good_parts_is_read_back_from_its_text(
    host: str, path: str, tag: str | None, digest: str | None
) -> None:
    """REF-02."""
    made = Reference(make_repository(host, path), Tag(tag) if tag else None, Digest(digest) if digest else None)
    expected = made if tag or digest else Reference(made.repository, Tag("latest"))
    assert parse_reference(str(made)) == expected


@pytest.mark.parametrize("piece", ["a", "a/", "a-", ":", "@", "[", "A.", "-a", "sha256:"])
def test_a_megabyte_is_refused_at_once(piece: str) -> None:
    """REF-02: no pattern is run over text of any length."""
    text = piece * (1024 * 1024 // len(piece))
    started = time.process_time()
    with pytest.raises(InvalidReference):
        parse_reference(text)
    assert time.process_time() - started < 1


def test_a_name_has_no_host_and_no_default_tag() -> None:
    name = parse_name(f"library/nginx:1.27@{SHA256}")
    assert (name.path, name.tag, name.digest) == ("library/nginx", "1.27", SHA256)
    assert parse_name("docker.io/nginx").path == "docker.io/nginx"
    assert parse_name("nginx").tag is None


def test_the_digest_is_what_is_read_where_there_is_one() -> None:
    repository = Repository("quay.io", "a")
    assert Reference(repository, Tag("1"), Digest(SHA256)).target == SHA256
    assert Reference(repository, Tag("1")).target == "1"
    with pytest.raises(InvalidReference, match="neither a tag nor a digest"):
        _ = Reference(repository).target


def test_a_digest_knows_its_parts() -> None:
    digest = Digest(SHA256)
    assert (digest.algorithm, digest.encoded, digest.short) == ("sha256", HEX, f"sha256:{'a' * 12}")
    assert Digest(digest) is digest


def test_a_tag_may_have_128_characters_and_no_more() -> None:
    tag = Tag("_" + "x" * 127)
    assert Tag(tag) is tag
    assert Tag.is_valid(tag)
    assert not Tag.is_valid(f"{tag}x")
    assert not Tag.is_valid("1\n")


def test_a_path_may_have_255_characters_and_no_more() -> None:
    assert check_path("a" * 255) == "a" * 255
    with pytest.raises(InvalidReference, match="255 are allowed"):
        check_path("a" * 256)


def test_one_word_on_docker_hub_is_in_library_and_nowhere_else() -> None:
    assert make_repository("docker.io", "nginx").path == "library/nginx"
    assert make_repository("index.docker.io", "nginx") == make_repository("docker.io", "library/nginx")
    assert make_repository("quay.io", "nginx").path == "nginx"
    assert make_repository("oci:folder", "nginx") == Repository("oci:folder", "nginx")


def test_a_layout_needs_no_network() -> None:
    assert Repository("oci:folder", "a").is_layout
    assert Repository("oci-archive:file.tar", "a").is_layout
    assert Repository("docker-archive:file.tar", "a").is_layout
    assert not Repository("localhost", "a").is_layout


@pytest.mark.parametrize(
    ("registry", "path", "kept", "host", "below"),
    [
        ("docker-archive:x.tar", "nginx", "nginx", "", "nginx"),
        ("docker-archive:x.tar", "docker.io/nginx", "docker.io/library/nginx", "docker.io", "library/nginx"),
        ("docker-archive:x.tar", "localhost:5000/a/b", "localhost:5000/a/b", "localhost:5000", "a/b"),
        ("docker-archive:x.tar", "Quay.IO/a", "quay.io/a", "quay.io", "a"),
        ("docker-archive:x.tar", "a/index.json", "a/index.json", "", "a/index.json"),
        ("oci-archive:x.tar", "quay.io/a", "quay.io/a", "", "quay.io/a"),
        ("quay.io", "ghcr.io/a", "ghcr.io/a", "quay.io", "ghcr.io/a"),
    ],
)
def test_a_name_in_a_docker_archive_may_begin_with_the_host_of_its_image(
    registry: str, path: str, kept: str, host: str, below: str
) -> None:
    found = make_repository(registry, path)
    assert (found.path, found.host, found.path_below_host) == (kept, host, below)


@pytest.mark.parametrize("path", ["quay.io:99999/a", "a b/c", "quay.io/A", "../a", "a..b/c", "quay.io/"])
def test_a_name_in_a_docker_archive_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(InvalidReference):
        make_repository("docker-archive:x.tar", path)


@pytest.mark.parametrize("text", ["", "a b", "-a.com", "a..b", "::1", "[fe80::1%25eth0]", "a:", "a:b", "ü.de", "a\n"])
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference):
        normalise_host(text)


def test_a_host_that_only_its_capitals_make_keeps_them() -> None:
    assert normalise_host("MyHost") == "MyHost"
    assert normalise_host("MyHost.Example") == "myhost.example"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("localhost/a", True),
        ("a.b/c", True),
        ("a:1/c", True),
        ("MyOrg/a", True),
        ("myorg/a", False),
        ("localhost", False),
        ("a.b", False),
    ],
)
def test_a_word_with_a_dot_a_colon_or_a_capital_before_a_slash_is_a_host(text: str, expected: bool) -> None:
    assert starts_with_host(text) is expected


@pytest.mark.parametrize(
    "registry", ["localhost", "localhost:5000", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:5000"]
)
def test_this_machine_is_known_by_its_names(registry: str) -> None:
    assert is_loopback(registry)


@pytest.mark.parametrize("registry", ["localhost.example.com", "127.example.com", "128.0.0.1", "[::2]", "10.0.0.1:127"])
def test_another_machine_is_not_taken_for_this_one(registry: str) -> None:
    assert not is_loopback(registry)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("registry-1.docker.io/nginx", "did you mean docker.io/nginx"),
        (f"sha256:{HEX}", "digest read as the image library/sha256"),
        ("localhost:5000", "not as a registry"),
        ("quay.io", "not as a registry"),
        ("host:5000", "not as a registry"),
        ("MyOrg/foo", "capitals make 'MyOrg' a host"),
        (f"example.com/{'a' * 250}", "over 255 characters together"),
    ],
)
def test_a_reference_that_is_surely_not_meant_has_a_warning(text: str, said: str) -> None:
    """REF-03: it parses as the library says, and is warned about."""
    parse_reference(text)
    assert [warning for warning in footguns(text) if said in warning]


@pytest.mark.parametrize(
    "text", ["nginx", "nginx:1.27", "quay.io/a/b:1", f"nginx@{SHA256}", "localhost:5000/a", "no t"]
)
def test_a_plain_reference_has_no_warning(text: str) -> None:
    assert footguns(text) == ()


def test_the_path_pattern_is_that_of_the_distribution_spec() -> None:
    assert PATH_PATTERN == (r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")

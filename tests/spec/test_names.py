"""Names in a spec: sources, images below them, and the repositories that destination templates give."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import InvalidReference
from imagesync.reference import Repository
from imagesync.spec.names import (
    ImageName,
    SourceName,
    check_destination,
    destination_repository,
    expand_alternatives,
    image_alone,
    image_below,
    parse_source,
)

SHA256 = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("docker.io", SourceName("docker.io")),
        ("index.docker.io", SourceName("docker.io")),
        ("Quay.IO/acme/", SourceName("quay.io", "acme")),
        ("localhost", SourceName("localhost")),
        ("localhost:5000/a/b", SourceName("localhost:5000", "a/b")),
        ("oci:./folder", SourceName("oci:./folder")),
        ("oci-archive:file.tar", SourceName("oci-archive:file.tar")),
        ("docker-archive:file.tar", SourceName("docker-archive:file.tar")),
    ],
)
def test_a_source_is_a_host_with_a_prefix_or_a_layout(text: str, expected: SourceName) -> None:
    assert parse_source(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nginx", "write docker.io/nginx"),
        ("acme/app", "write docker.io/acme/app"),
        ("https://quay.io", "drop https://, write quay.io"),
        ("quay.io/Acme", "lower case"),
        ("docker.io/library/nginx:1", "not a repository name"),
        ("quay.io:x", "not a host"),
        ("x\x1b[31m", r"write docker.io/x\x1b[31m"),
        ("oci://folder", "write oci:folder"),
        ("oci-archive:///a/x.tar", "write oci-archive:/a/x.tar"),
        ("docker-archive://x.tar", "write docker-archive:x.tar"),
        ("docker-archive:", "names no file"),
        ("oci:", "names no directory"),
    ],
)
def test_a_source_that_is_none_says_what_to_write(text: str, said: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse_source(text)
    assert said in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nginx", ("nginx",)),
        ("bitnami/{kafka,zookeeper}", ("bitnami/kafka", "bitnami/zookeeper")),
        ("{a,b}/{c, d}", ("a/c", "a/d", "b/c", "b/d")),
        ("redis{,-stack}:7", ("redis:7", "redis-stack:7")),
        ("x{a,a}", ("xa",)),
    ],
)
def test_alternatives_are_written_out(text: str, expected: tuple[str, ...]) -> None:
    assert expand_alternatives(text) == expected


@pytest.mark.parametrize("text", ["{a,b", "a}", "{a}", "{name}", "{{a,b}}", "{a,b}" * 20, "{}" * 100_000])
def test_alternatives_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InvalidReference):
        expand_alternatives(text)


@given(st.text(alphabet="ab{},/", max_size=30))
def test_any_text_is_alternatives_without_braces_or_refused(text: str) -> None:
    try:
        names = expand_alternatives(text)
    except InvalidReference:
        return
    assert names
    assert not any(set(name) & set("{}") for name in names)


@pytest.mark.parametrize(
    ("source", "text", "repository", "written"),
    [
        ("docker.io", "nginx:1", "docker.io/library/nginx", "nginx"),
        ("docker.io", "library/nginx", "docker.io/library/nginx", "library/nginx"),
        ("docker.io/library", "nginx", "docker.io/library/nginx", "nginx"),
        ("quay.io/prometheus", "node-exporter", "quay.io/prometheus/node-exporter", "node-exporter"),
        ("oci:folder", "hello", "oci:folder/hello", "hello"),
    ],
)
def test_an_image_is_below_its_source(source: str, text: str, repository: str, written: str) -> None:
    image = image_below(parse_source(source), text, is_literal=False)
    assert (str(image.repository), image.written) == (repository, written)


def test_a_reference_below_a_source_is_refused_with_both_ways_to_write_it() -> None:
    hub = parse_source("docker.io")
    with pytest.raises(InvalidReference) as caught:
        image_below(hub, "docker.io/library/nginx:1", is_literal=False)
    assert caught.value.hint is not None
    assert "write `library/nginx:1`" in caught.value.hint
    assert "`- name: docker.io/library/nginx:1`" in caught.value.hint
    with pytest.raises(InvalidReference, match="move it to an entry without `source`"):
        image_below(hub, "localhost/nginx", is_literal=False)
    literal = image_below(parse_source("cache.internal"), "docker.io/library/nginx:1", is_literal=True)
    assert str(literal.repository) == "cache.internal/docker.io/library/nginx"


@pytest.mark.parametrize(("text", "said"), [("MyOrg/app", "write myorg/app"), ("bitnami/*", "not a"), ("a b", "not a")])
def test_a_name_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidReference, match=said):
        image_below(parse_source("docker.io"), text, is_literal=False)


@pytest.mark.parametrize(
    ("text", "repository", "written", "tag"),
    [
        ("nginx:1.27", "docker.io/library/nginx", "nginx", "1.27"),
        ("docker.io/nginx", "docker.io/library/nginx", "nginx", None),
        ("quay.io/a/b:1", "quay.io/a/b", "a/b", "1"),
        ("localhost:5000/x", "localhost:5000/x", "x", None),
        (f"quay.io/a@{SHA256}", "quay.io/a", "a", None),
        (f"quay.io/a:1@{SHA256}", "quay.io/a", "a", "1"),
    ],
)
def test_an_image_without_source_is_a_full_reference(text: str, repository: str, written: str, tag: str | None) -> None:
    image = image_alone(text)
    assert (str(image.repository), image.written, image.name.tag) == (repository, written, tag)
    assert image.name.digest == (SHA256 if "@" in text else None)


NGINX = image_below(parse_source("docker.io"), "nginx", is_literal=False)
TOOL = image_below(parse_source("Registry.Local:5000/tools"), "a/b", is_literal=False)
LAYOUT = image_below(parse_source("oci:folder"), "hello", is_literal=False)
SAVED = image_below(parse_source("docker-archive:x.tar"), "docker.io/nginx:1", is_literal=False)
SAVED_THERE = image_below(parse_source("docker-archive:x.tar"), "localhost:5000/a/b", is_literal=False)
SAVED_SOMEWHERE = image_below(parse_source("docker-archive:x.tar"), "a/b", is_literal=False)


@pytest.mark.parametrize(
    ("template", "image", "renamed", "expected"),
    [
        ("localhost:5000", NGINX, None, "localhost:5000/nginx"),
        ("localhost:5000/", NGINX, None, "localhost:5000/nginx"),
        ("a.io/mirror", NGINX, None, "a.io/mirror/nginx"),
        ("a.io/{path}", NGINX, None, "a.io/library/nginx"),
        ("a.io/{host}/{path}", NGINX, None, "a.io/docker.io/library/nginx"),
        ("a.io/{host}/{path}", TOOL, None, "a.io/registry.local-5000/tools/a/b"),
        ("a.io/{name}", TOOL, None, "a.io/a/b"),
        ("a.io/x-{name}-y", NGINX, None, "a.io/x-nginx-y"),
        ("a.io/mirror", NGINX, "web/{name}", "a.io/mirror/web/nginx"),
        ("a.io/{path}", NGINX, "web", "a.io/web"),
        ("docker.io", TOOL, "tool", "docker.io/library/tool"),
        ("oci:airgap", NGINX, None, "oci:airgap/nginx"),
        ("oci:air/gap", NGINX, None, "oci:air/gap/nginx"),
        ("oci:airgap/{host}/{path}", NGINX, None, "oci:airgap/docker.io/library/nginx"),
        ("a.io", LAYOUT, None, "a.io/hello"),
        ("a.io", SAVED, None, "a.io/nginx"),
        ("a.io/{path}", SAVED, None, "a.io/library/nginx"),
        ("a.io/{host}/{path}", SAVED, None, "a.io/docker.io/library/nginx"),
        ("a.io/{host}/{name}", SAVED_THERE, None, "a.io/localhost-5000/a/b"),
        ("a.io", SAVED_THERE, "x/{path}", "a.io/x/a/b"),
        ("a.io/{path}", SAVED_SOMEWHERE, None, "a.io/a/b"),
    ],
)
def test_a_template_gives_the_repository(template: str, image: ImageName, renamed: str | None, expected: str) -> None:
    check_destination(template)
    assert str(destination_repository(template, image, renamed)) == expected


def test_the_directory_of_a_layout_ends_where_a_placeholder_begins() -> None:
    assert destination_repository("oci:a/b/x-{name}", NGINX, None) == Repository("oci:a/b", "x-nginx")


@pytest.mark.parametrize(
    ("template", "image", "renamed"),
    [
        ("a.io/{host}/{path}", LAYOUT, None),
        ("a.io/{host}/{path}", SAVED_SOMEWHERE, None),
        ("a.io", NGINX, "{host}"),
        ("a.io", NGINX, "Web"),
        ("a.io", NGINX, "../x"),
        ("oci:", NGINX, None),
        ("oci:{name}", NGINX, None),
    ],
)
def test_a_template_that_fits_an_image_ill_is_refused(template: str, image: ImageName, renamed: str | None) -> None:
    with pytest.raises(InvalidReference):
        destination_repository(template, image, renamed)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a.io/{Name}", "allowed are {host}, {path} and {name}"),
        ("a.io/{name", "unpaired brace"),
        ("oci-archive:x.tar", "write to oci:DIRECTORY"),
        ("docker-archive:x.tar", "write to oci:DIRECTORY"),
        ("oci://folder", "write oci:folder"),
        ("https://a.io", "drop https://, write a.io"),
        ("acme/mirror", "write docker.io/acme/mirror"),
        ("{host}/x", "begins with no host"),
        ("a.io/nginx:latest", "has a tag or digest"),
        ("a.io/*", "not a repository name"),
        ("a.io/../x", "not a repository name"),
        ("a.io/Mirror/{name}", "lower case"),
    ],
)
def test_a_destination_that_could_be_right_for_no_image_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        check_destination(text)
    assert said in str(caught.value)

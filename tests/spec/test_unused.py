"""Registries and destinations that no image uses, and images that stand twice, are warnings with a place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.spec.written import load

SPEC = """\
version: 1
registries:
  {registry}: {{auth: anonymous}}
destinations:
  used: localhost:5000/mirror/{{name}}
  unused: other.internal
sync:
  - source: docker.io
    destination: used
    images: [nginx, {image}]
"""


def warnings(folder: Path, text: str) -> list[str]:
    return [f"{one.place.line}: {one.message}" for one in load(folder, text).warnings]


def spec(registry: str, image: str = "redis") -> str:
    return SPEC.format(registry=f'"{registry}"', image=image)


UNUSED = "6: no image goes to the destination unused"


@pytest.mark.parametrize("registry", ["docker.io", "localhost:5000", "*.io", "localhost:*", "docker.io/library"])
def test_a_registry_that_an_image_comes_from_or_goes_to_is_used(registry: str, tmp_path: Path) -> None:
    assert warnings(tmp_path, spec(registry)) == [UNUSED]


@pytest.mark.parametrize("registry", ["quay.io", "other.internal", "*.com", "docker.io/acme", "localhost:5000/mirrors"])
def test_a_registry_that_no_image_has_to_do_with_is_told(registry: str, tmp_path: Path) -> None:
    assert f"3: no image comes from {registry}, or goes there" in warnings(tmp_path, spec(registry))


@pytest.mark.parametrize(
    "registry", ["docker.io", "docker.io/hashicorp", "docker.io/hashicorp/vault", "localhost:5000"]
)
def test_a_registry_may_be_that_of_a_glob(registry: str, tmp_path: Path) -> None:
    assert warnings(tmp_path, spec(registry, "hashicorp/*")) == [UNUSED]


def test_a_token_server_that_a_registry_may_name_is_used(tmp_path: Path) -> None:
    said = "docker.io: {{token_realm_allow: [t.internal]}}\n  t.internal: {{tls: insecure}}"
    text = SPEC.replace("{registry}: {{auth: anonymous}}", said)
    assert "no image comes from" not in str(warnings(tmp_path, text.format(image="redis")))


def test_who_is_only_trusted_may_be_what_a_registry_names(tmp_path: Path) -> None:
    """`doctor` says to name the authority of a token server so; the spec knows of none."""
    text = SPEC.replace("{registry}: {{auth: anonymous}}", "t.internal: {{tls: insecure}}")
    assert "no image comes from" not in str(warnings(tmp_path, text.format(image="redis")))


def test_a_registry_that_is_a_mirror_is_used(tmp_path: Path) -> None:
    text = SPEC.replace(
        "{registry}: {{auth: anonymous}}", "docker.io: {{mirrors: [m.internal]}}\n  m.internal: {{auth: anonymous}}"
    )
    assert "no image comes from" not in str(warnings(tmp_path, text.format(image="redis")))


def test_a_destination_in_defaults_is_used_where_an_entry_has_none(tmp_path: Path) -> None:
    text = (
        spec("docker.io")
        .replace("    destination: used\n", "")
        .replace("sync:", "defaults:\n  destination: used\nsync:")
    )
    assert warnings(tmp_path, text) == [UNUSED]


def test_an_image_that_an_entry_has_already_is_told(tmp_path: Path) -> None:
    (said,) = [one for one in warnings(tmp_path, spec("docker.io", "nginx")) if "stands at" in one]
    assert said.startswith("10: sync[0]/nginx stands at ")
    assert said.endswith("sync.yaml:10:14 already, and means the same there")

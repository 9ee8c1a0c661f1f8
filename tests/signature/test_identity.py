"""Signed names: which one an image must have had, by containers-policy.json's rules and one of our own."""

from __future__ import annotations

import pytest

from imagesync.reference import parse_reference
from imagesync.signature import Exactly, InRepository, Remapped
from imagesync.signature.identity import parse_signed_name
from tests.signature.signers import DIGEST, OTHER_DIGEST

HERE = parse_reference("registry.example.com/shop/api:1.4.0")
BY_DIGEST = parse_reference(f"registry.example.com/shop/api@{DIGEST}")
BOTH = parse_reference(f"registry.example.com/shop/api:1.4.0@{DIGEST}")


def accepted(rule: Exactly | InRepository | Remapped, text: str) -> bool:
    name = parse_signed_name(text)
    return name is not None and rule.accepts(name)


@pytest.mark.parametrize(
    ("rule", "name", "is_good"),
    [
        (Exactly(HERE), "registry.example.com/shop/api:1.4.0", True),
        (Exactly(BOTH), "registry.example.com/shop/api:1.4.0", True),
        (Exactly(BY_DIGEST), f"registry.example.com/shop/api@{DIGEST}", True),
        (Exactly(HERE), "registry.example.com/shop/api:1.4.1", False),
        (Exactly(HERE), "registry.example.com/shop/api", False),
        (Exactly(BY_DIGEST), f"registry.example.com/shop/api@{OTHER_DIGEST}", False),
        (Exactly(BY_DIGEST), "registry.example.com/shop/api:1.4.0", False),
        (InRepository(HERE.repository), "registry.example.com/shop/api:2", True),
        (InRepository(HERE.repository), "registry.example.com/shop/api", True),
        (InRepository(HERE.repository), f"registry.example.com/shop/api@{DIGEST}", True),
        (InRepository(HERE.repository), "registry.example.com/shop/api2:2", False),
        (InRepository(HERE.repository), "registry.example.com:5000/shop/api:2", False),
        (InRepository(HERE.repository), "shop/api:2", False),
    ],
)
def test_a_name_is_compared_as_a_whole_or_by_its_repository(
    rule: Exactly | InRepository, name: str, is_good: bool
) -> None:
    assert accepted(rule, name) is is_good


@pytest.mark.parametrize(
    ("prefixes", "wanted"),
    [
        ({"registry.example.com": "ghcr.io"}, "ghcr.io/shop/api:1.4.0"),
        ({"registry.example.com/shop": "docker.io/library"}, "docker.io/library/api:1.4.0"),
        ({"registry.example.com/shop/api": "ghcr.io/acme/app"}, "ghcr.io/acme/app:1.4.0"),
        ({"registry.example.com": "a.io", "registry.example.com/shop": "b.io/x"}, "b.io/x/api:1.4.0"),
        ({"registry.example.com/sho": "ghcr.io"}, "registry.example.com/shop/api:1.4.0"),
        ({"registry.example": "ghcr.io"}, "registry.example.com/shop/api:1.4.0"),
        ({}, "registry.example.com/shop/api:1.4.0"),
    ],
)
def test_the_longest_whole_prefix_is_replaced(prefixes: dict[str, str], wanted: str) -> None:
    assert str(Remapped.of(HERE, prefixes)) == wanted
    assert accepted(Remapped.of(HERE, prefixes), wanted)


def test_a_remapped_name_has_the_images_tag_or_none() -> None:
    rule = Remapped.of(BOTH, {"registry.example.com": "ghcr.io"})
    assert accepted(rule, "ghcr.io/shop/api:1.4.0")
    assert accepted(rule, "ghcr.io/shop/api")  # as cosign signs
    assert not accepted(rule, "ghcr.io/shop/api:latest")
    assert not accepted(rule, f"ghcr.io/shop/api@{DIGEST}")
    assert not accepted(rule, "registry.example.com/shop/api:1.4.0")


def test_an_image_that_is_named_by_digest_may_have_been_signed_under_any_tag() -> None:
    rule = Remapped.of(BY_DIGEST, {"registry.example.com": "ghcr.io"})
    assert accepted(rule, "ghcr.io/shop/api:1.4.0")
    assert not accepted(rule, "ghcr.io/shop/other:1.4.0")


@pytest.mark.parametrize("text", ["", "docker.io/UPPER", "a b", "https://x/y", "x" * 5000, "a:b:c"])
def test_what_is_no_name_fits_nothing(text: str) -> None:
    assert parse_signed_name(text) is None


def test_a_signed_name_without_a_tag_has_none() -> None:
    assert str(parse_signed_name("127.0.0.1:5000/api")) == "127.0.0.1:5000/api"
    assert str(parse_signed_name("127.0.0.1:5000/api:latest")) == "127.0.0.1:5000/api:latest"

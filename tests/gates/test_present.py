"""What BuildKit has attested and nobody has signed: it is there, for every platform, or it is not. Nothing more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imagesync.gates import Known, Ruling
from imagesync.gates.present import PREDICATE_TYPE, Present
from tests.gates.values import judged, make_candidate
from tests.images import MadeImage, beside, descriptor_of, index_of, make_artifact, make_attestations, make_image

SBOM, PROVENANCE = "https://spdx.dev/Document", "https://slsa.dev/provenance/v0.2"
AMD, ARM = make_image("amd64"), make_image("arm64", platform="linux/arm64")
WHOLE = Ruling.PASSED, f"has attestations of {SBOM}, unsigned"


def index(*attestations: tuple[MadeImage, MadeImage]) -> MadeImage:
    """An image for two platforms, and attestations, each with what it speaks of."""
    images = [
        descriptor_of(AMD.root, platform={"os": "linux", "architecture": "amd64"}),
        descriptor_of(ARM.root, platform={"os": "linux", "architecture": "arm64"}),
    ]
    entries = [descriptor_of(made.root, **beside(image.digest)) for image, made in attestations]
    return index_of([*images, *entries], [AMD, ARM, *(made for _, made in attestations)])


def attested(image: MadeImage, *types: str) -> tuple[MadeImage, MadeImage]:
    return image, make_attestations(image.digest, *types)


def as_text(image: MadeImage) -> tuple[MadeImage, MadeImage]:
    """What has the annotation, and is no statement."""
    layer = {**descriptor_of(AMD.root), "mediaType": "text/plain", "annotations": {PREDICATE_TYPE: SBOM}}
    return image, make_artifact(layers=[layer])


LACKING = f"linux/arm64: no attestation of {SBOM} beside it"


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (index(attested(AMD, PROVENANCE, SBOM), attested(ARM, SBOM)), WHOLE),
        (index(attested(AMD, SBOM), attested(ARM, PROVENANCE)), (Ruling.BLOCKED, LACKING)),
        (index(attested(AMD, SBOM)), (Ruling.BLOCKED, LACKING)),
        (index(attested(AMD, SBOM), attested(AMD, SBOM)), (Ruling.BLOCKED, LACKING)),
        (
            index(attested(AMD, SBOM), as_text(ARM)),
            (Ruling.BLOCKED, LACKING),
        ),
        (AMD, (Ruling.BLOCKED, f"{AMD.digest.short}: no attestation of {SBOM} beside it")),
        (index_of([], []), (Ruling.BLOCKED, "holds no image to be attested")),
    ],
)
def test_an_attestation_of_the_type_is_beside_the_image_of_every_platform(
    image: MadeImage, expected: tuple[Ruling, str]
) -> None:
    assert judged(Present(SBOM), make_candidate(image)) == expected


def test_what_was_left_out_is_not_beside_it() -> None:
    of_arm = attested(ARM, SBOM)
    candidate = make_candidate(index(attested(AMD, SBOM), of_arm))
    contents = {digest: one for digest, one in candidate.contents.items() if digest != of_arm[1].digest}
    left = replace(candidate, contents=contents, left_out=frozenset({of_arm[1].digest}))
    assert judged(Present(SBOM), left) == (Ruling.BLOCKED, LACKING)


def test_nothing_has_to_be_asked_and_the_hint_says_how_it_is_built() -> None:
    candidate = make_candidate(AMD)
    assert Present(SBOM).needs(candidate) == ()
    assert "--sbom=true" in str(Present(SBOM).judge(candidate, Known()).hint)
    assert str(Present(SBOM)) == f"attestation of {SBOM}, unsigned, of every platform"

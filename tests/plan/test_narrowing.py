"""Narrowing: which entries stay, in which bytes, and what is an error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import InvalidManifest, PlatformError
from imagesync.manifest import OCI_INDEX, OCI_MANIFEST, REFERENCE_DIGEST, Content, Index, digest_of, parse_manifest
from imagesync.plan.narrowing import Narrowing, narrow
from imagesync.platform import Platform
from imagesync.selection import EVERY_PLATFORM, IndexForm, PlatformPattern, Platforms

GOLDEN = "sha256:a60c3d3f37a113ae1752376432bac168cb7558d16f452e2de20eb13a775939dd"
NAMES = ("linux/amd64", "linux/arm64", "linux/arm/v7", "windows(10.0.17763.1)/amd64", "unknown/unknown")


def entry(seed: str, platform: str | None, **fields: Any) -> dict[str, Any]:
    """An index entry; the platform as an index writes it, none at all for None."""
    named = {"platform": platform_of(platform)} if platform is not None else {}
    return {"mediaType": OCI_MANIFEST, "digest": digest_of(seed.encode()), "size": 7, **named, **fields}


def platform_of(name: str) -> dict[str, str]:
    parsed = Platform.parse(name)
    found = {"os": parsed.os, "os.version": parsed.os_version, "architecture": parsed.architecture}
    return {key: value for key, value in {**found, "variant": parsed.variant}.items() if value}


def attestation(seed: str, of: str) -> dict[str, Any]:
    notes = {"vnd.docker.reference.type": "attestation-manifest", REFERENCE_DIGEST: digest_of(of.encode())}
    return entry(seed, "unknown/unknown", annotations=notes)


def index(*entries: dict[str, Any], **fields: Any) -> Content:
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries), **fields}
    return parse_manifest(json.dumps(document, indent=1).encode())


def keep(*names: str, form: IndexForm = IndexForm.REWRITE, required: tuple[str, ...] = ()) -> Platforms:
    return Platforms.of(map(PlatformPattern.parse, names), form, map(PlatformPattern.parse, required))


def seeds(narrowing: Narrowing, *known: str) -> list[str]:
    """What the written index lists, by the seeds that its entries were made of."""
    assert narrowing.written is not None
    names = {digest_of(seed.encode()): seed for seed in known}
    return [names[one.digest] for one in narrowing.written.manifests]


FOUR = index(
    entry("amd", "linux/amd64", annotations={"é": "ü"}, later=[1.5, {"z": None, "a": True}]),
    entry("arm", "linux/arm64"),
    attestation("of arm", "arm"),
    attestation("of amd", "amd"),
    entry("stray", "unknown/unknown"),
    annotations={"b": "\n", "a": "x"},
    unheard=18446744073709551616,
)
ALL_SEEDS = ("amd", "arm", "of arm", "of amd", "stray")


def test_a_rewritten_index_has_these_very_bytes() -> None:
    """A promise: other bytes would be another digest at every destination, and need another FORMAT_VERSION."""
    narrowing = narrow(FOUR, keep("linux/amd64"), {})
    assert narrowing.written is not None
    amd, of_amd = digest_of(b"amd"), digest_of(b"of amd")
    assert narrowing.written.raw.decode() == (
        '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":'
        f'"application/vnd.oci.image.manifest.v1+json","digest":"{amd}","size":7,"platform":{{"os":"linux",'
        '"architecture":"amd64"},"annotations":{"é":"ü"},"later":[1.5,{"z":null,"a":true}]},{"mediaType":'
        f'"application/vnd.oci.image.manifest.v1+json","digest":"{of_amd}","size":7,"platform":{{"os":"unknown",'
        '"architecture":"unknown"},"annotations":{"vnd.docker.reference.type":"attestation-manifest",'
        f'"vnd.docker.reference.digest":"{amd}"}}}}],"annotations":{{"b":"\\n","a":"x"}},"unheard":18446744073709551616}}'
    )
    assert narrowing.root.digest == GOLDEN


def test_an_attestation_stays_with_what_it_speaks_of_and_the_rest_goes() -> None:
    """ATT-01."""
    assert seeds(narrow(FOUR, keep("linux/arm64"), {}), *ALL_SEEDS) == ["arm", "of arm"]
    both = narrow(FOUR, keep("linux/*"), {})
    assert seeds(both, *ALL_SEEDS) == ["amd", "arm", "of arm", "of amd"]
    assert both.left_out == {digest_of(b"stray")}


def test_an_index_of_which_nothing_goes_stays_as_it_is_byte_for_byte() -> None:
    source = index(entry("amd", "linux/amd64"), entry("arm", "linux/arm64"), attestation("of arm", "arm"))
    narrowing = narrow(source, keep("linux/arm64", "linux/amd64"), {})
    assert (narrowing.root, narrowing.written, narrowing.left_out) == (source.descriptor, None, frozenset())


def test_a_sparse_index_keeps_its_digest_and_leaves_children_out() -> None:
    narrowing = narrow(FOUR, keep("linux/amd64", form=IndexForm.SPARSE), {})
    assert narrowing.root == FOUR.descriptor
    assert narrowing.left_out == {digest_of(seed.encode()) for seed in ("arm", "of arm", "stray")}
    assert narrowing.manifests == (FOUR.digest, digest_of(b"amd"), digest_of(b"of amd"))


def test_flattening_takes_the_manifest_of_the_one_platform() -> None:
    narrowing = narrow(FOUR, keep("linux/arm64", form=IndexForm.FLATTEN), {})
    assert narrowing.root.digest == digest_of(b"arm")
    assert narrowing.manifests == (digest_of(b"arm"),)


def test_flattening_takes_the_first_of_two_for_the_same_platform() -> None:
    """One of them may be compressed in another way."""
    source = index(entry("gzip", "linux/amd64"), entry("zstd", "linux/amd64"))
    assert narrow(source, keep("linux/amd64", form=IndexForm.FLATTEN), {}).root.digest == digest_of(b"gzip")
    assert narrow(source, keep("linux/amd64"), {}).root == source.descriptor


def test_flattening_several_platforms_is_an_error_that_names_them() -> None:
    source = index(entry("a", "windows(10.0.17763.1)/amd64"), entry("b", "windows(10.0.20348.1)/amd64"))
    with pytest.raises(PlatformError, match=r"keeps one platform, .* there is windows\(10.0.17763.1\)/amd64, windows"):
        narrow(source, keep("windows/amd64", form=IndexForm.FLATTEN), {})


def test_a_filter_that_matches_nothing_names_what_there_is() -> None:
    """PLT-02."""
    with pytest.raises(PlatformError) as caught:
        narrow(FOUR, keep("linux/s390x", "windows/amd64"), {})
    assert caught.value.message == (
        "`platforms` keeps linux/s390x, windows/amd64, and nothing is that: there is linux/amd64, linux/arm64"
    )


def test_a_long_list_of_platforms_is_cut() -> None:
    source = index(*(entry(f"{number}", f"windows(10.0.{number})/amd64") for number in range(500)))
    with pytest.raises(PlatformError, match=r"windows\(10.0.19\)/amd64 and 480 more"):
        narrow(source, keep("linux/amd64"), {})


def test_all_builds_of_windows_are_kept_or_those_of_one_build() -> None:
    """PLT-03."""
    builds = ("10.0.17763.1", "10.0.20348.1", "10.0.20348.2")
    source = index(*(entry(build, f"windows({build})/amd64") for build in builds), entry("v3", "linux/amd64/v3"))
    assert seeds(narrow(source, keep("windows/amd64"), {}), *builds) == list(builds)
    assert seeds(narrow(source, keep("windows(10.0.20348)/amd64"), {}), *builds) == list(builds[1:])
    with pytest.raises(PlatformError, match="there is windows"):
        narrow(source, keep("linux/amd64"), {})


def test_features_of_an_entry_stay() -> None:
    features = {**platform_of("windows(10.0.20348.1)/amd64"), "os.features": ["win32k"]}
    source = index({**entry("win", None), "platform": features}, entry("amd", "linux/amd64"))
    narrowing = narrow(source, keep("windows/amd64"), {})
    assert narrowing.written is not None
    assert json.loads(narrowing.written.raw)["manifests"][0]["platform"] == features


def test_an_entry_without_a_platform_is_what_its_config_says() -> None:
    """PLT-03."""
    source = index(entry("amd", None), entry("arm", None), entry("chart", None))
    found = {digest_of(b"amd"): Platform.parse("linux/amd64"), digest_of(b"arm"): Platform.parse("linux/arm64")}
    assert seeds(narrow(source, keep("linux/arm64"), found), "amd", "arm", "chart") == ["arm"]


def test_one_manifest_for_two_platforms_loses_the_entry_that_goes() -> None:
    source = index(entry("same", "linux/amd64"), entry("same", "linux/386"))
    narrowing = narrow(source, keep("linux/386"), {})
    assert narrowing.written is not None
    assert [str(one.platform) for one in narrowing.written.manifests] == ["linux/386"]
    assert narrowing.left_out == frozenset()


def test_an_index_in_an_index_that_names_its_platform_is_kept_whole() -> None:
    source = index({**entry("inner", "linux/amd64"), "mediaType": OCI_INDEX}, entry("arm", "linux/arm64"))
    narrowing = narrow(source, keep("linux/amd64"), {})
    assert narrowing.written is not None
    assert narrowing.written.manifests[0].is_index


def test_a_required_platform_that_is_missing_is_named_with_what_there_is() -> None:
    with pytest.raises(PlatformError) as caught:
        narrow(FOUR, keep(required=("linux/amd64", "linux/arm/v7", "linux/s390x")), {})
    assert caught.value.message == "linux/arm/v7, linux/s390x is missing: there is linux/amd64, linux/arm64"


def test_what_is_required_is_asked_of_the_source_not_of_what_is_kept() -> None:
    assert narrow(FOUR, keep(required=("linux/arm64",)), {}).root == FOUR.descriptor
    assert seeds(narrow(FOUR, keep("linux/amd64", required=("linux/arm64",)), {}), *ALL_SEEDS) == ["amd", "of amd"]


def test_an_image_alone_is_itself_if_its_platform_is_kept() -> None:
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(b"c"), "size": 1}
    source = parse_manifest(json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config}).encode())
    found = {source.digest: Platform.parse("linux/amd64")}
    for form in IndexForm:
        assert narrow(source, keep("linux/amd64", form=form), found).root == source.descriptor
    with pytest.raises(PlatformError, match="there is linux/amd64"):
        narrow(source, keep("linux/arm64"), found)
    with pytest.raises(PlatformError, match="the image names no platform"):
        narrow(source, keep("linux/arm64"), {})


@pytest.mark.parametrize("hostile", ['"\\ud800"', "1e999"])
def test_an_index_that_cannot_be_written_anew_is_an_error(hostile: str) -> None:
    raw = FOUR.raw.decode().replace("18446744073709551616", hostile)
    with pytest.raises(InvalidManifest):
        narrow(parse_manifest(raw.encode()), keep("linux/amd64"), {})


@st.composite
def indexes(draw: st.DrawFn) -> Index:
    """Indexes with any platforms, and attestations of any of the entries."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=8))
    entries = [entry(f"{number} {name}", name) for number, name in enumerate(names)]
    spoken = draw(st.lists(st.integers(0, len(names) - 1), max_size=4))
    entries += [attestation(f"attestation {one} {place}", f"{one} {names[one]}") for place, one in enumerate(spoken)]
    made = index(*draw(st.permutations(entries)))
    assert isinstance(made, Index)
    return made


@given(indexes(), st.sets(st.sampled_from(NAMES[:4]), min_size=1))
def test_narrowing_twice_is_narrowing_once(source: Index, names: set[str]) -> None:
    platforms = keep(*names)
    try:
        once = narrow(source, platforms, {})
    except PlatformError:
        return
    twice = narrow(once.written or source, platforms, {})
    assert twice.root.digest == once.root.digest


@given(indexes(), st.sets(st.sampled_from(NAMES[:4]), min_size=1))
def test_what_is_kept_stays_in_its_order_and_is_all_that_is_wanted(source: Index, names: set[str]) -> None:
    try:
        narrowing = narrow(source, keep(*names), {})
    except PlatformError:
        assert not names & {str(one.platform) for one in source.manifests}
        return
    kept = json.loads((narrowing.written or source).raw)["manifests"]
    assert kept == [one for one in json.loads(source.raw)["manifests"] if one in kept]
    images = {one["digest"] for one in kept if one["platform"]["os"] != "unknown"}
    wanted = {one.digest for one in source.manifests if one.platform is not None and str(one.platform) in names}
    assert images == wanted
    assert all(one["annotations"][REFERENCE_DIGEST] in images for one in kept if one["digest"] not in images)


@given(indexes())
def test_without_a_filter_every_index_is_itself(source: Index) -> None:
    assert narrow(source, EVERY_PLATFORM, {}) == Narrowing(source, source.descriptor)

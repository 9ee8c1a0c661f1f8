"""The registries of these tests are what they claim to be: skopeo says so, before imagesync is asked."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from tests.real.conftest import Real
from tests.real.layouts import SAMPLE


@pytest.mark.parametrize("kind", ["plain", "basic", "token"])
def test_skopeo_reads_back_what_it_wrote(real: Real, kind: str) -> None:
    registry = getattr(real, kind)
    before = len(registry.requests())
    real.skopeo.copy(f"oci:{SAMPLE}:1.0", f"docker://{registry.host}/fixture/{kind}:1.0")
    index = real.skopeo.inspect_raw(f"{registry.host}/fixture/{kind}:1.0")
    assert index == SAMPLE.root_bytes("1.0")
    assert registry.tags(f"fixture/{kind}") == ["1.0"]
    asked = registry.requests(since=before)
    assert [request.path for request in asked if request.method == "PUT" and request.is_of_a_tag]


@pytest.mark.parametrize("kind", ["basic", "token"])
def test_a_registry_with_a_login_lets_no_stranger_in(real: Real, kind: str) -> None:
    registry = getattr(real, kind)
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(f"{registry.url}/v2/", context=real.authority.context(), timeout=5)
    with raised.value:
        assert raised.value.code == 401
        assert kind.replace("token", "bearer") in raised.value.headers["WWW-Authenticate"].lower()

"""Which cloud a host belongs to, and what Amazon's names say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.behaviour.hosts import Cloud, EcrHost, cloud_of, ecr_host

ACCOUNT = "111122223333"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (f"{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com", EcrHost(ACCOUNT, "eu-central-1")),
        (f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn", EcrHost(ACCOUNT, "cn-north-1")),
        (f"{ACCOUNT}.dkr.ecr.eusc-de-east-1.amazonaws.eu", EcrHost(ACCOUNT, "eusc-de-east-1")),
        (f"{ACCOUNT}.dkr.ecr-fips.us-gov-west-1.amazonaws.com", EcrHost(ACCOUNT, "us-gov-west-1", is_fips=True)),
        (f"{ACCOUNT}.dkr-ecr.us-east-1.on.aws", EcrHost(ACCOUNT, "us-east-1", is_dual_stack=True)),
        (f"{ACCOUNT}.dkr-ecr-fips.us-east-1.on.aws", EcrHost(ACCOUNT, "us-east-1", is_fips=True, is_dual_stack=True)),
        (
            f"{ACCOUNT}.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
            EcrHost(ACCOUNT, "cn-north-1", is_dual_stack=True),
        ),
        (f"{ACCOUNT}.dkr.ecr.us-iso-east-1.c2s.ic.gov", EcrHost(ACCOUNT, "us-iso-east-1")),
    ],
)
def test_a_private_registry_of_amazons_says_whose_it_is_and_where(host: str, expected: EcrHost) -> None:
    assert ecr_host(host) == expected
    assert cloud_of(host) is Cloud.AMAZON


@pytest.mark.parametrize(
    "host",
    [
        "1111.dkr.ecr.eu-central-1.amazonaws.com",
        f"{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com.example.org",
        f"evil.{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com",
        f"{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com:443",
        f"{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.example",
        f"{ACCOUNT}.dkr.ecr.a/b.amazonaws.com",
    ],
)
def test_a_name_that_only_looks_like_amazons_belongs_to_no_cloud(host: str) -> None:
    assert ecr_host(host) is None
    assert cloud_of(host) is None


@pytest.mark.parametrize(
    ("host", "cloud"),
    [
        ("public.ecr.aws", Cloud.AMAZON),
        ("ecr-public.aws.com", Cloud.AMAZON),
        ("europe-west3-docker.pkg.dev", Cloud.GOOGLE),
        ("gcr.io", Cloud.GOOGLE),
        ("eu.gcr.io", Cloud.GOOGLE),
        ("acme.azurecr.io", Cloud.AZURE),
        ("acme.westeurope.azurecr.io", Cloud.AZURE),
        ("acme.azurecr.cn", Cloud.AZURE),
        ("acme.azurecr.us", Cloud.AZURE),
        ("ghcr.io", Cloud.GITHUB),
        ("docker.io", None),
        ("registry.gitlab.com", None),
        ("gcr.io.example.org", None),
        ("azurecr.io", None),
        ("localhost:5000", None),
    ],
)
def test_a_host_belongs_to_the_cloud_that_runs_it(host: str, cloud: Cloud | None) -> None:
    assert cloud_of(host) is cloud


@given(st.text())
def test_any_text_is_looked_at_without_an_error(text: str) -> None:
    assert (ecr_host(text) is None) or cloud_of(text) is Cloud.AMAZON

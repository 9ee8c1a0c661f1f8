"""Which requests go through a proxy, by the environment's word."""

from __future__ import annotations

import traceback

import pytest

from imagesync.errors import UnsupportedError
from imagesync.registry.origin import Origin
from imagesync.registry.proxies import proxy_for

SECURE = Origin("https", "registry.example", 443)
PLAIN = Origin("http", "registry.example", 80)


def test_the_proxy_is_that_of_the_scheme() -> None:
    """SEC-04."""
    environment = {"HTTPS_PROXY": "http://secure:3128", "http_proxy": "plain:8080"}
    secure, plain = proxy_for(SECURE, environment), proxy_for(PLAIN, environment)
    assert secure is not None
    assert secure.origin == Origin("http", "secure", 3128)
    assert plain is not None
    assert plain.origin == Origin("http", "plain", 8080)
    assert proxy_for(PLAIN, {"HTTPS_PROXY": "http://secure:3128"}) is None
    assert proxy_for(PLAIN, {"ALL_PROXY": "http://any:1"}) is not None


def test_a_proxys_login_is_sent_and_not_shown() -> None:
    proxy = proxy_for(SECURE, {"https_proxy": "http://user:p%40ss@proxy"})
    assert proxy is not None
    assert proxy.authorization is not None
    assert proxy.authorization.reveal() == "Basic dXNlcjpwQHNz"
    assert "dXNl" not in repr(proxy)


@pytest.mark.parametrize(
    ("no_proxy", "host", "is_direct"),
    [
        ("*", "registry.example", True),
        ("registry.example", "registry.example", True),
        ("example", "registry.example", True),
        (".example", "registry.example", True),
        ("*.example", "registry.example", True),
        ("xample", "registry.example", False),
        ("other, registry.example:443", "registry.example", True),
        ("registry.example:5000", "registry.example", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("2001:db8::/32", "2001:db8::5", True),
        ("", "127.0.0.1", True),
        ("", "localhost", True),
        ("", "::1", True),
    ],
)
def test_no_proxy_names_hosts_domains_ports_and_networks(no_proxy: str, host: str, is_direct: bool) -> None:
    environment = {"https_proxy": "http://proxy:3128", "no_proxy": no_proxy}
    assert (proxy_for(Origin("https", host, 443), environment) is None) is is_direct


def test_a_proxy_that_is_not_spoken_to_is_an_error() -> None:
    with pytest.raises(UnsupportedError, match="socks5"):
        proxy_for(SECURE, {"https_proxy": "socks5://proxy:1080"})


@pytest.mark.parametrize(
    "address",
    [
        "http://bob:s3cr/et@proxy:3128",
        "http://bob:12/s3cr@proxy:3128",
        "http://bob:12#s3cr@proxy:3128",
        "http://bob:s3cr@proxy:99999",
        "http://bob:s3cr@[proxy",
        "bob:s3cr/et@proxy",
    ],
)
def test_an_address_that_cannot_be_read_is_an_error_without_its_password(address: str) -> None:
    with pytest.raises(UnsupportedError, match="proxy address in HTTPS_PROXY cannot be read") as raised:
        proxy_for(SECURE, {"HTTPS_PROXY": address})
    assert "%2F" in str(raised.value)
    assert "s3cr" not in "".join(traceback.format_exception(raised.value))


def test_the_variable_that_was_read_is_named() -> None:
    with pytest.raises(UnsupportedError, match="in all_proxy cannot"):
        proxy_for(SECURE, {"all_proxy": "http://proxy:port"})

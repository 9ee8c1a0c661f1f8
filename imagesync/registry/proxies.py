"""Which proxy a request goes through, from HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY. Pure."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from imagesync.errors import UnsupportedError
from imagesync.reference import is_loopback
from imagesync.registry.origin import Origin


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy's own address, and the header that logs in to it."""

    origin: Origin
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def proxy_for(origin: Origin, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy for an origin, or None to connect directly. Loopback is never asked for through a proxy.

    Raises UnsupportedError for a proxy that speaks neither http nor https.
    """
    address = _variable(environment, f"{origin.scheme}_proxy") or _variable(environment, "all_proxy")
    if not address or _is_bypassed(origin, _variable(environment, "no_proxy")):
        return None
    parts = urlsplit(address if "://" in address else f"http://{address}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UnsupportedError(f"proxy of scheme {parts.scheme!a} for {origin.scheme}", hint="use an http:// proxy")
    usual = 443 if parts.scheme == "https" else 80
    return Proxy(Origin(parts.scheme, parts.hostname, parts.port or usual), _login(parts.username, parts.password))


def _variable(environment: Mapping[str, str], name: str) -> str:
    return (environment.get(name) or environment.get(name.upper()) or "").strip()


def _login(username: str | None, password: str | None) -> dict[str, str]:
    if username is None:
        return {}
    pair = f"{unquote(username)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode('ascii')}"}


def _is_bypassed(origin: Origin, no_proxy: str) -> bool:
    if is_loopback(f"[{origin.host}]" if ":" in origin.host else origin.host):
        return True
    return any(_matches(origin, entry.strip().lower()) for entry in no_proxy.split(",") if entry.strip())


def _matches(origin: Origin, entry: str) -> bool:
    """Whether one entry of NO_PROXY (`*`, `host`, `.domain`, `host:port`, an address or a network) is meant."""
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(origin.host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        pass  # one of the two is a name
    host, colon, port = entry.rpartition(":")
    if colon and port.isdigit() and not host.endswith(":"):
        return port == str(origin.port) and _matches(origin, host)
    name = entry.removeprefix("*").removeprefix(".")
    return origin.host == name or origin.host.endswith(f".{name}")

"""Which proxy a request goes through, from HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from imagesync.errors import UnsupportedError
from imagesync.lazy import dataclass, field, replace
from imagesync.reference import is_loopback
from imagesync.registry.message import Authorization
from imagesync.registry.origin import Origin
from imagesync.settings import Secret


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy's own address, and what logs in to it."""

    origin: Origin
    authorization: Authorization | None = None
    variable: str = field(default="", compare=False)
    """The one that names it, as it is spelled in the environment."""


def proxy_for(origin: Origin, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy for an origin, or None to connect directly. Loopback is never asked for through a proxy.

    Raises UnsupportedError for a proxy that speaks neither http nor https, and for an address that is none.
    """
    name = _variable(origin, environment)
    if name is None or _is_bypassed(origin, environment):
        return None
    try:
        return replace(_parsed(environment[name].strip(), origin.scheme), variable=name)
    except ValueError:
        hint = "percent-encode what is special in its user name and password: `/` is %2F, `@` is %40"
        # What the library says would show the password.
        raise UnsupportedError(f"the proxy address in {name} cannot be read", hint=hint) from None


def is_left_out(origin: Origin, environment: Mapping[str, str]) -> bool:
    """Whether there is a proxy for requests of this kind, and this origin is connected to without it."""
    return _variable(origin, environment) is not None and _is_bypassed(origin, environment)


def _variable(origin: Origin, environment: Mapping[str, str]) -> str | None:
    """The variable that names a proxy for an origin, whether or not that is bypassed."""
    names = (f"{origin.scheme}_proxy", "all_proxy")
    return next((spelled for found in names if (spelled := _spelled(environment, found))), None)


def _parsed(address: str, scheme: str) -> Proxy:
    """The proxy at this address, for requests of this scheme. Raises ValueError where it cannot be read."""
    parts = urlsplit(address if "://" in address else f"http://{address}")
    if "@" in parts.path + parts.query + parts.fragment:
        raise ValueError("a login that is cut by its own letters")
    port = parts.port
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UnsupportedError(f"proxy of scheme {parts.scheme!a} for {scheme}", hint="use an http:// proxy")
    usual = 443 if parts.scheme == "https" else 80
    return Proxy(Origin(parts.scheme, parts.hostname, port or usual), _login(parts.username, parts.password))


def _spelled(environment: Mapping[str, str], name: str) -> str | None:
    """How a variable that holds something is written, small letters first; None where there is none."""
    return next((found for found in (name, name.upper()) if environment.get(found, "").strip()), None)


def _login(username: str | None, password: str | None) -> Authorization | None:
    if username is None:
        return None
    return Authorization.basic(unquote(username), Secret.literal(unquote(password or ""), "the proxy's address"))


def _is_bypassed(origin: Origin, environment: Mapping[str, str]) -> bool:
    no_proxy = environment.get(_spelled(environment, "no_proxy") or "", "")
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

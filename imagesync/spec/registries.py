"""The `registries` part of a spec, turned into Settings. Values that the schema refused are passed over here."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from imagesync.errors import InvalidReference, Problem
from imagesync.lazy import MISSING, dataclass, fields
from imagesync.reach import literal_address, reach_of
from imagesync.reference import check_path, normalise_host, starts_with_host
from imagesync.settings import (
    Acr,
    Anonymous,
    Auth,
    CloudLogin,
    DefaultAuth,
    DockerHub,
    Ecr,
    Gar,
    Helper,
    IdentityToken,
    Login,
    Password,
    PullBudget,
    RegistrySettings,
    Settings,
    Timeouts,
    Tls,
    TlsMode,
    WhenSpent,
)
from imagesync.spec.behaviours import BehaviourReader
from imagesync.spec.document import List, Map, Node, Scalar
from imagesync.spec.interpolate import Interpolator
from imagesync.spec.sizes import format_size, parse_size

MIN_CHUNK_BYTES = 64 * 1024
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
CLOUD_LOGINS: dict[str, type[CloudLogin]] = {"ecr": Ecr, "gar": Gar, "acr": Acr, "dockerhub": DockerHub}
_WORDS: dict[str, Login] = {"anonymous": Anonymous(), "ecr": Ecr(), "gar": Gar(), "acr": Acr()}
_BELOW_A_PREFIX = frozenset({"auth", "create"})
_PATTERN = re.compile(r"[a-z0-9.:*?\[\]-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class RegistriesReader:
    """Reads the settings of one file; relative paths count from `folder`."""

    interpolator: Interpolator
    folder: Path
    problems: list[Problem]

    def read(self, node: Node | None) -> Settings:
        patterns, hosts, prefixes = [], [], []
        mirrors = _named_as_mirrors(node)
        for name, value in node.values.items() if isinstance(node, Map) else ():
            key = node.keys[name]  # type: ignore[union-attr]
            settings = self._settings(value)
            if "*" in name or "?" in name:
                self._check_pattern(key, name)
                patterns.append((name, settings))
                continue
            host = self._host(key, mirrors)
            if host is None:
                continue
            if "/" in host:
                self._check_prefix(value)
                prefixes.append((host, settings))
            else:
                hosts.append((host, settings))
            self._check_once(key, host, [*hosts, *prefixes])
        found = Settings(tuple(patterns), tuple(hosts), tuple(prefixes))
        self._behaviours.check(node, found)
        return found

    @property
    def _behaviours(self) -> BehaviourReader:
        return BehaviourReader(self.interpolator, self.folder, self.problems)

    def _check_once(self, key: Scalar, host: str, said: list[tuple[str, RegistrySettings]]) -> None:
        if [name for name, _ in said].count(host) > 1:
            self.problems.append(Problem(key.place, f"{host} has settings twice, under two spellings", "keep one"))

    def _check_pattern(self, key: Scalar, name: str) -> None:
        """A pattern that no host could match would say something and do nothing."""
        if "/" in name:
            hint = "write the host/prefix in full, or a pattern without the prefix"
            self.problems.append(Problem(key.place, f"{name!a} is no pattern: it stands for hosts alone", hint))
        elif not _PATTERN.fullmatch(name):
            message = f"{name!a} matches no host: they are compared in lower case"
            self.problems.append(Problem(key.place, message, "letters a to z, digits, '.', '-', ':', and '*' or '?'"))

    def _host(self, key: Scalar, mirrors: frozenset[str]) -> str | None:
        name = key.text
        scheme, separator, _ = name.partition("://")
        host, slash, prefix = name.partition("/")
        try:
            if separator:
                raise InvalidReference(f"{name!a} is a URL", hint=f"drop {ascii(scheme)[1:-1]}://")
            folded = normalise_host(host)
            if not starts_with_host(f"{host}/") and name not in mirrors:
                hint = f"a host has a dot or a port, or is localhost: {ascii(host)[1:-1]}:443"
                raise InvalidReference(f"{name!a} begins with no host", hint=hint)
            return f"{folded}{slash}{check_path(prefix) if slash else ''}"
        except InvalidReference as error:
            self.problems.append(Problem(key.place, error.message, error.hint))
            return None

    def _check_prefix(self, node: Node) -> None:
        for name, key in node.keys.items() if isinstance(node, Map) else ():
            if name not in _BELOW_A_PREFIX:
                hint = "below a host/prefix only `auth` and `create` may stand: move it to the host"
                self.problems.append(Problem(key.place, f"{name!r} holds for a whole host", hint))

    def _settings(self, node: Node) -> RegistrySettings:
        if not isinstance(node, Map):
            return RegistrySettings()
        concurrency, mirrors = node.get("concurrency"), node.get("mirrors")
        return RegistrySettings(
            auth=self._auth(node.get("auth")),
            tls=self._tls(node.get("tls")),
            concurrency=_number(concurrency),
            timeouts=_timeouts(node.get("timeouts")),
            mirrors=self._hosts(mirrors, normalise_host, "a mirror is a host"),
            token_realm_allow=self._hosts(
                node.get("token_realm_allow"), _allowed_host, "a token server is a host, or host:port"
            ),
            chunk_bytes=self._chunk_bytes(node.get("chunk_size")),
            bandwidth=_bandwidth(node.get("bandwidth")),
            pulls=_pulls(node.get("pulls")),
            kind=self._behaviours.kind(node),
            behaviour=self._behaviours.said(node),
            create=self._behaviours.create(node),
        )

    def _chunk_bytes(self, node: Node | None) -> int | None:
        size_bytes = parse_size(node.text) if isinstance(node, Scalar) else None
        if node is not None and size_bytes is not None and size_bytes < MIN_CHUNK_BYTES:
            message = f"a chunk of {format_size(size_bytes)} is less than {format_size(MIN_CHUNK_BYTES)}"
            self.problems.append(Problem(node.place, message, "each chunk costs a request"))
        return size_bytes

    def _hosts(self, node: Node | None, read: Callable[[str], str], hint: str) -> tuple[str, ...] | None:
        """A list of hosts, each as `read` has it; `hint` is for what is none."""
        if not isinstance(node, List):
            return None
        found = []
        for item in node.items:
            if isinstance(item, Scalar):
                try:
                    found.append(read(self.interpolator.text(item)))
                except InvalidReference as error:
                    self.problems.append(Problem(item.place, error.message, error.hint or hint))
        return tuple(found)

    def _auth(self, node: Node | None) -> Auth | None:
        if node is None:
            return None
        if isinstance(node, Map) and ("pull" in node.values or "push" in node.values):
            pull, push = (self._login(node.get(side)) for side in ("pull", "push"))
            return Auth(pull or DefaultAuth(), push or DefaultAuth())
        login = self._login(node)
        return None if login is None else Auth(login, login)

    def _login(self, node: Node | None) -> Login | None:
        if isinstance(node, Scalar):
            return _WORDS.get(node.text, DefaultAuth())
        if not isinstance(node, Map):
            return None
        given = {name: value for name, value in node.values.items() if isinstance(value, Scalar)}
        if "username" in given and "password" in given:
            secret = self.interpolator.secret
            return Password(secret(given["username"]), secret(given["password"]))
        if "token" in given:
            return IdentityToken(self.interpolator.secret(given["token"]))
        if "helper" in given:
            return Helper(self.interpolator.text(given["helper"]))
        return self._cloud_login(node)

    def _cloud_login(self, node: Map) -> CloudLogin | None:
        """A login that a cloud makes, with the values that narrow it."""
        for name, kind in CLOUD_LOGINS.items():
            values = node.get(name)
            if isinstance(values, Map):
                said = {one.name: values.get(one.name) for one in fields(kind)}
                texts = {key: self.interpolator.text(value) for key, value in said.items() if isinstance(value, Scalar)}
                return kind(**texts) if _required(kind) <= texts.keys() else None
        return None

    def _tls(self, node: Node | None) -> Tls | None:
        if isinstance(node, Scalar):
            modes = {"insecure": TlsMode.INSECURE, "disabled": TlsMode.DISABLED}
            return Tls(modes[node.text]) if node.text in modes else None
        if not isinstance(node, Map):
            return None
        return Tls(
            ca=self._path(node.get("ca")),
            certificate=self._path(node.get("certificate")),
            key=self._path(node.get("key")),
        )

    def _path(self, node: Node | None) -> Path | None:
        if not isinstance(node, Scalar):
            return None
        path = (self.folder / self.interpolator.text(node)).absolute()
        if not path.is_file():
            self.problems.append(Problem(node.place, f"file {node.text} is not there", f"looked for {path}"))
        return path


def _required(kind: type[CloudLogin]) -> set[str]:
    return {one.name for one in fields(kind) if one.default is MISSING}


def _named_as_mirrors(node: Node | None) -> frozenset[str]:
    """Mirrors may be bare words, which is no host elsewhere, and have settings of their own."""
    entries = node.values.values() if isinstance(node, Map) else ()
    lists = [entry.get("mirrors") for entry in entries if isinstance(entry, Map)]
    return frozenset(
        one.text for found in lists if isinstance(found, List) for one in found.items if isinstance(one, Scalar)
    )


def _allowed_host(text: str) -> str:
    """A host that a registry may name, as hosts are compared. Raises InvalidReference for one that none may name."""
    host = normalise_host(text).lower()
    literal = literal_address(host.rpartition(":")[0] if re.search(r":[0-9]+$", host) else host)
    if literal is not None and not reach_of(literal).may_be_named:
        raise InvalidReference(f"{text!a} is {reach_of(literal)}: no registry may name it", hint="leave it out")
    return host


def _number(node: Node | None) -> int | None:
    return node.value if isinstance(node, Scalar) and type(node.value) is int else None


def _timeouts(node: Node | None) -> Timeouts | None:
    if not isinstance(node, Map):
        return None
    default = Timeouts()
    return Timeouts(
        _seconds(node.get("connect")) or default.connect_seconds,
        _seconds(node.get("read")) or default.read_seconds,
        _seconds(node.get("commit")) or default.commit_seconds,
    )


def _seconds(node: Node | None) -> float | None:
    match = re.fullmatch(r"([0-9]{1,7})(ms|s|m|h)", node.text) if isinstance(node, Scalar) else None
    return None if match is None else int(match[1]) * _UNITS[match[2]]


def _bandwidth(node: Node | None) -> int | None:
    return parse_size(node.text.removesuffix("/s")) if isinstance(node, Scalar) else None


def _pulls(node: Node | None) -> PullBudget | None:
    if not isinstance(node, Map):
        return None
    budget, when_spent = node.get("budget"), node.get("when_spent")
    match = re.fullmatch(r"([0-9]{1,7})/([0-9]{1,5})(s|m|h)", budget.text) if isinstance(budget, Scalar) else None
    if match is None:
        return None
    is_deferred = isinstance(when_spent, Scalar) and when_spent.text == WhenSpent.DEFER.value
    return PullBudget(
        int(match[1]), int(match[2]) * _UNITS[match[3]], WhenSpent.DEFER if is_deferred else WhenSpent.STOP
    )

"""What a spec comes to: the effective values of every image and the line that each came from. Secrets are `***`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imagesync.errors import Place, UsageError
from imagesync.lazy import dataclass, fields
from imagesync.reference import normalise_host
from imagesync.selection import Platforms, Retag, TagFilter
from imagesync.settings import (
    Anonymous,
    Auth,
    CloudLogin,
    DefaultAuth,
    Helper,
    IdentityToken,
    Login,
    Password,
    RegistrySettings,
    Settings,
    Tls,
)
from imagesync.spec.behaviours import settings_in_words
from imagesync.spec.document import Map, Node, Scalar
from imagesync.spec.load import Loaded, load_with_origins
from imagesync.spec.model import ALL_ATTACHMENTS, AttachmentType, Immutable, Prune, Rule
from imagesync.spec.registries import CLOUD_LOGINS
from imagesync.spec.rules import Origin
from imagesync.spec.sizes import format_size
from imagesync.spec.stages import KEY_PASSWORD, Promotion


@dataclass(frozen=True, slots=True)
class Line:
    """One value: what it is of, its key, the value as text, and where it came from; None for a built-in default."""

    subject: str
    key: str
    value: str
    place: Place | None


def explain(path: str, *, environment: Mapping[str, str], name: str | None = None) -> tuple[Line, ...]:
    """The effective values of a spec; `name` narrows them to one entry or image. Raises SpecError, UsageError."""
    loaded = load_with_origins(path, environment=environment)
    origins = [origin for origin in loaded.origins if name in (None, origin.rule.entry, origin.rule.name)]
    promotions = [one for one in loaded.spec.promotions if name in (None, one.name)]
    if name is not None and not origins and not promotions:
        named = [*(origin.rule.name for origin in loaded.origins), *(one.name for one in loaded.spec.promotions)]
        known = ", ".join(dict.fromkeys(named))
        raise UsageError(f"{name!r} names no entry and no image of the spec", hint=f"there is: {known}")
    hosts = {host for origin in origins for host in _hosts(origin.rule)}
    hosts |= {stage.root.registry for promotion in promotions for stage in promotion.stages}
    lines = [line for origin in origins for line in _of_rule(origin)]
    lines += [line for promotion in promotions for line in _of_promotion(promotion)]
    return (*_of_state(loaded), *_of_registries(loaded, None if name is None else hosts), *lines)


def _hosts(rule: Rule) -> set[str]:
    """The registries of a rule; {host} is never one, it stands behind the registry."""
    targets = rule.glob.targets if rule.glob is not None else ()
    named = {repository.registry for repository in (rule.source, *rule.destinations)}
    return named | {normalise_host(target.partition("/")[0]) for target in targets if not target.startswith("oci:")}


def render(lines: Iterable[Line]) -> str:
    """The lines as text, one subject after the other."""
    parts: list[str] = []
    subject = None
    rows = list(lines)
    width = max((len(f"{line.key}: {line.value}") for line in rows), default=0)
    for line in rows:
        if line.subject != subject:
            subject = line.subject
            parts += ["", subject] if parts else [subject]
        shown = f"{line.key}: {line.value}"
        parts.append(f"  {shown:<{min(width, 72)}}  {line.place or 'default'}")
    return "\n".join(parts)


def _of_rule(origin: Origin) -> list[Line]:
    rule, nodes = origin.rule, origin.nodes

    def line(key: str, value: str, source: str) -> Line:
        node = nodes.get(source)
        return Line(rule.name, key, value, None if node is None else node.place)

    tags_from = "as_tag" if "as_tag" in nodes else "tags"
    lines = [
        line("source", str(rule.source), "name"),
        *(line("destination", text, "destination") for text in _destinations(rule)),
        *_of_tags(rule.tags, nodes.get(tags_from), rule.name),
        *([line("digest", rule.digest, "name")] if rule.digest is not None else []),
        line("retag", _retag(rule.retag), "retag"),
        line("on_empty", rule.on_empty.value, "on_empty"),
        *([line("keep_previous", rule.keep_previous.template, "keep_previous")] if rule.keep_previous else []),
        *([line("immutable", _immutable(rule.immutable), "immutable")] if "immutable" in nodes else []),
        *([line("aliases", _aliases(rule), "aliases")] if rule.aliases else []),
        line("attachments", _attachments(rule.attachments), "attachments"),
        *_said_only(line("platforms", _platforms(rule.platforms), "platforms")),
        *_said_only(line("require_platforms", _required(rule.platforms), "require_platforms")),
        *([line("on_drift", rule.on_drift.value, "on_drift")] if "on_drift" in nodes else []),
        *([line("prune", _prune(rule.prune), "prune")] if "prune" in nodes else []),
        *([line("gates", ", ".join(map(str, rule.gates)), "gates")] if "gates" in nodes else []),
    ]
    if "as" in nodes:
        lines.insert(1, line("as", _written(nodes["as"]), "as"))
    return lines


def _of_promotion(promotion: Promotion) -> list[Line]:
    """What a release is made of, and each stage with all that it says or is told by default."""
    images = ", ".join(image.name for image in promotion.images)
    lines = [Line(promotion.name, "images", images, promotion.place)]
    if promotion.signing is not None:
        signed = f"*** from {promotion.signing.key.origin}, verified with {promotion.signing.name}"
        password = promotion.signing.password
        signed += f", opened with *** from {password.origin}" if password != KEY_PASSWORD else ""
        lines.append(Line(promotion.name, "record.sign", signed, promotion.place))
    for stage in promotion.stages:
        subject = f"{promotion.name}/{stage.name}"
        said = {
            **{f"repository of {image.name}": str(stage.repository_of(image)) for image in promotion.images},
            "journal": str(stage.journal),
            "retag": stage.retag.template,
            **({"immutable": _immutable(stage.immutable)} if stage.immutable.patterns else {}),
            **({"current": stage.current} if stage.current is not None else {}),
            **({"gates": ", ".join(map(str, stage.gates))} if stage.gates else {}),
            "attachments": _attachments(stage.attachments),
            **({"auto": "true"} if stage.is_automatic else {}),
        }
        lines += [Line(subject, key, value, stage.place) for key, value in said.items()]
    return lines


def _of_state(loaded: Loaded) -> list[Line]:
    state = loaded.spec.state
    return [] if state is None else [Line("spec", "state", str(state), loaded.state_place)]


def _destinations(rule: Rule) -> Iterable[str]:
    """Where an image goes: of a glob, the templates."""
    return rule.glob.targets if rule.glob is not None else map(str, rule.destinations)


def _of_tags(tags: TagFilter, node: Node | None, subject: str) -> list[Line]:
    """One line for a list of tags; of a map one for each step, those with their defaults too."""
    exact = ", ".join(tags.exact_tags)
    if not isinstance(node, Map):
        steps = [*map(str, tags.steps), *([exact] if exact else [])]
        return [Line(subject, "tags", ", ".join(steps), None if node is None else node.place)]
    values = [(step.name, str(step)) for step in tags.steps] + ([("always", exact)] if exact else [])
    places = {name: one.place for name, one in node.values.items()}
    return [Line(subject, f"tags.{name}", value, places.get(name)) for name, value in values]


def _of_registries(loaded: Loaded, hosts: set[str] | None) -> list[Line]:
    """The settings that are said; what a host has by default is left out."""
    settings: Settings = loaded.spec.settings
    said = (*settings.patterns, *settings.hosts, *settings.prefixes)
    wanted = [pair for pair in said if hosts is None or pair[0].partition("/")[0] in hosts or "*" in pair[0]]
    return [
        Line(f"registries/{name}", key, value, loaded.registry_places.get(name))
        for name, own in wanted
        for key, value in _values(own)
    ]


def _values(own: RegistrySettings) -> list[tuple[str, str]]:
    timeouts = own.timeouts
    found = {
        "auth": _auth(own.auth),
        "tls": _tls(own.tls),
        "concurrency": str(own.concurrency) if own.concurrency is not None else None,
        "timeouts": f"connect {timeouts.connect_seconds:g}s, read {timeouts.read_seconds:g}s, "
        f"commit {timeouts.commit_seconds:g}s"
        if timeouts
        else None,
        "mirrors": ", ".join(own.mirrors) if own.mirrors else None,
        "token_realm_allow": ", ".join(own.token_realm_allow) if own.token_realm_allow else None,
        "chunk_size": format_size(own.chunk_bytes) if own.chunk_bytes is not None else None,
        "bandwidth": f"{format_size(own.bandwidth)}/s" if own.bandwidth else None,
        **settings_in_words(own),
        "pulls": f"{own.pulls}, when spent: {own.pulls.when_spent.value}" if own.pulls else None,
    }
    return [(key, value) for key, value in found.items() if value is not None]


def _auth(auth: Auth | None) -> str | None:
    if auth is None:
        return None
    pull, push = _login(auth.pull), _login(auth.push)
    return pull if pull == push else f"pull {pull}; push {push}"


def _login(login: Login) -> str:
    if isinstance(login, DefaultAuth):
        return "default"
    if isinstance(login, Anonymous):
        return "anonymous"
    if isinstance(login, Helper):
        return f"helper {login.name}"
    if isinstance(login, IdentityToken):
        return f"token *** from {login.token.origin}"
    if isinstance(login, Password):
        return f"username *** from {login.username.origin}, password *** from {login.password.origin}"
    return _cloud_login(login)


def _cloud_login(login: CloudLogin) -> str:
    name = next(name for name, kind in CLOUD_LOGINS.items() if kind is type(login))
    said = [f"{f.name} {getattr(login, f.name)}" for f in fields(login) if getattr(login, f.name) is not None]
    return " ".join((name, ", ".join(said))).rstrip()


def _tls(tls: Tls | None) -> str | None:
    if tls is None:
        return None
    files = [
        f"{key} {path}" for key, path in (("ca", tls.ca), ("certificate", tls.certificate), ("key", tls.key)) if path
    ]
    return ", ".join(files) or tls.mode.value


def _written(node: Node) -> str:
    return node.text if isinstance(node, Scalar) else ""


def _immutable(immutable: Immutable) -> str:
    tags = ", ".join(pattern.text for pattern in immutable.patterns) or "none"
    return f"{tags}; trust: list" if immutable.trusts_list else tags


def _aliases(rule: Rule) -> str:
    names = ", ".join(alias.template for alias in rule.aliases)
    return f"{names}; allow_backwards" if rule.allow_backwards else names


def _prune(prune: Prune | None) -> str:
    if prune is None:
        return "off"
    protected = ", ".join(pattern.text for pattern in prune.protect) or "nothing"
    return f"at most {prune.most}, protects {protected}"


def _attachments(types: frozenset[AttachmentType]) -> str:
    if types == ALL_ATTACHMENTS:
        return "all"
    return ", ".join(kind.value for kind in AttachmentType if kind in types) or "none"


def _said_only(line: Line) -> list[Line]:
    """A value that a spec names, nothing of one that it leaves out."""
    return [line] if line.place is not None else []


def _platforms(platforms: Platforms) -> str:
    return f"{platforms}; index: {platforms.index.value}" if platforms.keep else "all"


def _required(platforms: Platforms) -> str:
    return ", ".join(map(str, platforms.required)) or "none"


def _retag(retag: Retag) -> str:
    if retag.names is None:
        return retag.template
    return ", ".join(f"{tag} -> {renamed}" for tag, renamed in retag.names)

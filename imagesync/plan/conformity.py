"""Whether a plan from a file is one that this spec yields: an edited file cannot do more than the spec. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imagesync.errors import InvalidManifest, InvalidReference, PlanFileError, PlatformError
from imagesync.lazy import replace
from imagesync.manifest import Content, Index, walk
from imagesync.plan.actions import Attach, Blocked, Copy, Plan
from imagesync.plan.attachments import kind_of
from imagesync.plan.narrowing import is_silent, narrow
from imagesync.plan.wants import Want
from imagesync.reference import Digest, Tag
from imagesync.selection import Platforms
from imagesync.spec.globs import RepositoryGlob
from imagesync.spec.model import AttachmentType, Rule, Spec

_SHOWN = 10
Contents = Mapping[Digest, Content]


def check_same_spec(plan: Plan, spec: Spec) -> None:
    """Raise PlanFileError unless the plan was made from these very spec files."""
    planned = {(pin.path, pin.sha256) for pin in plan.specs}
    given = {(file.path, file.sha256) for file in spec.files}
    if planned != given:
        raise PlanFileError(
            _difference(dict(planned), dict(given)),
            hint="plan again (give --locked if that plan was made with it), or use --approved FILE: a fresh plan that "
            "may do nothing the file does not hold",
        )


def _difference(planned: dict[str, str], given: dict[str, str]) -> str:
    changed = sorted(path for path in planned.keys() & given.keys() if planned[path] != given[path])
    if changed:
        return f"{', '.join(changed)} has changed since the plan was made"
    return f"the plan was made from {', '.join(sorted(planned)) or 'no file'}, not from {', '.join(sorted(given))}"


def check_yielded(plan: Plan, spec: Spec) -> None:
    """Raise PlanFileError if the plan holds a copy that no rule of the spec yields."""
    copies = [action.copy if isinstance(action, Blocked) else action for action in plan.actions]
    changes = [copy for copy in copies if isinstance(copy, Copy | Attach)]
    foreign = [change for change in changes if not _is_yielded(change, spec.rules, plan.contents)]
    if foreign:
        named = ", ".join(f"{copy.source} to {copy.destination}" for copy in foreign[:_SHOWN])
        raise PlanFileError(f"no rule of the spec yields {named}", hint="plan again")


def _is_yielded(copy: Copy | Attach, rules: Iterable[Rule], contents: Contents) -> bool:
    """Whether a rule asks for it, and none that does holds the tag immutable without a copy saying so."""
    named = [rule for rule in rules if is_yielded_by(rule, copy)]
    yielding = [rule for rule in named if _is_narrowed_as_told(rule.platforms, copy, contents)]
    is_held = any(rule.immutable.holds(copy.destination.tag) for rule in yielding)
    return bool(yielding) and (isinstance(copy, Attach) or copy.is_immutable or not is_held)


def is_yielded_by(rule: Rule, copy: Copy | Attach) -> bool:
    """Whether the rule asks for this."""
    named = rule if rule.glob is None else _of_glob(rule, rule.glob, copy)
    return named is not None and _yields(named, copy)


def _of_glob(rule: Rule, glob: RepositoryGlob, copy: Copy | Attach) -> Rule | None:
    """The rule of what is copied, if the glob is one that finds it: whether it is listed, the plan knew."""
    source = copy.source.repository
    if source.registry != glob.registry or not glob.matches(source.path):
        return None
    try:
        return rule.for_repository(source.path)
    except InvalidReference:
        return None


def _yields(rule: Rule, copy: Copy | Attach) -> bool:
    tag = copy.source.tag
    if copy.source.repository != rule.source or copy.destination.repository not in rule.destinations or tag is None:
        return False
    if not all(_is_attached(rule, copy, attachment) for attachment in copy.attachments):
        return False
    if rule.digest_of(tag) != (copy.source.digest if rule.is_held else None):
        return False
    try:
        is_named = _is_named(rule, tag, copy) and _keeps_as_told(rule, copy)
    except InvalidReference:
        return False
    return is_named and tag in rule.tags.select_by_name([tag]).kept


def _is_named(rule: Rule, tag: Tag, copy: Copy | Attach) -> bool:
    """Whether its tag there is what the rule makes of its tag, or an alias of that. Raises InvalidReference."""
    carries = copy.carries if isinstance(copy, Copy) else None
    if isinstance(copy, Attach) and copy.destination.tag in rule.aliases_of(tag):
        return True
    if carries is None:
        return rule.renamed(tag) == copy.destination.tag
    return rule.renamed(tag) == carries.version and copy.destination.tag in rule.aliases_of(tag)


def _keeps_as_told(rule: Rule, copy: Copy | Attach) -> bool:
    """Whether what is replaced gets the tag that the rule gives it. Raises InvalidReference where that is none."""
    if isinstance(copy, Attach):
        return True
    kept_as = Want(rule, copy.source, copy.destination).previous if copy.replaces is not None else None
    return copy.previous == kept_as


def _is_attached(rule: Rule, copy: Copy | Attach, attachment: Copy) -> bool:
    """Whether this goes the way of the image, is of a type that the rule takes, and under its own tag if under one."""
    source, destination = attachment.source, attachment.destination
    if (source.repository, destination.repository) != (copy.source.repository, copy.destination.repository):
        return False
    if destination.tag is None and destination.digest != source.digest:
        return False
    if attachment.is_narrowed or attachment.left_out:
        return False  # its bytes are the source's, whatever is kept of the image
    kind = kind_of(destination.tag)
    is_own = source.tag == destination.tag if source.tag is not None else kind is AttachmentType.REFERRERS
    return is_own and kind in rule.attachments


def _is_narrowed_as_told(platforms: Platforms, copy: Copy | Attach, contents: Contents) -> bool:
    """Whether the source's index, which the file has as well, becomes this very root, and is brought as far.

    Of an entry that names no platform the image's config has told, which a file does not hold: there the file is
    believed. A tag that is attached to stays what it is.
    """
    if isinstance(copy, Attach):
        return copy.narrowed is None or bool(platforms.keep)
    if not platforms.keep:
        return not copy.is_narrowed and not copy.left_out
    source = contents[copy.source.digest or copy.root.digest]
    nodes = {node.digest for node in walk(contents[copy.root.digest], contents, copy.left_out)}
    entries = source.manifests if isinstance(source, Index) else (source.descriptor,)
    found = {one.digest: platforms.keep[0].platform for one in entries if is_silent(one) and one.digest in nodes}
    try:
        narrowing = narrow(source, replace(platforms, required=()), found)
    except (PlatformError, InvalidManifest):
        return False
    listed = contents[copy.root.digest].successors()
    left_out = {entry.digest for entry in listed if entry.digest in narrowing.left_out}
    return narrowing.root.digest == copy.root.digest and left_out == set(copy.left_out)

"""Mending: what of a spec has to be carried out to put right what an audit found, and nothing else. Pure."""

from __future__ import annotations

from imagesync.lazy import replace
from imagesync.plan.findings import Audit
from imagesync.plan.wants import Want
from imagesync.reference import Reference, Tag
from imagesync.selection import Alias, Include, TagFilter, TagPattern
from imagesync.spec.model import Rule


def rules_to_mend(audit: Audit) -> tuple[Rule, ...]:
    """A rule for each tag of which something was found; no list is trusted for it."""
    return tuple(_rule_of(tag.want) for tag in audit.broken if tag.want is not None)


def incomplete_tags(audit: Audit) -> frozenset[Reference]:
    """The tags at their destinations that are right and have something missing or wrong below them, and so what
    speaks of them."""
    return frozenset(reference for tag in audit.broken for reference in tag.incomplete)


def _rule_of(want: Want) -> Rule:
    rule, tag = want.rule, want.source.tag
    assert tag is not None  # noqa: S101 - narrows: rules select tags
    return replace(
        rule,
        tags=_filter_of(rule, tag),
        destinations=(want.destination.repository,),
        immutable=replace(rule.immutable, trusts_list=False),
        gates=want.gates,
        aliases=(Alias(str(want.destination.tag)),) if want.carries is not None else (),
    )


def _filter_of(rule: Rule, tag: Tag) -> TagFilter:
    """The tag alone, and as old as the rule wants it: it may have moved on to what is too young."""
    alone, min_age = TagFilter.parse([tag]), rule.tags.min_age
    return alone if min_age is None else replace(alone, steps=(Include((TagPattern.parse(tag),)), min_age))

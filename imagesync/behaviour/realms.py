"""What a registry shows itself to be by where it gives out tokens: software that anybody may run has no host. Pure."""

from __future__ import annotations

from imagesync.behaviour.columns import Kind

_BY_PATH = {"/service/token": Kind.HARBOR, "/jwt/auth": Kind.GITLAB, "/v2/auth": Kind.QUAY}
ELSEWHERE = frozenset({Kind.GITLAB})
"""Whose tokens come from another host than the registry's; of the others that would be somebody else's."""


def kind_by_realm(path: str) -> Kind | None:
    """The software whose token server has this path; None for any other."""
    return next((kind for end, kind in _BY_PATH.items() if path.endswith(end)), None)

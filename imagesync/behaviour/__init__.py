"""How registries behave where they differ: one table by kind, and what a host's name says of who runs it. Pure."""

from __future__ import annotations

from imagesync.behaviour.columns import (
    Behaviour,
    Catalog,
    Chunks,
    Creation,
    Deletes,
    Kind,
    Mount,
    Referrers,
    Repush,
    Said,
)
from imagesync.behaviour.commands import creation_advice
from imagesync.behaviour.realms import ELSEWHERE, kind_by_realm
from imagesync.behaviour.table import TABLE, kind_of
from imagesync.behaviour.template import CREATED_WITH, RepositoryTemplate

__all__ = [
    "CREATED_WITH",
    "ELSEWHERE",
    "TABLE",
    "Behaviour",
    "Catalog",
    "Chunks",
    "Creation",
    "Deletes",
    "Kind",
    "Mount",
    "Referrers",
    "RepositoryTemplate",
    "Repush",
    "Said",
    "creation_advice",
    "kind_by_realm",
    "kind_of",
]

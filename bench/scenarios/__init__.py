"""One scenario a file: a module here with a SCENARIO is found by its name."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from bench.scenario import Scenario


def load_scenarios() -> dict[str, Scenario]:
    """All scenarios by the name of their module, sorted."""
    names = sorted(module.name for module in iter_modules(__path__))
    return {name: import_module(f"{__name__}.{name}").SCENARIO for name in names}

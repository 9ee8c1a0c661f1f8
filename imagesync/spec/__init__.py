"""What the user writes: YAML, through a JSON Schema, into a frozen Spec. Nothing here reads a registry."""

from imagesync.spec.load import load_spec
from imagesync.spec.model import Rule, Spec

__all__ = ["Rule", "Spec", "load_spec"]

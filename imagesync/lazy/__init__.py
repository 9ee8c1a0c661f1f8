"""Dataclasses that cost next to nothing until they are used; a run uses fewer than half of those that it imports.

To whoever writes or reads a class, and to the type checker, these are the names of `dataclasses`; docs/adr/0038.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import MISSING, dataclass, field, fields, replace
else:
    from imagesync.lazy.declaring import dataclass
    from imagesync.lazy.field import MISSING, field, fields, replace

__all__ = ["MISSING", "dataclass", "field", "fields", "replace"]

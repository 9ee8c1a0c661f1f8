"""OCI image layouts as stores: one directory (LayoutRepository) or a tree with one for each repository (LayoutTree).

Image spec, "Image Layout". The tags are the ref names in index.json. Archives are read in `imagesync.archive`.
"""

from imagesync.layout.repository import LayoutRepository
from imagesync.layout.tree import LayoutTree

__all__ = ["LayoutRepository", "LayoutTree"]

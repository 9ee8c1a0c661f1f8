"""Which tags and platforms a rule keeps, each dropped tag with its reason, and what a kept one is called.

Pure: tags in, Selection out; where tags come from is the survey's business.
"""

from imagesync.selection.alias import Alias, carriers, check_one_variant
from imagesync.selection.order import Order, Ordering
from imagesync.selection.pattern import PatternKind, TagPattern
from imagesync.selection.platforms import EVERY_PLATFORM, IndexForm, PlatformPattern, Platforms
from imagesync.selection.range import VersionRange
from imagesync.selection.retag import Retag
from imagesync.selection.steps import ANY_SUFFIX, Exclude, Include, Newest, Step, Versions
from imagesync.selection.tag_filter import ATTACHMENT_TAG, Drop, Selection, StepCount, TagFilter
from imagesync.selection.version import Extract, Version

__all__ = [
    "ANY_SUFFIX",
    "ATTACHMENT_TAG",
    "EVERY_PLATFORM",
    "Alias",
    "Drop",
    "Exclude",
    "Extract",
    "Include",
    "IndexForm",
    "Newest",
    "Order",
    "Ordering",
    "PatternKind",
    "PlatformPattern",
    "Platforms",
    "Retag",
    "Selection",
    "Step",
    "StepCount",
    "TagFilter",
    "TagPattern",
    "Version",
    "VersionRange",
    "Versions",
    "carriers",
    "check_one_variant",
]

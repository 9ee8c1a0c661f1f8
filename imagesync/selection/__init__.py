"""Which tags and platforms a rule keeps, each dropped tag with its reason, and what a kept one is called.

Pure: tags in, Selection out; where tags come from is the survey's business.
"""

from imagesync.selection.age import WHICHEVER, Clock, MinAge, OnMissing, TooYoung
from imagesync.selection.alias import Alias, carriers, check_one_variant
from imagesync.selection.facts import NO_FACTS, Created, Facts, NeedsFacts, Sight, Standing, Unknown
from imagesync.selection.order import Order, Ordering
from imagesync.selection.pattern import PatternKind, TagPattern
from imagesync.selection.platforms import EVERY_PLATFORM, IndexForm, PlatformPattern, Platforms
from imagesync.selection.range import VersionRange
from imagesync.selection.retag import Retag
from imagesync.selection.sieve import Drop, Selection, StepCount
from imagesync.selection.steps import ANY_SUFFIX, Exclude, Include, Newest, Step, Versions
from imagesync.selection.tag_filter import ATTACHMENT_TAG, TagFilter
from imagesync.selection.version import Extract, Version

__all__ = [
    "ANY_SUFFIX",
    "ATTACHMENT_TAG",
    "EVERY_PLATFORM",
    "NO_FACTS",
    "WHICHEVER",
    "Alias",
    "Clock",
    "Created",
    "Drop",
    "Exclude",
    "Extract",
    "Facts",
    "Include",
    "IndexForm",
    "MinAge",
    "NeedsFacts",
    "Newest",
    "OnMissing",
    "Order",
    "Ordering",
    "PatternKind",
    "PlatformPattern",
    "Platforms",
    "Retag",
    "Selection",
    "Sight",
    "Standing",
    "Step",
    "StepCount",
    "TagFilter",
    "TagPattern",
    "TooYoung",
    "Unknown",
    "Version",
    "VersionRange",
    "Versions",
    "carriers",
    "check_one_variant",
]

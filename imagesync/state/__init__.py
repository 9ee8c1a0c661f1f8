"""What imagesync remembers from run to run: first seen, written and so owned, narrowed. Values and a document; pure.

How they are kept, in a file or in a registry, is the business of `keeping`.
"""

from imagesync.state.document import state_from_json, state_to_json
from imagesync.state.entries import Deleted, Entry, FirstSeen, Narrowed, Written
from imagesync.state.model import NOTHING_REMEMBERED, State

__all__ = [
    "NOTHING_REMEMBERED",
    "Deleted",
    "Entry",
    "FirstSeen",
    "Narrowed",
    "State",
    "Written",
    "state_from_json",
    "state_to_json",
]

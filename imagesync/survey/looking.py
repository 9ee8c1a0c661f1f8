"""Looking: an image that is being looked into, between two rounds of questions."""

from __future__ import annotations

from imagesync.lazy import dataclass
from imagesync.plan.image import Image
from imagesync.plan.inventory import Inventory
from imagesync.plan.questions import Asking, Question


@dataclass(eq=False, slots=True)
class Looking:
    """The questions of the present round, none once the image is known, and how many are not answered."""

    image: Image
    position: int
    rounds: Asking[Inventory]
    questions: tuple[Question, ...] = ()
    outstanding: int = 0

    @property
    def registry(self) -> str:
        """Where it is read."""
        return self.image.root.repository.registry

"""Commands: what is typed to move a release or to free a stage, as hints and `status` give it. Pure."""

from __future__ import annotations

import shlex

from imagesync.lazy import dataclass
from imagesync.reference import Tag


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands of one promotion. `spec` is the file as this run was given it."""

    spec: str
    promotion: str

    def promote(self, version: Tag, stage: str) -> str:
        return self._typed("promote", self.spec, f"{self.promotion}:{version}", "--to", stage)

    def apply(self) -> str:
        """Brings what is due to the stages that take it by themselves."""
        return self._typed("apply", self.spec, "--only", self.promotion)

    def approve(self, version: Tag, stage: str) -> str:
        return self._typed("approve", self.spec, f"{self.promotion}:{version}", "--to", stage)

    def roll_back(self, version: Tag, stage: str) -> str:
        typed = self._typed("rollback", self.spec, self.promotion, "--stage", stage, "--to", version, "--confirm")
        return f"{typed} --reason TEXT"

    def end_hold(self, stage: str) -> str:
        typed = self._typed("hold", self.spec, self.promotion, "--stage", stage, "--release")
        return f"{typed} --reason TEXT"

    def _typed(self, *words: str) -> str:
        """As a shell takes it, whatever the file is called."""
        return shlex.join(["imagesync", *words])

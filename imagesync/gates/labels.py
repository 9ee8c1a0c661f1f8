"""The gate `labels`: labels in the config of every image, and annotations of the manifest, say what they have to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from imagesync.gates.candidate import Candidate
from imagesync.gates.needs import Known, Need, ReadConfig, Unread
from imagesync.gates.verdict import Finding
from imagesync.lazy import dataclass, field
from imagesync.manifest import Content
from imagesync.redaction import redacted
from imagesync.selection.pattern import compile_expression, is_expression

MAX_LENGTH = 4096
"""Of a value that is compared: whoever made the image has written it."""
MAX_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Value:
    """A text, or a `/regular expression/` for the whole of it."""

    text: str
    regex: re.Pattern[str] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> Value:
        """Raises InvalidReference."""
        return cls(text, compile_expression(text) if is_expression(text) else None)

    def matches(self, value: str) -> bool:
        if self.regex is None:
            return value == self.text
        return len(value) <= MAX_LENGTH and self.regex.fullmatch(value) is not None


Wanted = tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Labels:
    """`config` are labels of every image; `annotations` those of the index, or of the image where there is none."""

    config: Wanted = ()
    annotations: Wanted = ()

    def __str__(self) -> str:
        return f"labels {', '.join(f'{name}={value.text}' for name, value in (*self.config, *self.annotations))}"

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:
        return tuple(ReadConfig(image.manifest.digest) for image in candidate.images()) if self.config else ()

    def judge(self, candidate: Candidate, known: Known) -> Finding:
        wrong = next(self._mistakes(candidate, known), None)
        if wrong is not None:
            return Finding.blocked(wrong, f"the gate wants {str(self).removeprefix('labels ')}")
        return Finding.passed(f"says {str(self).removeprefix('labels ')}")

    def _mistakes(self, candidate: Candidate, known: Known) -> Iterator[str]:
        yield from _differences("annotation", _annotations(candidate.root), self.annotations)
        images = candidate.images() if self.config else ()
        if self.config and not images:
            yield "holds no image that could have labels"
        for image in images:
            config = known[ReadConfig(image.manifest.digest)]
            if isinstance(config, Unread):
                yield f"{image}: its config cannot be read: {config.reason}"
            else:
                yield from (f"{image}: {what}" for what in _differences("label", _labels(config), self.config))


def _differences(what: str, found: Mapping[object, object], wanted: Wanted) -> Iterator[str]:
    for name, value in wanted:
        own = found.get(name)
        if own is None:
            yield f"no {what} {name}"
        elif not isinstance(own, str) or not value.matches(own):
            yield f"{what} {name} is {ascii(_shown(own))[:MAX_SHOWN]}, wanted {value.text}"


def _shown(own: object) -> object:
    """Redacted before it is cut: half a password is one too."""
    return redacted(own) if isinstance(own, str) else own


def _labels(config: Mapping[str, object]) -> Mapping[object, object]:
    inner = config.get("config")
    labels = inner.get("Labels") if isinstance(inner, dict) else None
    return labels if isinstance(labels, dict) else {}


def _annotations(root: Content) -> Mapping[object, object]:
    annotations = json.loads(root.raw).get("annotations")
    return annotations if isinstance(annotations, dict) else {}

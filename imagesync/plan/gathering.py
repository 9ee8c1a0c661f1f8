"""Gathering: asks what the gates of an image have to know, all of it in the same rounds. Pure.

Nothing is asked for tags that are right: only what would be copied is judged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagesync.gates import FirstSeen, Known, Need, ReadConfig, ReadSpoken, Unread, needs_of
from imagesync.manifest import IMAGE_CONFIG_TYPES, Content, Manifest
from imagesync.plan.candidates import candidate_of
from imagesync.plan.contents import CannotRead
from imagesync.plan.evidence import read_spoken
from imagesync.plan.image import Image, Overview
from imagesync.plan.inventory import Broken, NotRead
from imagesync.plan.questions import Asking, ReadBlob, together
from imagesync.reference import Digest, Repository
from imagesync.state import State

MAX_CONFIG_BYTES = 8 * 1024 * 1024


def gather(image: Image, contents: Mapping[Digest, Content], overview: Overview) -> Asking[Known]:
    """What is known then of an image that would be copied. Raises CannotRead where it has to wait for that."""
    gated = [want for want in image.wants if want.gates]
    candidates = [(want.gates, candidate_of(want, overview.heads, contents)) for want in gated]
    needs = dict.fromkeys(need for gates, candidate in candidates for need in needs_of(gates, candidate))
    source = Source(image.root.repository, contents, overview.state, overview)
    return (yield from answer_all(tuple(needs), source))


@dataclass(frozen=True, slots=True)
class Source:
    """Where an image is, and what of it has been read."""

    repository: Repository
    contents: Mapping[Digest, Content]
    state: State
    overview: Overview


def answer_all(needs: tuple[Need, ...], source: Source) -> Asking[Known]:
    """An answer for each. Raises CannotRead where a later run can read what this one may not."""
    if not needs:
        return Known()
    answers = yield from together([_answer(need, source) for need in needs])
    for answer in answers:
        if isinstance(answer, NotRead):
            raise CannotRead(answer)
    return Known({need: _as_unread(answer) for need, answer in zip(needs, answers, strict=True)})


def _answer(need: Need, source: Source) -> Asking[Any]:
    if isinstance(need, FirstSeen):
        return source.state.first_seen(need.source, need.source.digest) if need.source.digest is not None else None
    if isinstance(need, ReadConfig):
        return (yield from _config(source.contents[need.digest], source.repository))
    if isinstance(need, ReadSpoken):
        return (yield from read_spoken(source.repository, need.digest, source.overview.attachment_tags))
    answers = yield (need,)
    return answers[need]


def _config(manifest: Content, repository: Repository) -> Asking[Any]:
    if not isinstance(manifest, Manifest) or manifest.config.media_type not in IMAGE_CONFIG_TYPES:
        return Unread("it is no image")
    question = ReadBlob(repository, manifest.config.digest, manifest.config, MAX_CONFIG_BYTES)
    answers = yield (question,)
    raw = answers[question]
    return raw if isinstance(raw, Broken) else _parsed(raw)


def _parsed(raw: bytes) -> Any:
    try:
        config = json.loads(raw)
    except (ValueError, RecursionError):
        return Unread("its config is not JSON")
    return config if isinstance(config, dict) else Unread("its config is not a JSON object")


def _as_unread(answer: Any) -> Any:
    return Unread(answer.reason, answer.hint) if isinstance(answer, Broken) else answer

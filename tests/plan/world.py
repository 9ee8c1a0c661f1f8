"""A world of repositories as values: it answers what a search asks, and keeps what it was asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

from imagesync.manifest import Content, Descriptor
from imagesync.plan.attachments import attachment_tags
from imagesync.plan.inventory import Absent, Present
from imagesync.plan.questions import (
    Asking,
    HasBlob,
    HasReferrersApi,
    IsEmpty,
    ListAttachmentTags,
    ListReferrers,
    Question,
    ReadHead,
    ReadManifest,
    ReadPlatform,
)
from imagesync.platform import Platform
from imagesync.reference import Digest, Repository, Tag

T = TypeVar("T")


@dataclass
class World:
    """`apis` are the registries that list referrers, `platforms` what configs say; `answers` come before anything
    else."""

    contents: dict[Digest, Content] = field(default_factory=dict)
    tags: dict[tuple[Repository, Tag], Digest] = field(default_factory=dict)
    referrers: dict[tuple[Repository, Digest], tuple[Content, ...]] = field(default_factory=dict)
    apis: set[str] = field(default_factory=set)
    platforms: dict[Digest, Platform] = field(default_factory=dict)
    answers: dict[Question, Any] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)

    def put(self, repository: Repository, tag: Tag, *contents: Content) -> None:
        """Let a tag point to the last of these."""
        self.contents.update((content.digest, content) for content in contents)
        self.tags[repository, tag] = contents[-1].digest

    def list(self, repository: Repository, subject: Digest, *contents: Content) -> None:
        """Let the repository's registry list these as referrers of a digest."""
        self.apis.add(repository.registry)
        self.contents.update((content.digest, content) for content in contents)
        self.referrers[repository, subject] = contents

    def run(self, asking: Asking[T]) -> T:
        """Answer until it is done."""
        answers: dict[Question, Any] = {}
        try:
            questions = next(asking)
            while True:
                self.asked += questions
                answers = {question: self._answer(question) for question in questions}
                questions = asking.send(answers)
        except StopIteration as end:
            found: T = end.value
            return found

    def reads(self) -> list[tuple[str, Digest]]:
        """The manifests that were read, each with its side."""
        return [(one.side, one.digest) for one in self.asked if isinstance(one, ReadManifest)]

    def _answer(self, question: Question) -> Any:
        ways: dict[type, Any] = {
            ReadManifest: lambda one: self.contents[one.digest],
            ReadPlatform: lambda one: self.platforms.get(one.digest),
            ReadHead: self.head,
            ListAttachmentTags: self._tags,
            HasReferrersApi: lambda one: one.registry in self.apis,
            ListReferrers: self._referrers,
            IsEmpty: lambda _: False,
            HasBlob: lambda _: False,
        }
        return self.answers[question] if question in self.answers else ways[type(question)](question)

    def _tags(self, question: ListAttachmentTags) -> frozenset[Tag]:
        return attachment_tags(tag for repository, tag in self.tags if repository == question.repository)

    def _referrers(self, question: ListReferrers) -> tuple[Descriptor, ...]:
        found = self.referrers.get((question.repository, question.digest), ())
        return tuple(content.descriptor for content in found)

    def head(self, question: ReadHead) -> Present | Absent:
        tag = question.reference.tag
        digest = self.tags.get((question.repository, tag)) if tag is not None else None
        return Absent() if digest is None else Present(self.contents[digest].descriptor)

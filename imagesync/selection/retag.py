"""What a kept tag is called at the destination: a template, or a map of every tag."""

from __future__ import annotations

import re

from imagesync.errors import InvalidReference
from imagesync.lazy import dataclass
from imagesync.reference import Digest, Tag
from imagesync.selection.version import Version

RETAG_FIELDS = ("tag", "major", "minor", "patch", "suffix", "digest")
_DIGEST_LETTERS = 12
_NUMBERS = {"major": 0, "minor": 1, "patch": 2}


@dataclass(frozen=True, slots=True)
class Retag:
    """How a source tag is called at the destination: a template over RETAG_FIELDS, or a map of every tag."""

    template: str = "{tag}"
    names: tuple[tuple[str, str], ...] | None = None

    def apply(self, tag: Tag, version: Version | None = None, digest: Digest | None = None) -> Tag:
        """The destination tag. `version` is what the tag stands for, where it is not what it looks like.

        Raises InvalidReference when the map lacks the tag, the template asks for a part that the tag has not, or
        the result is no tag.
        """
        if self.names is not None:
            found = dict(self.names).get(tag)
            if found is None:
                raise InvalidReference(f"retag has no line for the selected tag {tag}", hint=f"add `{tag}: NEW-TAG`")
            return Tag(found)

        def value(match: re.Match[str]) -> str:
            if match[1] == "tag":
                return tag
            return (
                self._of_digest(digest)
                if match[1] == "digest"
                else self._of_version(match[1], tag, version or Version.parse(tag))
            )

        return Tag(re.sub(r"\{([a-z_]*)\}", value, self.template))

    def undone(self, renamed: Tag) -> Tag | None:
        """The source tag that is called so; itself where the template does not hold the whole tag."""
        if self.names is not None:
            return next((Tag(tag) for tag, name in self.names if name == renamed), None)
        before, placeholder, after = self.template.partition("{tag}")
        if not placeholder or set(before + after) & set("{}"):
            return renamed
        inner = renamed.removeprefix(before).removesuffix(after)
        return Tag(inner) if Tag.is_valid(inner) and f"{before}{inner}{after}" == renamed else None

    @property
    def needs_digest(self) -> bool:
        """Whether it can name only images whose digest the spec says."""
        return self.names is None and "{digest}" in self.template

    def problems(self) -> tuple[str, ...]:
        """What is wrong with the template whatever the tag."""
        unknown = [name for name in re.findall(r"\{([^{}]*)\}", self.template) if name not in RETAG_FIELDS]
        left = re.sub(r"\{[^{}]*\}", "", self.template)
        found = [f"{{{name}}} is not known" for name in unknown]
        return tuple(found + ([f"{self.template!r} has an unpaired brace"] if set(left) & set("{}") else []))

    def _of_digest(self, digest: Digest | None) -> str:
        if digest is None:
            message = f"retag template {self.template!r} needs a digest, and this image is named without one"
            raise InvalidReference(message, hint="name the image NAME:TAG@sha256:…, or leave {digest} out")
        return digest.encoded[:_DIGEST_LETTERS]

    def _of_version(self, name: str, tag: Tag, version: Version | None) -> str:
        if version is None:
            raise InvalidReference(f"retag template {self.template!r} needs a version, {tag} is none")
        if name == "suffix":
            return version.suffix
        position = _NUMBERS[name]
        if position >= len(version.numbers):
            raise InvalidReference(f"retag template {self.template!r} needs a {name} number, {tag} has none")
        return str(version.numbers[position])

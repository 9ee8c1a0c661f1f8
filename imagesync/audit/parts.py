"""Parts: all that is below the tags of an audit, each looked at once a repository, however many tags need it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial

from imagesync.audit.looking import Looked, Looking
from imagesync.lazy import dataclass
from imagesync.manifest import MAX_DEPTH, MAX_ENTRIES
from imagesync.plan.findings import Finding
from imagesync.plan.judgement import too_large
from imagesync.plan.questions import HasBlob, Part, ReadManifest
from imagesync.reference import Digest
from imagesync.tasks import Task, Tasks, Watch


@dataclass(eq=False, slots=True)
class _Seen:
    """A part that is looked at: how deep below which root, and what came of it."""

    root: Part
    level: int
    looked: Looked


class Parts:
    """Used from one thread, while its tasks run in others. Keeps what was found, and no manifest."""

    def __init__(self, looking: Looking, tasks: Tasks) -> None:
        self._looking = looking
        self._tasks = tasks
        self._watch: Watch[Looked] = tasks.watch()
        self._seen: dict[Part, _Seen] = {}
        self._asked: dict[Task[Looked], Part] = {}
        self._listed: Counter[Part] = Counter()

    @property
    def manifests(self) -> int:
        return sum(isinstance(part, ReadManifest) for part in self._seen)

    @property
    def blobs(self) -> int:
        return sum(isinstance(part, HasBlob) for part in self._seen)

    def look_at(self, roots: Iterable[Part]) -> None:
        """Look at these and at all below them. Raises Cancelled."""
        for root in roots:
            self._ask(root, root, level=0)
        for task in self._watch:
            part = self._asked.pop(task)
            self._take(part, task.result())

    def findings_below(self, *roots: Part) -> tuple[Finding, ...]:
        """What was found of these and all below them, each once."""
        findings = (self._seen[part].looked.finding for part in self._below(*roots))
        return tuple(dict.fromkeys(finding for finding in findings if finding is not None))

    def manifests_below(self, root: Part) -> tuple[Digest, ...]:
        """A root and the manifests below it, those that could not be read as well."""
        return tuple(dict.fromkeys(part.digest for part in self._below(root) if isinstance(part, ReadManifest)))

    def _below(self, *roots: Part) -> Iterator[Part]:
        """These and all below them, in the order of their manifests."""
        passed: set[Part] = set(roots)
        left = list(reversed(roots))  # no recursion: roots may stand below each other, as many as there are tags
        while left:
            part = left.pop()
            yield part
            below = self._seen[part].looked.below
            left += [one for one in reversed(below) if one not in passed]
            passed.update(below)

    def _ask(self, part: Part, root: Part, *, level: int) -> None:
        if part in self._seen:
            return
        self._seen[part] = _Seen(root, level, Looked(None))
        task = self._tasks.add(
            partial(self._looking.look, part),
            hosts=[part.repository.registry],
            is_heavy=self._looking.is_heavy(part),
        )
        self._asked[task] = part
        self._watch.add(task)

    def _take(self, part: Part, looked: Looked) -> None:
        """Note what came of a part, and ask for what is below: bounded, since a server says what that is."""
        seen = self._seen[part]
        manifests = sum(isinstance(below, ReadManifest) for below in looked.below)
        self._listed[seen.root] += manifests
        is_too_deep = manifests > 0 and seen.level + 1 >= MAX_DEPTH
        if is_too_deep or self._listed[seen.root] > MAX_ENTRIES:
            seen.looked = Looked(too_large(seen.root))
            return
        seen.looked = looked
        for below in looked.below:
            self._ask(below, seen.root, level=seen.level + 1)

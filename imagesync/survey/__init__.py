"""The survey: reads both sides at once. What to read, pure functions of plan say; when, the tasks.

Catalogs, tag lists and heads of the whole spec come first, since conflicts and budgets are seen there alone. After
that every image is looked into on its own, so that the first is on its way while the last is still being read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from imagesync.errors import Cancelled
from imagesync.plan.choosing import seen_at_sources
from imagesync.plan.drift import with_memory
from imagesync.plan.image import Overview, attachment_tags_of, images_of, perhaps_empty, perhaps_missing
from imagesync.plan.inventory import Broken
from imagesync.plan.order import rank_of_read
from imagesync.plan.questions import Answers, Question
from imagesync.plan.reading import Seen, look_into, seen_already
from imagesync.plan.repositories import companions
from imagesync.reference import Reference
from imagesync.spec.model import Rule
from imagesync.state import NOTHING_REMEMBERED, State
from imagesync.store import Stores
from imagesync.survey.answers import answer, fetch_manifest, or_broken
from imagesync.survey.asked import Asked
from imagesync.survey.asking import ask
from imagesync.survey.catalogs import find_repositories, read_catalogs
from imagesync.survey.heads import read_choices, read_heads
from imagesync.survey.looking import Looking
from imagesync.survey.promises import remember, remembered
from imagesync.survey.turns import Turns
from imagesync.tasks import Task, Tasks, Watch

__all__ = [
    "Survey",
    "answer",
    "ask",
    "fetch_manifest",
    "find_repositories",
    "or_broken",
    "read_catalogs",
    "read_choices",
    "read_heads",
]


class Survey:
    """What both sides hold of what a spec wants, told image by image as it becomes known.

    Making one reads lists and heads, and waits for them: two requests a tag. What fails is a Broken and stops
    nothing else. Raises Cancelled, nothing else. `incomplete` are tags and attachments that are looked into though
    they are right; `state` is what tells why a tag differs, and how old tags are. Rules that were `left_out` want
    nothing, and say with the others whether a tag may move.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        stores: Stores,
        tasks: Tasks,
        *,
        incomplete: Collection[Reference] = (),
        state: State | None = None,
        left_out: Iterable[Rule] = (),
    ) -> None:
        self._stores = stores
        self._tasks = tasks
        self._asked = Asked(stores, tasks)
        self._waiting: dict[Task[Any], list[Looking]] = {}
        self._turns = Turns(stores)
        expanded = find_repositories(rules, stores, tasks)
        self.found = expanded.found
        """What globs stand for."""
        beside = companions(expanded.rules, left_out)
        self.wants, heads, listings = read_heads(
            expanded.rules, stores, tasks, beside=beside, asked=self._asked, state=state
        )
        self.rules = tuple(rule for rule in expanded.rules if isinstance(rule, Rule))
        self.sights = seen_at_sources(heads, self.wants, (rule.source for rule in self.rules))
        """The tags of sources that were asked for, each with the digest that it was seen to have."""
        self.listings = listings
        """The tag lists that rules asked for."""
        heads = {**heads, **remembered(self.wants, heads, stores.memory)}
        heads = with_memory(self.wants, heads, state)
        if incomplete:
            from imagesync.plan.judgement import taken_for_absent  # noqa: PLC0415 - few runs repair

            heads = taken_for_absent(self.wants, heads, incomplete)
        self._heads = heads
        self._incomplete = incomplete
        self._state = state or NOTHING_REMEMBERED
        self._attachment_tags = attachment_tags_of(listings)
        self.cancelled: Cancelled | None = None
        """Set when images were not looked into to the end, since the run was stopped."""

    def begin(self, watch: Watch[Any]) -> Iterator[Seen]:
        """Yield what the heads decide, and ask for what they do not: `watch` tells when to call `advance`."""
        yield seen_already(self.wants, self._heads)
        images = images_of(self.wants, self._heads)
        fresh = perhaps_empty(images, self._heads)
        missing = frozenset(filter(self._stores.creates, perhaps_missing(images, self._heads)))
        overview = Overview(self._heads, fresh, self._attachment_tags, self._incomplete, self._state, missing)
        for position, image in enumerate(images):
            yield from self._go_on(Looking(image, position, look_into(image, overview)), None, watch)

    def advance(self, task: Task[Any], watch: Watch[Any]) -> Iterator[Seen]:
        """Take in a task that has finished; yields each image that is known whole with it."""
        if isinstance(task.error, Cancelled):
            self.cancelled = task.error
        for looking in self._waiting.pop(task, ()):
            looking.outstanding -= 1
            if not looking.outstanding:
                answers = {question: self._answer_to(question) for question in dict.fromkeys(looking.questions)}
                yield from self._go_on(looking, answers, watch)

    def _go_on(self, looking: Looking, answers: Answers | None, watch: Watch[Any]) -> Iterator[Seen]:
        """Ask the next round of questions, unless the image is known or it is another's turn."""
        seen = None
        try:
            looking.questions = next(looking.rounds) if answers is None else looking.rounds.send(answers)
            while not looking.questions:
                looking.questions = looking.rounds.send({})
        except StopIteration as end:
            looking.questions = ()
            seen = Seen(looking.image.all_wants, end.value)
            remember(looking.image, end.value, self._stores.memory)
        if self._turns.may_ask(looking):
            self._ask_all(looking, watch)
        following = self._turns.after(looking)
        if following is not None:
            self._ask_all(following, watch)
        if seen is not None:
            yield seen

    def _ask_all(self, looking: Looking, watch: Watch[Any]) -> None:
        looking.outstanding = len(set(looking.questions))
        for question in dict.fromkeys(looking.questions):
            task = self._asked.ask(question, rank_of_read(looking.position))
            if task not in self._waiting:
                watch.add(task)
            self._waiting.setdefault(task, []).append(looking)

    def _answer_to(self, question: Question) -> Any:
        task = self._asked.task(question)
        answer = task.value if task.error is None else Broken.from_error(task.error)
        self._asked.let_go(question)
        if not self._incomplete:
            return answer
        from imagesync.plan.judgement import as_if_absent  # noqa: PLC0415 - few runs repair

        return as_if_absent(question, answer, self._incomplete)

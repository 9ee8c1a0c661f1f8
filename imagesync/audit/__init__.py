"""Audit: reads destinations back and says whether they hold what a spec promises. Writes nothing, asks no cache.

Tags first, on both sides; then all that is below each tag that is right, read at its destination alone; then what
speaks of that, as a plan would look for it, and all below.
"""

from __future__ import annotations

from collections.abc import Iterable

from imagesync.audit.asking import ask
from imagesync.audit.looking import DeepLooking, Looking
from imagesync.audit.parts import Parts
from imagesync.audit.spoken import Spoken
from imagesync.plan.actions import SpecPin
from imagesync.plan.findings import Audit, Audited
from imagesync.plan.image import Overview, attachment_tags_of
from imagesync.plan.judgement import judge_heads, not_known, root_of, sum_up
from imagesync.plan.promises import promises_of
from imagesync.plan.wants import Want, Wanted, trusting_no_list
from imagesync.spec.model import Spec
from imagesync.state import State
from imagesync.survey import find_repositories, read_heads
from imagesync.tasks import Tasks

__all__ = ["DeepLooking", "Looking", "audit"]


def audit(spec: Spec, looking: Looking, tasks: Tasks, *, state: State | None = None) -> Audit:
    """Look at every tag that the spec promises, at all that is below it, and at all that speaks of it. How old tags are
    and which versions aliases carry `state` tells. Raises Cancelled."""
    named = find_repositories(trusting_no_list(spec.rules), looking.stores, tasks).rules
    wants, heads, listings = read_heads(named, looking.stores, tasks, state=state)
    heads = ask(promises_of(wants, heads), looking, tasks)
    wrong = judge_heads(wants, heads)
    roots = {want: root_of(want, heads) for want in wants if isinstance(want, Want) and want not in wrong}
    parts = Parts(looking, tasks)
    parts.look_at(roots.values())
    spoken = Spoken(roots, Overview(heads, attachment_tags=attachment_tags_of(listings)), parts)
    spoken.look(looking, tasks)

    def audited(want: Wanted) -> Iterable[Audited]:
        if not isinstance(want, Want):
            return not_known(want)
        own = (wrong[want],) if want in wrong else parts.findings_below(roots[want])
        found = [*((want.destination, finding) for finding in own), *spoken.findings_of(want)]
        return [sum_up(want, heads, found)]

    return Audit(
        tags=tuple(one for want in wants for one in audited(want)),
        specs=tuple(SpecPin(file.path, file.sha256) for file in spec.files),
        manifests=parts.manifests,
        blobs=parts.blobs,
        bytes_read=looking.bytes_read,
    )

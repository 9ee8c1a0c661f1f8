"""Tasks: a graph of calls on a bounded pool of threads, with slots for each host.

A task is queued when all it needs is done and started when every host it uses has a free slot, so no worker
ever waits for another worker, and one thread is enough for any graph. What a host bears is told by `Hosts`; what a
task does is none of this room's business.
"""

from __future__ import annotations

from imagesync.tasks.scheduler import ABANDON_SECONDS, Tasks
from imagesync.tasks.slots import MAX_HEAVY, HostActivity, Hosts
from imagesync.tasks.task import MoreHosts, Postponed, Task
from imagesync.tasks.watch import Watch

__all__ = ["ABANDON_SECONDS", "MAX_HEAVY", "HostActivity", "Hosts", "MoreHosts", "Postponed", "Task", "Tasks", "Watch"]

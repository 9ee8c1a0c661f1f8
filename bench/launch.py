"""Starts one command and prints what it took, as JSON. A script of its own, with few imports, on purpose.

Linux counts the memory of the process that starts a program into the program's peak: whoever starts a
small program must be smaller.
"""

import os
import sys
import time


def main() -> None:
    started = time.monotonic()
    # The command's output goes where the errors go: stdout is for the result.
    child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)])
    _, status, usage = os.wait4(child, 0)
    seconds = time.monotonic() - started
    sys.stdout.write(
        f'{{"exit_code": {os.waitstatus_to_exitcode(status)}, "seconds": {seconds:.4f}, '
        f'"cpu_seconds": {usage.ru_utime + usage.ru_stime:.4f}, "peak_kibibytes": {usage.ru_maxrss}}}'
    )


main()

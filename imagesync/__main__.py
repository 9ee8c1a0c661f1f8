"""`python -m imagesync` and the `imagesync` command: the version at once, everything else through cli."""

from __future__ import annotations

import gc
import io
import sys


def main() -> int:
    """Run one command; returns its exit code."""
    if sys.argv[1:] in (["--version"], ["version"]):
        from imagesync import __version__  # noqa: PLC0415 - nothing else is needed

        sys.stdout.write(f"imagesync {__version__}\n")
        return 0
    gc.disable()  # importing makes hardly any garbage: it is looked for once the command begins
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # plans hold arrows, which not every encoding has
    try:
        from imagesync.cli.main import run  # noqa: PLC0415 - as above

        return run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules are being imported
        return 130
    finally:
        gc.freeze()  # nor is there any need to look for it in what ends with the process


if __name__ == "__main__":
    sys.exit(main())

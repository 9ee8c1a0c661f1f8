"""`python -m tests.fuzz [--seconds N] [PARSER...]`: each parser with atheris for a while, in a process of its own.

What breaks one is written to `.fuzz/PARSER-crash-*`; what has been found to go deep is kept in `.fuzz/PARSER/`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

FOLDER = Path(".fuzz")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each parser")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("parsers", nargs="*", help="none: all")
    arguments = parser.parse_args()
    if arguments.here:
        return fuzz(arguments.parsers[0], arguments.seconds)
    names = arguments.parsers or parser_names()
    failed = [name for name in names if run(name, arguments.seconds) != 0]
    sys.stderr.write(f"{len(names) - len(failed)} of {len(names)} parsers held. Broken: {' '.join(failed) or 'none'}\n")
    return 1 if failed else 0


def parser_names() -> list[str]:
    from tests.fuzz.parsers import PARSERS

    return list(PARSERS)


def run(name: str, seconds: int) -> int:
    sys.stderr.write(f"{name}\n")
    command = [sys.executable, "-m", "tests.fuzz", "--here", "--seconds", str(seconds), name]
    return subprocess.run(command, check=False).returncode


def fuzz(name: str, seconds: int) -> int:
    """Feed one parser until the time is up, or it breaks; this process ends with that."""
    import atheris

    with atheris.instrument_imports(include=["imagesync"]):
        from tests.fuzz.parsers import PARSERS, check
    corpus = FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(PARSERS[name].seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    limits = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]
    limits += [f"-artifact_prefix={FOLDER}/{name}-", "-max_len=16384", "-verbosity=0"]
    atheris.Setup([sys.argv[0], str(corpus), *limits], lambda raw: check(PARSERS[name], raw))
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())

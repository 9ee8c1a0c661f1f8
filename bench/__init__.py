"""Benchmarks: imagesync and others do the same job on this machine, in turns. `python -m bench --help` says more."""

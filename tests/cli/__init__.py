"""Tests of the command line: each command as it is typed, against registries on loopback."""

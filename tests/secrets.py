"""The secrets that tests use, in one place: `leaks` searches what every test prints, raises and writes for them.

A test may use others that are made for it; those are searched for as well once the program has revealed them.
"""

from __future__ import annotations

PASSWORD = "hunter2"
LONG_PASSWORD = "correct-horse-battery"
"""Long enough to be looked for by value."""
WRONG_PASSWORD = "wrong-guess-entirely"
REAL_PASSWORD = "correct-horse"
"""What real registries are set up with."""
IDENTITY_TOKEN = "identity-secret"
REGISTRY_TOKEN = "ready-made"
HELPER_SECRET = "helper-secret"
WRONG_SECRET = "wrong-secret"

EVERYWHERE = frozenset(
    {PASSWORD, LONG_PASSWORD, WRONG_PASSWORD, IDENTITY_TOKEN, REGISTRY_TOKEN, HELPER_SECRET, WRONG_SECRET}
)
"""What no test's output holds, whatever the test is about."""

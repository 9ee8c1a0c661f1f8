"""What keeps a line from being a command to the runner of GitHub Actions, whoever wrote it."""

from __future__ import annotations

import re

_AT_LINE_START = re.compile(r"(^|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029])([\s\ufeff\u200b\u180e]*)::")
"""The runner trims a line before it looks for `::`. Whatever anybody takes for the end of a line counts as one."""
_ANYWHERE = re.compile(r"##(?=\[|vso\[)")
"""The older form, which is found wherever it stands in a line."""


def defuse(text: str) -> str:
    """The text with every workflow command in it broken by a space. Apply it to whatever is printed in Actions."""
    return _ANYWHERE.sub("## ", _AT_LINE_START.sub(r"\1\2: :", text))

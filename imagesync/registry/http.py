"""The one place that imports httpx. Where click and rich are installed, httpx would load its command line too."""

from __future__ import annotations

import sys

_COMMAND_LINE = "httpx._main"

# A None in sys.modules makes `import httpx._main` fail, which httpx is ready for: 130 ms instead of 400.
_kept = sys.modules.pop(_COMMAND_LINE, None)
sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]
try:
    import httpx
finally:
    del sys.modules[_COMMAND_LINE]
    if _kept is not None:
        sys.modules[_COMMAND_LINE] = _kept

__all__ = ["httpx"]

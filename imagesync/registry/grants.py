"""Grants: what an access token says that it allows. Many are JWTs that say so (distribution, "Token Authentication
Implementation"); who cannot read one knows nothing, for a token is the registry's to understand. Nothing is verified.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from imagesync.settings import Secret


def granted_actions(token: Secret, path: str) -> frozenset[str] | None:
    """The actions that a token allows in a repository; None where it does not say. Never raises."""
    claims = _claims(token.reveal())
    access = claims.get("access") if isinstance(claims, dict) else None
    if not isinstance(access, list):
        return None
    entries = [entry for entry in access if isinstance(entry, dict)]
    own = [entry for entry in entries if (entry.get("type"), entry.get("name")) == ("repository", path)]
    listed = [entry.get("actions") for entry in own]
    return frozenset(str(action) for actions in listed if isinstance(actions, list) for action in actions)


def _claims(text: str) -> Any:
    parts = text.split(".")
    if len(parts) != 3:
        return None
    try:
        return json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError, binascii.Error):
        return None

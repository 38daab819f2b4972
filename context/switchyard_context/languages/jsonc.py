"""JSON with comments and trailing commas, as tsconfig.json is written."""

from __future__ import annotations

import json
import re
from typing import Any

_TOKEN = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)


def read_object(source: bytes) -> dict[str, Any]:
    """The object in a file; empty if it holds none, since a broken config must not hide the sources beside it."""
    text = source.decode("utf-8-sig", "replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        # Comments go first: a trailing comma may stand before one.
        bare = _drop(_drop(text))
        try:
            value = json.loads(bare)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _drop(text: str) -> str:
    return _TOKEN.sub(lambda match: match.group(1) or " ", text)

"""Labels that a pull request still owes: GitHub takes none when it is opened, and a write for them alone is one more.

Until its text is next written, a comment in the body says which; text and labels then go in one request, which takes
the comment away. So whoever goes on after a kill finds them, and a label that a person removes stays removed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, unquote

_OWED = re.compile(r"\n<!-- switchyard:labels=(\S+) -->")


def with_owed(body: str, labels: Sequence[str]) -> str:
    """A body that says which labels are to come."""
    return f"{body}\n<!-- switchyard:labels={','.join(quote(label, safe='') for label in labels)} -->"


def split_owed(body: str) -> tuple[str, tuple[str, ...]]:
    """The body as it is meant, and the labels that are to come."""
    found = list(_OWED.finditer(body))
    if not found:
        return body, ()
    last = found[-1]
    return body[: last.start()] + body[last.end() :], tuple(unquote(label) for label in last[1].split(","))

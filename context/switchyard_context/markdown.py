"""A selection as an agent reads it: a section a file with its role, its reasons and its lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

from switchyard_context.slices import Document, Lines

_FENCE_NAMES = {
    "py": "python", "pyi": "python", "ts": "typescript", "tsx": "tsx", "mts": "typescript", "cts": "typescript",
    "js": "javascript", "jsx": "jsx", "mjs": "javascript", "cjs": "javascript", "md": "markdown", "toml": "toml",
    "json": "json", "yaml": "yaml", "yml": "yaml",
}  # fmt: skip
_BACKTICKS = re.compile(r"`{3,}")


def section(path: str, role: str, reasons: Sequence[str], document: Document, lines: Lines) -> str:
    """One file; what the budget counts is exactly this text."""
    head = f"## {_one_line(path)} ({role})\n\n" + "".join(f"- {_one_line(reason)}\n" for reason in reasons)
    if not lines:
        what = "binary" if document.is_binary else f"{len(document.lines)} lines"
        return f"{head}\nNot shown: {what}.\n\n"
    total = len(document.lines)
    is_whole = lines == ((1, total),)
    parts: list[str] = []
    for first, last in lines:
        if not is_whole:
            parts.append(f"@@ {first}-{last} of {total} @@")
        parts.extend(document.lines[first - 1 : last])
    body = "\n".join(parts)
    fence = "`" * max([2, *(len(run) for run in _BACKTICKS.findall(body))]) + "`"
    return f"{head}\n{fence}{_FENCE_NAMES.get(path.rpartition('.')[2], '')}\n{body}\n{fence}\n\n"


def _one_line(text: str) -> str:
    """Paths are untrusted: a line break in one must not start a heading."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "replace").decode() for letter in text
    )

"""A selection as an agent reads it: a section a file with its role, its reasons and its lines."""

from __future__ import annotations

from collections.abc import Sequence

from switchyard_context.slices import Document, Lines

_FENCE_NAMES = {
    "py": "python", "pyi": "python", "ts": "typescript", "tsx": "tsx", "mts": "typescript", "cts": "typescript",
    "js": "javascript", "jsx": "jsx", "mjs": "javascript", "cjs": "javascript", "md": "markdown", "toml": "toml",
    "json": "json", "yaml": "yaml", "yml": "yaml", "go": "go", "mod": "go", "rs": "rust", "java": "java", "xml": "xml",
    "kt": "kotlin", "gradle": "groovy", "rst": "rst", "sh": "sh", "css": "css", "html": "html", "vue": "vue",
}  # fmt: skip


def section(path: str, role: str, reasons: Sequence[str], document: Document, lines: Lines) -> str:
    """One file; what the budget counts is exactly this text."""
    parts = [opening(path, role, reasons, document, is_shown=bool(lines))]
    total = len(document.lines)
    for first, last in lines:
        if lines != ((1, total),):
            parts.append(marker(first, last, total))
        parts.extend(f"{line}\n" for line in document.lines[first - 1 : last])
    return "".join(parts) + closing(document, is_shown=bool(lines))


def opening(path: str, role: str, reasons: Sequence[str], document: Document, *, is_shown: bool) -> str:
    """What stands before the lines of a file."""
    head = f"## {_one_line(path)} ({role})\n\n" + "".join(f"- {_one_line(reason)}\n" for reason in reasons)
    return f"{head}\n{document.fence}{_FENCE_NAMES.get(path.rpartition('.')[2], '')}\n" if is_shown else f"{head}\n"


def marker(first: int, last: int, total: int) -> str:
    """What stands before each slice of a file that is not shown whole."""
    return f"@@ {first}-{last} of {total} @@\n"


def closing(document: Document, *, is_shown: bool) -> str:
    """What stands after the lines of a file."""
    if is_shown:
        return f"{document.fence}\n\n"
    return "Not shown: binary.\n\n" if document.is_binary else f"Not shown: {len(document.lines)} lines.\n\n"


def _one_line(text: str) -> str:
    """Paths are untrusted: a line break in one must not start a heading."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "replace").decode() for letter in text
    )

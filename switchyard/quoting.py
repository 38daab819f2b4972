"""Text that came out of a sandbox, put into Markdown so that nothing in it can pass for the factory's own words."""

from __future__ import annotations

import re

_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""What makes a reader see text in another order than it has."""
_LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_MARKED = re.compile(r"([\\`*\[\]|~<&$]|(?<![^\W_])_|_(?![^\W_]))")
_LEADING = re.compile(r"^(\d{1,9})(?=[.)])|^(?=[#>+=-])")
_LINKED = re.compile(r"(?<=@)(?=\w)|(?<=#)(?=\d)|(?<=\bGH)(?=-\d)|(?<=:)(?=//)|(?<=\bwww)(?=\.)", re.IGNORECASE)


def code(text: str) -> str:
    """The text as code inside a line; what would break the line stands escaped."""
    shown = _LINE_BREAKS.sub(_escaped, _storable(text)) or " "
    fence = "`" * (_longest_backticks(shown) + 1)
    # Two spaces that Markdown takes away again: without them a backtick at an end would lengthen the fence.
    return f"{fence} {shown} {fence}" if "`" in shown else f"{fence}{shown}{fence}"


def plain(text: str, *, most: int = 400) -> str:
    """The text as words on one line: no markup, nobody called by name, no issue closed, nothing linked."""
    flat = " ".join(_LINE_BREAKS.sub(" ", _storable(text)).split())
    return _LINKED.sub("\u200b", _LEADING.sub(r"\1\\", _MARKED.sub(r"\\\1", _cut(flat, most))))


def told(markdown: str, *, most: int = 400, in_table: bool = False) -> str:
    """A line of Markdown of which nothing but its code is kept as markup: whoever wrote it may have quoted badly."""
    parts: list[str] = []
    end = 0
    shown = _cut(_storable(markdown), most)
    for span in _CODE.finditer(shown):
        inside = code(_bared(span[2]))
        parts += [_spaced(shown[end : span.start()]), _barred(inside) if in_table else inside]
        end = span.end()
    return "".join([*parts, _spaced(shown[end:])]).strip()


def block(text: str) -> str:
    """The text as a fenced block that nothing in it can close."""
    fence = "`" * max(3, _longest_backticks(text) + 1)
    return f"{fence}\n{_TURNING.sub(_escaped, text)}\n{fence}"


def _longest_backticks(text: str) -> int:
    return max((len(found) for found in re.findall("`+", text)), default=0)


def _spaced(text: str) -> str:
    """Words between two pieces of code, with the spaces at their ends."""
    words = plain(text, most=len(text) + 1)
    ends = (text[:1].isspace(), text[-1:].isspace())
    return f"{' ' if ends[0] else ''}{words}{' ' if ends[1] and words else ''}"


def _barred(span: str) -> str:
    """A code span for a table, where a bar ends even code, and a backslash may end its escape."""
    return span.replace("|", "¦" if "\\" in span else "\\|")


def _bared(inside: str) -> str:
    """What a code span means: the spaces that keep a backtick from its fence are no part of it."""
    return inside[1:-1] if inside[:1] == inside[-1:] == " " and inside.strip() else inside


def _storable(text: str) -> str:
    """Half a surrogate pair, as in a path that is no UTF-8, stands escaped; so does what turns text around."""
    return _TURNING.sub(_escaped, text).encode("utf-8", "backslashreplace").decode("utf-8")


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"

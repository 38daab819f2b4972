"""Text that came out of a sandbox, put into Markdown so that nothing in it can pass for the factory's own words."""

from __future__ import annotations

import re

_LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


def code(text: str) -> str:
    """The text as code inside a line; what would break the line stands escaped."""
    shown = _LINE_BREAKS.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
    fence = "`" * (_longest_backticks(shown) + 1)
    # Two spaces that Markdown takes away again: without them a backtick at an end would lengthen the fence.
    return f"{fence} {shown} {fence}" if "`" in shown else f"{fence}{shown}{fence}"


def block(text: str) -> str:
    """The text as a fenced block that nothing in it can close."""
    fence = "`" * max(3, _longest_backticks(text) + 1)
    return f"{fence}\n{text}\n{fence}"


def _longest_backticks(text: str) -> int:
    return max((len(found) for found in re.findall("`+", text)), default=0)

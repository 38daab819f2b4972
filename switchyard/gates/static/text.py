"""The text of a change: decoded whatever its bytes, and its new lines told from those that only moved."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from switchyard.gates.change import Change, ChangedFile

MOST_READ = 1_000_000
"""Characters of one file that are looked through."""
_WIDE = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"))
_WIDE_16 = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_JOINTS = re.compile(
    r"""(?<=[\w+/=. -])["'`]\s{0,200}(?:\\\s{0,200})?(?:[+.,&]|\)\s{0,200}\.(?:append|concat|push_str)\()?"""
    r"""\s{0,200}[fbruFBRU]{0,2}["'`](?=[\w+/=. -])"""
)


@dataclass(frozen=True)
class Line:
    """One line that the change adds."""

    number: int
    """From 1, in the file after the change."""
    text: str
    """Without its line end."""


@dataclass(frozen=True)
class NewText:
    """What a change adds to one file."""

    file: ChangedFile
    lines: tuple[Line, ...]

    @property
    def path(self) -> str:
        return self.file.path

    @cached_property
    def whole(self) -> str:
        """The new lines as one text, a line feed between them, and an empty line where old ones lie between."""
        return self._joined[0]

    @cached_property
    def _joined(self) -> tuple[str, list[tuple[int, int]]]:
        parts, starts, at, last = [], [], 0, 0
        for line in self.lines:
            if last and line.number != last + 1:
                parts.append("\n")
                at += 1
            starts.append((at, line.number))
            parts.append(line.text + "\n")
            at += len(line.text) + 1
            last = line.number
        return "".join(parts), starts

    def line_at(self, offset: int) -> int:
        """The number of the line that a place in `whole` belongs to."""
        starts = self._joined[1]
        low, high = 0, len(starts)
        while low < high:
            middle = (low + high) // 2
            if starts[middle][0] <= offset:
                low = middle + 1
            else:
                high = middle
        return starts[low - 1][1] if low else 0

    @cached_property
    def unbroken(self) -> tuple[str, list[int]]:
        """`whole` with string literals that follow each other made one, and each character's place in `whole`."""
        text: list[str] = []
        places: list[int] = []
        at = 0
        for joint in _JOINTS.finditer(self.whole):
            text.append(self.whole[at : joint.start()])
            places.extend(range(at, joint.start()))
            at = joint.end()
        text.append(self.whole[at:])
        places.extend(range(at, len(self.whole)))
        return "".join(text), places


def decode(content: bytes | None) -> str:
    """Text of any bytes: by its byte order mark, else UTF-8 with what is none replaced."""
    if not content:
        return ""
    for mark, name in (*_WIDE, *_WIDE_16):
        if content.startswith(mark):
            return content.decode(name, "replace")
    return content.decode("utf-8", "replace")


def split_lines(text: str) -> list[str]:
    """Lines as git counts them, without their ends."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def is_text(file: ChangedFile) -> bool:
    """Whether the file after the change is text that can be read, in UTF-16 too."""
    if file.after is None or file.mode_after not in ("100644", "100755"):
        return False
    return b"\0" not in file.after[:8000] or _is_wide_text(file.after)


def _is_wide_text(content: bytes) -> bool:
    """Whether a byte order mark is kept to: what only begins so decodes to signs of no script at all."""
    if not any(content.startswith(mark) for mark, _ in (*_WIDE, *_WIDE_16)):
        return False
    start = decode(content[:8000])[1:]
    return "\0" not in start and sum(char.isascii() or char.isalpha() for char in start) > 0.8 * len(start)


def added_texts(change: Change) -> Iterator[NewText]:
    """What the change adds to each text file.

    A line counts as added as often as the whole change has it more than the base had it, the space at its ends left
    out: what moved, within a file or to another one, is not new.
    """
    surplus = _surplus(change)
    for file in change.files:
        if is_text(file):
            lines = list(enumerate(split_lines(decode(file.after)[:MOST_READ]), 1))
            found = []
            for number, text in reversed(lines):
                key = text.strip()
                if key and surplus[key] > 0:
                    surplus[key] -= 1
                    found.append(Line(number, text))
            yield NewText(file, tuple(reversed(found)))


def _surplus(change: Change) -> Counter[str]:
    counted: Counter[str] = Counter()
    for file in change.files:
        if is_text(file):
            counted.update(line.strip() for line in split_lines(decode(file.after)[:MOST_READ]))
    for file in change.files:
        if file.before is not None:
            counted.subtract(line.strip() for line in split_lines(decode(file.before)[:MOST_READ]))
    return counted

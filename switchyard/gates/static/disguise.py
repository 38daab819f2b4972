"""Text that does not show what it holds: turned around, invisible, off the screen, or in letters that look alike."""

from __future__ import annotations

import re
import unicodedata

from switchyard.gates.static.text import Line, NewText
from switchyard.packets import GateFinding

_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_INVISIBLE = re.compile(
    "[\U000e0000-\U000e0fff\u2061-\u2064\u206a-\u206f\ufff9-\ufffb\u115f\u1160\u3164\uffa0\u180e]"
    "|(?<=[ -~])[\u200b-\u200f\u2060\ufeff\u00ad\u034f\u061c](?=[ -~])"
    '|[\ufe00-\ufe0f]{2}|(?<=[ -"$-)+-/:-~])[\ufe00-\ufe0f]'
)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\x80-\x84\x86-\x9f]|\r(?!$)")
_OFF_SCREEN = re.compile(r"\S[ \t]{200,}\S")
_WORD = re.compile(r"[^\W\d_][\w]*")
_NOT_LATIN = re.compile("[\u0370-\u03ff\u0400-\u052f\u0530-\u058f\u13a0-\u13ff\uff01-\uff5e\U0001d400-\U0001d7ff]")
_LOOK_ALIKE = frozenset("аеорсухіјѕһԁԛԝӏүАВЕКМНОРСТУХІЈЅҮαοινρυκΑΒΕΖΗΙΚΜΝΟΡΤΥΧօսոցհ")
_PROSE = re.compile(r"\.(md|rst|txt|adoc|po|pot|html?|csv|svg)$", re.IGNORECASE)


def find_disguises(text: NewText) -> list[GateFinding]:
    """Each new line that a reader would take for something else."""
    found = [(line, _disguise_of(line, text.path)) for line in text.lines if not _is_plain(line.text)]
    return [GateFinding(title=title, asks="person", path=text.path, line=line.number) for line, title in found if title]


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and "          " not in text


def _disguise_of(line: Line, path: str) -> str:
    text = line.text.removeprefix("\ufeff") if line.number == 1 else line.text
    if _BIDI.search(text):
        return "characters that turn the direction of text: it may read otherwise than it runs"
    if _INVISIBLE.search(text):
        return "invisible characters"
    if _CONTROL.search(text):
        return "control characters"
    if _OFF_SCREEN.search(text):
        return "text far to the right, off most screens"
    if not text.isascii() and not _PROSE.search(path) and any(map(_looks_alike, _WORD.findall(text))):
        return "a word with letters of two scripts that look alike"
    return ""


def _looks_alike(word: str) -> bool:
    """Whether a word has Latin letters and such as look like them but are others."""
    if not re.search("[A-Za-z]", word) or not _NOT_LATIN.search(word):
        return False
    strange = [char for char in word if _NOT_LATIN.match(char)]
    return any(char in _LOOK_ALIKE or unicodedata.normalize("NFKC", char).isascii() for char in strange)

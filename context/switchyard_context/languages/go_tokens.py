"""A Go file cut into the tokens that scopes and names hang on.

Go was made to be read without knowing types, and tree-sitter alone takes longer over it than this and the walk in
`go_scopes.py` together.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cached_property

_NAME = r"[^\W\d]\w*+"
# Nothing here is tried twice (`*+`), so that no text takes longer than its length.
_SELECTOR = rf"\.(?:\s|//[^\n]*+)*+{_NAME}"
# `a.b.c` is one token, and a selector on anything else (`f().b`) belongs to the token before it: neither can be a
# name of the package. Comments that end with their line are passed over, like blanks.
_TOKEN = re.compile(
    rf"""(
      {_NAME}(?:{_SELECTOR})*+
    | \n[ \t]*+
    | [(){{}}\[\],;]
    | "[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"?
    | `[^`]*+`?
    | :=|:
    | \.?\d[\w.]*+
    | '[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'?
    | \.\.\.
    | (?:[-+*%&|^<>=!~]|/(?![/*]))++
    | /\*.*?(?:\*/|\Z)
    | \.
    )(?:[ \t\r]++|//[^\n]*+|{_SELECTOR})*+""",
    re.VERBOSE | re.DOTALL,
)
_KEYWORDS = (
    "break case chan const continue default defer else fallthrough for func go goto if import interface map package"
    " range return select struct switch type var"
)
_WORDS = frozenset(_KEYWORDS.split())
_MARKS = frozenset(("(", ")", "{", "}", "[", "]", ",", ";", ":", ":="))
END = "end"


class Tokens:
    """The tokens of a file and what kind each is.

    A kind is the keyword or mark itself, or one of `name` (dotted ones too), `literal`, `operator`,
    `newline` and `end`.
    """

    def __init__(self, text: str) -> None:
        # The line break in front gives a comment that begins the file a token to belong to.
        texts: list[str] = _TOKEN.findall("\n" + text)
        if "/*" in text:
            texts = _without_comments(texts)
        kinds = {token: _kind_of(token) for token in set(texts)}
        self.texts = texts
        self.kinds = [kinds[token] for token in texts]
        # Enough of them that looking a few tokens ahead needs no test for the end.
        self.texts += [""] * 4
        self.kinds += [END] * 4
        self._tall = {token: token.count("\n") for token, kind in kinds.items() if "\n" in token and kind != "newline"}

    def line_of(self, index: int) -> int:
        """The line that a token begins on."""
        return bisect_left(self._breaks, index)

    def last_line_of(self, index: int) -> int:
        """The line that a token ends on."""
        return bisect_right(self._breaks, index)

    def is_at_margin(self, index: int) -> bool:
        """Whether a token is the first of its line with nothing before it, as formatted declarations are."""
        return self.texts[index - 1] == "\n"

    @cached_property
    def _breaks(self) -> list[int]:
        """The index of the token that holds each line break."""
        if not self._tall:
            return [index for index, kind in enumerate(self.kinds) if kind == "newline"]
        return [
            index
            for index, (token, kind) in enumerate(zip(self.texts, self.kinds, strict=True))
            for _ in range(1 if kind == "newline" else self._tall.get(token, 0))
        ]


def _kind_of(token: str) -> str:
    first = token[0]
    if first == "\n":
        return "newline"
    if token in _WORDS or token in _MARKS:
        return token
    if first in "\"'`" or first.isdigit() or (first == "." and token[1:2].isdigit()):
        return "literal"
    return "name" if first == "_" or first.isalpha() else "operator"


def _without_comments(tokens: list[str]) -> list[str]:
    """A comment of several lines ends a statement where a line break would."""
    kept: list[str] = []
    for token in tokens:
        if token.startswith("/*"):
            kept.extend(["\n\t"] * token.count("\n"))
        else:
            kept.append(token)
    return kept

"""A file of a selection in the making: what it shows so far, what that costs, and what it could show more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from switchyard_context.candidates import Candidate
from switchyard_context.facts import Definition
from switchyard_context.markdown import closing, marker, opening, section
from switchyard_context.slices import RUNGS, Document, Lines, Rung, body, heads, ladder, merge, symbol_lines
from switchyard_context.tokens import count_units, tokens_of

_BEST_SYMBOLS = 4
_MOST_SIGNATURES = 40


@dataclass
class Draft:
    """A file that is in; what it shows only grows."""

    candidate: Candidate
    document: Document
    scores: Mapping[Definition, float] = field(default_factory=dict)
    """How well its definitions answer the text of the request."""
    small_tokens: int = 400
    """A file whose few signatures cost more than this may be in by its name alone."""

    def __post_init__(self) -> None:
        item, document = self.candidate, self.document
        self._frame = {
            is_shown: count_units(
                opening(item.path, item.role, item.reasons, document, is_shown=is_shown)
                + closing(document, is_shown=is_shown)
            )
            for is_shown in (False, True)
        }
        self.rungs = self._climbable()
        self.lines: Lines = self.rungs[0][1]
        self.tokens = self.rungs[0][2]

    def cost_of(self, lines: Lines) -> int:
        """Tokens of the file's section if it showed these lines."""
        total = len(self.document.lines)
        markers = (
            0
            if lines == ((1, total),)
            else sum(_marker_units(len(str(a)), len(str(b)), len(str(total))) for a, b in lines)
        )
        return tokens_of(self._frame[bool(lines)] + markers + self.document.units(lines))

    def due_cost(self, rung: Rung) -> int:
        """What it would cost at the richest rung up to the one given."""
        return [tokens for name, _, tokens in self.rungs if RUNGS.index(name) <= RUNGS.index(rung)][-1]

    def raise_to(self, rung: Rung, left: int) -> int:
        """Climb as far as the tokens allow, up to a rung; returns what that cost."""
        for name, lines, _ in reversed(self.rungs):
            if RUNGS.index(name) <= RUNGS.index(rung) and (spent := self.show(lines, left)):
                return spent
        return 0

    def show_body(self, item: Definition, left: int) -> int:
        """Show a definition in full, with the signatures around it; returns what that cost, 0 if it does not fit."""
        return self.show((*heads(self.document, [item]), body(item)), left)

    def show_signatures(self, left: int) -> int:
        """Show the signatures of as many of the best definitions as fit, halving; returns what that cost."""
        best = self.best_symbols()[:_MOST_SIGNATURES]
        while best:
            if spent := self.show(heads(self.document, best), left):
                return spent
            best = best[: len(best) // 2]
        return 0

    def show(self, lines: Lines, left: int) -> int:
        """Show these lines too; the whole file where that is no dearer."""
        together = merge((*self.lines, *lines))
        whole: Lines = ((1, len(self.document.lines)),)
        tokens = self.cost_of(together)
        if together and together != whole and (of_whole := self.cost_of(whole)) <= tokens:
            together, tokens = whole, of_whole
        if together == self.lines or tokens - self.tokens > left:
            return 0
        spent, self.lines, self.tokens = tokens - self.tokens, together, tokens
        return spent

    def text(self) -> str:
        """The section as rendered."""
        item = self.candidate
        return section(item.path, item.role, item.reasons, self.document, self.lines)

    def _climbable(self) -> list[tuple[Rung, Lines, int]]:
        """(rung, lines, tokens), each dearer than the one before, and none dearer than the whole file."""
        steps = ladder(self.document, self.candidate.wanted)
        if self.candidate.symbols:
            # Whoever asks for a symbol wants its body before anything else of the file.
            steps["signatures"] = symbol_lines(self.document, self.candidate.symbols)
            steps.pop("outline", None)
        elif best := self.best_symbols()[:_BEST_SYMBOLS]:
            steps["signatures"] = heads(self.document, best)
        whole = self.cost_of(steps["whole"]) if "whole" in steps else None
        rungs: list[tuple[Rung, Lines, int]] = []
        for rung, lines in steps.items():
            tokens = self.cost_of(lines)
            is_dear = whole is not None and rung not in ("whole", "named") and tokens >= whole
            if not is_dear and (not rungs or tokens > rungs[-1][2]):
                rungs.append((rung, lines, tokens))
        if len(rungs) > 1 and rungs[1][0] == "whole":
            # Nothing lies between the name and the whole, so the whole is what signatures would be.
            rungs[1] = ("signatures", *rungs[1][1:])
        return rungs[1:] if len(rungs) > 1 and rungs[1][2] <= self.small_tokens else rungs

    def best_symbols(self) -> list[Definition]:
        """Definitions that answer the text, best first; equal ones in the order of the file."""
        found = [item for item in self.scores if self.scores[item] > 0]
        return sorted(found, key=lambda item: (-self.scores[item], item.first_line))


@cache
def _marker_units(*widths: int) -> int:
    """Digits cost by their number alone."""
    first, last, total = (int("1" * width) for width in widths)
    return count_units(marker(first, last, total))

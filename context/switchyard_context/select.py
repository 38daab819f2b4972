"""From candidates to a selection: slices of files under a hard budget, and what was due but found no room.

A larger budget keeps every file of a smaller one. Files are taken in order until one does not fit; what a file reserves
is min(what it is due, a fixed share of the budget), at least its cheapest form. As the budget grows, each reservation
grows no faster than it, so whatever fitted still fits. Room that is left deepens the files taken and adds none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from switchyard_context.candidates import Candidate, Tier, list_candidates
from switchyard_context.codebase import Codebase
from switchyard_context.facts import FileFacts
from switchyard_context.graph import ImportGraph, Unresolved
from switchyard_context.markdown import section
from switchyard_context.request import Aim, Request, Role, aim
from switchyard_context.slices import RUNGS, Document, Lines, Rung, ladder, read_document, symbol_lines
from switchyard_context.source import Source
from switchyard_context.tokens import count_tokens

SCHEMA = "switchyard.context/1"

# Of the budget, for all files of a tier together, and the least number of files it is shared by.
_SHARES: dict[Tier, tuple[float, int]] = {
    "target": (0.50, 1),
    "always": (0.10, 1),
    "match": (0.20, 6),
    "import": (0.20, 6),
    "test": (0.12, 3),
    "config": (0.04, 2),
    "neighbour": (0.10, 10),
}
_DUE: dict[Tier, Rung] = {
    "target": "whole",
    "always": "whole",
    "match": "outline",
    "import": "used",
    "test": "whole",
    "config": "whole",
    "neighbour": "outline",
}
_RICHEST: dict[Tier, Rung] = {**_DUE, "import": "whole"}
_NEEDED: tuple[Tier, ...] = ("target", "always", "match", "import")
_FIRST: dict[Tier, Rung] = dict.fromkeys(_DUE, "signatures")
# A file whose few signatures cost more than this may be in by its name alone.
_SMALL_TOKENS = 400


@dataclass(frozen=True)
class SelectedFile:
    """One file of a selection."""

    path: str
    role: Role
    score: float
    tokens: int
    """Upper bound for the file's section in the rendered Markdown, heading and reasons included."""
    slices: Lines
    """Empty: the file is named but not shown."""
    reasons: tuple[str, ...]
    text: str = field(repr=False, compare=False)
    """The section as rendered."""


@dataclass(frozen=True)
class Dropped:
    """A file that was due and is not in."""

    path: str
    reason: str


@dataclass(frozen=True)
class Selection:
    """What to give to whoever does the task, best first."""

    revision: str
    budget: int
    tokens: int
    files: tuple[SelectedFile, ...]
    unresolved: tuple[Unresolved, ...]
    dropped: tuple[Dropped, ...]

    def as_json(self) -> dict[str, Any]:
        """The document `switchyard.context/1`."""
        return {
            "schema": SCHEMA,
            "revision": self.revision,
            "budget": self.budget,
            "tokens": self.tokens,
            "files": [
                {
                    "path": item.path,
                    "role": item.role,
                    "score": item.score,
                    "tokens": item.tokens,
                    "slices": [list(lines) for lines in item.slices],
                    "reasons": list(item.reasons),
                }
                for item in self.files
            ],
            "unresolved": [{"path": item.path, "line": item.line, "import": item.imported} for item in self.unresolved],
            "dropped": [{"path": item.path, "reason": item.reason} for item in self.dropped],
        }


def select(codebase: Codebase, request: Request) -> Selection:
    """Pick the context of a task.

    Raises:
        BadRequest: One of its kinds, for a request that makes no sense in this tree.
    """
    graph, source = codebase.graph, codebase.source
    goal = aim(request, graph, source)
    candidates = list_candidates(request, goal, graph, source)
    if request.roles:
        candidates = [item for item in candidates if item.role in request.roles]
    candidates = candidates[: request.top]
    drafts = _take(candidates, graph, source, request.budget_tokens)
    _deepen(drafts, request.budget_tokens - sum(draft.tokens for draft in drafts))
    files = tuple(draft.finish() for draft in drafts)
    taken = {item.path for item in files}
    return Selection(
        revision=source.revision,
        budget=request.budget_tokens,
        tokens=sum(item.tokens for item in files),
        files=files,
        unresolved=tuple(item for item in graph.unresolved if item.path in taken),
        dropped=tuple(_dropped(goal, candidates[len(drafts) :], request.budget_tokens)),
    )


def render_markdown(selection: Selection) -> str:
    """The context file that an agent reads; its cost is `selection.tokens`."""
    return "".join(item.text for item in selection.files)


def render_paths(selection: Selection) -> str:
    """One path a line, best first."""
    return "".join(f"{item.path}\n" for item in selection.files)


@dataclass
class _Draft:
    """A file that is in, at some rung of its ladder."""

    candidate: Candidate
    document: Document
    rungs: list[tuple[Rung, Lines, int]]
    """(rung, lines, tokens), each dearer than the one before."""
    level: int = 0

    @property
    def tokens(self) -> int:
        return self.rungs[self.level][2]

    def cost_up_to(self, rung: Rung) -> int:
        return self.rungs[self.level_of(rung)][2]

    def level_of(self, rung: Rung) -> int:
        """The highest level that is no richer than the rung."""
        allowed = [level for level, (name, _, _) in enumerate(self.rungs) if RUNGS.index(name) <= RUNGS.index(rung)]
        return allowed[-1]

    def raise_within(self, tokens: int, rung: Rung) -> int:
        """Climb as far as the tokens allow, up to a rung; returns what that cost."""
        before = self.tokens
        for level in range(self.level_of(rung), self.level, -1):
            if self.rungs[level][2] - before <= tokens:
                self.level = level
                break
        return self.tokens - before

    def finish(self) -> SelectedFile:
        item, (_, lines, tokens) = self.candidate, self.rungs[self.level]
        text = _section(item, self.document, lines)
        return SelectedFile(item.path, item.role, item.score, tokens, lines, item.reasons, text)


def _take(candidates: Sequence[Candidate], graph: ImportGraph, source: Source, budget: int) -> list[_Draft]:
    sizes = Counter(item.tier for item in candidates)
    drafts: list[_Draft] = []
    reserved = 0
    for draft in _drafts(candidates, graph, source):
        tier = draft.candidate.tier
        share, at_least = _SHARES[tier]
        cap = int(share * budget) // max(at_least, sizes[tier])
        reserved += max(draft.rungs[0][2], min(draft.cost_up_to(_DUE[tier]), cap))
        if reserved > budget:
            break
        draft.raise_within(max(0, cap - draft.tokens), _DUE[tier])
        drafts.append(draft)
    return drafts


def _drafts(candidates: Sequence[Candidate], graph: ImportGraph, source: Source) -> Iterator[_Draft]:
    contents = dict(source.read_many([item.path for item in candidates]))
    for item in candidates:
        facts = graph.facts[item.path] if item.path in graph else FileFacts()
        document = read_document(contents.get(item.path, b""), facts)
        yield _Draft(item, document, _rungs(item, document))


def _rungs(item: Candidate, document: Document) -> list[tuple[Rung, Lines, int]]:
    steps = ladder(document, item.wanted)
    if item.symbols:
        # Whoever asks for a symbol wants its body before anything else of the file.
        steps["signatures"] = symbol_lines(document, item.symbols)
        steps.pop("outline", None)
    rungs: list[tuple[Rung, Lines, int]] = []
    whole = count_tokens(_section(item, document, steps["whole"])) if "whole" in steps else None
    for rung, lines in steps.items():
        tokens = count_tokens(_section(item, document, lines))
        if whole is not None and rung not in ("whole", "named") and tokens >= whole:
            continue
        if not rungs or tokens > rungs[-1][2]:
            rungs.append((rung, lines, tokens))
    if len(rungs) > 1 and rungs[1][0] == "whole":
        # Nothing lies between the name and the whole, so the whole is what signatures would be.
        rungs[1] = ("signatures", *rungs[1][1:])
    return rungs[1:] if len(rungs) > 1 and rungs[1][2] <= _SMALL_TOKENS else rungs


def _section(item: Candidate, document: Document, lines: Lines) -> str:
    return section(item.path, item.role, item.reasons, document, lines)


def _deepen(drafts: Sequence[_Draft], left: int) -> None:
    """Spend what is left in rounds: what the targets need, signatures of the rest, what it is due, then luxuries."""
    needed = [draft for draft in drafts if draft.candidate.tier in _NEEDED]
    for round_drafts, limits in ((needed, _DUE), (drafts, _FIRST), (drafts, _DUE), (drafts, _RICHEST)):
        for draft in round_drafts:
            left -= draft.raise_within(left, limits[draft.candidate.tier])


def _dropped(goal: Aim, left_out: Sequence[Candidate], budget: int) -> Iterator[Dropped]:
    for path in (*goal.absent, *goal.absent_always):
        yield Dropped(path, "not in the tree at this revision")
    for item in left_out:
        if item.tier != "neighbour":
            yield Dropped(item.path, f"due ({item.reasons[0]}), but {budget} tokens did not reach it")

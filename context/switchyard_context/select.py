"""From candidates to a selection: slices of files under a hard budget, and what was due but found no room.

A larger budget keeps every file of a smaller one. Files are taken in order until one does not fit; what a file reserves
is min(what it is due, a fixed share of the budget), at least its cheapest form. As the budget grows, no reservation
grows by a greater factor, so whatever fitted still fits; rounding would break that, so fractions are exact. Room that
is left deepens the files taken and adds none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from switchyard_context.candidates import Candidate, Tier, list_candidates
from switchyard_context.codebase import Codebase
from switchyard_context.drafts import Draft
from switchyard_context.facts import Definition, FileFacts
from switchyard_context.graph import Unresolved
from switchyard_context.mentions import Mentions, read_mentions
from switchyard_context.request import Aim, Request, Role, aim
from switchyard_context.slices import Lines, Rung, read_document
from switchyard_context.symbols import score_symbols

SCHEMA = "switchyard.context/1"

# Of the budget, for all files of a tier together, and the least number of files it is shared by.
_SHARES: dict[Tier, tuple[Fraction, int]] = {
    "target": (Fraction(50, 100), 1),
    "always": (Fraction(10, 100), 1),
    "match": (Fraction(20, 100), 6),
    "import": (Fraction(20, 100), 6),
    "test": (Fraction(12, 100), 3),
    "config": (Fraction(4, 100), 2),
    "neighbour": (Fraction(10, 100), 10),
}
_DUE: dict[Tier, Rung] = {
    "target": "whole",
    "always": "whole",
    "match": "signatures",
    "import": "used",
    "test": "whole",
    "config": "whole",
    "neighbour": "outline",
}
_RICHEST: dict[Tier, Rung] = {**_DUE, "match": "whole", "import": "whole"}
_NEEDED: tuple[Tier, ...] = ("target", "always", "match", "import")
_FIRST: dict[Tier, Rung] = dict.fromkeys(_DUE, "signatures")
_BY_SYMBOL: tuple[Tier, ...] = ("target", "match")
# What a file may cost at the least. Where a text alone says what is wanted, bodies are worth more than surroundings.
_SMALL_TOKENS, _SMALL_TOKENS_OF_GUESSES = 400, 120
# What a definition is worth: how well it answers the text, and how far down the list its file stands; long ones
# count no less: what is changed is seldom short.
_FILE_WORTH, _FILE_DECAY = 0.05, 0.15
# Of the budget, for the signatures of one file that answers the text: where to look comes before what to change.
_SIGNATURES_SHARE = 0.02


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
    candidates = list_candidates(request, goal, codebase)
    if request.roles:
        candidates = [item for item in candidates if item.role in request.roles]
    candidates = candidates[: request.top]
    sizes = Counter(item.tier for item in candidates)
    drafts = _take(_drafts(candidates, codebase, read_mentions(request.text)), sizes, request.budget_tokens)
    _deepen(drafts, request.budget_tokens)
    files = tuple(_finish(draft) for draft in drafts)
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


def _finish(draft: Draft) -> SelectedFile:
    item = draft.candidate
    return SelectedFile(item.path, item.role, item.score, draft.tokens, draft.lines, item.reasons, draft.text())


def _take(drafts: Iterable[Draft], sizes: Counter[Tier], budget: int) -> list[Draft]:
    """Those from the front for which there is room."""
    taken: list[Draft] = []
    reserved = Fraction(0)
    for draft in drafts:
        tier = draft.candidate.tier
        share, at_least = _SHARES[tier]
        cap = share * budget / max(at_least, sizes[tier])
        reserved += max(Fraction(draft.tokens), min(Fraction(draft.due_cost(_DUE[tier])), cap))
        if reserved > budget:
            break
        taken.append(draft)
    return taken


def _drafts(candidates: Sequence[Candidate], codebase: Codebase, mentions: Mentions) -> Iterator[Draft]:
    graph = codebase.graph
    contents = dict(codebase.source.read_many([item.path for item in candidates]))
    documents = {
        item.path: read_document(
            contents.get(item.path, b""), graph.facts[item.path] if item.path in graph else FileFacts()
        )
        for item in candidates
    }
    asked = {item.path: documents[item.path] for item in candidates if item.tier in _BY_SYMBOL}
    scores = score_symbols(mentions, asked) if mentions.words or mentions.names else {}
    small = _SMALL_TOKENS if any(item.tier == "target" for item in candidates) else _SMALL_TOKENS_OF_GUESSES
    for item in candidates:
        yield Draft(item, documents[item.path], scores.get(item.path, {}), small)


def _deepen(drafts: Sequence[Draft], budget: int) -> None:
    """Spend what is left: targets, signatures and bodies that answer the text, then what everything else is due."""
    left = budget - sum(draft.tokens for draft in drafts)
    targets = [draft for draft in drafts if draft.candidate.tier == "target"]
    cap = int(_SHARES["target"][0] * budget) // max(1, len(targets))
    for draft in targets:
        left -= draft.raise_to("whole", min(left, max(0, cap - draft.tokens)))
    for draft in drafts:
        if draft.candidate.tier in _BY_SYMBOL:
            left -= draft.show_signatures(min(left, int(_SIGNATURES_SHARE * budget)))
    for draft, item in _symbols_by_worth(drafts):
        left -= draft.show_body(item, left)
    needed = [draft for draft in drafts if draft.candidate.tier in _NEEDED]
    for round_drafts, limits in ((needed, _DUE), (drafts, _FIRST), (drafts, _DUE), (drafts, _RICHEST)):
        for draft in round_drafts:
            left -= draft.raise_to(limits[draft.candidate.tier], left)


def _symbols_by_worth(drafts: Sequence[Draft]) -> list[tuple[Draft, Definition]]:
    """Definitions of the files that the text speaks of: the better both the file and the definition, the earlier."""
    asked = [draft for draft in drafts if draft.candidate.tier in _BY_SYMBOL]
    worth = [
        (-(score + _FILE_WORTH) / (1 + _FILE_DECAY * position), position, item.first_line, draft, item)
        for position, draft in enumerate(asked)
        for item, score in draft.scores.items()
    ]
    return [(draft, item) for *_, draft, item in sorted(worth, key=lambda entry: entry[:3])]


def _dropped(goal: Aim, left_out: Sequence[Candidate], budget: int) -> Iterator[Dropped]:
    for path in (*goal.absent, *goal.absent_always):
        yield Dropped(path, "not in the tree at this revision")
    for item in left_out:
        if item.tier != "neighbour":
            yield Dropped(item.path, f"due ({item.reasons[0]}), but {budget} tokens did not reach it")

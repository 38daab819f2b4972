"""How much of what a change touched the selection shows, and whether its tests are found.

    python -m benchmarks.context_selection ROWS REPOSITORIES [--cache FOLDER] [--budget 16000] [--limit N]

ROWS is a file of JSON lines: `repo`, `base_commit`, `text`, `gold_files`, `gold_symbols` (`path:Class.function`),
`gold_tests`. REPOSITORIES holds a git repository `owner+name/repo` for each. Symbols: from the text alone (`text`), and
with the files that the change touched as targets (`oracle`), the share of gold symbols whose whole body, and whose
signature, lies in the slices. Tests: from the gold files, the share of gold tests among the first five, a row's mean.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from switchyard_context import (
    Codebase,
    Request,
    Selection,
    count_tokens,
    open_codebase,
    open_source,
    render_markdown,
    select,
)
from switchyard_context.coverage import rank_tests

Row = dict[str, Any]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=Path)
    parser.add_argument("repositories", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--budget", type=int, default=16_000)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args(argv)
    rows = [json.loads(line) for line in options.rows.read_text(encoding="utf-8").splitlines()][: options.limit]
    json.dump(measure(rows, options.repositories, options.cache, options.budget, options.verbose), sys.stdout, indent=2)
    print()
    return 0


def measure(
    rows: Sequence[Row], repositories: Path, cache: Path | None, budget: int = 16_000, verbose: bool = False
) -> dict[str, object]:
    """The figures of all rows, as JSON values."""
    shown: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    found: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        place = repositories / row["repo"].replace("/", "+") / "repo"
        codebase = open_codebase(open_source(place, row["base_commit"]), cache)
        if row.get("gold_symbols"):
            for name, request in _requests(row, budget):
                facts = _shown(codebase, row["gold_symbols"], select(codebase, request))
                shown[name].extend(facts)
                if verbose and not all(body for body, _ in facts):
                    print(row["id"], name, list(zip(row["gold_symbols"], facts, strict=True)), file=sys.stderr)
        if tests := [path for path in row.get("gold_tests", ()) if path in codebase.graph]:
            share = _found(codebase, row["gold_files"], tests)
            found[row["repo"]].append(share)
            if verbose and share < 1:
                print(row["id"], row["gold_files"], tests, round(share, 2), file=sys.stderr)
    return {
        "benchmark": "context_selection",
        "budget": budget,
        "symbols": {name: _shares(facts) for name, facts in shown.items()},
        "tests_recall_at_5": {
            "rows": sum(map(len, found.values())),
            "all": _percent(value for values in found.values() for value in values),
            **{repo: _percent(values) for repo, values in sorted(found.items())},
        },
    }


def _requests(row: Row, budget: int) -> list[tuple[str, Request]]:
    return [
        ("text", Request(text=row["text"], budget_tokens=budget)),
        ("oracle", Request(text=row["text"], targets=row["gold_files"], budget_tokens=budget)),
    ]


def _shown(codebase: Codebase, symbols: Iterable[str], selection: Selection) -> list[tuple[bool, bool]]:
    """For each symbol, whether its body and whether its signature is shown."""
    if count_tokens(render_markdown(selection)) > selection.budget:
        raise AssertionError(f"{selection.tokens} tokens exceed {selection.budget}")
    lines = {
        item.path: {line for first, last in item.slices for line in range(first, last + 1)} for item in selection.files
    }
    facts = []
    for symbol in symbols:
        path, _, name = symbol.rpartition(":")
        defined = codebase.graph.facts[path].definitions if path in codebase.graph else ()
        own = [item for item in defined if item.name == name]
        has = lines.get(path, set())
        body = any(has.issuperset(range(item.first_line, item.last_line + 1)) for item in own)
        facts.append((body, body or any(has.issuperset(range(i.first_line, i.header_line + 1)) for i in own)))
    return facts


def _found(codebase: Codebase, targets: Sequence[str], tests: Sequence[str]) -> float:
    ranked = [item.path for item in rank_tests(codebase, [path for path in targets if path in codebase.graph])][:5]
    return len(set(tests) & set(ranked)) / len(tests)


def _shares(facts: Sequence[tuple[bool, bool]]) -> dict[str, object]:
    return {
        "count": len(facts),
        "body": _percent(body for body, _ in facts),
        "signature": _percent(signature for _, signature in facts),
    }


def _percent(values: Iterable[float]) -> float:
    return round(100 * fmean([*values] or [0.0]), 1)


if __name__ == "__main__":
    sys.exit(main())

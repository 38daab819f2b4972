"""The import graph of one repository: time, memory, and Python's edges against CPython's own finder.

    python -m benchmarks.context_graph PATH [--at REV] [--root FOLDER]…

The oracle parses with `ast` and resolves with `importlib.machinery.PathFinder` over the roots given (by default the
top, `src` and `tests`); it shares no code with the graph. Edges through re-exports and by name at run time are
beyond it and left out of precision; so are files that this Python's `ast` can't read.
"""

from __future__ import annotations

import argparse
import ast
import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from switchyard_context import ImportGraph, build_graph, open_source


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--at", default="HEAD")
    parser.add_argument("--root", action="append", default=[])
    options = parser.parse_args(argv)
    print(json.dumps(measure(options.repository, options.at, options.root or ["", "src", "tests"]), indent=2))
    return 0


def measure(repository: Path, revision: str, roots: Sequence[str]) -> dict[str, object]:
    """Everything about one repository, as JSON values."""
    with tempfile.TemporaryDirectory(prefix="switchyard-bench-") as folder:
        cache, tree = Path(folder) / "cache", Path(folder) / "tree"
        graph, cold_s = _build(repository, revision, cache)
        _, warm_s = _build(repository, revision, cache)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        _check_out(repository, graph.revision, tree)
        return {
            "benchmark": "context_graph",
            "repository": repository.name,
            "revision": graph.revision,
            "files": len(graph.files),
            "edges": len(graph.edges()),
            "unresolved": len(graph.unresolved),
            "cold_s": round(cold_s, 3),
            "warm_s": round(warm_s, 3),
            "peak_mb": round(peak / 1024),
            "python": _compare(graph, tree, roots),
        }


def _build(repository: Path, revision: str, cache: Path) -> tuple[ImportGraph, float]:
    start = time.perf_counter()
    graph = build_graph(open_source(repository, revision), cache)
    return graph, time.perf_counter() - start


def _check_out(repository: Path, revision: str, tree: Path) -> None:
    tree.mkdir()
    archive = subprocess.run(
        ("git", "-C", str(repository), "archive", "--format=tar", revision), check=True, capture_output=True
    )
    subprocess.run(("tar", "-x", "-C", str(tree)), input=archive.stdout, check=True)


def _compare(graph: ImportGraph, tree: Path, roots: Sequence[str]) -> dict[str, object]:
    parsed = {path: _parse(tree / path) for path in graph.files if path.endswith(".py")}
    known = {path: module for path, module in parsed.items() if module is not None}
    edges = [edge for edge in graph.edges() if edge.importer in known]
    found = {(path, target) for path, module in known.items() for target in _true_targets(tree, path, module, roots)}
    truth = {pair for pair in found if pair[1] in parsed}
    ours = {(edge.importer, edge.imported) for edge in edges}
    plain = {(edge.importer, edge.imported) for edge in edges if edge.kind in ("import", "type")}
    extra, missing = sorted(plain - truth), sorted(truth - ours)
    return {
        "oracle": "ast + importlib.machinery.PathFinder",
        "edges": len(truth),
        "unread": len(parsed) - len(known),
        "precision": round(len(plain & truth) / len(plain), 4) if plain else None,
        "recall": round(len(ours & truth) / len(truth), 4) if truth else None,
        "extra": [" -> ".join(pair) for pair in extra[:15]],
        "missing": [" -> ".join(pair) for pair in missing[:15]],
    }


def _parse(path: Path) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, OSError):
            return None


def _true_targets(tree: Path, path: str, module: ast.Module, roots: Sequence[str]) -> Iterator[str]:
    folder = (tree / path).parent
    # What runs puts its own folder first; inside a package that is not so.
    own = [] if (folder / "__init__.py").exists() else [str(folder)]
    search = [*own, *(str(tree / root) for root in roots)]
    for node in ast.walk(module):
        for found in _targets(node, folder, search):
            target = str(Path(found).resolve().relative_to(tree.resolve()))
            if target != path:
                yield target


def _targets(node: ast.AST, folder: Path, search: Sequence[str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            parts = alias.name.split(".")
            spec = _find(parts, search) if parts[0] not in sys.builtin_module_names else None
            if spec is not None and spec.has_location and spec.origin:
                yield spec.origin
    elif isinstance(node, ast.ImportFrom):
        yield from _from_targets(node, folder, search)


def _from_targets(node: ast.ImportFrom, folder: Path, search: Sequence[str]) -> Iterator[str]:
    parts = node.module.split(".") if node.module else []
    if node.level:
        for _ in range(node.level - 1):
            folder = folder.parent
        parts, search = [folder.name, *parts], [str(folder.parent)]
    spec = _find(parts, search)
    if spec is None:
        return
    for alias in node.names:
        inner = PathFinder.find_spec(alias.name, list(spec.submodule_search_locations or ()))
        chosen = inner if inner is not None and alias.name != "*" else spec
        if chosen.has_location and chosen.origin:
            yield chosen.origin


def _find(parts: Sequence[str], search: Sequence[str]) -> ModuleSpec | None:
    places: list[str] = list(search)
    spec: ModuleSpec | None = None
    for part in parts:
        if not places:
            return None
        spec = PathFinder.find_spec(part, places)
        if spec is None:
            return None
        places = list(spec.submodule_search_locations or ())
    return spec


if __name__ == "__main__":
    sys.exit(main())

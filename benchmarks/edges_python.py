"""Python's edges against CPython's own finder.

    python -m benchmarks.edges_python PATH [--at REV] [--root FOLDER]…

The oracle parses with `ast` and resolves with `importlib.machinery.PathFinder`, `from package import module` included;
it shares no code with the graph. It searches the repository's own roots: those given, or else the top, each folder with
a project file, its `src` and `tests`, and first the importer's own folder where that is no package.

Left out on both sides: files that this Python's `ast` can't read; modules that are stubs alone, for a compiled
extension, which the finder does not know; sample trees (folders called `fixtures`, `roots`, `data`, `examples` and the
like), which are run one by one from roots of their own. Edges through re-exports and by a name at run time are beyond
the oracle and left out of precision.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from switchyard_context import ImportGraph, build_graph, open_source

_SUFFIXES = (".py", ".pyi")
_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
_SAMPLES = re.compile(
    r"fixtures?|roots|test_?data|test-data|data|examples?|example_scripts|samples|templates|project_template"
)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--at", default="HEAD")
    parser.add_argument("--root", action="append", default=[])
    options = parser.parse_args(argv)
    print(json.dumps(measure(options.repository, options.at, options.root), indent=2))
    return 0


def measure(repository: Path, revision: str, roots: Sequence[str]) -> dict[str, object]:
    """Precision and recall of one repository, as JSON values."""
    source = open_source(repository, revision)
    graph = build_graph(source)
    with tempfile.TemporaryDirectory(prefix="switchyard-bench-") as folder:
        tree = Path(folder).resolve()
        for path, content in source.read_many(sorted(path for path in source.paths if path.endswith(_SUFFIXES))):
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_bytes(content)
        for link, path in source.links.items():
            (tree / link).parent.mkdir(parents=True, exist_ok=True)
            (tree / link).symlink_to(tree / path)
        return {
            "benchmark": "edges_python",
            "repository": repository.resolve().name,
            "revision": graph.revision,
            "files": sum(path.endswith(".py") for path in graph.files),
            **_compare(graph, tree, roots or list(_find_roots(source.paths))),
        }


def _find_roots(paths: Iterable[str]) -> Iterator[str]:
    projects = {path.rpartition("/")[0] for path in paths if path.rpartition("/")[2] in _PROJECT_FILES}
    for folder in sorted({"", *projects}, key=lambda folder: (folder.count("/"), folder)):
        if not _is_sample(folder + "/"):
            yield from (str(Path(folder) / name) for name in ("", "src", "tests"))


def _is_sample(path: str) -> bool:
    return any(_SAMPLES.fullmatch(part) for part in path.split("/")[:-1])


def _compare(graph: ImportGraph, tree: Path, roots: Sequence[str]) -> dict[str, object]:
    own = [path for path in graph.files if path.endswith(".py")]
    parsed = {path: _parse(tree / path) for path in own if not _is_sample(path)}
    known = {path: module for path, module in parsed.items() if module is not None}
    edges = [edge for edge in graph.edges() if edge.importer in known and edge.imported in parsed]
    found = {(path, target) for path, module in known.items() for target in _true_targets(tree, path, module, roots)}
    truth = {pair for pair in found if pair[1] in parsed}
    ours = {(edge.importer, edge.imported) for edge in edges}
    plain = {(edge.importer, edge.imported) for edge in edges if edge.kind in ("import", "type")}
    extra, missing = sorted(plain - truth), sorted(truth - ours)
    return {
        "oracle": "ast + importlib.machinery.PathFinder",
        "edges": len(truth),
        "samples": len(own) - len(parsed),
        "unread": len(parsed) - len(known),
        "unresolved": len([item for item in graph.unresolved if item.path in known]),
        "precision": round(len(plain & truth) / len(plain), 4) if plain else None,
        "recall": round(len(ours & truth) / len(truth), 4) if truth else None,
        "extra": [" -> ".join(pair) for pair in extra],
        "missing": [" -> ".join(pair) for pair in missing],
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
        if any((Path(place) / f"{alias.name}.pyi").exists() for place in spec.submodule_search_locations or ()):
            continue
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

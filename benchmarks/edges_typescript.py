"""TypeScript's and JavaScript's edges against TypeScript's own resolver, with dependencies installed where that works.

    python -m benchmarks.edges_typescript PATH [--at REV] [--work FOLDER] [--no-install]

The oracle (`oracles/typescript/resolve.js`) walks TypeScript's syntax trees and asks `ts.resolveModuleName` with the
nearest tsconfig of each file; it shares no code with the graph. Where a workspace package's output is unbuilt, the
truth is the source that its tsconfig (outDir → rootDir) or its `src` compiles it from: `unbuilt` counts those edges.
Edges that are reached through a barrel are beyond it and left out of precision. It needs node and npm; `typescript`
and the repository's dependencies come from the registry, without their scripts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from switchyard_context import ImportGraph, build_graph, open_source
from switchyard_context.languages import LANGUAGES, suffix_of
from switchyard_context.languages.jsonc import read_object

_ORACLE = Path(__file__).parent / "oracles" / "typescript" / "resolve.js"
_TYPESCRIPT = "typescript@5.9.3"
_INSTALL_S = 1200
_INSTALLERS = {
    "pnpm-lock.yaml": (
        "pnpm@10",
        "pnpm",
        "install",
        "--ignore-scripts",
        "--config.manage-package-manager-versions=false",
    ),
    "yarn.lock": ("yarn@1", "yarn", "install", "--ignore-scripts", "--ignore-engines"),
    "package-lock.json": ("npm@11", "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"),
}


@dataclass(frozen=True)
class _Answer:
    file: str
    line: int
    specifier: str
    written: str
    target: str
    isUnbuilt: bool  # noqa: N815 - the oracle's own field


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--at", default="HEAD")
    parser.add_argument("--work", type=Path, help="keep the checkout and what is installed here, for the next run")
    parser.add_argument("--no-install", action="store_true")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="switchyard-bench-") as folder:
        work = options.work or Path(folder)
        figures = measure(options.repository, options.at, work, installs=not options.no_install)
    print(json.dumps(figures, indent=2))
    return 0


def measure(repository: Path, revision: str, work: Path, *, installs: bool) -> dict[str, object]:
    """Precision and recall of one repository, as JSON values."""
    graph = build_graph(open_source(repository, revision))
    tools, tree = work / "tools", work / "tree"
    if not (tools / "node_modules/typescript").exists():
        _npm(tools, _TYPESCRIPT)
    if not tree.exists():
        _check_out(repository, graph.revision, tree)
        is_installed = installs and _install(tree, tools)
        if not is_installed:
            _link_packages(tree)
    files = [path for path in graph.files if suffix_of(path) in LANGUAGES["typescript"].readers]
    answers = _ask(tools, tree, files)
    return {
        "benchmark": "edges_typescript",
        "repository": repository.resolve().name,
        "revision": graph.revision,
        "files": len(files),
        "oracle": f"{_TYPESCRIPT}, {_describe(tree)}",
        **_compare(graph, set(files), answers),
    }


def _check_out(repository: Path, revision: str, tree: Path) -> None:
    """What the oracle and an installer read; a partial clone may lack the rest."""
    tree.mkdir(parents=True)
    source = open_source(repository, revision)
    wanted = (*LANGUAGES["typescript"].readers, ".json", ".yaml", ".lock", ".patch")
    for path, content in source.read_many(sorted(path for path in source.paths if path.endswith(wanted))):
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    for link, path in source.links.items():
        (tree / link).parent.mkdir(parents=True, exist_ok=True)
        (tree / link).symlink_to(os.path.relpath(tree / path, (tree / link).parent))


def _npm(tools: Path, *packages: str) -> None:
    tools.mkdir(parents=True, exist_ok=True)
    argv = ("npm", "install", "--prefix", str(tools), "--ignore-scripts", "--no-audit", "--no-fund", *packages)
    subprocess.run(argv, check=True, capture_output=True, timeout=_INSTALL_S)


def _install(tree: Path, tools: Path) -> bool:
    """Install dependencies where that works here; the versions of tools that the manifest insists on are dropped."""
    for lock, (package, *argv) in _INSTALLERS.items():
        if not (tree / lock).exists():
            continue
        manifest = json.loads((tree / "package.json").read_text())
        kept = {name: value for name, value in manifest.items() if name not in ("engines", "packageManager")}
        (tree / "package.json").write_text(json.dumps(kept))
        try:
            _npm(tools, package)
            program = str(tools / "node_modules/.bin" / argv[0])
            subprocess.run((program, *argv[1:]), cwd=tree, check=True, capture_output=True, timeout=_INSTALL_S)
        except (subprocess.SubprocessError, OSError) as error:
            print(f"not installed: {error}", file=sys.stderr)
            return False
        return True
    return False


def _link_packages(tree: Path) -> None:
    """What an installer does for a workspace's own packages."""
    for manifest in sorted(tree.rglob("package.json")):
        name = read_object(manifest.read_bytes()).get("name")
        link = tree / "node_modules" / str(name)
        if isinstance(name, str) and "node_modules" not in manifest.parts and not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(manifest.parent)


def _describe(tree: Path) -> str:
    modules = tree / "node_modules"
    has_foreign = modules.exists() and any(
        not entry.is_symlink() for entry in modules.iterdir() if entry.name[0] != "@"
    )
    return "dependencies installed" if has_foreign else "only the workspace's own packages linked"


def _ask(tools: Path, tree: Path, files: Sequence[str]) -> list[_Answer]:
    argv = ("node", str(_ORACLE), str(tools / "node_modules/typescript"), str(tree))
    done = subprocess.run(argv, input="\n".join(files), check=True, stdout=subprocess.PIPE, text=True)
    return [_Answer(**json.loads(line)) for line in done.stdout.splitlines()]


def _compare(graph: ImportGraph, files: set[str], answers: Sequence[_Answer]) -> dict[str, object]:
    written = {(a.file, a.target): a for a in reversed(answers) if a.target in files and a.target != a.file}
    exports = {(a.file, a.line) for a in answers if a.written == "export"}
    edges = [edge for edge in graph.edges() if edge.importer in files]
    ours = {(edge.importer, edge.imported) for edge in edges}
    direct = {
        (edge.importer, edge.imported)
        for edge in edges
        if edge.kind != "reexport" or (edge.importer, edge.line) in exports
    }
    truth = set(written)
    return {
        "edges": len(truth),
        "unbuilt": sum(answer.isUnbuilt for answer in written.values()),
        "precision": round(len(direct & truth) / len(direct), 4) if direct else None,
        "recall": round(len(ours & truth) / len(truth), 4) if truth else None,
        "unresolved": len([item for item in graph.unresolved if item.path in files]),
        "extra": list(_show(direct - truth, answers)),
        "missing": list(_show(truth - ours, answers)),
    }


def _show(pairs: set[tuple[str, str]], answers: Sequence[_Answer]) -> Iterator[str]:
    for importer, imported in sorted(pairs):
        wanted = [a.specifier for a in answers if a.file == importer and a.target == imported]
        yield f"{importer} -> {imported} ({', '.join(wanted) or 'not so by the oracle'})"


if __name__ == "__main__":
    sys.exit(main())

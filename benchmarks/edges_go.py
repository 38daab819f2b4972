"""Go's edges against go/types: precision, recall and the first differences.

    python -m benchmarks.edges_go PATH [--at REV] [--differences N]

The oracle is `oracles/go/edges.go`, which uses nothing but Go's standard library (Debian: `apt-get install golang-go`).
It checks every package for linux/amd64 without cgo and prints which files use package-level objects of which others.
Both sides leave out the files that this configuration excludes. Third-party packages need not be installed: names that
the checker could not decide for want of their types count for neither side, and are given as `undecided`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from switchyard_context import build_graph, open_source

Pair = tuple[str, str]
_ORACLE = Path(__file__).parent / "oracles" / "go" / "edges.go"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("repository", type=Path)
    parser.add_argument("--at", default="HEAD")
    parser.add_argument("--differences", type=int, default=15)
    options = parser.parse_args(argv)
    print(json.dumps(measure(options.repository, options.at, options.differences), indent=2))
    return 0


def measure(repository: Path, revision: str, differences: int) -> dict[str, object]:
    """The comparison of one repository at one revision, as JSON values."""
    source = open_source(repository, revision)
    graph = build_graph(source)
    with tempfile.TemporaryDirectory(prefix="switchyard-bench-") as folder:
        tree = Path(folder) / "tree"
        _check_out(repository, source.revision, tree)
        lines = _ask_oracle(Path(folder), tree)
    files = {words[0] for kind, *words in lines if kind == "file"}
    truth = {(words[0], words[1]) for kind, *words in lines if kind in ("edge", "blank")}
    unknown = {(words[0], words[1]) for kind, *words in lines if kind == "unknown"} - truth
    truth = {pair for pair in truth if files.issuperset(pair)}
    all_ours: set[Pair] = {(edge.importer, edge.imported) for edge in graph.edges()}
    ours = {pair for pair in all_ours if files.issuperset(pair)}
    undecided, ours = ours & unknown, ours - unknown
    extra, missed = sorted(ours - truth), sorted(truth - ours)
    return {
        "benchmark": "edges_go",
        "oracle": _run(("go", "version"), Path("/")).strip(),
        "repository": repository.name,
        "revision": source.revision,
        "files": len(files),
        "edges": len(truth),
        "undecided": len(undecided),
        "unresolved": sum(item.path.endswith(".go") for item in graph.unresolved),
        "precision": round(len(ours & truth) / len(ours), 5) if ours else None,
        "recall": round(len(ours & truth) / len(truth), 5) if truth else None,
        "extra": [len(extra), *(" -> ".join(pair) for pair in extra[:differences])],
        "missed": [len(missed), *(" -> ".join(pair) for pair in missed[:differences])],
    }


def _check_out(repository: Path, revision: str, tree: Path) -> None:
    tree.mkdir()
    command = ("git", "-c", "safe.directory=*", "-C", str(repository), "archive", "--format=tar", revision)
    archive = subprocess.run(command, check=True, capture_output=True)
    subprocess.run(("tar", "-x", "-C", str(tree)), input=archive.stdout, check=True)


def _ask_oracle(folder: Path, tree: Path) -> list[list[str]]:
    program = folder / "oracle"
    _run(("go", "build", "-o", str(program), str(_ORACLE)), folder)
    return [line.split("\t") for line in _run((str(program), str(tree)), folder).splitlines()]


def _run(command: tuple[str, ...], folder: Path) -> str:
    own = {"GO111MODULE": "off", "GOCACHE": str(folder / "cache"), "GOPATH": str(folder / "go"), "GOFLAGS": ""}
    environment = {**os.environ, **own} if folder != Path("/") else dict(os.environ)
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    raise SystemExit(main())

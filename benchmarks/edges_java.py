"""Java's edges against javac: every type that a file names, and the file that declares it.

    python -m benchmarks.edges_java PATH [--at REV] [--classpath JARS]

The oracle (`oracles/java/Oracle.java`, needs a JDK of 17 or later on PATH) runs the compiler's own attribution over
each source root and lists the class behind every identifier and member select written there. It knows no third-party
library beyond the class path given: what is written through an unknown type is passed over, on both sides wrong or
right. A source root sees, in this order, itself, the other roots of its module, and the roots of the modules that
`<dependency>`, `<parent>` and `project(…)` name; without a `pom.xml` then all others, since a Gradle script may say
it in other ways. Edges to what an inherited static import declares (`reexport`)
are beyond the oracle and left out of precision; so are files that make javac fail (`unread`).
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from switchyard_context import ImportGraph, build_graph, open_source

_ORACLE = Path(__file__).parent / "oracles" / "java" / "Oracle.java"
_PACKAGE = re.compile(r"^\s*package\s+([\w.]+)\s*;", re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--at", default="HEAD")
    parser.add_argument("--classpath", default="")
    parser.add_argument("--differences", type=int, default=15)
    options = parser.parse_args(argv)
    print(json.dumps(measure(options.repository, options.at, options.classpath, options.differences), indent=2))
    return 0


def measure(repository: Path, revision: str, classpath: str, shown: int) -> dict[str, object]:
    """Everything about one repository, as JSON values."""
    started = time.perf_counter()
    graph = build_graph(open_source(repository, revision), None)
    cold_s = time.perf_counter() - started
    with tempfile.TemporaryDirectory(prefix="switchyard-bench-") as folder:
        tree = Path(folder).resolve() / "tree"
        _check_out(repository, graph.revision, tree)
        started = time.perf_counter()
        truth, unread = _ask_javac(tree, classpath)
        oracle_s = time.perf_counter() - started
    edges = [edge for edge in graph.edges() if edge.importer.endswith(".java") and edge.importer not in unread]
    ours = {(edge.importer, edge.imported): edge.kind for edge in edges}
    return {
        "benchmark": "edges_java",
        "repository": repository.name,
        "revision": graph.revision,
        "files": sum(path.endswith(".java") for path in graph.files),
        "cold_s": round(cold_s, 3),
        "oracle": "javac " + _java_version(),
        "oracle_s": round(oracle_s, 1),
        "unread": len(unread),
        **_compare(graph, ours, truth, shown),
    }


def _compare(
    graph: ImportGraph, ours: Mapping[tuple[str, str], str], truth: set[tuple[str, str]], shown: int
) -> dict[str, object]:
    plain = {pair for pair, kind in ours.items() if kind == "import"}
    extra, missing = sorted(plain - truth), sorted(truth - ours.keys())
    unresolved = [
        f"{item.path}:{item.line} {item.imported}" for item in graph.unresolved if item.path.endswith(".java")
    ]
    return {
        "edges": len(truth),
        "precision": round(1 - len(extra) / len(plain), 4) if plain else None,
        "recall": round(1 - len(missing) / len(truth), 4) if truth else None,
        "extra": [" -> ".join(pair) for pair in extra[:shown]],
        "missing": [" -> ".join(pair) for pair in missing[:shown]],
        "unresolved_count": len(unresolved),
        "unresolved": unresolved[:shown],
    }


def _check_out(repository: Path, revision: str, tree: Path) -> None:
    tree.mkdir()
    archive = subprocess.run(
        ("git", "-C", str(repository), "archive", "--format=tar", revision), check=True, capture_output=True
    )
    subprocess.run(("tar", "-x", "-C", str(tree)), input=archive.stdout, check=True)
    for path in tree.rglob("module-info.java"):
        # One of them would make javac hide from each other what the builds of several modules bring together.
        path.unlink()


def _ask_javac(tree: Path, classpath: str) -> tuple[set[tuple[str, str]], set[str]]:
    """(importer and imported, files that javac failed on)"""
    roots = _find_roots(tree)
    order = _Visibility(tree, sorted(roots))
    jobs = []
    for number, (root, files) in enumerate(sorted(roots.items())):
        listed = tree.parent / f"sources-{number}"
        listed.write_text("\n".join(map(str, files)))
        jobs.append(f"{':'.join(map(str, order.seen_from(root)))}\t{classpath}\t{listed}")
    exports = [f"--add-exports=jdk.compiler/com.sun.tools.javac.{name}=ALL-UNNAMED" for name in ("api", "code")]
    command = ("java", "-Xmx6g", "-Xss64m", *exports, str(_ORACLE))
    done = subprocess.run(command, input="\n".join(jobs).encode(), check=True, stdout=subprocess.PIPE)
    lines = [line.split("\t") for line in done.stdout.decode().splitlines()]
    unread = {_relative(line[0], tree) for line in lines if len(line) == 1}
    return {(_relative(line[0], tree), _relative(line[1], tree)) for line in lines if len(line) == 2}, unread


def _relative(path: str, tree: Path) -> str:
    return str(Path(path).relative_to(tree))


def _find_roots(tree: Path) -> dict[Path, list[Path]]:
    """Source root → its files: a file's folder less what its package clause says."""
    roots: defaultdict[Path, list[Path]] = defaultdict(list)
    for path in sorted(tree.rglob("*.java")):
        if path.is_symlink():
            continue
        text = _COMMENT.sub(" ", path.read_text("utf-8", "replace"))
        clause = _PACKAGE.search(text)
        parts = clause.group(1).split(".") if clause else []
        folder = path.parent
        fits = list(folder.parts[len(folder.parts) - len(parts) :]) == parts
        roots[Path(*folder.parts[: len(folder.parts) - len(parts)]) if fits else folder].append(path)
    return roots


class _Visibility:
    """The order in which a root's sources look for others'."""

    def __init__(self, tree: Path, roots: Sequence[Path]) -> None:
        self._tree = tree
        self._roots = roots
        self._modules = {root: self._module_of(root) for root in roots}
        self._named: dict[str, list[Path]] = defaultdict(list)
        for module in sorted(set(self._modules.values())):
            own = re.search(r"<artifactId>([^<]+)", re.sub(r"<parent>.*?</parent>", "", self._pom(module)))
            self._named[own.group(1).strip() if own else module.name].append(module)

    def _module_of(self, root: Path) -> Path:
        folder = root.parent.parent.parent if root.name == "java" and root.parent.parent.name == "src" else root
        while folder != self._tree and not _has_build(folder):
            folder = folder.parent
        return folder

    def _pom(self, module: Path) -> str:
        return re.sub(r"<!--.*?-->", "", " ".join(_read(module / "pom.xml").split()))

    def seen_from(self, root: Path) -> Iterator[Path]:
        module = self._modules[root]
        order = [module]
        for current in order:
            order.extend(other for other in self._dependencies(current) if other not in order)
        yield root
        mine = [other for other in self._roots if self._modules[other] == module and other != root]
        yield from (other for other in mine if not (_is_test(other) and _is_main(root)))
        for tests in (False, True):
            for other in order[1:]:
                yield from (r for r in self._roots if self._modules[r] == other and _is_test(r) == tests)
            if tests and _is_main(root):
                return
            if not (module / "pom.xml").exists():
                yield from (r for r in self._roots if self._modules[r] not in order and _is_test(r) == tests)

    def _dependencies(self, module: Path) -> Iterator[Path]:
        pom = re.sub(r"<dependencyManagement>.*?</dependencyManagement>|<build>.*?</build>", "", self._pom(module))
        for block in re.findall(r"<dependency>.*?</dependency>|<parent>.*?</parent>", pom):
            name = re.search(r"<artifactId>([^<]+)", block)
            yield from self._named.get(name.group(1).strip() if name else "", ())
        for script in sorted(module.glob("*.gradle*")):
            for name in re.findall(r"""project\s*\(?[^)"'\n]*["']:?([^"']+)["']""", _read(script)):
                yield from self._named.get(name.rpartition(":")[2], ())


def _has_build(folder: Path) -> bool:
    return (folder / "pom.xml").exists() or any(folder.glob("*.gradle*"))


def _is_test(root: Path) -> bool:
    return any("test" in part.lower() for part in root.parts[-3:])


def _is_main(root: Path) -> bool:
    return root.parts[-2:] == ("main", "java")


def _read(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.is_file() else ""


def _java_version() -> str:
    return subprocess.run(("javac", "-version"), check=True, capture_output=True, text=True).stdout.split()[-1]


if __name__ == "__main__":
    sys.exit(main())

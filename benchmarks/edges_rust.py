"""Rust's edges in the import graph against the compiler's own name resolution.

    python -m benchmarks.edges_rust PATH [--at REV] [--setup FILE] [--build ARGUMENTS]… [--show N]

The oracle is rustc: every target of every workspace that builds without network is compiled with cargo, and for each
crate rustc prints its resolved tree (`-Zunpretty=hir-tree`). From it come all paths that stand in a file, with what
each means: the file of the definition, and where that is reached through a re-export the file of the module named.
A `mod x;` is an edge to the file of x. It shares no code with the graph.

Beyond the oracle, hence left out of precision and counted apart: lines from which the compiler made nothing (other
platforms, features that are off, attributes, macros never called), and files that no target compiles. `--build` gives
the arguments of one `cargo check`; of several, with other features, the truths are joined. `--setup` is a shell script
run in the checked-out tree first, for example to name where dependencies lie.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from switchyard_context import ImportGraph, build_graph, open_source

_DEF = re.compile(r"DefId\(\d+:\d+ ~ (\w+)\[\w+\](?:::(.*?))?\),?$")
_SPAN = re.compile(r"span: (.*?):(\d+):(\d+): (\d+):(\d+) \(#\d+\)")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--at", default="HEAD")
    parser.add_argument("--setup", type=Path)
    parser.add_argument("--build", action="append", default=[], help="arguments of one cargo check")
    parser.add_argument("--show", type=int, default=15)
    options = parser.parse_args(argv)
    graph = build_graph(open_source(options.repository, options.at))
    with tempfile.TemporaryDirectory(prefix="switchyard-rust-") as folder:
        tree, dumps = Path(folder) / "tree", Path(folder) / "dumps"
        _check_out(options.repository, graph.revision, tree)
        dumps.mkdir()
        if options.setup is not None:
            subprocess.run(("sh", str(options.setup.resolve())), cwd=tree, check=True)
        built = _compile(tree, dumps, options.build or ["--workspace --all-targets --all-features"])
        truth = _Truth(tree, [json.loads(path.read_text()) for path in sorted(dumps.glob("*.json"))])
    result = {"benchmark": "edges_rust", "repository": options.repository.name, "revision": graph.revision}
    print(
        json.dumps(
            {
                **result,
                "oracle": "rustc -Zunpretty=hir-tree",
                "workspaces": built,
                **_compare(graph, truth, options.show),
            },
            indent=2,
        )
    )
    return 0


def _check_out(repository: Path, revision: str, tree: Path) -> None:
    tree.mkdir()
    argv = (
        "git",
        "-c",
        "safe.directory=*",
        "-C",
        str(repository),
        "archive",
        "--format=tar",
        revision.removesuffix("+dirty"),
    )
    archive = subprocess.run(argv, check=True, capture_output=True)
    subprocess.run(("tar", "-x", "-C", str(tree)), input=archive.stdout, check=True)


def _compile(tree: Path, dumps: Path, builds: Sequence[str]) -> dict[str, str]:
    """Workspace → how cargo ended; what fails to build leaves no dump and so no truth."""
    wrapper = dumps / "rustc-wrapper"
    wrapper.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" --as-rustc "{tree}" "{dumps}" "$@"\n'
    )
    wrapper.chmod(0o755)
    environment = {
        **os.environ,
        "RUSTC_WORKSPACE_WRAPPER": str(wrapper),
        "CARGO_TARGET_DIR": str(dumps / "target"),
        "CARGO_NET_OFFLINE": "true",
    }
    built: dict[str, str] = {}
    for manifest in sorted(tree.rglob("Cargo.toml"), key=lambda path: len(path.parts)):
        if "[workspace" in manifest.read_text() or manifest.parent == tree:
            for build in builds:
                argv = ("cargo", "check", "--keep-going", "--offline", "-j2", *shlex.split(build))
                done = subprocess.run(argv, cwd=manifest.parent, env=environment, capture_output=True, text=True)
                failed = re.findall(r"^error: could not compile.*", done.stderr, re.MULTILINE)
                ended = "built" if not done.returncode else "; ".join(failed) or done.stderr[-200:]
                built[f"{manifest.parent.relative_to(tree)}: {build}"] = ended
    return built


def _as_rustc(tree: Path, dumps: Path, argv: list[str]) -> int:
    """What cargo runs in place of rustc: dump the resolved tree first, then compile as asked."""
    if "--crate-name" in argv and any(item.endswith(".rs") for item in argv):
        name = argv[argv.index("--crate-name") + 1]
        plain = [item for item in argv if not item.startswith(("--emit", "--error-format", "--json"))]
        environment = {**os.environ, "RUSTC_BOOTSTRAP": "1"}
        process = subprocess.Popen(
            (*plain, "-Zunpretty=hir-tree", "--cap-lints=allow"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        assert process.stdout is not None
        dump = _read_dump(process.stdout)
        if not process.wait():
            dump |= {"crate": name, "folder": os.path.relpath(os.getcwd(), tree)}  # noqa: PTH109
            (dumps / f"{name}-{os.getpid()}.json").write_text(json.dumps(dump))
    return subprocess.run(argv).returncode


@dataclass
class _Path:
    """A `Path { … }` of the dump in the making."""

    indent: int
    span: str = ""
    part: str = ""
    kind: str = ""
    meant: list[tuple[str, str]] = field(default_factory=list)
    segments: list[list[str]] = field(default_factory=list)
    """[identifier, kind of what it means, crate, path]"""


def _read_dump(lines: Iterable[str]) -> dict[str, object]:
    """Paths and modules of a dump that is far too large to keep."""
    paths: dict[str, object] = {}
    modules: list[list[str]] = []
    owner = ("", "")
    open_paths: list[_Path] = []
    for line in lines:
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        if not indent and text.endswith("=> OwnerNodes {"):
            owner = _definition(text.partition(" =>")[0]) or owner
        elif text.startswith("inner_span: "):
            found = _SPAN.search(text)
            modules.append([owner[1], found[1] if found else "", found[2] if found else "0"])
        elif text.endswith("Path {"):
            open_paths.append(_Path(indent))
        elif open_paths:
            _read_path_line(open_paths[-1], text, indent - open_paths[-1].indent)
            if indent == open_paths[-1].indent and text.startswith("}"):
                done = open_paths.pop()
                if done.span and done.segments:
                    key = json.dumps([done.span, done.meant, done.segments, owner[1]])
                    paths[key] = None
    return {"modules": modules, "paths": [json.loads(key) for key in paths]}


def _read_path_line(path: _Path, text: str, depth: int) -> None:
    if depth == 4:
        path.part = text.partition(":")[0]
        if path.part == "span":
            path.span = text.rstrip(",")
    elif path.part == "res" and text.startswith("DefId("):
        # A type parameter is no item; through a macro it may have its home in another file.
        if path.kind not in ("TyParam,", "ConstParam,") and (found := _definition(text)) is not None:
            path.meant.append(found)
    elif path.part == "res":
        path.kind = text
    elif path.part == "segments" and depth == 12 and text.startswith("ident: "):
        path.segments.append([text.removeprefix("ident: ").rpartition("#")[0], "", "", ""])
    elif path.part == "segments" and depth == 16 and path.segments:
        if text.startswith("DefId(") and (found := _definition(text)) is not None:
            path.segments[-1][2:] = found
        elif not path.segments[-1][1]:
            path.segments[-1][1] = text.rstrip(",")


def _definition(text: str) -> tuple[str, str] | None:
    found = _DEF.search(text)
    return (found[1], re.sub(r"#\d+", "", found[2] or "")) if found else None


class _Truth:
    """What the compiler says about the files of a tree."""

    def __init__(self, tree: Path, dumps: list[dict[str, object]]) -> None:
        self._tree = tree
        self._texts: dict[str, list[str]] = {}
        self.edges: dict[tuple[str, str], str] = {}
        self.lines: set[tuple[str, int]] = set()
        self.files: set[str] = set()
        libraries: defaultdict[str, dict[str, str]] = defaultdict(dict)
        own = [self._modules_of(dump) for dump in dumps]
        for dump, modules in zip(dumps, own, strict=True):
            libraries[str(dump["crate"])].update(modules)
        for dump, modules in zip(dumps, own, strict=True):
            self._add(dump, {**libraries, str(dump["crate"]): modules})

    def _modules_of(self, dump: dict[str, object]) -> dict[str, str]:
        found = {}
        for name, file, _ in dump["modules"]:  # type: ignore[attr-defined]
            if (path := self._relative(dump, file)) is not None:
                found[name] = path
                self.files.add(path)
        return found

    def _relative(self, dump: dict[str, object], file: str) -> str | None:
        path = os.path.normpath(Path(str(dump["folder"])) / file)
        return path if not path.startswith(("..", "/")) and (self._tree / path).is_file() else None

    def _add(self, dump: dict[str, object], crates: dict[str, dict[str, str]]) -> None:
        own = crates[str(dump["crate"])]
        for name, file in own.items():
            if name:
                self._edge(own.get(name.rpartition("::")[0] if "::" in name else "", file), file, f"mod {name}")
        for span, meant, segments, owner in dump["paths"]:  # type: ignore[attr-defined]
            _fill_relative(segments, str(dump["crate"]), _home(owner, own))
            found = _SPAN.search(span)
            path = self._relative(dump, found[1]) if found else None
            if found is None or path is None or not self._is_written(path, found, segments[-1][0]):
                continue
            self.lines.add((path, int(found[2])))
            named = next(
                (
                    (crate, inner)
                    for _, kind, crate, inner in reversed(segments[:-1])
                    if kind == "Mod" and crate in crates
                ),
                None,
            )
            what = "::".join(segment[0] for segment in segments) + f" at line {found[2]}"
            homes = [(crate, _home(inner, crates[crate])) for crate, inner in meant if crate in crates]
            for crate, home in homes:
                self._edge(path, crates[crate].get(home, ""), what)
            is_direct = any(
                named == (crate, inner.rpartition("::")[0]) or (named == (crate, home) and named[1] != inner)
                for (crate, inner), (_, home) in zip([m for m in meant if m[0] in crates], homes, strict=True)
            )
            if named is not None and not is_direct:
                self._edge(path, crates[named[0]].get(named[1], ""), what)

    def _edge(self, importer: str, imported: str, why: str) -> None:
        if imported and importer != imported:
            self.edges.setdefault((importer, imported), why)

    def _is_written(self, path: str, span: re.Match[str], name: str) -> bool:
        """Whether a path stands in the text, and is not made up by a macro in this place."""
        if path not in self._texts:
            self._texts[path] = (self._tree / path).read_text(errors="replace").split("\n")
        first, last = int(span[2]), int(span[4])
        text = "\n".join(self._texts[path][first - 1 : last])
        if first == last:
            text = (
                self._texts[path][first - 1][int(span[3]) - 1 : int(span[5]) - 1]
                if first <= len(self._texts[path])
                else ""
            )
        return name.removeprefix("r#") in text


def _fill_relative(segments: list[list[str]], crate: str, module: str) -> None:
    """The compiler leaves `self` and `super` without meaning."""
    for segment in segments:
        if segment[0] not in ("self", "super"):
            return
        module = module.rpartition("::")[0] if segment[0] == "super" else module
        segment[1:] = ["Mod", crate, module]


def _home(definition: str, modules: dict[str, str]) -> str:
    """The innermost module around a definition, or the module itself."""
    while definition and definition not in modules:
        definition = definition.rpartition("::")[0]
    return definition


def _compare(graph: ImportGraph, truth: _Truth, show: int) -> dict[str, object]:
    edges = [edge for edge in graph.edges() if edge.importer in truth.files]
    ours = {(edge.importer, edge.imported) for edge in edges}
    wrong = [e for e in edges if (e.importer, e.imported) not in truth.edges]
    judged = [e for e in wrong if (e.importer, e.line) in truth.lines and e.imported in truth.files]
    seen = sorted({f"{e.importer}:{e.line} -> {e.imported}" for e in judged})
    unseen = {(e.importer, e.imported) for e in wrong} - {(e.importer, e.imported) for e in judged}
    missing = sorted(f"{a} -> {b} ({why})" for (a, b), why in truth.edges.items() if (a, b) not in ours)
    right = len(ours & truth.edges.keys())
    return {
        "files": sum(path.endswith(".rs") for path in graph.files),
        "compiled": len(truth.files),
        "edges": len(truth.edges),
        "precision": round(right / (right + len(seen)), 4) if right else None,
        "recall": round(right / len(truth.edges), 4) if truth.edges else None,
        "beyond_the_oracle": len(unseen),
        "unresolved": len([item for item in graph.unresolved if item.path in truth.files]),
        "extra": seen[:show],
        "missing": missing[:show],
        "beyond": sorted(map(" -> ".join, unseen))[:show],
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as-rustc"]:
        sys.exit(_as_rustc(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:]))
    sys.exit(main())

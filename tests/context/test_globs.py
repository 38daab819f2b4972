"""Which part of a tree is looked at, and which of its files are marked as nobody's own work."""

from __future__ import annotations

from pathlib import Path

import pytest
from switchyard_context import open_codebase, open_source
from switchyard_context.globs import matches

from .conftest import Project

TREE = {
    "api/app.py": "from lib import core\nfrom api.generated import stubs\n",
    "api/generated/stubs.py": "",
    "lib/core.py": "",
    "vendor/left.py": "",
    "web/a.ts": "import '@/b'\n",
    "web/src/b.ts": "",
    "web/tsconfig.json": '{"compilerOptions": {"paths": {"@/*": ["./src/*"]}}}',
    ".gitattributes": "generated/** linguist-generated\nvendor/** linguist-vendored=true\nlib/** -linguist-vendored\n",
    "api/.gitattributes": "generated/* linguist-generated=true\n",
}


@pytest.mark.parametrize(
    ("glob", "inside", "outside"),
    [
        ("api", ["api/a.py", "x/api/b/c.py", "api"], ["apis/a.py", "x/capi"]),
        ("/api", ["api/a.py"], ["x/api/a.py"]),
        ("api/", ["api/a.py", "x/api/a.py"], ["api.py"]),
        ("api/*.py", ["api/a.py"], ["api/b/a.py", "x/api/a.py"]),
        ("*.py", ["a.py", "x/y/a.py"], ["a.pyi"]),
        ("api/**/test_*.py", ["api/test_a.py", "api/x/y/test_a.py"], ["api/x/a.py"]),
        ("**/gen/**", ["gen/a", "x/gen/y/a"], ["x/gen", "general/a"]),
        ("a?c[0-9].py", ["abc1.py"], ["a/c1.py", "abcd.py"]),
        ("[!a]b", ["cb"], ["ab", "/b"]),
        ("odd[name", ["odd[name"], ["oddn"]),
        ("x[z-a]", ["x[z-a]"], ["xz"]),
        ("a+b(c).py", ["a+b(c).py"], ["aab(c).py"]),
    ],
)
def test_a_pattern_means_what_it_means_in_gitignore(glob: str, inside: list[str], outside: list[str]) -> None:
    assert [path for path in inside if not matches(path, glob)] == []
    assert [path for path in outside if matches(path, glob)] == []


@pytest.mark.parametrize("revision", [None, "HEAD"])
def test_only_what_is_included_and_not_excluded_is_looked_at(project: Project, revision: str | None) -> None:
    source = project.commit(TREE).source(revision)
    assert open_codebase(source, include=["api", "web"], exclude=["generated"]).graph.files == [
        "api/app.py", "web/a.ts", "web/src/b.ts",
    ]  # fmt: skip


def test_what_configures_an_included_file_still_does(project: Project) -> None:
    graph = open_codebase(project.write(TREE).source(), include=["*.ts"]).graph
    assert [(edge.importer, edge.imported) for edge in graph.edges()] == [("web/a.ts", "web/src/b.ts")]


def test_one_cache_serves_a_whole_tree_and_its_parts(project: Project, tmp_path: Path) -> None:
    source = project.write(TREE).source()
    for _ in range(2):
        assert len(open_codebase(source, tmp_path / "cache").graph.files) == 6
        assert open_codebase(source, tmp_path / "cache", include=["lib"]).graph.files == ["lib/core.py"]


def test_gitattributes_tell_what_is_generated_and_what_is_vendored(project: Project, tmp_path: Path) -> None:
    project.commit(TREE)
    bare = tmp_path / "bare.git"
    project.git("clone", "--quiet", "--bare", ".", str(bare))
    for source in (project.source(), project.source("HEAD"), open_source(bare)):
        for _ in range(2):
            codebase = open_codebase(source, tmp_path / "cache")
            assert codebase.generated == {"api/generated/stubs.py"}
            assert codebase.vendored == {"vendor/left.py"}


def test_marks_follow_an_edit_of_gitattributes(project: Project, tmp_path: Path) -> None:
    project.commit(TREE).codebase(cache=tmp_path / "cache")
    project.write({".gitattributes": "*.ts linguist-generated\n"})
    codebase = project.codebase(cache=tmp_path / "cache")
    assert codebase.generated == {"api/generated/stubs.py", "web/a.ts", "web/src/b.ts"}
    assert codebase.vendored == frozenset()

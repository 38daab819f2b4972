"""What the graph answers: chains, closures, covering tests, impact."""

from __future__ import annotations

import pytest
from switchyard_context import UnknownPath

from .conftest import Project

CHAIN = {
    "pkg/__init__.py": "",
    "pkg/low.py": "",
    "pkg/mid.py": "from pkg import low\n",
    "pkg/high.py": "from pkg import mid\n",
    "pkg/alone.py": "",
    "tests/test_low.py": "from pkg import low\n",
    "tests/test_high.py": "from pkg import high\n",
    "tests/helper.py": "from pkg import low\n",
}


def test_reach_is_limited_by_hops_in_both_directions(project: Project) -> None:
    graph = project.write(CHAIN).graph()
    assert graph.closure(["pkg/high.py"]) == {"pkg/high.py", "pkg/mid.py", "pkg/low.py"}
    assert graph.closure(["pkg/high.py"], hops=1) == {"pkg/high.py", "pkg/mid.py"}
    assert graph.dependents(["pkg/mid.py"]) == {"pkg/mid.py", "pkg/high.py", "tests/test_high.py"}
    assert graph.dependents(["pkg/mid.py"], hops=0) == {"pkg/mid.py"}
    assert graph.closure(["not/there.py"]) == set()


def test_a_shortest_chain_says_line_by_line_why(project: Project) -> None:
    graph = project.write(CHAIN).graph()
    chain = graph.why("tests/test_high.py", "pkg/low.py")
    assert chain is not None
    assert [(edge.importer, edge.line, edge.imported) for edge in chain] == [
        ("tests/test_high.py", 1, "pkg/high.py"),
        ("pkg/high.py", 1, "pkg/mid.py"),
        ("pkg/mid.py", 1, "pkg/low.py"),
    ]
    assert graph.why("pkg/low.py", "pkg/high.py") is None
    assert graph.why("pkg/low.py", "pkg/low.py") == []


def test_covering_tests_come_nearest_first_and_helpers_are_none(project: Project) -> None:
    graph = project.write(CHAIN).graph()
    assert graph.tests_covering(["pkg/low.py"]) == ["tests/test_low.py", "tests/test_high.py"]
    assert graph.tests_covering(["pkg/alone.py"]) == []


def test_impact_is_everything_that_needs_a_file_nearest_first(project: Project) -> None:
    graph = project.write(CHAIN).graph()
    assert graph.impact(["pkg/low.py"]) == [
        "pkg/mid.py", "tests/helper.py", "tests/test_low.py", "pkg/high.py", "tests/test_high.py",
    ]  # fmt: skip


def test_a_misspelt_path_is_named_with_what_it_may_have_meant(project: Project) -> None:
    graph = project.write(CHAIN).graph()
    with pytest.raises(UnknownPath, match="lwo") as caught:
        graph.imports_of("pkg/lwo.py")
    assert "pkg/low.py" in caught.value.hint


def test_networkx_sees_the_same_graph(project: Project) -> None:
    graph = project.write(CHAIN).graph()
    other = graph.to_networkx()
    assert sorted(other.nodes) == graph.files
    assert sorted((a, b, data["line"], data["kind"]) for a, b, data in other.edges(data=True)) == sorted(
        (edge.importer, edge.imported, edge.line, edge.kind) for edge in graph.edges()
    )


def test_every_edge_joins_files_of_that_revision(project: Project) -> None:
    project.commit(CHAIN)
    first = project.git("rev-parse", "HEAD")
    project.git("rm", "--quiet", "pkg/mid.py")
    project.commit({})
    for revision in (first, "HEAD"):
        source = project.source(revision)
        graph = project.graph(revision)
        assert {path for edge in graph.edges() for path in (edge.importer, edge.imported)} <= source.paths
    assert [(item.path, item.imported) for item in project.graph("HEAD").unresolved] == [("pkg/high.py", "pkg.mid")]


def test_renaming_a_folder_keeps_the_shape_of_the_graph(project: Project) -> None:
    project.commit({path: text.replace("from pkg import", "from . import") for path, text in CHAIN.items()})
    before = project.graph("HEAD")
    project.git("mv", "pkg", "renamed")
    project.commit({})
    after = project.graph("HEAD")
    renamed = {
        (e.importer.replace("pkg/", "renamed/"), e.imported.replace("pkg/", "renamed/"), e.line, e.kind)
        for e in before.edges()
    }
    assert {(e.importer, e.imported, e.line, e.kind) for e in after.edges()} == renamed


def test_the_document_lists_files_edges_and_unresolved(project: Project) -> None:
    project.commit({"a.py": "import b\nfrom . import gone\n", "b.py": ""})
    assert project.graph("HEAD").as_json() == {
        "schema": "switchyard.graph/1",
        "revision": project.git("rev-parse", "HEAD"),
        "files": ["a.py", "b.py"],
        "edges": [{"importer": "a.py", "imported": "b.py", "line": 1, "kind": "import"}],
        "unresolved": [{"path": "a.py", "line": 2, "import": ".gone"}],
    }

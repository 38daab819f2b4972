"""Tasks that start from one commit share its graph; another commit has its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from switchyard.workflow.graphs import read_commit

from .conftest import Yard


def test_tasks_that_start_together_from_one_commit_share_one_graph(yard: Yard) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: read_commit(yard.factory.places, yard.base), range(4)))
    assert len({id(graph) for graph in found}) == 1


def test_a_commit_of_a_parent_has_a_graph_of_its_own(yard: Yard) -> None:
    child = yard.commit(yard.base, {"one.py": "import two\n", "two.py": ""})
    before = read_commit(yard.factory.places, yard.base)
    after = read_commit(yard.factory.places, child)
    assert [(edge.importer, edge.imported) for edge in after.graph.edges()] == [("one.py", "two.py")]
    assert before.graph.edges() == []
    assert after.source.read("one.py") == b"import two\n"

"""Tasks that start from one commit share its graph; another commit has its own."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor

from switchyard.workflow.graphs import SEEDS, ensure_seed, read_commit

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


def test_a_seed_is_made_once_and_holds_what_boxes_may_read(yard: Yard) -> None:
    places = yard.factory.places
    ensure_seed(places, yard.base)
    place = places.seed(yard.base)
    made = {path.name: (path.stat().st_ino, path.stat().st_mode & 0o777) for path in place.rglob("*")}
    assert made["trees"][1] == 0o755
    assert {mode for name, (_, mode) in made.items() if name != "trees"} == {0o644}
    ensure_seed(places, yard.base)
    assert {path.name: path.stat().st_ino for path in place.rglob("*")} == {name: at for name, (at, _) in made.items()}


def test_seeds_of_old_bases_go_and_a_folder_that_cannot_be_written_costs_no_run(yard: Yard) -> None:
    places = yard.factory.places
    ensure_seed(places, yard.base)
    for number in range(SEEDS + 2):
        ensure_seed(places, yard.commit(yard.base, {"n": str(number)}))
    assert len(list(places.seed(yard.base).parent.iterdir())) == SEEDS
    shutil.rmtree(places.seed(yard.base).parent)
    places.seed(yard.base).parent.write_text("in the way")
    ensure_seed(places, yard.base)
    assert not places.seed(yard.base).exists()
